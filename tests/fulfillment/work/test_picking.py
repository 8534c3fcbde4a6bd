"""Picking: in walking order, by scans that count once, by one person at a time; what is not there waits again."""

from datetime import timedelta

import pytest

from fulfillment.work import cancelling, picking, setbacks
from fulfillment.work.errors import (
    AlreadyShipped,
    ClaimedByOther,
    InvalidUnits,
    NothingToPick,
    NotPossibleNow,
    ScanIdReused,
    TooMany,
    UnknownFulfillmentOrder,
    UnknownLines,
    UnknownPickList,
    WrongArticle,
)
from fulfillment.work.models import FulfillmentOrder, Status
from kernel.ids import new_id
from stock.errors import UnknownReason
from tests.fulfillment.work.floor import (
    BY,
    GTINS,
    NOW,
    allocate,
    balance,
    bring,
    counters,
    demand,
    in_order,
    line,
    minutes,
    news,
    ordered,
    put_backs,
    statuses,
    stock,
    waiting,
)

MINUTES_OF_AN_ORDER = 12


def scan(session, where, code, *, scan_id=None, units=1, **more):
    return picking.scan(session, where, scan_id=scan_id or new_id(), code=code, units=units, **(BY | more))


def short(session, fo, sku, found, reason="not_found"):
    return picking.short(session, fo.id, line_id=line(fo, sku).id, found=found, reason=reason, **BY)


def test_a_list_takes_the_most_urgent_orders_and_is_claimed(session):
    late, later, last = (ordered(session, coat=1) for _ in range(3))
    late.ship_by -= timedelta(hours=3)
    last.ship_by += timedelta(hours=3)
    made = picking.propose(session, "MAD", max_orders=2, **BY)
    assert (made.claimed_by, made.claimed_at) == ("ana", NOW)
    assert {fo.status for fo in (late, later)} == {Status.PICKING}
    assert (last.status, last.pick_list_id) == (Status.ALLOCATED, None)
    assert statuses(session, late) == [Status.ACCEPTED, Status.PICKING]


def test_orders_of_other_nodes_stay_off_the_list(session):
    ordered(session, "BCN", coat=1)
    with pytest.raises(NothingToPick, match="MAD"):
        picking.propose(session, "MAD", max_orders=5, **BY)


def test_lines_come_in_walking_order_and_what_has_no_shelf_last(session):
    first, second = ordered(session, coat=1, scarf=1), ordered(session, boots=2)
    made = picking.start(session, [first.id, second.id], **BY)
    walk = picking.lines(session, made.id)
    assert [(stop.shelf, stop.sku, stop.units) for stop in walk] == [
        ("A-01", "scarf", 1), ("B-03", "boots", 2), ("C-02", "coat", 1),
    ]  # fmt: skip
    assert [stop.number for stop in walk] == [first.number, second.number, first.number]


def test_a_list_is_walked_in_one_node(session):
    here, there = ordered(session, coat=1), ordered(session, "BCN", coat=1)
    with pytest.raises(InvalidUnits, match="one node"):
        picking.start(session, [here.id, there.id], **BY)


def test_a_scan_counts_a_unit_in_the_line_and_in_the_ledger(session):
    fo = bring(session, ordered(session, coat=2), Status.PICKING)
    answer = scan(session, fo.id, "coat")
    assert answer.counted
    assert (answer.stop.picked, answer.next.sku, fo.status) == (1, "coat", Status.PICKING)
    assert balance(session, "coat") == (2, 2, 1)
    in_order(session)


@pytest.mark.parametrize("code", [GTINS["coat"], "0" + GTINS["coat"], " COAT "])
def test_gtin_and_sku_name_the_article(session, code):
    fo = bring(session, ordered(session, coat=1), Status.PICKING)
    assert scan(session, fo.id, code).counted


def test_the_same_scan_sent_twice_counts_once(session):
    fo = bring(session, ordered(session, coat=2), Status.PICKING)
    assert scan(session, fo.id, "coat", scan_id="s-1").counted
    again = scan(session, fo.id, "coat", scan_id="s-1")
    assert (again.counted, again.stop.picked) == (False, 1)
    assert balance(session, "coat") == (2, 2, 1)


def test_the_last_scan_sent_twice_counts_once(session):
    fo = bring(session, ordered(session, coat=1), Status.PICKING)
    scan(session, fo.id, "coat", scan_id="s-1")
    assert fo.status == Status.PICKED
    assert not scan(session, fo.id, "coat", scan_id="s-1").counted


def test_a_scan_id_stands_for_one_scan(session):
    fo = bring(session, ordered(session, coat=2), Status.PICKING)
    scan(session, fo.id, "coat", scan_id="s-1")
    with pytest.raises(ScanIdReused):
        scan(session, fo.id, GTINS["coat"], scan_id="s-1")


def test_a_wrong_article_is_refused_with_what_was_expected(session):
    fo = bring(session, ordered(session, coat=1, scarf=1), Status.PICKING)
    with pytest.raises(WrongArticle, match=r"boots was scanned; expected Scarf \(scarf\) on shelf A-01"):
        scan(session, fo.id, "boots")
    assert balance(session, "coat") == (1, 1, 0)


def test_on_a_page_of_one_line_another_line_of_the_list_is_wrong_too(session):
    fo = bring(session, ordered(session, coat=1, scarf=1), Status.PICKING)
    with pytest.raises(WrongArticle, match=r"expected Coat"):
        scan(session, fo.id, "scarf", line_id=line(fo, "coat").id)
    with pytest.raises(UnknownLines):
        scan(session, fo.id, "scarf", line_id="nowhere")


def test_one_too_many_is_refused_with_what_was_wanted(session):
    fo = bring(session, ordered(session, coat=2, scarf=1), Status.PICKING)
    scan(session, fo.id, "coat", units=2)
    with pytest.raises(TooMany, match="2 wanted, 2 already there, 1 more scanned") as refused:
        scan(session, fo.id, "coat")
    assert (refused.value.wanted, refused.value.have) == (2, 2)
    assert balance(session, "coat") == (2, 2, 2)


def test_one_too_many_of_a_finished_order_is_said_as_such(session):
    fo = bring(session, ordered(session, coat=1), Status.PICKED)
    with pytest.raises(TooMany):
        scan(session, fo.id, "coat")


@pytest.mark.parametrize("units", [0, -1])
def test_a_scan_counts_at_least_one(session, units):
    fo = bring(session, ordered(session, coat=1), Status.PICKING)
    with pytest.raises(InvalidUnits):
        scan(session, fo.id, "coat", units=units)


def test_the_same_article_of_two_orders_goes_to_one_after_the_other(session):
    orders = [ordered(session, coat=1) for _ in range(2)]
    made = picking.start(session, [fo.id for fo in orders], **BY)
    numbers = [scan(session, made.id, "coat").stop.number for _ in range(2)]
    assert sorted(numbers) == sorted(fo.number for fo in orders)
    assert {fo.status for fo in orders} == {Status.PICKED}


def test_the_last_unit_completes_the_order_and_the_last_order_the_list(session):
    first, second = ordered(session, coat=1), ordered(session, boots=1)
    made = picking.start(session, [first.id, second.id], **BY)
    assert scan(session, made.id, "coat").status == Status.PICKED
    assert made.status == "picking"
    assert scan(session, made.id, "boots").next is None
    assert made.status == "done"
    assert news(session, first.id)[-1] == "fulfillment_order.picked"
    in_order(session)


def test_only_the_one_who_claimed_a_list_picks_it_until_another_takes_over(session):
    fo = ordered(session, coat=2)
    made = picking.start(session, [fo.id], **BY)
    with pytest.raises(ClaimedByOther, match="ana"):
        scan(session, made.id, "coat", actor="ben")
    with pytest.raises(ClaimedByOther):
        picking.claim(session, made.id, actor="ben", now=NOW)
    picking.take_over(session, made.id, actor="ben", now=NOW)
    assert scan(session, made.id, "coat", actor="ben").counted
    with pytest.raises(ClaimedByOther, match="ben"):
        scan(session, fo.id, "coat")


def test_claiming_ones_own_list_again_is_fine(session):
    made = picking.start(session, [ordered(session, coat=1).id], **BY)
    assert picking.claim(session, made.id, **BY).claimed_by == "ana"


def test_what_does_not_exist_is_said_so(session):
    with pytest.raises(UnknownPickList):
        picking.claim(session, "nothing", **BY)
    with pytest.raises(UnknownFulfillmentOrder):
        scan(session, "nothing", "coat")


def test_an_order_that_is_not_on_a_list_is_not_picked(session):
    with pytest.raises(NotPossibleNow, match="pick list first"):
        scan(session, ordered(session, coat=1).id, "coat")


def test_picking_a_superseded_order_says_what_to_do(session):
    fo = ordered(session, coat=1)
    fo.status = Status.SUPERSEDED
    with pytest.raises(NotPossibleNow, match="served from elsewhere now: stop"):
        scan(session, fo.id, "coat")
    with pytest.raises(NotPossibleNow, match="served from elsewhere now: stop"):
        picking.start(session, [fo.id], **BY)


def test_an_order_cancelled_on_the_walk_takes_no_scan_from_one_that_is_still_wanted(session):
    gone, wanted = ordered(session, coat=1), ordered(session, coat=1)
    made = picking.start(session, [gone.id, wanted.id], **BY)
    cancelling.cancel_units(session, lines={line(gone, "coat").demand_line_id: 1}, reason="late", **BY)
    assert scan(session, made.id, "coat").stop.number == wanted.number
    assert [stop.number for stop in picking.lines(session, made.id)] == [wanted.number]
    with pytest.raises(TooMany, match="1 wanted, 1 already there"):
        scan(session, made.id, "coat")


def test_an_article_that_nobody_on_the_walk_wants_any_more_is_to_be_put_back(session):
    gone, wanted = ordered(session, coat=1), ordered(session, boots=1)
    made = picking.start(session, [gone.id, wanted.id], **BY)
    cancelling.cancel_units(session, lines={line(gone, "coat").demand_line_id: 1}, reason="late", **BY)
    with pytest.raises(NotPossibleNow, match="nobody wants its units any more: put back"):
        scan(session, made.id, "coat")


def test_picking_a_shipped_order_says_what_to_do(session):
    with pytest.raises(AlreadyShipped, match="return"):
        scan(session, bring(session, ordered(session, coat=1), Status.SHIPPED).id, "coat")


def test_a_short_pick_sends_the_rest_back_to_wait_and_takes_it_off_the_shelf(session):
    fo = bring(session, ordered(session, coat=3), Status.PICKING)
    scan(session, fo.id, "coat")
    short(session, fo, "coat", found=2)
    assert (fo.status, line(fo, "coat").units, line(fo, "coat").picked) == (Status.PICKED, 2, 2)
    assert balance(session, "coat") == (2, 2, 2)
    assert counters(session, fo, "coat") == (3, 1, 2, 0)
    assert waiting(session, fo, "coat") == 1
    assert news(session, fo.demand_id) == ["demand.waiting"]
    in_order(session)


def test_a_short_pick_of_all_there_was_rejects_the_order(session):
    fo = bring(session, ordered(session, coat=2), Status.PICKING)
    before = minutes(session)
    short(session, fo, "coat", found=0)
    assert fo.status == Status.REJECTED
    assert balance(session, "coat") == (0, 0, 0)
    assert counters(session, fo, "coat") == (2, 2, 0, 0)
    assert minutes(session) == before - MINUTES_OF_AN_ORDER
    in_order(session)


def test_a_short_line_leaves_the_others(session):
    fo = bring(session, ordered(session, coat=1, boots=1), Status.PICKING)
    short(session, fo, "coat", found=0)
    assert fo.status == Status.PICKING
    scan(session, fo.id, "boots")
    assert fo.status == Status.PICKED
    in_order(session)


def test_a_reason_without_effect_on_stock_leaves_the_shelf_alone(session):
    fo = bring(session, ordered(session, coat=1), Status.PICKING)
    short(session, fo, "coat", found=0, reason="no_variance")
    assert balance(session, "coat") == (1, 0, 0)
    in_order(session)


def test_a_short_pick_is_remembered_of_the_node(session):
    fo = bring(session, ordered(session, coat=1), Status.PICKING)
    short(session, fo, "coat", found=0)
    (setback,) = setbacks.of_demands(session, [fo.demand_id])[fo.demand_id]
    assert (setback.cause, setback.node, setback.units) == ("short_pick", "MAD", 1)


@pytest.mark.parametrize("found", [0, 3, 4])
def test_found_is_between_what_is_picked_and_what_is_wanted(session, found):
    fo = bring(session, ordered(session, coat=3), Status.PICKING)
    scan(session, fo.id, "coat")
    with pytest.raises(InvalidUnits, match="1 to 2"):
        short(session, fo, "coat", found=found)


def test_an_unknown_reason_is_refused_with_the_known_ones(session):
    fo = bring(session, ordered(session, coat=1), Status.PICKING)
    with pytest.raises(UnknownReason, match="not_found"):
        short(session, fo, "coat", found=0, reason="tired")


def test_a_short_pick_takes_the_shelf_away_from_nobody_else(session):
    stock(session, coat=2)
    mine, other = (allocate(session, demand(session, coat=1)) for _ in range(2))
    bring(session, mine, Status.PICKING)
    short(session, mine, "coat", found=0)
    assert session.get_one(FulfillmentOrder, other.id).status == Status.ALLOCATED
    assert balance(session, "coat") == (1, 1, 0)
    assert put_backs(session, mine) == []
    in_order(session)
