"""The write protocol: whole or not at all, versions without gaps, every shortage named."""

import pytest
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from kernel.events import OutboxEvent
from kernel.ids import new_id
from stock import ledger, statements
from stock.errors import BalancesMoved, ClaimsChanged, InsufficientStock, Shortage, UnknownStock
from stock.ledger import OWN_SAFETY_STOCK
from stock.models import Account, OpenDemand, Posting, Reservation, StockBalance, StockEntry
from stock.postings import DemandChange, Movement, NewReservation, ReservationChange, Side
from tests.stock.shelf import NOW, SUPPLIER, counters, header, reservation, stock

CUSTOMER = Side(Account.CUSTOMER)


def at(node, account=Account.ON_HAND):
    return Side(account, node)


def entries(session, posting_id):
    columns = (StockEntry.from_version, StockEntry.to_version)
    return [tuple(row) for row in session.execute(
        select(*columns).where(StockEntry.posting_id == posting_id).order_by(StockEntry.line)
    )]  # fmt: skip


def test_a_receipt_raises_on_hand_and_leaves_an_entry(session):
    posting_id = ledger.post(session, header("receipt"), [Movement("coat", 5, SUPPLIER, at("MAD"))])
    assert counters(session, "coat", "MAD") == {"on_hand": 5}
    assert entries(session, posting_id) == [(None, 1)]
    assert session.get(Posting, posting_id).occurred_at == NOW


def test_versions_go_on_where_they_were(session):
    stock(session, coat_MAD=5)
    out = [Movement("coat", 1, at("MAD"), CUSTOMER), Movement("coat", 2, at("MAD"), CUSTOMER)]
    assert entries(session, ledger.post(session, header(), out)) == [(2, None), (3, None)]
    assert session.get(StockBalance, ("coat", "MAD")).version == 3


def test_an_entry_between_two_accounts_of_a_node_touches_its_balance_once(session):
    stock(session, coat_MAD=5)
    moves = [Movement("coat", 2, at("MAD"), at("MAD", Account.DAMAGED))]
    assert entries(session, ledger.post(session, header(), moves)) == [(2, 2)]
    assert counters(session, "coat", "MAD") == {"on_hand": 3, "damaged": 2}


def test_an_entry_between_two_nodes_touches_both_balances(session):
    stock(session, coat_MAD=5, coat_BCN=1)
    moves = [
        Movement("coat", 2, at("MAD"), at("BCN", Account.IN_TRANSIT)),
        Movement("coat", 1, at("MAD"), at("BCN", Account.IN_TRANSIT)),
    ]
    assert entries(session, ledger.post(session, header(), moves)) == [(2, 2), (3, 3)]
    assert counters(session, "coat", "BCN") == {"on_hand": 1, "in_transit": 3}


def test_only_the_net_of_a_posting_must_fit(session):
    moves = [Movement("coat", 2, at("MAD"), CUSTOMER), Movement("coat", 2, SUPPLIER, at("MAD"))]
    ledger.post(session, header(), moves)
    assert counters(session, "coat", "MAD") == {}


def test_units_claimed_as_they_arrive_take_nothing_from_safety_stock(session):
    stock(session, coat_MAD=1)
    session.execute(update(StockBalance).where(StockBalance.sku == "coat").values(safety_stock=3))
    arrived = [Movement("coat", 2, SUPPLIER, at("MAD"))]

    def claims(units):
        return [NewReservation(id=new_id(), sku="coat", node="MAD", reference="r", purpose="order", units=units)]

    with pytest.raises(InsufficientStock):
        ledger.post(session, header(), arrived, claims=claims(3), floors=OWN_SAFETY_STOCK)
    ledger.post(session, header(), arrived, claims=claims(2), floors=OWN_SAFETY_STOCK)
    assert counters(session, "coat", "MAD") == {"on_hand": 3, "reserved": 2}


def test_claims_stay_above_the_floor_they_are_given_or_else_above_the_safety_stock(session):
    stock(session, coat_MAD=10, hat_MAD=10, boots_MAD=10)
    session.execute(update(StockBalance).values(safety_stock=3))

    def claimed(sku, units, floors):
        made = NewReservation(id=new_id(), sku=sku, node="MAD", reference=new_id(), purpose="order", units=units)
        ledger.post(session, header(), (), claims=[made], floors=floors)

    floors = {("coat", "MAD"): 5, ("hat", "MAD"): 1}
    for sku, too_many, free in (("coat", 6, 5), ("hat", 10, 9), ("boots", 8, 7)):
        with pytest.raises(InsufficientStock) as refused:
            claimed(sku, too_many, floors)
        assert refused.value.shortages == (Shortage(sku, "MAD", "available", too_many, free),)
        claimed(sku, free, floors)
    claimed("coat", 5, None)


def test_every_shortage_is_named_and_nothing_is_written(session):
    stock(session, coat_MAD=2, hat_MAD=9)
    moves = [
        Movement("coat", 3, at("MAD"), CUSTOMER),
        Movement("hat", 1, at("MAD"), CUSTOMER),
        Movement("boots", 1, at("BCN", Account.DAMAGED), Side(Account.SHRINK)),
    ]
    with pytest.raises(InsufficientStock) as refused:
        ledger.post(session, header("refused"), moves)
    assert refused.value.shortages == (
        Shortage("boots", "BCN", "damaged", 1, 0),
        Shortage("coat", "MAD", "available", 3, 2),
        Shortage("coat", "MAD", "on hand", 3, 2),
        Shortage("coat", "MAD", "on hand to pick", 3, 2),
    )
    assert counters(session, "hat", "MAD") == {"on_hand": 9}
    assert session.scalars(select(Posting).where(Posting.kind == "refused")).all() == []


def test_a_refusal_leaves_the_transaction_usable(session):
    with pytest.raises(InsufficientStock):
        ledger.post(session, header(), [Movement("coat", 1, at("MAD"), CUSTOMER)])
    stock(session, coat_MAD=1)
    assert counters(session, "coat", "MAD") == {"on_hand": 1}


def test_unknown_articles_and_nodes_are_all_named(session):
    moves = [Movement("coat", 1, SUPPLIER, at("Atlantis")), Movement("unicorn", 1, SUPPLIER, at("MAD"))]
    with pytest.raises(UnknownStock) as refused:
        ledger.post(session, header(), moves)
    assert refused.value.keys == (("coat", "Atlantis"), ("unicorn", "MAD"))


def test_a_version_that_moved_is_refused(session):
    stock(session, coat_MAD=5)
    stock(session, coat_MAD=1)
    with pytest.raises(BalancesMoved) as refused:
        ledger.post(
            session, header(), [Movement("coat", 1, at("MAD"), CUSTOMER)], expected={("coat", "MAD"): 1}
        )  # fmt: skip
    assert refused.value.keys == (("coat", "MAD"),)


def test_claims_of_one_reference_become_attempts_of_their_own(session):
    stock(session, coat_MAD=5)
    made = [
        NewReservation(id=new_id(), sku="coat", node="MAD", reference="twice", purpose="order", units=1)
        for _ in range(3)
    ]
    ledger.post(session, header(), (), claims=made[:2])
    ledger.post(session, header(), (), claims=made[2:])
    attempts = select(Reservation.attempt).where(Reservation.reference == "twice").order_by(Reservation.attempt)
    assert session.scalars(attempts).all() == [1, 2, 3]


def test_changes_of_one_reservation_are_added_up(session):
    stock(session, coat_MAD=5)
    made = NewReservation(id=new_id(), sku="coat", node="MAD", reference="r", purpose="order", units=3)
    ledger.post(session, header(), (), claims=[made])
    one = ReservationChange(sku="coat", id=made.id, node="MAD", released=1)
    ledger.post(session, header(), (), changes=[one, one])
    assert reservation(session, made.id) == (3, 0, 0, 2)
    assert counters(session, "coat", "MAD") == {"on_hand": 5, "reserved": 1}


def test_a_reservation_is_released_at_its_own_node_only(session):
    stock(session, coat_MAD=5, coat_BCN=5)
    made = NewReservation(id=new_id(), sku="coat", node="MAD", reference="r", purpose="order", units=3)
    other = NewReservation(id=new_id(), sku="coat", node="BCN", reference="s", purpose="order", units=3)
    ledger.post(session, header(), (), claims=[made, other])
    with pytest.raises(ClaimsChanged):
        ledger.post(session, header(), (), changes=[ReservationChange(sku="coat", id=made.id, node="BCN", released=1)])


def test_open_demand_is_opened_raised_lowered_and_closed(session):
    def change(units):
        ledger.post(session, header(), (), demand=[DemandChange("coat", "line-9", units)])
        session.expire_all()
        row = session.get(OpenDemand, ("coat", "line-9"))
        return row.units if row else 0

    assert [change(units) for units in (2, 3, -4, -1)] == [2, 5, 1, 0]


def test_more_open_demand_than_there_is_cannot_be_closed(session):
    ledger.post(session, header(), (), demand=[DemandChange("coat", "line-9", 2)])
    with pytest.raises(ClaimsChanged, match="line-9 has 2 units of coat waiting") as refused:
        ledger.post(
            session, header(), (), demand=[DemandChange("coat", "line-9", -3), DemandChange("hat", "line-8", -1)]
        )  # fmt: skip
    assert [fault.code for fault in refused.value.faults] == ["open_demand_changed"] * 2
    assert session.get(OpenDemand, ("coat", "line-9")).units == 2


def test_every_posting_has_its_news(session):
    posting_id = stock(session, coat_MAD=1, hat_BCN=1)
    (event,) = session.scalars(select(OutboxEvent).where(OutboxEvent.aggregate_id == posting_id))
    assert event.type == "stock.posted"
    assert event.payload == {
        "kind": "receipt", "reason": "", "reference": "", "skus": ["coat", "hat"], "nodes": ["BCN", "MAD"],
    }  # fmt: skip


def test_rows_loaded_before_a_posting_are_read_again(session):
    stock(session, coat_MAD=1)
    balance = session.get(StockBalance, ("coat", "MAD"))
    assert balance.on_hand == 1
    stock(session, coat_MAD=1)
    assert balance.on_hand == 2


def test_the_tables_refuse_what_no_posting_may_do(session):
    stock(session, coat_MAD=1)
    with pytest.raises(DBAPIError, match="not_oversold"):
        session.execute(update(StockBalance).where(StockBalance.sku == "coat").values(reserved=2))


def test_psycopg_remembers_the_statement_that_writes_an_order():
    order = statements.Parts(resolutions=False, claims=True, wishes=False)
    assert len(statements.postgresql(order)) <= MAX_CACHED_STATEMENT_LENGTH
