"""Many postings in one statement come to the same as one after the other, refusals included."""

from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from kernel.db import connect
from kernel.errors import DomainError
from kernel.ids import new_id
from stock import ledger
from stock.models import Account, Reservation, StockBalance
from stock.postings import DemandChange, Draft, Movement, NewReservation, ReservationChange, Side
from stock.proof import verify
from tests.stock.shelf import SUPPLIER, header, lay_out, stock

SKUS = st.sampled_from(["coat", "hat"] * 8 + ["unicorn"])
NODES = st.sampled_from(["MAD", "BCN"])
UNITS = st.integers(1, 4)
FLOORS = st.sampled_from([None, {}, {("coat", "MAD"): 3}, {("hat", "MAD"): 0}])
EXPECTED = st.sampled_from([None, None, {("coat", "MAD"): 3}, {("coat", "MAD"): 4}, {("hat", "BCN"): 2}])
REFERENCES = st.sampled_from(["line-1", "line-2"])
ON_HAND, CUSTOMER = Account.ON_HAND, Side(Account.CUSTOMER)
CORNERS = [
    [(Account.SUPPLIER, None), (Account.ON_HAND, 1)], [(Account.ON_HAND, 1), (Account.CUSTOMER, None)],
    [(Account.ON_HAND, 1), (Account.DAMAGED, 1)], [(Account.DAMAGED, 1), (Account.SHRINK, None)],
    [(Account.ON_HAND, 1), (Account.IN_TRANSIT, 2)], [(Account.IN_TRANSIT, 1), (Account.ON_HAND, 1)],
]  # fmt: skip
# Drafts name reservations by number, so that both ways meet the same ones: those there are, then those they make.
BEFORE = 3
TABLES = {
    "stock_balance": "sku, node, on_hand, reserved, picked, damaged, quarantine, in_transit, version",
    "reservation": "sku, node, reference, purpose, attempt, units, picked, consumed, released",
    "open_demand": "sku, reference, units",
    "stock_entry": "sku, line, units, from_node, from_account, from_version, to_node, to_account, to_version",
    "posting": "kind, reason, reference",
    "outbox": "type, aggregate, sequence, payload",
}

moves = st.builds(
    lambda sku, units, corner, node, other: Movement(
        sku, units, *(Side(account, place and (None, node, other)[place]) for account, place in corner)
    ),
    SKUS, UNITS, st.sampled_from(CORNERS), NODES, NODES,
)  # fmt: skip
claims = st.tuples(SKUS, NODES, UNITS, REFERENCES)
changes = st.tuples(st.integers(0, 5), st.sampled_from(["picked", "down", "consumed", "released"]), UNITS)
wishes = st.builds(DemandChange, SKUS, REFERENCES, st.integers(-3, 3).filter(bool))
NOTHING = {"movements": (), "claims": (), "changes": (), "demand": (), "floors": None, "expected": None}
pytestmark = pytest.mark.slow


def one(name, strategy):
    """Return drafts of one part only: most fit, so that what refuses one of a batch is often the order alone."""
    return strategy.map(lambda row: NOTHING | {name: [row]})


small = st.one_of(
    one("movements", moves), one("claims", claims), one("changes", changes), one("demand", wishes),
    st.builds(lambda row, floors: NOTHING | {"claims": [row], "floors": floors}, claims, FLOORS),
    st.builds(lambda row, expected: NOTHING | {"movements": [row], "expected": expected}, moves, EXPECTED),
)  # fmt: skip
large = st.fixed_dictionaries(
    {
        "movements": st.lists(moves, max_size=2), "claims": st.lists(claims, max_size=2),
        "changes": st.lists(changes, max_size=2), "demand": st.lists(wishes, max_size=2), "floors": FLOORS,
        "expected": EXPECTED,
    }
)  # fmt: skip
batches = st.one_of(st.lists(small, min_size=1, max_size=5), st.lists(st.one_of(small, large), min_size=1, max_size=8))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shop(databases, request):
    with databases.fresh(request.param) as url:
        opened = connect(url)
        with opened.write() as session:
            lay_out(session)
            stock(session, coat_MAD=5, coat_BCN=2, hat_MAD=3, hat_BCN=1)
            session.execute(update(StockBalance).where(StockBalance.node == "MAD").values(safety_stock=1))
            session.execute(update(StockBalance).where(StockBalance.sku == "hat").values(backorder_limit=1))
            made = [
                NewReservation(id=new_id(), sku=sku, node=node, reference="line-1", purpose="order", units=2, picked=1)
                for sku, node in (("coat", "MAD"), ("coat", "BCN"), ("hat", "MAD"))
            ]
            ledger.post(session, header(), (), claims=made, demand=[DemandChange("coat", "line-2", 2)])
            session.commit()
        yield opened
        opened.dispose()


@contextmanager
def tried(shop):
    with shop.write() as session:
        yield session
        session.rollback()


def drawn_up(session, rows):
    """Return the drafts, with the reservations that they name: those there are, then those that earlier drafts make."""
    known = [(row.id, row.sku, row.node) for row in session.scalars(select(Reservation).order_by(Reservation.id))]
    assert len(known) == BEFORE
    built = []
    for number, row in enumerate(rows):
        made = [
            NewReservation(id=new_id(), sku=sku, node=node, reference=reference, purpose="order", units=units)
            for sku, node, units, reference in row["claims"]
        ]
        named = [(known[which], what, units) for which, what, units in row["changes"] if which < len(known)]
        left = [
            Movement(sku, units, Side(ON_HAND, node), CUSTOMER, id_)
            for (id_, sku, node), what, units in named
            if what == "consumed"
        ]
        built.append(
            Draft(
                header=header(f"draft-{number}"), movements=[*row["movements"], *left], claims=made,
                changes=[changed(*each) for each in named],
                demand=row["demand"], floors=row["floors"], expected=row["expected"],
            )
        )  # fmt: skip
        known += [(claim.id, claim.sku, claim.node) for claim in made]
    return built


def changed(known, what, units):
    id_, sku, node = known
    if what == "down":
        return ReservationChange(sku=sku, id=id_, node=node, picked=-units)
    return ReservationChange(sku=sku, id=id_, node=node, **{what: units})


def told(outcome):
    if isinstance(outcome, DomainError):
        return type(outcome), [(fault.code, fault.message) for fault in outcome.faults] or outcome.message
    return "written"


def one_after_the_other(session, built):
    for draft in built:
        try:
            yield ledger.post(session, **{name: getattr(draft, name) for name in draft.__dataclass_fields__})
        except DomainError as refused:
            yield refused


def written(session):
    rows = {
        table: sorted(map(repr, session.execute(text(f"SELECT {columns} FROM {table}"))))
        for table, columns in TABLES.items()
    }
    # These postings send units on their way without a transfer, which the proof would tell.
    assert not [each for each in verify.findings(session) if "in transit" not in each.message]
    return rows


@given(rows=batches)
@settings(max_examples=100)
def test_the_lane_comes_to_the_same_as_one_after_the_other(shop, rows):
    with tried(shop) as session:
        built = drawn_up(session, rows)
        expected = [told(outcome) for outcome in one_after_the_other(session, built)], written(session)
    with tried(shop) as session:
        assert ([told(outcome) for outcome in ledger.post_many(session, built)], written(session)) == expected


def move(units, source, target):
    """Return a draft that moves coats; accounts of a node are Madrid's."""
    sides = [Side(account, "MAD" if account == Account.ON_HAND else None) for account in (source, target)]
    return Draft(header=header(), movements=[Movement("coat", units, *sides)])


def refused_in(shop, *built):
    with tried(shop) as session:
        return [not isinstance(outcome, str) for outcome in ledger.post_many(session, built)]


def test_what_a_later_posting_brings_does_not_serve_an_earlier_one(shop):
    leaves, arrives = move(5, ON_HAND, Account.CUSTOMER), move(5, Account.SUPPLIER, ON_HAND)
    assert refused_in(shop, leaves, arrives) == [True, False]
    assert refused_in(shop, arrives, leaves) == [False, False]


def test_the_last_unit_goes_to_who_came_first_and_a_shortage_refuses_nobody_else(shop):
    def claimed(sku, units, floors=None):
        made = NewReservation(id=new_id(), sku=sku, node="MAD", reference=new_id(), purpose="order", units=units)
        return Draft(header=header(), claims=[made], floors=floors)

    built = claimed("coat", 2), claimed("coat", 2), claimed("hat", 1), claimed("coat", 1), claimed("coat", 1)
    assert refused_in(shop, *built) == [False, True, False, False, True]
    # Madrid has three coats that nobody claims, and keeps one in safety.
    assert refused_in(shop, claimed("coat", 2, {}), claimed("coat", 1, {}), claimed("coat", 1)) == [False, True, False]
    higher = {("coat", "MAD"): 2}
    assert refused_in(shop, claimed("coat", 2, higher), claimed("coat", 1, higher)) == [True, False]


def test_open_demand_is_closed_by_those_who_come_after_it_was_opened(shop):
    closes, opens = (Draft(header=header(), demand=[DemandChange("hat", "line-2", n)]) for n in (-1, 1))
    assert refused_in(shop, closes, opens) == [True, False]
    assert refused_in(shop, opens, closes) == [False, False]


def test_units_are_put_down_by_those_who_come_after_they_were_picked(shop):
    with tried(shop) as session:
        found = session.scalars(select(Reservation).where(Reservation.sku == "hat")).one()
        id_ = found.id
    up, down = (
        Draft(header=header(), changes=[ReservationChange(sku="hat", id=id_, node="MAD", picked=n)]) for n in (1, -2)
    )
    assert refused_in(shop, down, up) == [True, False]
    assert refused_in(shop, up, down) == [False, False]


def test_a_version_is_expected_as_it_is_when_the_posting_comes(shop):
    with tried(shop) as session:
        version = session.get(StockBalance, ("coat", "MAD")).version

    def expecting(version):
        return replace(move(1, Account.SUPPLIER, ON_HAND), expected={("coat", "MAD"): version})

    assert refused_in(shop, expecting(version), expecting(version + 1), expecting(version)) == [False, False, True]
    assert refused_in(shop, expecting(version + 1)) == [True]


def test_a_reservation_is_made_and_ended_in_one_call(shop):
    made = NewReservation(id=new_id(), sku="coat", node="MAD", reference="r", purpose="order", units=1)
    ended = ReservationChange(sku="coat", id=made.id, node="MAD", released=1)
    claims, release = Draft(header=header(), claims=[made]), Draft(header=header(), changes=[ended])
    assert refused_in(shop, claims, release, release) == [False, False, True]


def test_the_order_of_arrival_is_the_order_of_versions(shop):
    with tried(shop) as session:
        one = Movement("coat", 1, SUPPLIER, Side(Account.ON_HAND, "MAD"))
        ids = ledger.post_many(session, [Draft(header=header("receipt"), movements=[one]) for _ in range(200)])
        query = text("SELECT posting_id FROM stock_entry WHERE sku = 'coat' AND to_node = 'MAD' ORDER BY to_version")
        assert session.scalars(query).all()[-200:] == ids
