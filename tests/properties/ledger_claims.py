"""Rules about claims: reserved, exchanged, picked, shipped, put back, and several postings at once."""

from collections import Counter

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from kernel.ids import new_id
from stock import ledger, reservations
from stock.errors import ClaimsChanged, InsufficientStock
from stock.ledger import OWN_SAFETY_STOCK
from stock.models import Account
from stock.postings import DemandChange, Draft, Movement, NewReservation, ReservationChange, Side
from stock.reservations import ReservedUnits, rebind
from tests.properties.ledger_machine import CHOICES, FEW, PLACES, RANKS, SKUS, SUPPLIER_NODE, LedgerSteps
from tests.properties.ledger_model import PaperClaim
from tests.stock.shelf import claim

# At one node, and often more than there is: what one posting takes, the next must miss.
MANY = st.integers(1, 9)
DRAFTS = st.one_of(
    st.tuples(st.just("claim"), SKUS, st.just("MAD"), MANY),
    st.tuples(st.just("arrive"), SKUS, st.just("MAD"), MANY),
    st.tuples(st.just("leave"), SKUS, st.just("MAD"), MANY),
    st.tuples(st.just("free"), CHOICES, st.none(), FEW),
)


class ClaimSteps(LedgerSteps):
    """Claims of orders, transfers and put-back tasks."""

    def units(self, id_, units):
        return [ReservedUnits(self.paper.claims[id_].sku, id_, units)]

    @rule(lines=st.lists(st.tuples(SKUS, PLACES, FEW), min_size=1, max_size=3), rank=RANKS,
          above_safety=st.booleans(), purpose=st.sampled_from(["order", "transfer"]))  # fmt: skip
    def reserve(self, lines, rank, above_safety, purpose):
        wanted = Counter()
        for sku, node, units in lines:
            wanted[sku, node] += units
        short = {key for key, units in wanted.items() if units > self.paper.free(key, above_safety=above_safety)}
        claims = [
            claim(sku=sku, node=node, units=units, reference=new_id(), purpose=purpose, rank=rank)
            for sku, node, units in lines
        ]
        floors = OWN_SAFETY_STOCK if above_safety else None
        if short:
            with pytest.raises(InsufficientStock) as refused:
                rebind(self.session, self.header(), claims=claims, floors=floors)
            assert {(shortage.sku, shortage.node) for shortage in refused.value.shortages} == short
            return
        ids = rebind(self.session, self.header(), claims=claims, floors=floors)
        for id_, made in zip(ids, claims, strict=True):
            self.paper.claim(id_, PaperClaim(made.sku, made.node, made.reference, purpose, made.units, rank))

    @rule(choice=CHOICES, node=PLACES, units=FEW)
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

    @rule(choice=CHOICES, units=FEW)
    @precondition(lambda self: self.chosen(0) is not None)
    def release(self, choice, units):
        id_ = self.chosen(choice)
        refused_by = ClaimsChanged if units > self.paper.claims[id_].unpicked else None
        release = self.units(id_, units)
        self.attempt(lambda: rebind(self.session, self.header(), release=release), refused_by=refused_by)
        if not refused_by:
            self.paper.close(id_, units)

    @rule(choice=CHOICES, units=FEW)
    @precondition(lambda self: self.chosen(0) is not None)
    def pick(self, choice, units):
        id_ = self.chosen(choice)
        held = self.paper.claims[id_]
        refused_by = ClaimsChanged if units > held.unpicked else None
        lacking = max(0, units - self.paper.shelf(held.key))
        if not refused_by and lacking and held.node != SUPPLIER_NODE:
            refused_by = InsufficientStock
        picked = self.units(id_, units)
        self.attempt(lambda: reservations.pick(self.session, self.header(), picked), refused_by=refused_by)
        if not refused_by:
            self.paper.move(held.key, lacking, now=self.now)
            held.picked += units

    @rule(choice=CHOICES, units=FEW)
    @precondition(lambda self: self.chosen(0, lambda claim: claim.picked) is not None)
    def unpick(self, choice, units):
        id_ = self.chosen(choice, lambda claim: claim.picked)
        held = self.paper.claims[id_]
        refused_by = ClaimsChanged if units > held.picked else None
        put_down = self.units(id_, units)
        self.attempt(lambda: reservations.unpick(self.session, self.header(), put_down), refused_by=refused_by)
        if not refused_by:
            held.picked -= units

    @rule(choice=CHOICES, units=FEW)
    @precondition(lambda self: self.chosen(0) is not None)
    def consume(self, choice, units):
        """What a supplier ships and we never had comes in as it leaves; elsewhere it must be there."""
        id_ = self.chosen(choice)
        held = self.paper.claims[id_]
        out_of_tote = min(held.picked, units)
        lacking = max(0, self.paper.picked(held.key) - out_of_tote + units - self.paper.on_hand(held.key))
        refused_by = ClaimsChanged if units > held.units else None
        if not refused_by and lacking and held.node != SUPPLIER_NODE:
            refused_by = InsufficientStock
        left = self.units(id_, units)
        self.attempt(lambda: reservations.consume(self.session, self.header("ship"), left), refused_by=refused_by)
        if not refused_by:
            self.paper.close(id_, units, picked=out_of_tote)
            self.paper.move(held.key, lacking - units, now=self.now)

    @rule(choice=CHOICES, units=FEW)
    @precondition(lambda self: self.chosen(0, lambda claim: claim.picked) is not None)
    def cancel_picked(self, choice, units):
        id_ = self.chosen(choice, lambda claim: claim.picked)
        held, task = self.paper.claims[id_], new_id()
        refused_by = ClaimsChanged if units > held.picked else None
        given_up = self.units(id_, units)
        ids = self.attempt(
            lambda: reservations.to_put_back(self.session, self.header(), given_up, references=[task]),
            refused_by=refused_by,
        )
        if ids:
            self.paper.close(id_, units, picked=units)
            taken_over = PaperClaim(held.sku, held.node, task, "put_back", units, held.rank, picked=units)
            self.paper.claim(ids[0], taken_over)

    @rule(choice=CHOICES)
    @precondition(lambda self: self.chosen(0, lambda claim: claim.picked) is not None)
    def put_on_shelf(self, choice):
        id_ = self.chosen(choice, lambda claim: claim.picked)
        units = self.paper.claims[id_].picked
        reservations.put_on_shelf(self.session, self.header(), self.units(id_, units))
        self.paper.close(id_, units, picked=units)

    @rule(sku=SKUS, node=PLACES, units=FEW)
    def wait_then_allocate(self, sku, node, units):
        reference = new_id()
        rebind(self.session, self.header(), demand=[DemandChange(sku, reference, units)])
        self.paper.waiting[sku, reference] += units
        refused_by = InsufficientStock if units > self.paper.free((sku, node)) else None
        wanted, served = (
            claim(sku=sku, node=node, units=units, reference=reference),
            DemandChange(sku, reference, -units),
        )
        ids = self.attempt(
            lambda: rebind(self.session, self.header(), claims=[wanted], demand=[served]), refused_by=refused_by
        )
        if ids:
            self.paper.waiting[sku, reference] -= units
            self.paper.claim(ids[0], PaperClaim(sku, node, reference, "order", units))

    @rule(drawn=st.lists(DRAFTS, min_size=2, max_size=6))
    def post_many(self, drawn):
        """Several postings in one statement fare as one after the other would."""
        when = self.header("lane")
        expected, drafts = [], []
        for what, *values in drawn:
            draft, fits = getattr(self, f"_{what}")(when, *values)
            drafts.append(draft)
            expected.append(fits)
        outcomes = ledger.post_many(self.session, drafts)
        assert [isinstance(outcome, str) for outcome in outcomes] == expected

    def _claim(self, when, sku, node, units):
        made = NewReservation(id=new_id(), sku=sku, node=node, reference=new_id(), purpose="order", units=units)
        fits = units <= self.paper.free((sku, node))
        if fits:
            self.paper.claim(made.id, PaperClaim(sku, node, made.reference, "order", units))
        return Draft(header=when, claims=[made], floors=OWN_SAFETY_STOCK), fits

    def _arrive(self, when, sku, node, units):
        self.paper.move((sku, node), units, now=self.now)
        return Draft(header=when, movements=[_moved(sku, units, Account.SUPPLIER, Account.ON_HAND, node)]), True

    def _leave(self, when, sku, node, units):
        key = (sku, node)
        fits = self.paper.can_lose(key, units) and units <= self.paper.free(key, above_safety=False)
        if fits:
            self.paper.move(key, -units, now=self.now)
        return Draft(header=when, movements=[_moved(sku, units, Account.ON_HAND, Account.CUSTOMER, node)]), fits

    def _free(self, when, choice, _, units):
        """Release units of a claim that was there before, whether or not it has so many left."""
        id_ = self.chosen(choice, lambda claim: True)
        held = self.paper.claims[id_]
        fits = units <= held.unpicked
        if fits:
            self.paper.close(id_, units)
        return Draft(
            header=when, changes=[ReservationChange(sku=held.sku, id=id_, node=held.node, released=units)]
        ), fits


def _moved(sku, units, source, target, node):
    sides = [Side(account, node if account == Account.ON_HAND else None) for account in (source, target)]
    return Movement(sku, units, *sides)
