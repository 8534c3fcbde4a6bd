"""At the counter: ready, handed over against a code or a document, refused in part, or never fetched."""

from datetime import timedelta

import pytest

from fulfillment.work import collecting
from fulfillment.work.errors import (
    AlreadyShipped,
    CodeLocked,
    IdentificationNeeded,
    InvalidUnits,
    NotPossibleNow,
    UnknownLines,
    WrongCode,
    WrongMethod,
)
from fulfillment.work.models import Demand, FulfillmentHistory, Method, Status
from tests.fulfillment.work.floor import (
    BY,
    NOW,
    balance,
    bring,
    counters,
    in_order,
    line,
    news,
    ordered,
    put_backs,
    statuses,
    waiting,
)


@pytest.fixture
def ready(session):
    return bring(session, ordered(session, method=Method.COLLECT, coat=2, boots=1), Status.READY)


def hand_over(session, fo, **how):
    return collecting.hand_over(session, fo.id, **how, **BY)


def wrong(fo):
    return "000000" if fo.pickup_code != "000000" else "111111"


def test_ready_keeps_the_shelf_and_until_when(session):
    fo = bring(session, ordered(session, method=Method.COLLECT, coat=1), Status.PACKED)
    collecting.ready(session, fo.id, shelf="R-7", keep_days=3, **BY)
    assert (fo.status, fo.shelf, fo.expires_at) == (Status.READY, "R-7", NOW + timedelta(days=3))
    assert news(session, fo.id)[-1] == "fulfillment_order.ready"


def test_a_picked_order_is_packed_on_its_way_to_ready(session):
    fo = bring(session, ordered(session, method=Method.COLLECT, coat=1), Status.PICKED)
    collecting.ready(session, fo.id, shelf="R-7", **BY)
    assert statuses(session, fo)[-2:] == [Status.PACKED, Status.READY]


def test_only_what_is_collected_is_set_ready(session):
    with pytest.raises(WrongMethod):
        collecting.ready(session, bring(session, ordered(session, coat=1), Status.PACKED).id, shelf="R", **BY)


def test_the_right_code_hands_over(session, ready):
    hand_over(session, ready, code=f" {ready.pickup_code} ")
    assert ready.status == Status.HANDED_OVER
    assert balance(session, "coat") == (0, 0, 0)
    assert counters(session, ready, "coat") == (2, 0, 0, 2)
    in_order(session)


def test_handing_over_twice_says_that_the_customer_has_it(session, ready):
    hand_over(session, ready, code=ready.pickup_code)
    with pytest.raises(AlreadyShipped, match="the customer has it"):
        hand_over(session, ready, code=ready.pickup_code)


def test_what_is_not_ready_is_not_handed_over(session):
    fo = bring(session, ordered(session, method=Method.COLLECT, coat=1), Status.PICKED)
    with pytest.raises(NotPossibleNow):
        hand_over(session, fo, code=fo.pickup_code)


def test_wrong_codes_are_counted_and_lock_the_code_after_five(session, ready):
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(WrongCode, match=f"{left} tries are left") as refused:
            hand_over(session, ready, code=wrong(ready))
        assert refused.value.keeps_writes
    with pytest.raises(CodeLocked, match="identify the person by a document"):
        hand_over(session, ready, code=ready.pickup_code)
    assert (ready.status, ready.wrong_codes) == (Status.READY, 5)
    noted = session.query(FulfillmentHistory).filter_by(fulfillment_order_id=ready.id, what="wrong_code")
    assert noted.count() == 5


def test_a_document_hands_over_even_when_the_code_is_locked(session, ready):
    ready.wrong_codes = 5
    hand_over(session, ready, identified_by="passport")
    assert ready.status == Status.HANDED_OVER
    last = session.query(FulfillmentHistory).filter_by(fulfillment_order_id=ready.id, to_status="handed_over").one()
    assert last.details == {"proof": "passport"}


@pytest.mark.parametrize("how", [{}, {"identified_by": "a nice smile"}])
def test_somebody_must_show_something(session, ready, how):
    with pytest.raises(IdentificationNeeded, match="passport"):
        hand_over(session, ready, **how)


def test_what_is_refused_is_cancelled_and_put_back(session, ready):
    taken = {line(ready, "coat").id: 1, line(ready, "boots").id: 1}
    hand_over(session, ready, code=ready.pickup_code, accepted=taken, reason="too_small")
    assert ready.status == Status.HANDED_OVER
    assert counters(session, ready, "coat") == (1, 0, 0, 1)
    assert counters(session, ready, "boots") == (1, 0, 0, 1)
    assert put_backs(session, ready) == [("coat", 1, 0)]
    assert balance(session, "coat") == (1, 1, 1)
    assert news(session, ready.demand_id) == ["demand.cancelled"]
    in_order(session)


def test_a_line_that_is_not_named_is_refused_whole(session, ready):
    hand_over(session, ready, code=ready.pickup_code, accepted={line(ready, "coat").id: 2})
    assert put_backs(session, ready) == [("boots", 1, 0)]
    in_order(session)


def test_refusing_everything_ends_the_order_as_refused(session, ready):
    hand_over(session, ready, code=ready.pickup_code, accepted={})
    assert ready.status == Status.REFUSED
    assert put_backs(session, ready) == [("boots", 1, 0), ("coat", 2, 0)]
    in_order(session)


def test_refuse_needs_no_code(session, ready):
    assert collecting.refuse(session, ready.id, reason="changed_mind", **BY).status == Status.REFUSED
    in_order(session)


def test_more_than_there_is_cannot_be_accepted(session, ready):
    with pytest.raises(InvalidUnits, match="0 to 2"):
        hand_over(session, ready, code=ready.pickup_code, accepted={line(ready, "coat").id: 3})
    with pytest.raises(UnknownLines):
        hand_over(session, ready, code=ready.pickup_code, accepted={"other": 1})


def test_what_is_carried_out_needs_no_code(session):
    fo = ordered(session, method=Method.CARRY_OUT, coat=1)
    hand_over(session, fo)
    assert fo.status == Status.HANDED_OVER
    assert balance(session, "coat") == (0, 0, 0)
    in_order(session)


def test_ready_orders_are_found_by_code_at_their_node(session, ready):
    assert collecting.ready_for_code(session, "MAD", ready.pickup_code) == [ready]
    assert collecting.ready_for_code(session, "BCN", ready.pickup_code) == []


def test_a_no_show_is_cancelled_and_put_back_but_its_units_are_not_sold_before(session, ready):
    assert collecting.expire(session, now=NOW + timedelta(days=6), limit=10) == 0
    assert collecting.expire(session, now=NOW + timedelta(days=7), limit=10) == 1
    assert ready.status == Status.EXPIRED
    assert counters(session, ready, "coat") == (0, 0, 0, 0)
    assert waiting(session, ready, "coat") == 0
    assert put_backs(session, ready) == [("boots", 1, 0), ("coat", 2, 0)]
    assert balance(session, "coat") == (2, 2, 2)
    assert news(session, session.get(Demand, ready.demand_id).id) == ["demand.cancelled"]
    assert collecting.expire(session, now=NOW + timedelta(days=8), limit=10) == 0
    in_order(session)


def test_no_shows_end_in_bounded_steps(session):
    for _ in range(3):
        bring(session, ordered(session, method=Method.COLLECT, coat=1), Status.READY)
    assert collecting.expire(session, now=NOW + timedelta(days=9), limit=2) == 2
    assert collecting.expire(session, now=NOW + timedelta(days=9), limit=2) == 1
    in_order(session)
