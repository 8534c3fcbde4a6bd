"""Units on their way between nodes: in transit from dispatch to receipt, reserved for whom they were sent."""

from itertools import product

import pytest
from sqlalchemy import select

from kernel import states
from kernel.events import OutboxEvent
from kernel.states import IllegalTransition
from stock import arrivals, reservations, transfers
from stock.documents import TRANSFER_TRANSITIONS, TransferLine, TransferStatus
from stock.errors import InsufficientStock, UnknownDocument, UnknownStock
from stock.models import Reservation
from stock.reservations import ReservedUnits, rebind
from stock.transfers import InvalidTransfer, TransferWant
from tests.stock.shelf import NOW, claim, counters, header, reservation, stock

BY = {"actor": "keeper", "now": NOW}


def opened(session, *wants, **fields):
    lines = [TransferWant(**want) for want in wants] or [TransferWant(sku="coat", units=3, reference="line-1", rank=4)]
    chosen = {"source": "MAD", "destination": "BCN", "reference": "fo-1"} | fields
    return transfers.open_transfer(session, lines=lines, **chosen, **BY)


def on_its_way(session, units=3):
    stock(session, coat_MAD=5)
    transfer = opened(session)
    (id_,) = rebind(session, header(), claims=[claim(units=units, purpose="transfer")])
    reservations.pick(session, header(), [ReservedUnits("coat", id_, units)])
    transfers.dispatch(session, transfer.id, [ReservedUnits("coat", id_, units)], **BY)
    return transfer, id_


def line_of(session, transfer):
    columns = (TransferLine.units, TransferLine.dispatched, TransferLine.received, TransferLine.written_off)
    return tuple(session.execute(select(*columns).where(TransferLine.transfer_id == transfer.id)).one())


def test_dispatched_units_are_in_transit_at_their_destination(session):
    transfer, id_ = on_its_way(session)
    assert counters(session, "coat", "MAD") == {"on_hand": 2}
    assert counters(session, "coat", "BCN") == {"in_transit": 3}
    assert reservation(session, id_) == (3, 0, 3, 0)
    assert (transfer.status, line_of(session, transfer)) == ("in_transit", (3, 3, 0, 0))


def test_what_arrives_is_reserved_for_whom_it_was_sent_in_the_same_posting(session):
    transfer, _ = on_its_way(session)
    parts = arrivals.receive(session, transfer.id, {1: 3}, wanted={1: 2}, **BY)
    assert [(part.units, part.reference, part.reservation_id is not None) for part in parts] == [
        (2, "line-1", True), (1, "line-1", False),
    ]  # fmt: skip
    made = session.scalar(select(Reservation).where(Reservation.id == parts[0].reservation_id))
    assert (made.node, made.purpose, made.rank, made.reference) == ("BCN", "order", 4, "line-1")
    assert counters(session, "coat", "BCN") == {"on_hand": 3, "reserved": 2}
    assert transfer.status == "received"


def test_units_that_nobody_wants_any_more_become_plain_stock(session):
    transfer, _ = on_its_way(session)
    (part,) = arrivals.receive(session, transfer.id, {1: 3}, **BY)
    assert part.reservation_id is None
    assert counters(session, "coat", "BCN") == {"on_hand": 3}


def test_a_transfer_arrives_in_parts_and_is_closed_short(session):
    transfer, _ = on_its_way(session)
    arrivals.receive(session, transfer.id, {1: 1}, **BY)
    assert transfer.status == "partly_received"
    assert arrivals.close_short(session, transfer.id, **BY) == {1: 2}
    assert (transfer.status, line_of(session, transfer)) == ("closed_short", (3, 3, 1, 2))
    assert counters(session, "coat", "BCN") == {"on_hand": 1}


def test_more_than_was_sent_is_refused_line_by_line(session):
    transfer, _ = on_its_way(session)
    with pytest.raises(InvalidTransfer) as refused:
        arrivals.receive(session, transfer.id, {1: 4, 7: 1}, **BY)
    assert [fault.pointer for fault in refused.value.faults] == ["/lines/1", "/lines/7"]


@pytest.mark.parametrize(
    ("choice", "source", "line"),
    [("write_back", {"on_hand": 5}, (3, 0, 0, 0)), ("write_off", {"on_hand": 2}, (3, 3, 0, 3))],
)
def test_a_transfer_cancelled_in_transit_needs_a_choice(session, choice, source, line):
    transfer, _ = on_its_way(session)
    with pytest.raises(InvalidTransfer, match="write_back or write_off"):
        transfers.cancel(session, transfer.id, **BY)
    transfers.cancel(session, transfer.id, choice=choice, **BY)
    assert counters(session, "coat", "MAD") == source
    assert counters(session, "coat", "BCN") == {}
    assert (transfer.status, line_of(session, transfer)) == ("cancelled", line)


def test_a_transfer_is_cancelled_before_it_leaves(session):
    transfer = opened(session, status=TransferStatus.PROPOSED)
    transfers.approve(session, transfer.id, **BY)
    transfers.start_picking(session, transfer.id, **BY)
    transfers.cancel(session, transfer.id, **BY)
    assert transfer.status == "cancelled"
    with pytest.raises(IllegalTransition):
        transfers.dispatch(session, transfer.id, [1], **BY)


def test_units_that_nobody_claimed_leave_from_the_shelf(session):
    stock(session, coat_MAD=2, hat_MAD=1)
    transfer = opened(session, {"sku": "coat", "units": 2}, {"sku": "hat", "units": 1})
    transfers.dispatch(session, transfer.id, [2, None], **BY)
    assert counters(session, "coat", "BCN") == {"in_transit": 2}
    assert counters(session, "hat", "MAD") == {"on_hand": 1}


def test_reserved_units_do_not_leave_unclaimed(session):
    stock(session, coat_MAD=2)
    rebind(session, header(), claims=[claim(units=1)])
    transfer = opened(session, {"sku": "coat", "units": 2})
    with pytest.raises(InsufficientStock):
        transfers.dispatch(session, transfer.id, [2], **BY)


@pytest.mark.parametrize("units", [[], [0], [None], [4], [-1], [1, 1]])
def test_what_leaves_is_said_of_every_line(session, units):
    stock(session, coat_MAD=9)
    transfer = opened(session)
    with pytest.raises(InvalidTransfer):
        transfers.dispatch(session, transfer.id, units, **BY)


def test_a_transfer_goes_between_two_nodes_that_exist(session):
    with pytest.raises(InvalidTransfer):
        opened(session, destination="MAD")
    with pytest.raises(UnknownStock) as refused:
        opened(session, {"sku": "unicorn", "units": 1}, {"sku": "coat", "units": 1}, destination="OZ")
    assert set(refused.value.keys) == {("unicorn", "MAD"), ("unicorn", "OZ"), ("coat", "OZ")}
    with pytest.raises(UnknownDocument):
        transfers.approve(session, "none", **BY)


def test_every_step_is_told(session):
    transfer, _ = on_its_way(session)
    arrivals.receive(session, transfer.id, {1: 3}, **BY)
    told = select(OutboxEvent.type).where(OutboxEvent.aggregate_id == transfer.id).order_by(OutboxEvent.sequence)
    assert session.scalars(told).all() == ["transfer.approved", "transfer.in_transit", "transfer.received"]


@pytest.mark.parametrize(("current", "target"), list(product(TransferStatus, repeat=2)))
def test_only_steps_in_the_table_are_taken(current, target):
    allowed = target in TRANSFER_TRANSITIONS[current]
    try:
        states.advance(TRANSFER_TRANSITIONS, current, target, what="Transfer")
    except IllegalTransition:
        assert not allowed
    else:
        assert allowed
