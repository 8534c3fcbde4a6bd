"""An order is shown whole: where each unit stands, what was done, and why, in one timeline."""

import pytest

from fulfillment.work.models import Method, Status
from oms import holds, view
from oms.errors import UnknownOrder
from oms.status import PublicStatus
from tests.factories import BY, euro, fulfillment_orders, line, place, stock
from tests.fulfillment.work.floor import bring


@pytest.fixture
def order(session):
    """Two coats, one of them shipped and one waiting."""
    stock(session, "MAD", coat=1)
    placed = place(session, line(quantity=2), paid=True)
    bring(session, fulfillment_orders(session, placed)[0], Status.SHIPPED)
    return placed


def test_every_unit_stands_somewhere(session, order):
    (shown,) = view.whole(session, order.id).lines
    counters = shown.counters
    assert (counters.ordered, counters.waiting, counters.fulfilled, counters.allocated) == (2, 1, 1, 0)
    assert shown.waiting_reason == "no_stock"


def test_a_shipped_part_shows_its_parcel(session, order):
    (part,) = view.whole(session, order.id).parts
    assert (part.fulfillment_order.node, part.fulfillment_order.method) == ("MAD", Method.SHIP)
    assert part.shipment.tracking_number


def test_the_decision_is_shown_with_its_cost(session, order):
    (decision,) = view.whole(session, order.id).decisions
    assert (decision.cause, decision.status) == ("order", "optimal")
    assert sum(decision.by_term.values()) == decision.objective_minor


def test_what_was_paid_and_what_is_due_are_shown(session, order):
    shown = view.whole(session, order.id)
    assert (shown.paid, shown.due) == (euro("40.00"), euro("0.00"))
    assert [payment.kind for payment in shown.payments] == ["online"]


def test_one_timeline_tells_order_and_work_in_the_order_they_happened(session, order):
    holds.place(session, order.id, reason="fraud", **BY)
    session.flush()
    shown = view.whole(session, order.id)
    told = [(moment.what, moment.node) for moment in shown.timeline if moment.to_status or moment.what != "picked"]
    assert told[:2] == [("placed", None), ("paid", None)]
    assert told[2] == ("allocated", "MAD")
    assert ("shipped", "MAD") in told
    assert told[-2:] == [("moved", None), ("hold_placed", None)]
    assert [hold.reason for hold in shown.holds] == ["fraud"]


def test_a_list_shows_what_shoppers_are_told_about_each_order(session, order):
    collected = place(session, line("hat"), external_id="S-2", method="collect", collect_node="MAD")
    assert view.public_statuses(session, [order, collected]) == {
        order.id: PublicStatus.PROCESSING,
        collected.id: PublicStatus.PROCESSING,
    }


def test_an_unknown_order_is_said_to_be_unknown(session):
    with pytest.raises(UnknownOrder):
        view.whole(session, "nothing")
