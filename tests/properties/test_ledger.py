"""Whatever happens in whatever order, the ledger says what a person with paper would say, and proves itself."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from kernel.db import connect
from kernel.ids import new_id
from stock import (
    adjustments,
    arrivals,
    catalog,
    count_opening,
    count_rules,
    count_sessions,
    counts,
    feeds,
    holds,
    reservations,
    returns,
    sales,
    shorts,
    transfers,
    verify,
)
from stock.catalog import InvalidRows
from stock.errors import ClaimsChanged, InsufficientStock
from stock.ledger import OWN_SAFETY_STOCK
from stock.models import OpenDemand, Reservation, StockBalance
from stock.postings import DemandChange
from stock.receipts import receive
from stock.reservations import ReservedUnits, rebind
from stock.rows import LimitRow
from stock.transfers import TransferWant
from tests.faults.tally import SOAK, often
from tests.properties.ledger_model import Paper, PaperClaim
from tests.stock.shelf import NOW, claim, header, lay_out

SKUS, NODES = st.sampled_from(["coat", "hat"]), st.sampled_from(["MAD", "BCN"])
UNITS, RANKS = st.integers(1, 5), st.integers(0, 2)
CHOICES = st.integers(0, 999)
LOST = {"theft": "shrink", "damage": "damaged", "correction": "adjustment"}
COUNTERS = ("on_hand", "damaged", "quarantine", "in_transit")
LONG_AGO = NOW - timedelta(days=10_000)


class LedgerMachine(RuleBasedStateMachine):
    """Takes each step on paper and in the database, and compares."""

    database = None

    @initialize(
        opening=st.fixed_dictionaries({(sku, node): UNITS for sku in ("coat", "hat") for node in ("MAD", "BCN")})
    )
    def open_shop(self, opening):
        self.session = self.database.write()
        self.paper = Paper()
        self.minutes = 0
        self.transfers = {}
        self.counts = {}
        for (sku, node), units in opening.items():
            self.receive(sku, node, units + 2)
            self.reserve([(sku, node, 2), (sku, node, 1)], 1, above_safety=True, purpose="order")
        for place in range(0, len(self.paper.claims), 2):
            self.pick(place, 1)

    def teardown(self):
        if hasattr(self, "session"):
            self.session.close()

    # What the steps share

    @property
    def now(self):
        return NOW + timedelta(minutes=self.minutes)

    @property
    def by(self):
        return {"actor": "tester", "now": self.now}

    def header(self, kind="test"):
        self.minutes += 1
        return header(kind, occurred_at=self.now)

    def chosen(self, choice, wanted=lambda claim: claim.units):
        """Return one of the claims that fit, by number."""
        ids = sorted(id_ for id_, claim in self.paper.claims.items() if wanted(claim))
        return ids[choice % len(ids)] if ids else None

    def attempt(self, deed, *, refused_by=None):
        """Do it; it must be refused exactly when paper says so."""
        if refused_by is None:
            return deed()
        with pytest.raises(refused_by):
            deed()
        return None

    def units(self, id_, units):
        return [ReservedUnits(self.paper.claims[id_].sku, id_, units)]

    def posted(self, key, units):
        """Lower or raise on hand on paper, and displace."""
        self.paper.move(key, units, now=self.now)
        self.paper.displace(key)

    # Steps

    @rule(sku=SKUS, node=NODES, units=UNITS)
    def receive(self, sku, node, units):
        receive(self.session, self.header("receipt"), [(node, sku, units)])
        self.paper.move((sku, node), units, now=self.now)

    @rule(lines=st.lists(st.tuples(SKUS, NODES, UNITS), min_size=1, max_size=3), rank=RANKS, above_safety=st.booleans(),
          purpose=st.sampled_from(["order", "transfer", "hold"]))  # fmt: skip
    def reserve(self, lines, rank, above_safety, purpose):
        wanted = Counter()
        for sku, node, units in lines:
            wanted[sku, node] += units
        short = {key for key, units in wanted.items() if units > self.paper.free(key, above_safety=above_safety)}
        expires_at = LONG_AGO if purpose == "hold" else None
        claims = [
            claim(
                sku=sku, node=node, units=units, reference=new_id(), purpose=purpose, rank=rank, expires_at=expires_at
            )
            for sku, node, units in lines
        ]
        if short:
            with pytest.raises(InsufficientStock) as refused:
                rebind(self.session, self.header(), claims=claims, floors=OWN_SAFETY_STOCK if above_safety else None)
            assert {(shortage.sku, shortage.node) for shortage in refused.value.shortages} == short
            return
        ids = rebind(self.session, self.header(), claims=claims, floors=OWN_SAFETY_STOCK if above_safety else None)
        for id_, made in zip(ids, claims, strict=True):
            self.paper.claim(id_, PaperClaim(made.sku, made.node, made.reference, purpose, made.units, rank))

    @rule(choice=CHOICES, node=NODES, units=UNITS)
    @precondition(lambda self: self.chosen(0) is not None)
    def exchange(self, choice, node, units):
        id_ = self.chosen(choice)
        old = self.paper.claims[id_]
        new = PaperClaim(old.sku, node, old.reference, old.purpose, units, old.rank)
        refused_by = None
        if units > old.unpicked:
            refused_by = ClaimsChanged
        elif new.key != old.key and units > self.paper.free(new.key):
            refused_by = InsufficientStock
        wanted = claim(sku=new.sku, node=node, units=units, reference=new.reference, purpose=new.purpose, rank=new.rank)
        ids = self.attempt(
            lambda: rebind(self.session, self.header(), release=self.units(id_, units), claims=[wanted]),
            refused_by=refused_by,
        )
        if ids:
            self.paper.close(id_, units)
            self.paper.claim(ids[0], new)

    @rule(choice=CHOICES, units=UNITS)
    @precondition(lambda self: self.chosen(0) is not None)
    def release(self, choice, units):
        id_ = self.chosen(choice)
        refused_by = ClaimsChanged if units > self.paper.claims[id_].unpicked else None
        self.attempt(
            lambda: rebind(self.session, self.header(), release=self.units(id_, units)), refused_by=refused_by
        )  # fmt: skip
        if not refused_by:
            self.paper.close(id_, units)

    @rule(choice=CHOICES, units=UNITS)
    @precondition(lambda self: self.chosen(0) is not None)
    def pick(self, choice, units):
        id_ = self.chosen(choice)
        held = self.paper.claims[id_]
        refused_by = ClaimsChanged if units > held.unpicked else None
        if not refused_by and units > self.paper.shelf(held.key):
            refused_by = InsufficientStock
        self.attempt(
            lambda: reservations.pick(self.session, self.header(), self.units(id_, units)), refused_by=refused_by
        )  # fmt: skip
        if not refused_by:
            held.picked += units

    @rule(choice=CHOICES, units=UNITS)
    @precondition(lambda self: self.chosen(0, lambda claim: claim.picked) is not None)
    def unpick(self, choice, units):
        id_ = self.chosen(choice, lambda claim: claim.picked)
        held = self.paper.claims[id_]
        refused_by = ClaimsChanged if units > held.picked else None
        self.attempt(
            lambda: reservations.unpick(self.session, self.header(), self.units(id_, units)), refused_by=refused_by
        )  # fmt: skip
        if not refused_by:
            held.picked -= units

    @rule(choice=CHOICES, units=UNITS)
    @precondition(lambda self: self.chosen(0) is not None)
    def consume(self, choice, units):
        id_ = self.chosen(choice)
        held = self.paper.claims[id_]
        out_of_tote = min(held.picked, units)
        refused_by = ClaimsChanged if units > held.units else None
        if not refused_by and not self.paper.can_lose(held.key, units, picked=out_of_tote):
            refused_by = InsufficientStock
        self.attempt(
            lambda: reservations.consume(self.session, self.header("ship"), self.units(id_, units)),
            refused_by=refused_by,
        )
        if not refused_by:
            self.paper.close(id_, units, picked=out_of_tote)
            self.paper.move(held.key, -units, now=self.now)

    @rule(choice=CHOICES, units=UNITS)
    @precondition(lambda self: self.chosen(0, lambda claim: claim.picked) is not None)
    def cancel_picked(self, choice, units):
        id_ = self.chosen(choice, lambda claim: claim.picked)
        held, task = self.paper.claims[id_], new_id()
        refused_by = ClaimsChanged if units > held.picked else None
        ids = self.attempt(
            lambda: reservations.to_put_back(
                self.session, self.header(), self.units(id_, units), references=[task]
            ),
            refused_by=refused_by,
        )  # fmt: skip
        if ids:
            self.paper.close(id_, units, picked=units)
            self.paper.claim(
                ids[0], PaperClaim(held.sku, held.node, task, "put_back", units, held.rank, picked=units)
            )  # fmt: skip

    @rule(choice=CHOICES)
    @precondition(lambda self: self.chosen(0, lambda claim: claim.picked) is not None)
    def put_on_shelf(self, choice):
        id_ = self.chosen(choice, lambda claim: claim.picked)
        units = self.paper.claims[id_].picked
        reservations.put_on_shelf(self.session, self.header(), self.units(id_, units))
        self.paper.close(id_, units, picked=units)

    @rule()
    def expire(self):
        due = [id_ for id_, claim in self.paper.claims.items() if claim.purpose == "hold" and claim.unpicked]
        exchanged = set(self.session.scalars(select(Reservation.id).where(Reservation.expires_at.is_(None))))
        due = [id_ for id_ in due if id_ not in exchanged]
        assert holds.expire(self.session, limit=100) == len(due)
        for id_ in due:
            self.paper.close(id_, self.paper.claims[id_].unpicked)

    @rule(sku=SKUS, node=NODES, units=UNITS)
    def wait_then_allocate(self, sku, node, units):
        reference = new_id()
        rebind(self.session, self.header(), demand=[DemandChange(sku, reference, units)])
        self.paper.waiting[sku, reference] += units
        refused_by = InsufficientStock if units > self.paper.free((sku, node)) else None
        wanted = claim(sku=sku, node=node, units=units, reference=reference)
        ids = self.attempt(
            lambda: rebind(
                self.session, self.header(), claims=[wanted], demand=[DemandChange(sku, reference, -units)]
            ),
            refused_by=refused_by,
        )  # fmt: skip
        if ids:
            self.paper.waiting[sku, reference] -= units
            self.paper.claim(ids[0], PaperClaim(sku, node, reference, "order", units))

    @rule(sku=SKUS, node=NODES, units=st.integers(-4, 4).filter(bool), reason=st.sampled_from(sorted(LOST)))
    def adjust(self, sku, node, units, reason):
        key, account = (sku, node), LOST[reason]
        there = self.paper.on_hand(key) if units < 0 else self.paper.stock[key]["damaged"]
        refused_by = InsufficientStock if abs(units) > there and (units < 0 or reason == "damage") else None
        self.minutes += 1
        self.attempt(
            lambda: adjustments.adjust(self.session, node=node, sku=sku, units=units, reason=reason, **self.by),
            refused_by=refused_by,
        )
        if not refused_by:
            self.paper.stock[key][account] -= units
            if account != "damaged":
                self.paper.correct(key, units)
            self.posted(key, units)

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

    @rule(
        sku=SKUS,
        node=NODES,
        units=UNITS,
        reason=st.sampled_from(["not_found", "damaged", "wrong_label", "no_variance"]),
    )
    def fall_short(self, sku, node, units, reason):
        accounts = {"not_found": "shrink", "damaged": "damaged", "wrong_label": "quarantine"}
        shorts.short(self.session, self.header("short"), sku=sku, node=node, units=units, reason=reason)
        if reason in accounts:
            gone = min(units, self.paper.shelf((sku, node)))
            self.paper.stock[sku, node][accounts[reason]] += gone
            if reason == "not_found":
                self.paper.correct((sku, node), -gone)
            self.posted((sku, node), -gone)

    @rule(sku=SKUS, node=NODES, units=UNITS, grade=st.sampled_from(["resell", "damaged", "quarantine"]))
    def come_back(self, sku, node, units, grade):
        self.minutes += 1
        returns.receive(self.session, node=node, lines=[(sku, units, grade)], reference="return", **self.by)
        if grade == "resell":
            self.paper.move((sku, node), units, now=self.now)
        else:
            self.paper.stock[sku, node][grade] += units

    @rule(sku=SKUS, node=NODES, safety=st.integers(0, 2), backorder=st.integers(0, 2))
    def limit(self, sku, node, safety, backorder):
        key = (sku, node)
        refused_by = InvalidRows if self.paper.reserved(key) > self.paper.on_hand(key) + backorder else None
        row = LimitRow(sku=sku, node=node, safety_stock=safety, backorder_limit=backorder)
        self.attempt(lambda: catalog.put_limits(self.session, [row]), refused_by=refused_by)
        if not refused_by:
            self.paper.safety[key], self.paper.backorder[key] = safety, backorder

    @rule(sku=SKUS, units=UNITS, reference=st.sampled_from(["", "line-7"]))
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
            self.paper.move(key, -units, now=self.now)
            self.paper.stock[sku, "BCN"]["in_transit"] += units
            self.transfers[opened.id] = (sku, reference, units)

    @rule(choice=CHOICES, units=UNITS, wanted=st.integers(0, 5), lose=st.booleans())
    @precondition(lambda self: self.transfers)
    def arrive(self, choice, units, wanted, lose):
        id_ = sorted(self.transfers)[choice % len(self.transfers)]
        sku, reference, left = self.transfers.pop(id_)
        self.minutes += 1
        came = min(units, left)
        parts = arrivals.receive(self.session, id_, {1: came}, wanted={1: wanted}, **self.by)
        self.paper.move((sku, "BCN"), came, now=self.now)
        for part in parts:
            if part.reservation_id:
                self.paper.claim(part.reservation_id, PaperClaim(sku, "BCN", reference, "order", part.units, 1))
        assert sum(part.units for part in parts if part.reservation_id) == (min(came, wanted) if reference else 0)
        left_over = left - came
        if left_over and lose:
            assert arrivals.close_short(self.session, id_, **self.by) == {1: left_over}
        elif left_over:
            self.transfers[id_] = (sku, reference, left_over)
        self.paper.stock[sku, "BCN"]["in_transit"] -= left if lose else came

    @rule(sku=SKUS, node=NODES, units=st.integers(0, 6), at_once=st.booleans())
    def count(self, sku, node, units, at_once):
        opened = count_opening.open_count(self.session, node=node, skus=[sku], **self.by)
        counts.record(self.session, opened.id, sku=sku, units=units, **self.by)
        counts.submit(self.session, opened.id, **self.by)
        if abs(units - self.paper.shelf((sku, node))) > count_rules.Rule().recount_units:
            own = count_sessions.begin(self.session, opened.id, actor="another", now=self.now)
            count_sessions.record(self.session, own.id, sku=sku, units=units, actor="another", now=self.now)
            counts.hand_in(self.session, own.id, actor="another", now=self.now)
        difference = units - self.paper.shelf((sku, node))
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

    # What holds after each of them

    @invariant()
    @precondition(lambda self: hasattr(self, "session"))
    def the_ledger_says_what_paper_says(self):
        columns = [getattr(StockBalance, name) for name in (*COUNTERS, "reserved", "picked")]
        for sku, node, *values in self.session.execute(select(StockBalance.sku, StockBalance.node, *columns)):
            key = (sku, node)
            told = [self.paper.stock[key][name] for name in COUNTERS]
            assert values == [*told, self.paper.reserved(key), self.paper.picked(key)], key
        held = select(
            Reservation.id, Reservation.units - Reservation.consumed - Reservation.released, Reservation.picked
        )
        ledger = {id_: (units, picked) for id_, units, picked in self.session.execute(held)}
        assert ledger == {id_: (claim.units, claim.picked) for id_, claim in self.paper.claims.items()}
        waiting = self.session.execute(select(OpenDemand.sku, OpenDemand.reference, OpenDemand.units))
        assert {(sku, reference): units for sku, reference, units in waiting} == dict(+self.paper.waiting)

    @invariant()
    @precondition(lambda self: hasattr(self, "session"))
    def the_ledger_proves_itself(self):
        assert list(verify.findings(self.session)) == []


# The steps are the same on both; PostgreSQL, a process away, takes twice the time for each.
EXAMPLES = {"sqlite": often(60, 5000), "postgresql": often(30, 1000)}
STEPS = 50 if SOAK else 30


@pytest.mark.slow
def test_the_ledger_follows_its_model(database_url):
    database = connect(database_url)
    with database.write() as session:
        lay_out(session)
        session.commit()

    class Bound(LedgerMachine):
        pass

    Bound.database = database
    examples = EXAMPLES["sqlite" if database.is_sqlite else "postgresql"]
    run_state_machine_as_test(Bound, settings=settings(max_examples=examples, stateful_step_count=STEPS))
    database.dispose()
