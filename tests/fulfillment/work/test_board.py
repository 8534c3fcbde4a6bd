"""What a node's people see: what is most urgent, how much there is, and what else is to be done."""

from datetime import timedelta

import pytest

from fulfillment.work import board, collecting, picking
from fulfillment.work.errors import UnknownPickList
from fulfillment.work.models import Method, Status
from kernel.ids import new_id
from tests.fulfillment.work.floor import BY, NOW, bring, line, ordered


def shown(session, *, now=NOW, node="MAD"):
    return board.board(session, node, now=now)


def numbers(cards):
    return [card.number for card in cards]


@pytest.mark.parametrize(
    ("status", "column"),
    [
        (Status.ALLOCATED, "to_pick"), (Status.ACCEPTED, "to_pick"), (Status.PICKING, "in_progress"),
        (Status.PICKED, "in_progress"), (Status.PACKED, "packed"), (Status.READY, "ready"),
        (Status.HANDED_OVER, "done"),
    ],
)  # fmt: skip
def test_each_status_has_its_column(session, status, column):
    fo = bring(session, ordered(session, method=Method.COLLECT, coat=2, boots=1), status)
    seen = shown(session)
    assert {name: count for name, count in seen.counts.items() if count} == {column: 1}
    (card,) = seen.columns[column]
    assert (card.number, card.lines, card.units, card.status) == (fo.number, 2, 3, status)


def test_the_most_urgent_comes_first_and_what_is_late_is_counted(session):
    first, second, third = (ordered(session, coat=1) for _ in range(3))
    third.ship_by = NOW - timedelta(minutes=5)
    first.ship_by = NOW + timedelta(hours=9)
    seen = shown(session)
    assert numbers(seen.columns["to_pick"]) == [third.number, second.number, first.number]
    assert [card.late for card in seen.columns["to_pick"]] == [True, False, False]
    assert seen.late == 1


def test_what_is_done_is_history_after_a_day(session):
    bring(session, ordered(session, coat=1), Status.SHIPPED)
    assert shown(session, now=NOW + timedelta(hours=23)).counts["done"] == 1
    seen = shown(session, now=NOW + timedelta(hours=25))
    assert (seen.counts["done"], seen.columns["done"]) == (0, [])


def test_the_board_shows_its_node_only(session):
    ordered(session, "BCN", coat=1)
    assert not any(shown(session).counts.values())


def test_counts_go_beyond_the_cards_shown(session):
    for _ in range(3):
        ordered(session, coat=1)
    seen = board.board(session, "MAD", now=NOW, cards=2)
    assert (len(seen.columns["to_pick"]), seen.counts["to_pick"]) == (2, 3)


def test_tasks_name_what_is_to_be_put_back_and_the_lists_still_open(session):
    fo = bring(session, ordered(session, method=Method.COLLECT, coat=1), Status.READY)
    collecting.refuse(session, fo.id, reason="changed_mind", **BY)
    open_list = picking.start(session, [ordered(session, boots=1).id], **BY)
    tasks = board.tasks(session, "MAD")
    assert [task.fulfillment_order_id for task in tasks.put_back] == [fo.id]
    assert tasks.pick_lists == [open_list]
    assert tasks.to_receive == []


def test_a_walk_shows_where_to_go_now_and_how_far_it_is(session):
    fo = ordered(session, coat=2, scarf=1)
    made = picking.start(session, [fo.id], **BY)
    walk = board.walk(session, made.id)
    assert (walk.current.sku, walk.picked, walk.units) == ("scarf", 0, 3)
    picking.scan(session, made.id, scan_id=new_id(), code="scarf", **BY)
    walk = board.walk(session, made.id)
    assert (walk.current.line_id, walk.picked) == (line(fo, "coat").id, 1)
    picking.scan(session, made.id, scan_id=new_id(), code="coat", units=2, **BY)
    assert board.walk(session, made.id).current is None
    with pytest.raises(UnknownPickList):
        board.walk(session, "none")


def test_history_tells_who_did_what(session):
    fo = bring(session, ordered(session, coat=1), Status.PACKED)
    told = [(row.to_status, row.actor) for row in board.history(session, [fo.id])]
    assert told == [("accepted", "ana"), ("picking", "ana"), ("picked", "ana"), ("packed", "ana")]
