"""Rules about what carts hold: held instead of what was held, extended, taken over by an order, over, swept."""

from collections import Counter
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import update

from kernel.ids import new_id
from stock import holds
from stock.errors import InsufficientStock
from stock.holds import HoldUnits, Term
from stock.models import Reservation
from stock.reservations import ReservedUnits, rebind
from tests.properties.ledger_machine import NODES, SKUS, LedgerSteps
from tests.properties.ledger_model import PaperClaim
from tests.stock.shelf import NOW, claim

CARTS = st.sampled_from(["cart-1", "cart-2"])
LONG_AGO = NOW - timedelta(days=10_000)
TERM = Term(minutes=600, most_minutes=6_000)


class HoldSteps(LedgerSteps):
    """What carts hold until their time is over. That ends come when they should, `test_holds.py` proves."""

    @property
    def somebody_holds(self):
        return any(claim.purpose == "hold" and claim.units for claim in self.paper.claims.values())

    @rule(cart=CARTS, wanted=st.dictionaries(st.tuples(SKUS, NODES), st.integers(1, 3), min_size=1, max_size=2))
    def hold(self, cart, wanted):
        before = self.paper.held_by(cart)
        valid = {} if cart in self.paper.run_out else before
        kept, wanting = Counter(), Counter(wanted)
        for id_, held in sorted(valid.items(), key=lambda item: (item[1].sku, item[0])):
            kept[id_] = min(held.units, wanting[held.key])
            wanting[held.key] -= kept[id_]
        freed = {id_: held.units - kept[id_] for id_, held in before.items()}
        growth = Counter(wanting)
        for id_, units in freed.items():
            growth[before[id_].key] -= units
        short = any(units > max(0, self.paper.free(key)) for key, units in growth.items() if units > 0)
        units, given = [HoldUnits(*key, count) for key, count in wanted.items()], holds.claimed_by(self.session, cart)
        ends = self.attempt(
            lambda: holds.hold(self.session, self.header("hold"), cart, units, term=TERM, instead_of=given),
            refused_by=InsufficientStock if short else None,
        )
        if ends:
            for id_, count in freed.items():
                self.paper.close(id_, count)
            self._note_new_holds(cart, +wanting)

    def _note_new_holds(self, cart, wanting):
        made = [held for held in holds.open_of(self.session, cart) if held.reservation_id not in self.paper.claims]
        assert {held.key: held.units for held in made} == wanting
        for held in made:
            self.paper.claim(held.reservation_id, PaperClaim(*held.key, cart, "hold", held.units, rank=-1))
        self.paper.run_out.discard(cart)

    @rule(cart=CARTS)
    @precondition(lambda self: self.somebody_holds)
    def extend_hold(self, cart):
        goes_on = bool(self.paper.held_by(cart)) and cart not in self.paper.run_out
        assert (holds.extend(self.session, cart, minutes=700) is not None) == goes_on

    @rule(cart=CARTS)
    @precondition(lambda self: self.somebody_holds)
    def release_hold(self, cart):
        held = self.paper.held_by(cart)
        freed = holds.release(self.session, self.header("release"), cart)
        assert freed == sum(claim.units for claim in held.values())
        for id_, claimed in held.items():
            self.paper.close(id_, claimed.units)

    @rule(cart=CARTS)
    @precondition(lambda self: self.somebody_holds)
    def order_what_is_held(self, cart):
        """An order takes over what a cart holds: the same units, at the same nodes, in one posting."""
        held = self.paper.held_by(cart)
        release = [ReservedUnits(claimed.sku, id_, claimed.units) for id_, claimed in held.items()]
        orders = [
            claim(sku=claimed.sku, node=claimed.node, units=claimed.units, reference=new_id())
            for claimed in held.values()
        ]
        ids = rebind(self.session, self.header(), release=release, claims=orders)
        for old, new, made in zip(held, ids, orders, strict=True):
            self.paper.close(old, made.units)
            self.paper.claim(new, PaperClaim(made.sku, made.node, made.reference, "order", made.units))

    @rule(cart=CARTS)
    @precondition(lambda self: self.somebody_holds)
    def run_out(self, cart):
        of_cart = (Reservation.reference == cart) & (Reservation.purpose == "hold")
        self.session.execute(update(Reservation).where(of_cart).values(expires_at=LONG_AGO))
        self.paper.run_out.add(cart)

    @rule()
    @precondition(lambda self: self.paper.run_out)
    def expire(self):
        over = {id_: claim for cart in self.paper.run_out for id_, claim in self.paper.held_by(cart).items()}
        assert holds.expire(self.session, limit=100) == len(over)
        for id_, claimed in over.items():
            self.paper.close(id_, claimed.units)
