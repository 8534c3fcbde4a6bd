"""What the rules of the ledger's state machine share, and what must hold after each of them.

`tests/properties/ledger_whole.py` puts the machine together from the rules in `ledger_claims.py`, `ledger_holds.py`,
`ledger_goods.py` and `ledger_truth.py`. Invariant: each rule decides on paper what must happen, then lets it happen, so
that a refusal is as much a finding as a wrong counter.
"""

from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition
from sqlalchemy import text

from stock import catalog, recipes
from stock.models import Node
from stock.proof import verify
from stock.recipes import Component, RecipeRow
from stock.rows import LimitRow
from tests.properties.ledger_model import Paper
from tests.stock.shelf import NOW, header, lay_out

SKUS, NODES, CHOICES = st.sampled_from(["coat", "hat"]), st.sampled_from(["MAD", "BCN"]), st.integers(0, 999)
UNITS, FEW, RANKS = st.integers(1, 5), st.sampled_from([1, 1, 1, 2, 2, 3]), st.integers(0, 2)
SUPPLIER_NODE = "ACME"
# Where claims may be: the supplier ships for us, from stock that nobody knows.
PLACES = st.sampled_from(["MAD", "BCN", "MAD", "BCN", SUPPLIER_NODE])
KIT, PARTS = "boots", {"coat": 1, "hat": 2}
COUNTERS = ("on_hand", "damaged", "quarantine", "in_transit")
BALANCE, CLAIM, WAITING, FOUND = "balance", "claim", "waiting", "found"
EVERYTHING = {"sku": "sku IS NOT NULL", "id": "id IS NOT NULL", "aggregate_id": "aggregate_id IS NOT NULL"}
# Every check of the proof; who finds something asks again, one by one, to be told what.
PROOF = " + ".join(
    f"(SELECT count(*) FROM ({check.query.format(**EVERYTHING)}) AS found)" for check in (*verify.CHECKS, *verify.TOLD)
)
# What the ledger says and how many findings there are, in one statement: it is asked after each step.
STATE = text(f"""
SELECT '{BALANCE}', sku, node, {", ".join(COUNTERS)}, reserved, picked FROM stock_balance
UNION ALL SELECT '{CLAIM}', id, '', units - consumed - released, picked, 0, 0, 0, 0 FROM reservation
UNION ALL SELECT '{WAITING}', sku, reference, units, 0, 0, 0, 0, 0 FROM open_demand
UNION ALL SELECT '{FOUND}', '', '', {PROOF}, 0, 0, 0, 0, 0""")


def open_network(session):
    """Lay out the shelves, a supplier who may be asked for six units of each article, and the recipe of a kit."""
    lay_out(session)
    session.add(
        Node(id=SUPPLIER_NODE, name="Acme", kind="supplier", status="open", time_zone="Europe/Madrid", version=1)
    )
    session.flush()
    limits = [LimitRow(sku=sku, node=SUPPLIER_NODE, safety_stock=0, backorder_limit=6) for sku in PARTS]
    catalog.put_limits(session, limits)
    parts = tuple(Component(sku, units) for sku, units in PARTS.items())
    recipes.put(session, [RecipeRow(sku=KIT, kind="kit", components=parts)])


class LedgerSteps(RuleBasedStateMachine):
    """Takes each step on paper and in the database, and compares."""

    database = None

    @initialize(
        opening=st.fixed_dictionaries({(sku, node): UNITS for sku in ("coat", "hat") for node in ("MAD", "BCN")})
    )
    def open_shop(self, opening):
        """Begin with something of everything, so that no step has to wait for the one that makes it possible."""
        self.session = self.database.write()
        self.paper = Paper()
        self.paper.backorder.update({(sku, SUPPLIER_NODE): 6 for sku in PARTS})
        self.minutes = 0
        self.counts = {}
        for (sku, node), units in opening.items():
            self.receive(sku, node, units + 6, "good")
            self.reserve([(sku, node, 2), (sku, node, 3)], 1, above_safety=True, purpose="order")
        for place in range(0, len(self.paper.claims), 2):
            self.pick(place, 1)
        self.reserve([(sku, SUPPLIER_NODE, 3) for sku in PARTS], 1, above_safety=True, purpose="order")
        self.hold("cart-1", {("coat", "MAD"): 1, ("hat", "BCN"): 1})
        self.order_goods({"coat": 3, "hat": 2}, "BCN", 50)
        self.receive(KIT, "MAD", 1, "good")
        for sku in PARTS:
            self.send(sku, 2, "line-7")
        self.give_up_waiting(0, "lost")

    def teardown(self):
        if hasattr(self, "session"):
            self.session.close()

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
        """Return one of the claims that fit, by number; what a cart only holds is nobody's to pick or to ship."""
        ids = sorted(id_ for id_, claim in self.paper.claims.items() if claim.purpose != "hold" and wanted(claim))
        return ids[choice % len(ids)] if ids else None

    def attempt(self, deed, *, refused_by=None):
        """Do it; it must be refused exactly when paper says so."""
        if refused_by is None:
            return deed()
        with pytest.raises(refused_by):
            deed()
        return None

    def shift(self, key, source, target, units):
        self.paper.shift(key, source, target, units, now=self.now)

    def posted(self, key, units):
        """Lower or raise on hand on paper, and displace."""
        self.paper.move(key, units, now=self.now)
        self.paper.displace(key)

    @invariant()
    @precondition(lambda self: hasattr(self, "session"))
    def the_ledger_says_what_paper_says_and_proves_itself(self):
        self.session.flush()
        told = {BALANCE: {}, CLAIM: {}, WAITING: {}, FOUND: {}}
        for what, first, second, *values in self.session.connection().execute(STATE):
            told[what][first, second] = values
        if told[FOUND]["", ""][0]:
            assert list(verify.findings(self.session)) == []
            pytest.fail("the proof in one statement found what the checks one by one did not")
        for key, values in told[BALANCE].items():
            counters = [self.paper.stock[key][name] for name in COUNTERS]
            assert values == [*counters, self.paper.reserved(key), self.paper.picked(key)], key
        ledger = {id_: tuple(values[:2]) for (id_, _), values in told[CLAIM].items()}
        assert ledger == {id_: (claim.units, claim.picked) for id_, claim in self.paper.claims.items()}
        assert {key: values[0] for key, values in told[WAITING].items()} == dict(+self.paper.waiting)
