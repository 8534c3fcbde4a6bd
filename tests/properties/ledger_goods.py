"""Rules about goods that come, go between nodes and are made into others: each with what may go wrong on the way."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from kernel.states import IllegalTransition
from stock import arrivals, conversions, purchasing, receipts, returns, transfers
from stock.arrivals import SetAside, Surplus
from stock.errors import InsufficientStock
from stock.purchasing import OrderedRow
from stock.receipts import BeyondOrder, Delivered
from stock.transfers import InvalidTransfer, TransferWant
from tests.properties.ledger_machine import CHOICES, FEW, KIT, NODES, PARTS, SKUS, UNITS, LedgerSteps
from tests.properties.ledger_model import PaperClaim, PaperJourney, PaperLine, PaperOrder

RECEIVED_AS = {"good": "on_hand", "damaged": "damaged", "over_delivery": "quarantine", "wrong_item": "quarantine"}
GRADES = {"resell": "on_hand", "damaged": "damaged", "quarantine": "quarantine"}
ENDS = {"lost": "shrink", "destroyed": "shrink", "sent_back": "on_hand"}
SET_ASIDE = st.sampled_from(["damaged", "quarantine"])
SURPLUS = {"surplus": "on_hand", "surplus_to_check": "quarantine"}
FOUND = {"found": "on_hand", "found_damaged": "damaged", "found_to_check": "quarantine"}


def one_of(mapping):
    return st.sampled_from(sorted(mapping))


class GoodsSteps(LedgerSteps):
    """Receipts, purchase orders, returns from customers, kits."""

    @rule(sku=SKUS, node=NODES, units=UNITS, reason=one_of(RECEIVED_AS))
    def receive(self, sku, node, units, reason):
        receipts.receive(self.session, self.header("receipt"), [Delivered(node, sku, units, reason)])
        self.shift((sku, node), "supplier", RECEIVED_AS[reason], units)

    @rule(lines=st.dictionaries(SKUS, UNITS, min_size=1), node=NODES, tolerance=st.sampled_from([0, 50]))
    def order_goods(self, lines, node, tolerance):
        self.minutes += 1
        row = OrderedRow(supplier="Weavers", node=node, lines=tuple(lines.items()), tolerance_percent=tolerance)
        made = purchasing.open_order(self.session, row, **self.by)
        ordered = {sku: PaperLine(ordered=units) for sku, units in lines.items()}
        self.paper.orders[made.id] = PaperOrder(node, tolerance, ordered)

    @rule(choice=CHOICES, sku=SKUS, good=st.integers(0, 6), damaged=st.integers(0, 2),
          beyond=st.sampled_from([None, "good", "over_delivery"]), complete=st.booleans())  # fmt: skip
    @precondition(lambda self: self.paper.orders)
    def deliver(self, choice, sku, good, damaged, beyond, complete):
        id_ = sorted(self.paper.orders)[choice % len(self.paper.orders)]
        order = self.paper.orders[id_]
        self.minutes += 1
        over = max(0, good + damaged - order.room(sku))
        came = [(sku, units, reason) for units, reason in ((good, "good"), (damaged, "damaged")) if units]
        done = self.attempt(
            lambda: receipts.receive_ordered(self.session, id_, came, beyond=beyond, complete=complete, **self.by),
            refused_by=BeyondOrder if over and beyond is None else None,
        )
        if done is not None:
            self._delivered(order, sku, good=good, damaged=damaged, otherwise=(min(over, good), beyond))
            if complete and order.expecting:
                order.give_up()
            self._compare_lines(id_)

    def _delivered(self, order, sku, *, good, damaged, otherwise):
        """What is beyond the order comes in as said; what came damaged is damaged, expected or not."""
        over, beyond = otherwise
        parts = [("good", good - over), ("damaged", damaged), (beyond, over)]
        for reason, units in parts:
            if units:
                line = order.lines.setdefault(sku, PaperLine())
                line.received += units
                line.set_aside += units if RECEIVED_AS[reason] != "on_hand" else 0
                self.shift((sku, order.node), "supplier", RECEIVED_AS[reason], units)
        if good + damaged and not any(line.outstanding for line in order.lines.values()):
            order.expecting = False

    @rule(choice=CHOICES, call_off=st.booleans())
    @precondition(lambda self: self.paper.orders)
    def give_up_goods(self, choice, call_off):
        id_ = sorted(self.paper.orders)[choice % len(self.paper.orders)]
        order = self.paper.orders[id_]
        self.minutes += 1
        verb = purchasing.cancel if call_off else purchasing.close_short
        came = any(line.received for line in order.lines.values())
        refused = not order.expecting or (call_off and came)
        self.attempt(
            lambda: verb(self.session, id_, **self.by), refused_by=IllegalTransition if refused else None
        )  # fmt: skip
        if not refused:
            order.give_up()
        self._compare_lines(id_)

    def _compare_lines(self, id_):
        stored = purchasing.order(self.session, id_)
        told = {line.sku: (line.ordered, line.received, line.set_aside, line.cancelled) for line in stored.lines}
        assert told == {sku: line.told for sku, line in self.paper.orders[id_].lines.items()}
        assert (stored.status in purchasing.EXPECTING) == self.paper.orders[id_].expecting

    @rule(sku=SKUS, node=NODES, units=UNITS, grade=one_of(GRADES))
    def come_back(self, sku, node, units, grade):
        self.minutes += 1
        returns.receive(self.session, node=node, lines=[(sku, units, grade)], reference="return", **self.by)
        self.shift((sku, node), "customer", GRADES[grade], units)

    @rule(node=NODES, units=st.integers(1, 2), direction=st.sampled_from(["assemble", "take_apart"]))
    def convert(self, node, units, direction):
        parts = {sku: count * units for sku, count in PARTS.items()}
        out, into = (parts, {KIT: units}) if direction == "assemble" else ({KIT: units}, parts)
        self.minutes += 1
        unclaimed = {sku: self.paper.on_hand((sku, node)) - self.paper.reserved((sku, node)) for sku in out}
        short = any(count > unclaimed[sku] for sku, count in out.items())
        self.attempt(
            lambda: conversions.convert(self.session, node=node, sku=KIT, units=units, direction=direction, **self.by),
            refused_by=InsufficientStock if short else None,
        )
        if not short:
            for sku, count in out.items():
                self.shift((sku, node), "on_hand", "conversion", count)
            for sku, count in into.items():
                self.shift((sku, node), "conversion", "on_hand", count)


class JourneySteps(GoodsSteps):
    """Transfers: sent, arrived in parts and states, lost, found again, called off."""

    @rule(sku=SKUS, units=FEW, reference=st.sampled_from(["", "line-7"]))
    def send(self, sku, units, reference):
        key = (sku, "MAD")
        opened = transfers.open_transfer(
            self.session, source="MAD", destination="BCN", reference="leg",
            lines=[TransferWant(sku=sku, units=units, reference=reference, rank=1)], **self.by,
        )  # fmt: skip
        free = units <= self.paper.free(key, above_safety=False) and self.paper.can_lose(key, units)
        self.minutes += 1
        sent = self.attempt(
            lambda: transfers.dispatch(self.session, opened.id, [units], **self.by),
            refused_by=None if free else InsufficientStock,
        )
        if sent:
            self.posted(key, -units)
            self.paper.stock[sku, "BCN"]["in_transit"] += units
            self.paper.journeys[opened.id] = PaperJourney(sku, "MAD", "BCN", reference, units)

    def journey(self, choice, wanted):
        """Return one of the journeys that fit, by number."""
        ids = sorted(id_ for id_, journey in self.paper.journeys.items() if wanted(journey))
        id_ = ids[choice % len(ids)]
        self.minutes += 1
        return id_, self.paper.journeys[id_]

    @rule(choice=CHOICES, units=FEW, aside=st.integers(0, 2), state=SET_ASIDE, wanted=st.integers(0, 5))
    @precondition(lambda self: any(journey.left for journey in self.paper.journeys.values()))
    def arrive(self, choice, units, aside, state, wanted):
        id_, journey = self.journey(choice, lambda journey: journey.left)
        good = min(units, journey.left)
        aside = min(aside, journey.left - good)
        exceptions = [SetAside(1, aside, state)] if aside else []
        parts = arrivals.receive(
            self.session, id_, {1: good}, set_aside=exceptions, wanted={1: wanted}, **self.by
        )  # fmt: skip
        key = journey.sku, journey.destination
        self.shift(key, "in_transit", "on_hand", good)
        self.shift(key, "in_transit", state, aside)
        journey.left -= good + aside
        journey.untouched = False
        reserved = [part for part in parts if part.reservation_id]
        assert sum(part.units for part in reserved) == (min(good, wanted) if journey.reference else 0)
        for part in reserved:
            self.paper.claim(part.reservation_id, PaperClaim(*key, journey.reference, "order", part.units, 1))

    @rule(choice=CHOICES, units=st.integers(1, 2), reason=one_of(SURPLUS))
    @precondition(lambda self: any(journey.left for journey in self.paper.journeys.values()))
    def arrive_with_more(self, choice, units, reason):
        """All that is left arrives, and units that were never sent."""
        id_, journey = self.journey(choice, lambda journey: journey.left)
        key = journey.sku, journey.destination
        extra = [Surplus(journey.sku, units, reason)]
        arrivals.receive(self.session, id_, {1: journey.left}, surplus=extra, **self.by)
        self.shift(key, "in_transit", "on_hand", journey.left)
        self.shift(key, "adjustment", SURPLUS[reason], units)
        journey.left, journey.untouched = 0, False

    @rule(choice=CHOICES, reason=one_of(ENDS))
    @precondition(lambda self: any(journey.left for journey in self.paper.journeys.values()))
    def give_up_waiting(self, choice, reason):
        id_, journey = self.journey(choice, lambda journey: journey.left)
        assert arrivals.close_short(self.session, id_, reason=reason, **self.by) == {1: journey.left}
        self._end(journey, ENDS[reason])

    @rule(choice=CHOICES, end=st.sampled_from(["write_back", "write_off"]))
    @precondition(lambda self: any(journey.left for journey in self.paper.journeys.values()))
    def call_off(self, choice, end):
        id_, journey = self.journey(choice, lambda journey: journey.left)
        refused_by = None if journey.untouched else IllegalTransition
        self.attempt(lambda: transfers.cancel(self.session, id_, choice=end, **self.by), refused_by=refused_by)
        if not refused_by:
            self._end(journey, "on_hand" if end == "write_back" else "shrink")

    def _end(self, journey, target):
        """What is on its way is back at its source, or lost."""
        units, journey.left = journey.left, 0
        self.paper.stock[journey.sku, journey.destination]["in_transit"] -= units
        if target == "on_hand":
            self.posted((journey.sku, journey.source), units)
        else:
            journey.lost += units

    @rule(choice=CHOICES, units=FEW, at_source=st.booleans(), reason=one_of(FOUND))
    @precondition(lambda self: any(journey.lost for journey in self.paper.journeys.values()))
    def turn_up(self, choice, units, at_source, reason):
        id_, journey = self.journey(choice, lambda journey: journey.lost)
        place = journey.source if at_source else journey.destination
        refused_by = InvalidTransfer if units > journey.lost else None
        self.attempt(
            lambda: arrivals.find(self.session, id_, {1: units}, node=place, reason=reason, **self.by),
            refused_by=refused_by,
        )
        if not refused_by:
            journey.lost -= units
            self.shift((journey.sku, place), "shrink", FOUND[reason], units)
