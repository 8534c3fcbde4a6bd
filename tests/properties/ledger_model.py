"""The ledger as a person would keep it on paper: dictionaries, and displacement unit by unit.

It shares nothing with the code under test but the names of accounts, and decides before each step whether the step is
possible.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

WAITS_AGAIN = {"order", "transfer"}
AT_NODE = {"on_hand", "damaged", "quarantine", "in_transit"}
# What goes there from the shelf, or comes from there, is no move of goods: somebody saw that the ledger was wrong.
BELIEFS = {"shrink", "adjustment"}


@dataclass
class PaperClaim:
    """A reservation: units still open, of which some are picked."""

    sku: str
    node: str
    reference: str
    purpose: str
    units: int
    rank: int = 0
    picked: int = 0
    born: int = 0

    @property
    def key(self):
        return self.sku, self.node

    @property
    def unpicked(self):
        return self.units - self.picked


@dataclass
class PaperJourney:
    """A transfer of one line: units on their way, and units that were written off."""

    sku: str
    source: str
    destination: str
    reference: str
    left: int
    lost: int = 0
    untouched: bool = True


@dataclass
class PaperLine:
    """A line of a purchase order."""

    ordered: int = 0
    received: int = 0
    set_aside: int = 0
    cancelled: int = 0

    @property
    def outstanding(self):
        return max(0, self.ordered - self.received - self.cancelled)

    @property
    def told(self):
        return self.ordered, self.received, self.set_aside, self.cancelled


@dataclass
class PaperOrder:
    """A purchase order, and whether more of it is expected."""

    node: str
    tolerance: int
    lines: dict
    expecting: bool = True

    def room(self, sku):
        line = self.lines.get(sku, PaperLine())
        return max(0, line.ordered * (100 + self.tolerance) // 100 - line.cancelled - line.received)

    def give_up(self):
        self.expecting = False
        for line in self.lines.values():
            line.cancelled += line.outstanding


@dataclass
class Paper:
    """What a person would know of the stock."""

    stock: dict = field(default_factory=lambda: defaultdict(Counter))
    safety: Counter = field(default_factory=Counter)
    backorder: Counter = field(default_factory=Counter)
    claims: dict = field(default_factory=dict)
    waiting: Counter = field(default_factory=Counter)
    run_out: set = field(default_factory=set)
    journeys: dict = field(default_factory=dict)
    orders: dict = field(default_factory=dict)
    moves: list = field(default_factory=list)
    feeds: list = field(default_factory=list)
    corrections: list = field(default_factory=list)
    looked: dict = field(default_factory=dict)

    def at(self, key):
        return [claim for claim in self.claims.values() if claim.key == key]

    def on_hand(self, key):
        return self.stock[key]["on_hand"]

    def reserved(self, key):
        return sum(claim.units for claim in self.at(key))

    def picked(self, key):
        return sum(claim.picked for claim in self.at(key))

    def shelf(self, key):
        return self.on_hand(key) - self.picked(key)

    def free(self, key, *, above_safety=True):
        kept = self.safety[key] if above_safety else 0
        return self.on_hand(key) + self.backorder[key] - self.reserved(key) - kept

    def held_by(self, cart):
        """Return what a cart holds, the reservations with units left, in the order in which they were made."""
        return {id_: claim for id_, claim in self.claims.items() if claim.reference == cart and claim.units}

    def move(self, key, units, *, now):
        """Raise or lower on hand."""
        self.stock[key]["on_hand"] += units
        self.moves.append((now, key, units))

    def shift(self, key, source, target, units, *, now):
        """Move units between two accounts of a place, or the world outside, and displace whom that leaves no room."""
        for account, change in ((source, -units), (target, units)):
            if account == "on_hand":
                self.move(key, change, now=now)
                if BELIEFS & {source, target}:
                    self.correct(key, change)
            elif account in AT_NODE:
                self.stock[key][account] += change
        self.displace(key)

    def since(self, key, as_of):
        return sum(units for now, moved, units in self.moves if moved == key and now > as_of)

    def correct(self, key, units, *, looked_at=None):
        """Note that somebody saw the ledger was wrong: by a look at the whole shelf, or by single units."""
        self.corrections.append((key, units, looked_at))

    def still_wrong(self, key, difference, *, since, looked_at):
        """Return what is left of a difference after the corrections from number `since` on, unit by unit."""
        later = [(units, at) for corrected, units, at in self.corrections[since:] if corrected == key]
        if any(at is not None and at > looked_at for _, at in later) or self.looked.get(key, looked_at) > looked_at:
            return 0
        difference -= sum(units for units, at in later if at is not None)
        singles = sum(units for units, at in later if at is None)
        while difference and singles and (difference > 0) == (singles > 0):
            step = 1 if difference > 0 else -1
            difference, singles = difference - step, singles - step
        return difference

    def claim(self, id_, claim):
        claim.born = len(self.claims)
        self.claims[id_] = claim

    def close(self, id_, units, *, picked=0):
        claim = self.claims[id_]
        claim.units -= units
        claim.picked -= picked

    def can_lose(self, key, units, *, picked=0):
        """Tell whether on hand can fall by units without anybody being displaced, `picked` of them out of totes."""
        left = self.on_hand(key) - units
        return left >= 0 and left >= self.picked(key) - picked

    def displace(self, key):
        """Take claims away, a unit at a time, until what is left fits."""
        line = sorted(self.claims.items(), key=lambda item: (item[1].rank, -item[1].born))
        line = [(id_, claim) for id_, claim in line if claim.key == key]
        while self.picked(key) > self.on_hand(key):
            self._lose(next(id_ for id_, claim in line if claim.picked), picked=1)
        while self.reserved(key) > self.on_hand(key) + self.backorder[key]:
            loose = next((id_ for id_, claim in line if claim.unpicked), None)
            if loose is None:
                self._lose(next(id_ for id_, claim in line if claim.picked), picked=1)
            else:
                self._lose(loose, picked=0)

    def _lose(self, id_, *, picked):
        claim = self.claims[id_]
        self.close(id_, 1, picked=picked)
        if claim.purpose in WAITS_AGAIN and claim.reference:
            self.waiting[claim.sku, claim.reference] += 1
