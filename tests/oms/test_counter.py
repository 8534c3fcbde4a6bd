"""At the counter, goods change hands once they are proven and paid."""

import pytest
from sqlalchemy import select

from fulfillment.work.errors import WrongCode
from fulfillment.work.models import Status
from oms import counter, payments
from oms.errors import InvalidRequest, Overpaid, PaymentDue
from oms.models import Cancellation, OrderStatus, Payment
from tests.factories import BY, counters, euro, fulfillment_orders, in_order, line, place, reread, stock
from tests.fulfillment.work.floor import bring


@pytest.fixture
def ready(session):
    """Two coats at 20.00 that lie ready in Madrid; `paid` says whether they were paid with the order."""

    def made(*, paid):
        stock(session, "MAD", coat=2)
        order = place(session, line(quantity=2), method="collect", collect_node="MAD", paid=paid)
        return order, bring(session, fulfillment_orders(session, order)[0], Status.READY)

    return made


def received(session, order):
    return [
        (row.kind, row.amount_minor) for row in session.scalars(select(Payment).where(Payment.order_id == order.id))
    ]


def test_paid_goods_are_handed_over_against_the_code(session, ready):
    order, part = ready(paid=True)
    counter.hand_over(session, part.id, code=part.pickup_code, **BY)
    assert part.status == Status.HANDED_OVER
    assert reread(session, order).status == OrderStatus.COMPLETED
    in_order(session)


def test_unpaid_goods_stay_until_somebody_pays(session, ready):
    order, part = ready(paid=False)
    with pytest.raises(PaymentDue, match=r"40\.00 EUR"):
        counter.hand_over(session, part.id, code=part.pickup_code, **BY)
    assert counter.amount_due(session, part.id) == euro("40.00")
    counter.hand_over(session, part.id, code=part.pickup_code, paid_by="card", **BY)
    assert received(session, order) == [("card", 4000)]
    assert payments.due(session, order) == euro("0.00")
    in_order(session)


def test_only_what_is_taken_is_paid(session, ready):
    order, part = ready(paid=False)
    accepted = {part.lines[0].id: 1}
    assert counter.amount_due(session, part.id, accepted=accepted) == euro("20.00")
    taken = {"accepted": accepted, "reason": "does_not_fit", "paid_by": "cash"}
    counter.hand_over(session, part.id, code=part.pickup_code, **taken, **BY)
    assert received(session, order) == [("cash", 2000)]
    assert counters(session, order, "coat") == (1, 0, 0, 1)
    assert [row.reason for row in session.scalars(select(Cancellation))] == ["does_not_fit"]
    assert reread(session, order).status == OrderStatus.COMPLETED
    in_order(session)


def test_what_is_refused_at_the_counter_is_cancelled_and_owed_by_nobody(session, ready):
    order, part = ready(paid=False)
    counter.hand_over(session, part.id, code=part.pickup_code, accepted={}, **BY)
    assert reread(session, order).status == OrderStatus.CANCELLED
    assert received(session, order) == []
    assert payments.due(session, order) == euro("0.00")


def test_a_wrong_code_takes_nobodys_money(session, ready):
    order, part = ready(paid=False)
    with pytest.raises(WrongCode):
        counter.hand_over(session, part.id, code="nonsense", paid_by="card", **BY)
    assert received(session, order) == []


def test_an_unknown_way_of_paying_is_refused(session, ready):
    _, part = ready(paid=False)
    with pytest.raises(InvalidRequest):
        counter.hand_over(session, part.id, code=part.pickup_code, paid_by="shells", **BY)


def test_a_payment_is_never_more_than_is_due(session):
    order = place(session)
    with pytest.raises(Overpaid, match=r"20\.00 EUR"):
        payments.record(session, order.id, kind="card", amount=euro("20.01"), **BY)
    payments.record(session, order.id, kind="card", amount=euro("5.00"), **BY)
    assert payments.due(session, order) == euro("15.00")


def test_faults_of_a_payment_are_all_named(session):
    with pytest.raises(InvalidRequest) as refused:
        payments.record(session, place(session).id, kind="shells", amount=euro("0.00"), **BY)
    assert [fault.pointer for fault in refused.value.faults] == ["/kind", "/amount/amount"]
