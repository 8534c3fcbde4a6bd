"""The truth falls short of what was promised, in every way it can: who loses, who keeps, and who serves it instead."""

import itertools

import pytest

from stock.models import Purpose
from stock.postings import Header
from stock.reservations import Claim, by_reference, rebind
from tests.factories import NOW
from tests.journeys.order import refused

tickets = itertools.count(1)


def count(retailer, left):
    retailer.counts("MAD", coat=left)


def absolute_feed(retailer, _left):
    on_hand = retailer.stock("MAD", "coat")["on_hand"]
    _feed(retailer, "absolute", on_hand - 1)


def relative_feed(retailer, _left):
    _feed(retailer, "relative", -1)


def theft(retailer, _left):
    _adjust(retailer, "theft")


def damage(retailer, _left):
    _adjust(retailer, "damage")


def quarantine(retailer, _left):
    _adjust(retailer, "quarantine")


def till_sale(retailer, _left):
    retailer.sells_at_till("MAD", coat=1)


def carry_out(retailer, _left):
    retailer.takes(retailer.basket(channel="till", collect_at="MAD", coat=1) | {"method": "carry_out"})


def _feed(retailer, kind, units):
    rows = [{"sku": "coat", "units": units}]
    retailer.post("/stock/feeds", {"kind": kind, "node": "MAD", "rows": rows, "reference": f"F-{next(tickets)}"})


def _adjust(retailer, reason):
    retailer.post("/stock/adjustments", {"node": "MAD", "sku": "coat", "units": -1, "reason": reason})


WAYS = [count, absolute_feed, relative_feed, theft, damage, quarantine, till_sale, carry_out]


@pytest.mark.parametrize("falls_short", WAYS, ids=lambda way: way.__name__)
def test_the_lowest_gives_way_and_is_served_from_elsewhere(retailer, falls_short):
    retailer.gets("MAD", coat=4)
    older, younger, picked = (retailer.sells(coat=1) for _ in range(3))
    retailer.picks(picked.part)
    hold = put_on_hold(retailer)
    assert [order.nodes for order in (older, younger, picked)] == [["MAD"]] * 3

    # The hold, which stands lowest, is only released: nobody waits for it.
    falls_short(retailer, 2)
    assert open_units(retailer, hold) == 0
    assert retailer.stock("MAD", "coat")["reserved"] == 3
    assert [order.nodes for order in (older, younger, picked)] == [["MAD"]] * 3

    # Of two orders the younger loses, and another store serves it at once.
    retailer.gets("BCN", coat=1)
    falls_short(retailer, 1)
    assert [order.nodes for order in (older, younger, picked)] == [["MAD"], ["BCN"], ["MAD"]]

    # What is in a tote is taken last, though it was promised after the other; nobody else has one, so that it waits.
    falls_short(retailer, 0)
    assert (older.parts, older.units("coat")) == ([], {"ordered": 1, "waiting": 1})
    assert picked.part["status"] == "picked"

    retailer.gets("WH", coat=1)
    assert older.nodes == ["WH"]
    for order in (older, younger):
        retailer.picks_and_packs(order.part)
        retailer.ships(order.part)
    retailer.packs(picked.part)
    retailer.ships(picked.part)
    assert {order.status for order in (older, younger, picked)} == {"completed"}


@pytest.mark.parametrize("way", ["short_pick", "rejection"])
def test_what_is_not_found_at_work_is_lost_by_its_own_order_first(retailer, way):
    retailer.gets("MAD", coat=2)
    older, younger = retailer.sells(coat=1), retailer.sells(coat=1)
    retailer.gets("BCN", coat=1)
    part = older.part
    if way == "short_pick":
        retailer.starts(part)
        retailer.misses(part, "coat")
    else:
        retailer.rejects(part, reason="not_found")
    assert (older.nodes, younger.nodes) == (["BCN"], ["MAD"])
    assert retailer.stock("MAD", "coat") == {"on_hand": 1, "reserved": 1}
    (task,) = retailer.get("/count-tasks", node="MAD", status="proposed")["items"]
    assert (task["sku"], task["cause"]) == ("coat", way)


def test_what_is_lost_between_two_stores_is_served_from_a_third(retailer):
    retailer.gets("WH", coat=1)
    order = retailer.sells(collect_at="BCN", coat=1)
    leg = order.part_at("WH")
    retailer.picks_and_packs(leg)
    transfer = retailer.dispatches(leg)
    retailer.gets("MAD", coat=1)
    nothing = [{"line": line["line"], "units": 0} for line in transfer["lines"]]
    retailer.post(f"/transfers/{transfer['id']}/receive", {"lines": nothing, "complete": True})
    assert order.nodes == ["BCN", "MAD"]
    assert retailer.stock("BCN", "coat") == {}


def test_units_that_are_promised_do_not_leave_by_intent(retailer):
    """A transfer of plain stock is somebody's wish, not the truth: it is refused, and nobody loses anything."""
    retailer.gets("MAD", coat=1)
    order = retailer.sells(coat=1)
    lines = [{"sku": "coat", "units": 1}]
    transfer = retailer.post("/transfers", {"source": "MAD", "destination": "BCN", "lines": lines})
    with refused("insufficient_stock"):
        retailer.post(f"/transfers/{transfer['id']}/dispatch", {})
    assert order.nodes == ["MAD"]


def put_on_hold(retailer):
    """Reserve a coat in Madrid for nobody yet; return the reservation's reference."""
    reference = f"hold-{next(tickets)}"
    held = Claim(sku="coat", node="MAD", units=1, reference=reference, purpose=Purpose.HOLD, rank=-1)
    header = Header(kind="hold", actor="web", occurred_at=NOW)
    retailer.house.doors.write(lambda session: rebind(session, header, claims=[held]))
    return reference


def open_units(retailer, reference):
    found = retailer.house.doors.read(lambda session: by_reference(session, [reference]))
    return sum(each.open_units for each in found.get(reference, []))
