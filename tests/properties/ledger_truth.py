"""Rules about what is found to be so: corrections, tills, feeds, short picks and counts, which displace promises."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from stock import adjustments, catalog, feeds, sales, shorts
from stock.catalog import InvalidRows
from stock.counting import counts, opening, rules, sessions
from stock.errors import InsufficientStock
from stock.rows import LimitRow
from tests.properties.ledger_machine import CHOICES, NODES, SKUS, UNITS, LedgerSteps
from tests.properties.ledger_model import AT_NODE

# As signed units see them: negative ones go from the first account to the second.
REASONS = {
    "theft": ("on_hand", "shrink"), "write_off": ("on_hand", "shrink"), "correction": ("on_hand", "adjustment"),
    "damage": ("on_hand", "damaged"), "repair": ("damaged", "on_hand"), "dispose": ("damaged", "shrink"),
    "quarantine": ("on_hand", "quarantine"), "release": ("quarantine", "on_hand"),
    "quarantine_damaged": ("quarantine", "damaged"), "quarantine_to_supplier": ("quarantine", "supplier"),
}  # fmt: skip
SHORT = {"not_found": "shrink", "damaged": "damaged", "wrong_label": "quarantine", "no_variance": None}


class TruthSteps(LedgerSteps):
    """The truth wins."""

    @rule(sku=SKUS, node=NODES, units=st.integers(-4, 4).filter(bool), reason=st.sampled_from(sorted(REASONS)))
    def adjust(self, sku, node, units, reason):
        key, (source, target) = (sku, node), REASONS[reason] if units < 0 else REASONS[reason][::-1]
        short = source in AT_NODE and abs(units) > self.paper.stock[key][source]
        self.minutes += 1
        self.attempt(
            lambda: adjustments.adjust(self.session, node=node, sku=sku, units=units, reason=reason, **self.by),
            refused_by=InsufficientStock if short else None,
        )
        if not short:
            self.shift(key, source, target, abs(units))

    @rule(sku=SKUS, node=NODES, units=UNITS)
    def sell(self, sku, node, units):
        self.minutes += 1
        sales.sell(
            self.session, node=node, lines=[(sku, units)], reference="ticket", actor="till", occurred_at=self.now
        )  # fmt: skip
        shelf = self.paper.shelf((sku, node))
        if units > shelf:
            self.paper.correct((sku, node), units - shelf)
        self.posted((sku, node), -min(units, shelf))

    @rule(sku=SKUS, node=NODES, units=st.integers(0, 6), ago=st.integers(0, 6))
    def feed(self, sku, node, units, ago):
        self.minutes += 1
        key, as_of = (sku, node), self.now - timedelta(minutes=ago)
        posting = feeds.absolute(
            self.session, node=node, rows=[(sku, units)], as_of=as_of, reference="feed", **self.by
        )  # fmt: skip
        overtaken = any(fed == key and taken_at > as_of for taken_at, fed in self.paper.feeds)
        target = max(0, units + self.paper.since(key, as_of))
        difference = 0 if overtaken else target - self.paper.on_hand(key)
        assert (posting is not None) == bool(difference)
        if difference:
            self.paper.feeds.append((as_of, key))
            self.paper.correct(key, difference, looked_at=as_of)
            self.paper.move(key, difference, now=as_of)
            self.paper.displace(key)

    @rule(sku=SKUS, node=NODES, units=st.integers(-5, 5).filter(bool))
    def feed_difference(self, sku, node, units):
        self.minutes += 1
        feeds.relative(self.session, node=node, rows=[(sku, units)], reference="feed", **self.by)
        self.posted((sku, node), max(units, -self.paper.on_hand((sku, node))))

    @rule(sku=SKUS, node=NODES, units=UNITS, reason=st.sampled_from(sorted(SHORT)))
    def fall_short(self, sku, node, units, reason):
        shorts.short(self.session, self.header("short"), sku=sku, node=node, units=units, reason=reason)
        gone = min(units, self.paper.shelf((sku, node)))
        if SHORT[reason] and gone:
            self.shift((sku, node), "on_hand", SHORT[reason], gone)

    @rule(sku=SKUS, node=NODES, safety=st.integers(0, 2), backorder=st.integers(0, 2))
    def limit(self, sku, node, safety, backorder):
        key = (sku, node)
        refused_by = InvalidRows if self.paper.reserved(key) > self.paper.on_hand(key) + backorder else None
        row = LimitRow(sku=sku, node=node, safety_stock=safety, backorder_limit=backorder)
        self.attempt(lambda: catalog.put_limits(self.session, [row]), refused_by=refused_by)
        if not refused_by:
            self.paper.safety[key], self.paper.backorder[key] = safety, backorder

    @rule(sku=SKUS, node=NODES, units=st.integers(0, 6), at_once=st.booleans())
    def count(self, sku, node, units, at_once):
        """Somebody counts; a large difference is counted by another as well."""
        opened = opening.open_count(self.session, node=node, skus=[sku], **self.by)
        counts.record(self.session, opened.id, sku=sku, units=units, **self.by)
        counts.submit(self.session, opened.id, **self.by)
        difference = units - self.paper.shelf((sku, node))
        if abs(difference) > rules.Rule().recount_units:
            own = sessions.begin(self.session, opened.id, actor="another", now=self.now)
            sessions.record(self.session, own.id, sku=sku, units=units, actor="another", now=self.now)
            counts.hand_in(self.session, own.id, actor="another", now=self.now)
        self.counts[opened.id] = (sku, node), difference, len(self.paper.corrections), self.now
        if at_once:
            self.post_count(sorted(self.counts).index(opened.id))

    @rule(choice=CHOICES)
    @precondition(lambda self: self.counts)
    def post_count(self, choice):
        id_ = sorted(self.counts)[choice % len(self.counts)]
        key, difference, since, looked_at = self.counts.pop(id_)
        self.minutes += 1
        counts.post(self.session, id_, **self.by)
        left = self.paper.still_wrong(key, difference, since=since, looked_at=looked_at)
        left = max(left, -self.paper.shelf(key))
        self.paper.correct(key, left, looked_at=looked_at)
        self.paper.looked[key] = max(looked_at, self.paper.looked.get(key, looked_at))
        self.posted(key, left)
