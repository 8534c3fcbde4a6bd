"""What a shopper is told follows from lines and fulfillment orders alone."""

import pytest

from fulfillment.work.models import Method, Status
from oms.models import OrderStatus
from oms.status import LineCounters, Part, PublicStatus, public_status


def ship(status):
    return Part(Method.SHIP, status)


def collect(status):
    return Part(Method.COLLECT, status)


def one_line(ordered=2, **counters):
    return [LineCounters(ordered=ordered, **counters)]


TABLE = {
    "waiting": (one_line(waiting=2), [], PublicStatus.PROCESSING),
    "allocated": (one_line(allocated=2), [ship(Status.ALLOCATED)], PublicStatus.PROCESSING),
    "packed": (one_line(allocated=2), [ship(Status.PACKED)], PublicStatus.PROCESSING),
    "half shipped": (
        one_line(allocated=1, fulfilled=1), [ship(Status.SHIPPED), ship(Status.PICKING)], PublicStatus.PROCESSING,
    ),
    "shipped": (one_line(fulfilled=2), [ship(Status.SHIPPED)], PublicStatus.IN_TRANSIT),
    "one parcel delivered, one on its way": (
        one_line(fulfilled=2), [ship(Status.DELIVERED), ship(Status.SHIPPED)], PublicStatus.IN_TRANSIT,
    ),
    "delivered": (one_line(fulfilled=2), [ship(Status.DELIVERED)], PublicStatus.DELIVERED),
    "ready": (one_line(allocated=2), [collect(Status.READY)], PublicStatus.PICKUP_AVAILABLE),
    "ready, and a parcel travels": (
        one_line(allocated=1, fulfilled=1), [ship(Status.SHIPPED), collect(Status.READY)],
        PublicStatus.PICKUP_AVAILABLE,
    ),
    "on its way to the store": (
        one_line(allocated=2), [collect(Status.AWAITING_TRANSFER), Part(Method.TRANSFER, Status.SHIPPED)],
        PublicStatus.PROCESSING,
    ),
    "handed over after a transfer": (
        one_line(fulfilled=2), [collect(Status.HANDED_OVER), Part(Method.TRANSFER, Status.SHIPPED)],
        PublicStatus.DELIVERED,
    ),
    "brought back by the carrier": (one_line(fulfilled=2), [ship(Status.RETURNED_TO_SENDER)], PublicStatus.PROBLEM),
    "all cancelled": (one_line(cancelled=2), [ship(Status.CANCELLED)], PublicStatus.CANCELLED),
    "rest cancelled": (one_line(cancelled=1, fulfilled=1), [ship(Status.DELIVERED)], PublicStatus.DELIVERED),
    "all returned": (one_line(fulfilled=2, returned=2), [ship(Status.DELIVERED)], PublicStatus.RETURNED),
    "what was not cancelled came back": (
        one_line(cancelled=1, fulfilled=1, returned=1), [ship(Status.DELIVERED)], PublicStatus.RETURNED,
    ),
    "half returned": (one_line(fulfilled=2, returned=1), [ship(Status.DELIVERED)], PublicStatus.DELIVERED),
    "sourced anew": (one_line(allocated=2), [ship(Status.SUPERSEDED), ship(Status.ACCEPTED)], PublicStatus.PROCESSING),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "parts", "expected"), TABLE.values(), ids=TABLE.keys())
def test_the_status_follows_from_lines_and_parts(lines, parts, expected):
    assert public_status(OrderStatus.APPROVED, lines, parts) == expected


def test_a_held_order_has_a_problem():
    assert public_status(OrderStatus.HELD, one_line(waiting=2), []) == PublicStatus.PROBLEM


def test_every_status_of_a_part_gives_an_answer():
    for status in Status:
        assert public_status(OrderStatus.APPROVED, one_line(allocated=2), [ship(status)]) in PublicStatus
