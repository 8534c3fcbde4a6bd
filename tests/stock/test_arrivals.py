"""Every difference of a transfer is followed until nothing is left in transit."""

from datetime import timedelta

import pytest
from sqlalchemy import text, update

from stock import arrivals, lists, transfers
from stock.arrivals import SetAside, Surplus
from stock.documents import TransferLine
from stock.errors import InvalidUnits, UnknownReason, UnknownStock
from stock.proof import verify
from stock.transfers import InvalidTransfer, TransferWant
from tests.stock.shelf import NOW, counters, stock

BY = {"actor": "keeper", "now": NOW}


def sent(session, units=5, **fields):
    """Coats on their way from Madrid to Barcelona."""
    stock(session, coat_MAD=units)
    transfer = transfers.open_transfer(
        session, source="MAD", destination="BCN", reference="", lines=[TransferWant(sku="coat", units=units)],
        **fields, **BY,
    )  # fmt: skip
    return transfers.dispatch(session, transfer.id, [units], **BY)


def line(transfer):
    """Dispatched, received, written off, found, surplus."""
    (one,) = transfer.lines
    return one.dispatched, one.received, one.written_off, one.found, one.surplus


def in_order(session):
    assert [*verify.findings(session)] == []


def test_what_arrives_damaged_is_received_and_set_aside(session):
    transfer = sent(session)
    parts = arrivals.receive(
        session, transfer.id, {1: 2}, set_aside=[SetAside(1, 2, "damaged"), SetAside(1, 1, "quarantine")], **BY
    )
    assert [part.units for part in parts] == [2]
    assert (transfer.status, line(transfer)) == ("received", (5, 5, 0, 0, 0))
    assert counters(session, "coat", "BCN") == {"on_hand": 2, "damaged": 2, "quarantine": 1}
    in_order(session)


def test_more_than_was_sent_is_taken_in_as_surplus(session):
    transfer = sent(session)
    with pytest.raises(InvalidTransfer, match="surplus"):
        arrivals.receive(session, transfer.id, {1: 7}, **BY)
    extra = [Surplus("coat", 2, "surplus"), Surplus("hat", 1, "surplus_to_check")]
    arrivals.receive(session, transfer.id, {1: 5}, surplus=extra, **BY)
    assert (transfer.status, line(transfer)) == ("received", (5, 5, 0, 0, 2))
    assert counters(session, "coat", "BCN") == {"on_hand": 7}
    assert counters(session, "hat", "BCN") == {"quarantine": 1}
    in_order(session)


def test_exceptions_are_checked_before_anything_is_written(session):
    transfer = sent(session)
    for given, refused in (
        ({"set_aside": [SetAside(1, 6, "damaged")]}, InvalidTransfer),
        ({"set_aside": [SetAside(1, 0, "damaged")]}, InvalidUnits),
        ({"set_aside": [SetAside(1, 1, "found")]}, UnknownReason),
        ({"surplus": [Surplus("coat", 1, "damaged")]}, UnknownReason),
        ({"surplus": [Surplus("unicorn", 1, "surplus")]}, UnknownStock),
    ):
        with pytest.raises(refused):
            arrivals.receive(session, transfer.id, {}, **given, **BY)
    assert (transfer.status, counters(session, "coat", "BCN")) == ("in_transit", {"in_transit": 5})


@pytest.mark.parametrize(
    ("reason", "left", "source"), [("lost", (5, 2, 3, 0, 0), {}), ("sent_back", (2, 2, 0, 0, 0), {"on_hand": 3})]
)
def test_what_does_not_come_is_lost_or_back_at_its_source(session, reason, left, source):
    transfer = sent(session)
    arrivals.receive(session, transfer.id, {1: 2}, **BY)
    assert arrivals.close_short(session, transfer.id, reason=reason, **BY) == {1: 3}
    assert (transfer.status, line(transfer)) == ("closed_short", left)
    assert (counters(session, "coat", "MAD"), counters(session, "coat", "BCN")) == (source, {"on_hand": 2})
    in_order(session)


def test_what_was_written_off_and_turns_up_comes_back_from_shrink(session):
    transfer = sent(session)
    arrivals.close_short(session, transfer.id, **BY)
    arrivals.find(session, transfer.id, {1: 2}, **BY)
    arrivals.find(session, transfer.id, {1: 1}, reason="found_damaged", **BY)
    arrivals.find(session, transfer.id, {1: 1}, node="MAD", **BY)
    assert line(transfer) == (4, 3, 1, 3, 0)
    assert counters(session, "coat", "BCN") == {"on_hand": 2, "damaged": 1}
    assert counters(session, "coat", "MAD") == {"on_hand": 1}
    in_order(session)


@pytest.mark.parametrize(
    ("found", "node"), [({}, None), ({1: 0}, None), ({1: 6}, None), ({2: 1}, None), ({1: 1}, "LIS")]
)
def test_only_what_was_written_off_turns_up_at_one_of_its_nodes(session, found, node):
    transfer = sent(session)
    arrivals.close_short(session, transfer.id, **BY)
    with pytest.raises(InvalidTransfer):
        arrivals.find(session, transfer.id, found, node=node, **BY)


def test_a_reason_must_fit_the_end_of_a_journey(session):
    transfer = sent(session)
    with pytest.raises(UnknownReason, match="destroyed, lost, sent_back"):
        arrivals.close_short(session, transfer.id, reason="damage", **BY)


def test_the_differences_that_need_somebody_are_listed(session):
    fresh = sent(session)
    dated = sent(session, expected_at=NOW + timedelta(days=9))
    overdue = sent(session, expected_at=NOW - timedelta(hours=1))
    partly, lost, more = sent(session), sent(session), sent(session)
    arrivals.receive(session, partly.id, {1: 1}, **BY)
    arrivals.close_short(session, lost.id, **BY)
    arrivals.receive(session, more.id, {1: 5}, surplus=[Surplus("coat", 1, "surplus")], **BY)

    def listed(differences, now=NOW):
        found = lists.transfers(session, node=None, status=None, differences=differences, now=now, after=None, limit=50)
        return found.rows

    assert listed("open") == [overdue, partly]
    assert listed("open", NOW + timedelta(days=4)) == [fresh, overdue, partly]
    assert listed("open", NOW + timedelta(days=10)) == [fresh, dated, overdue, partly]
    assert (listed("lost"), listed("surplus")) == ([lost], [more])


def test_a_hand_in_the_lines_or_in_the_account_is_found(session):
    transfer = sent(session)
    session.execute(update(TransferLine).where(TransferLine.transfer_id == transfer.id).values(received=2))
    assert {finding.table for finding in verify.findings(session)} == {"stock_balance", "transfer"}
    session.execute(text("UPDATE transfer SET status = 'cancelled' WHERE id = :id"), {"id": transfer.id})
    found = {finding.table: finding.key for finding in verify.findings(session)}
    assert found == {"stock_balance": "coat at BCN", "transfer": f"coat of {transfer.id}"}
