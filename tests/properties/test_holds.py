"""Whatever carts hold, extend, give up and let run out: nobody is oversold, and a hold is what paper says it is."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from kernel.db import connect
from stock import holds
from stock.errors import InsufficientStock
from stock.holds import HoldUnits, Term
from stock.models import Reservation, StockBalance
from stock.proof import verify
from stock.receipts import receive
from stock.reservations import rebind
from tests.stock.shelf import claim, header, lay_out

KEYS = [("coat", "MAD"), ("coat", "BCN"), ("hat", "MAD")]
CARTS = st.sampled_from(["cart-1", "cart-2", "cart-3"])
MINUTES = st.integers(1, 30)
MOST = 40
pytestmark = pytest.mark.slow


class HoldsMachine(RuleBasedStateMachine):
    """Keeps on paper, for each cart: its units by balance, the minutes they have left, and those it may still get."""

    database = None

    @initialize(opening=st.tuples(*[st.integers(0, 4)] * len(KEYS)))
    def open_shop(self, opening):
        self.session = self.database.write()
        self.on_hand = Counter(dict(zip(KEYS, opening, strict=True)))
        self.ordered = Counter()
        self.units, self.left, self.latest = {}, {}, {}
        lines = [(node, sku, units) for (sku, node), units in self.on_hand.items() if units]
        if lines:
            receive(self.session, header("receipt"), lines)

    def teardown(self):
        if hasattr(self, "session"):
            self.session.close()

    def claimed(self, key):
        return self.ordered[key] + sum(units[key] for units in self.units.values())

    def is_valid(self, cart):
        return self.left.get(cart, 0) > 0

    @rule(cart=CARTS, wanted=st.dictionaries(st.sampled_from(KEYS), st.integers(1, 3), min_size=1), minutes=MINUTES)
    def hold(self, cart, wanted, minutes):
        own = self.units.get(cart, Counter())
        short = {key for key, units in wanted.items() if self.claimed(key) - own[key] + units > self.on_hand[key]}
        units = [HoldUnits(*key, count) for key, count in wanted.items()]
        given = holds.claimed_by(self.session, cart)
        term = Term(minutes, MOST)
        if short:
            with pytest.raises(InsufficientStock) as refused:
                holds.hold(self.session, header("hold"), cart, units, term=term, instead_of=given)
            assert {(each.sku, each.node) for each in refused.value.shortages} == short
            return
        holds.hold(self.session, header("hold"), cart, units, term=term, instead_of=given)
        if not self.is_valid(cart):
            self.left[cart], self.latest[cart] = 0, MOST
        self.units[cart] = Counter(wanted)
        self.left[cart] = max(self.left[cart], min(minutes, self.latest[cart]))

    @rule(cart=CARTS, minutes=MINUTES)
    def extend(self, cart, minutes):
        ends = holds.extend(self.session, cart, minutes=minutes)
        assert (ends is not None) == self.is_valid(cart)
        if ends is not None:
            self.left[cart] = max(self.left[cart], min(minutes, self.latest[cart]))

    @rule(cart=CARTS)
    def release(self, cart):
        assert holds.release(self.session, header("release"), cart) == sum(self.units.pop(cart, Counter()).values())
        self.left.pop(cart, None)

    @rule(minutes=MINUTES)
    def let_time_pass(self, minutes):
        for row in self.session.scalars(select(Reservation).where(Reservation.expires_at.is_not(None))):
            row.expires_at -= timedelta(minutes=minutes)
            row.extendable_until -= timedelta(minutes=minutes)
        self.session.flush()
        for cart in self.left:
            self.left[cart] -= minutes
            self.latest[cart] -= minutes

    @rule()
    def sweep(self):
        over = [cart for cart in self.units if not self.is_valid(cart)]
        rows = sum(len(holds.claimed_by(self.session, cart)) for cart in over)
        assert holds.expire(self.session, limit=100) == rows
        for cart in over:
            del self.units[cart], self.left[cart]

    @rule(key=st.sampled_from(KEYS), units=st.integers(1, 3))
    def order(self, key, units):
        fits = self.claimed(key) + units <= self.on_hand[key]
        wanted = [claim(sku=key[0], node=key[1], units=units, reference="order")]
        if fits:
            rebind(self.session, header(), claims=wanted)
            self.ordered[key] += units
        else:
            with pytest.raises(InsufficientStock):
                rebind(self.session, header(), claims=wanted)

    @invariant()
    def holds_are_what_paper_says(self):
        if not hasattr(self, "session"):
            return
        for cart in ("cart-1", "cart-2", "cart-3"):
            counted = Counter()
            for held in holds.open_of(self.session, cart):
                counted[held.key] += held.units
            assert counted == (self.units.get(cart, Counter()) if self.is_valid(cart) else Counter())

    @invariant()
    def nobody_is_oversold(self):
        if not hasattr(self, "session"):
            return
        for row in self.session.scalars(select(StockBalance).execution_options(populate_existing=True)):
            assert (row.on_hand, row.reserved) == (self.on_hand[row.sku, row.node], self.claimed((row.sku, row.node)))
        assert list(verify.findings(self.session)) == []


def test_holds_follow_the_paper(database_url):
    database = connect(database_url)
    with database.write() as session:
        lay_out(session)
        session.commit()
    machine = type("HoldsMachine", (HoldsMachine,), {"database": database})
    run_state_machine_as_test(machine, settings=settings(max_examples=40, stateful_step_count=25))
    database.dispose()
