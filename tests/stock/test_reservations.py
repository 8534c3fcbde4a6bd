"""Claims: made above safety stock, exchanged while full, ended once."""

import pytest
from sqlalchemy import select, update

from stock import reservations
from stock.errors import ClaimsChanged, InsufficientStock
from stock.models import OpenDemand, Purpose, Reservation, StockBalance
from stock.postings import DemandChange
from stock.reservations import ReservedUnits, rebind
from tests.stock.shelf import claim, counters, header, reservation, stock


def limits(session, **values):
    session.execute(
        update(StockBalance).where(StockBalance.sku == "coat", StockBalance.node == "MAD").values(**values)
    )  # fmt: skip
    session.expire_all()


def reserve(session, **fields):
    (id_,) = rebind(session, header(), claims=[claim(**fields)])
    return id_


def test_a_claim_reserves(session):
    stock(session, coat_MAD=5)
    id_ = reserve(session, units=2)
    assert reservation(session, id_) == (2, 0, 0, 0)
    assert counters(session, "coat", "MAD") == {"on_hand": 5, "reserved": 2}


def test_claims_answer_with_ids_in_their_order(session):
    stock(session, coat_MAD=5, boots_BCN=5)
    claims = [claim(reference="b"), claim(sku="boots", node="BCN", reference="a"), claim(reference="b")]
    ids = rebind(session, header(), claims=claims)
    rows = {row.id: row for row in session.scalars(select(Reservation).where(Reservation.id.in_(ids)))}
    assert [(rows[id_].sku, rows[id_].reference) for id_ in ids] == [("coat", "b"), ("boots", "a"), ("coat", "b")]


def test_claims_are_summed_before_they_are_held_against_stock(session):
    stock(session, coat_MAD=3)
    with pytest.raises(InsufficientStock) as refused:
        rebind(session, header(), claims=[claim(units=2, reference="a"), claim(units=2, reference="b")])
    (short,) = refused.value.shortages
    assert (short.account, short.wanted, short.available) == ("available", 4, 3)


def test_claims_stop_at_safety_stock_unless_told_otherwise(session):
    stock(session, coat_MAD=3)
    limits(session, safety_stock=2)
    with pytest.raises(InsufficientStock) as refused:
        reserve(session, units=2)
    assert refused.value.shortages[0].available == 1
    rebind(session, header(), claims=[claim(units=3)], floors=None)
    assert counters(session, "coat", "MAD")["reserved"] == 3


def test_a_backorder_limit_lets_claims_exceed_stock(session):
    stock(session, coat_MAD=1)
    limits(session, backorder_limit=2)
    reserve(session, units=3)
    with pytest.raises(InsufficientStock):
        reserve(session, units=1, reference="line-2")


def test_units_are_exchanged_in_one_posting_while_stock_is_full(session):
    stock(session, coat_MAD=2)
    first = reserve(session, units=2, reference="a")
    (second,) = rebind(
        session, header(), release=[ReservedUnits("coat", first, 1)], claims=[claim(units=1, reference="b")]
    )  # fmt: skip
    assert (reservation(session, first), reservation(session, second)) == ((2, 0, 0, 1), (1, 0, 0, 0))
    assert counters(session, "coat", "MAD") == {"on_hand": 2, "reserved": 2}


def test_an_exchange_holds_when_claims_have_grown_into_safety_stock(session):
    stock(session, coat_MAD=2)
    first = reserve(session, units=2, reference="a")
    limits(session, safety_stock=2)
    release = [ReservedUnits("coat", first, 2)]
    assert len(rebind(session, header(), release=release, claims=[claim(units=2, reference="b")])) == 1


def test_open_demand_becomes_a_reservation_in_one_posting(session):
    stock(session, coat_MAD=2)
    rebind(session, header(), demand=[DemandChange("coat", "line-1", 3)])
    rebind(session, header(), claims=[claim(units=2)], demand=[DemandChange("coat", "line-1", -2)])
    assert session.get(OpenDemand, ("coat", "line-1")).units == 1


def test_nothing_asked_writes_nothing(session):
    assert rebind(session, header()) == []


def test_a_reservation_is_not_released_twice(session):
    stock(session, coat_MAD=2)
    all_of_it = [ReservedUnits("coat", reserve(session, units=2), 2)]
    rebind(session, header(), release=all_of_it)
    with pytest.raises(ClaimsChanged, match="has 0 of 2 units left"):
        rebind(session, header(), release=all_of_it)
    assert counters(session, "coat", "MAD") == {"on_hand": 2}


def test_picked_units_are_not_released(session):
    stock(session, coat_MAD=2)
    units = [ReservedUnits("coat", reserve(session, units=2), 1)]
    reservations.pick(session, header(), units)
    with pytest.raises(ClaimsChanged):
        rebind(session, header(), release=[ReservedUnits("coat", units[0].reservation_id, 2)])


def test_unknown_reservations_are_all_named(session):
    with pytest.raises(ClaimsChanged) as refused:
        rebind(session, header(), release=[ReservedUnits("coat", "none", 1), ReservedUnits("hat", "neither", 1)])
    assert len(refused.value.faults) == 2


def test_picking_and_unpicking_leave_the_reservation_as_it_was(session):
    stock(session, coat_MAD=2)
    units = [ReservedUnits("coat", reserve(session, units=2), 2)]
    reservations.pick(session, header(), units)
    assert counters(session, "coat", "MAD") == {"on_hand": 2, "reserved": 2, "picked": 2}
    reservations.unpick(session, header(), units)
    assert counters(session, "coat", "MAD") == {"on_hand": 2, "reserved": 2}


def test_backordered_units_cannot_be_picked(session):
    stock(session, coat_MAD=1)
    limits(session, backorder_limit=1)
    id_ = reserve(session, units=2)
    with pytest.raises(InsufficientStock) as refused:
        reservations.pick(session, header(), [ReservedUnits("coat", id_, 2)])
    assert refused.value.shortages[0].account == "on hand to pick"


def test_consumed_units_leave_on_hand_and_end_the_claim(session):
    stock(session, coat_MAD=3)
    id_ = reserve(session, units=3)
    reservations.pick(session, header(), [ReservedUnits("coat", id_, 2)])
    reservations.consume(session, header("ship"), [ReservedUnits("coat", id_, 1)])
    assert reservation(session, id_) == (3, 1, 1, 0)
    reservations.consume(session, header("ship"), [ReservedUnits("coat", id_, 2)])
    assert reservation(session, id_) == (3, 0, 3, 0)
    assert counters(session, "coat", "MAD") == {}


def test_units_are_not_consumed_twice(session):
    stock(session, coat_MAD=3)
    id_ = reserve(session, units=2)
    reservations.consume(session, header("ship"), [ReservedUnits("coat", id_, 2)])
    with pytest.raises(ClaimsChanged):
        reservations.consume(session, header("ship"), [ReservedUnits("coat", id_, 1)])
    assert counters(session, "coat", "MAD") == {"on_hand": 1}


def test_a_put_back_task_takes_picked_units_over_without_freeing_them(session):
    stock(session, coat_MAD=2)
    id_ = reserve(session, units=2, rank=7)
    reservations.pick(session, header(), [ReservedUnits("coat", id_, 2)])
    (task,) = reservations.to_put_back(session, header(), [ReservedUnits("coat", id_, 2)], references=["task-1"])
    assert (reservation(session, id_), reservation(session, task)) == ((2, 0, 0, 2), (2, 2, 0, 0))
    assert session.scalar(select(Reservation.purpose).where(Reservation.id == task)) == Purpose.PUT_BACK
    assert counters(session, "coat", "MAD") == {"on_hand": 2, "reserved": 2, "picked": 2}
    reservations.put_on_shelf(session, header(), [ReservedUnits("coat", task, 1)])
    assert counters(session, "coat", "MAD") == {"on_hand": 2, "reserved": 1, "picked": 1}


def test_only_picked_units_are_put_back(session):
    stock(session, coat_MAD=2)
    id_ = reserve(session, units=2)
    with pytest.raises(ClaimsChanged):
        reservations.to_put_back(session, header(), [ReservedUnits("coat", id_, 1)], references=["task-1"])


def test_reservations_are_found_by_reference(session):
    stock(session, coat_MAD=3)
    first, second, other = (reserve(session, reference=reference) for reference in ("a", "a", "b"))
    rebind(session, header(), release=[ReservedUnits("coat", other, 1)])
    found = reservations.by_reference(session, ["a", "b", "c"])
    assert {reference: [row.id for row in rows] for reference, rows in found.items()} == {"a": [first, second]}
