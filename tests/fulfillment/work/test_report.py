"""Load by node and waiting by reason, on both databases."""

from datetime import UTC, date, datetime, timedelta

import pytest

from fulfillment.work import report
from fulfillment.work.models import Demand, DemandLine, FulfillmentHistory, FulfillmentOrder, Status
from kernel.db import connect
from stock.models import Article, Node, OpenDemand

NOW = datetime(2026, 3, 17, 10, tzinfo=UTC)


def demand(name, reason):
    return Demand(
        id=name, reference=f"order-{name}", method="ship", service="standard", geocode="none", value_minor=1,
        policy="default", placed_at=NOW - timedelta(minutes=int(name)), waiting_reason=reason,
        lines=[DemandLine(id=f"{name}-1", position=1, sku="X", units=3)],
    )  # fmt: skip


def order(name, node, status, ship_by):
    return FulfillmentOrder(
        id=name, number=name, demand_id="1", reference="order-1", node=node, method="ship", status=status,
        service="standard", work_on=date(2026, 3, 17), work_minutes=4, ship_by=ship_by, promised_by=ship_by,
    )  # fmt: skip


@pytest.fixture(scope="module")
def session(database_url):
    database = connect(database_url)
    with database.write() as session:
        session.add_all(Node(id=name, name=name, kind="store", time_zone="Europe/Madrid") for name in ("a", "b"))
        session.add(Article(sku="X", name="X", currency="EUR"))
        session.flush()
        session.add_all([demand("1", "no_stock"), demand("2", "no_stock"), demand("3", None)])
        session.flush()
        session.add_all(OpenDemand(sku="X", reference=f"{name}-1", units=int(name)) for name in ("1", "2", "3"))
        before, after = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
        session.add_all(
            [
                order("o1", "a", Status.ALLOCATED, before),
                order("o2", "a", Status.PICKING, after),
                order("o3", "a", Status.READY, before),
                order("o4", "a", Status.SHIPPED, before),
                order("o5", "b", Status.REJECTED, before),
            ]
        )
        session.flush()
        session.add_all(
            FulfillmentHistory(
                id=name, fulfillment_order_id="o5", what="moved", from_status=Status.ALLOCATED,
                to_status=Status.REJECTED, actor="x", occurred_at=NOW - ago,
            )
            for name, ago in (("h1", timedelta(hours=2)), ("h2", timedelta(days=2)))
        )  # fmt: skip
        session.flush()
        yield session
    database.dispose()


def test_load_counts_open_orders_and_what_is_late(session):
    load = report.load_by_node(session, now=NOW)
    assert load["a"] == report.Load(to_pick=1, in_progress=1, ready=1, late=1)


def test_rejections_count_for_a_day(session):
    assert report.load_by_node(session, now=NOW)["b"] == report.Load(rejected=1)
    assert set(report.load_by_node(session, now=NOW + timedelta(days=1), node="b")) == set()


def test_waiting_is_added_up_by_reason(session):
    assert report.waiting_reasons(session) == [
        report.WaitingReason("no_stock", 2, 3),
        report.WaitingReason(report.UNKNOWN_REASON, 1, 3),
    ]


def test_what_waits_longest_comes_first(session):
    lines = report.waiting_lines(session)
    assert [(line.reference, line.units, line.reason) for line in lines] == [
        ("order-3", 3, report.UNKNOWN_REASON),
        ("order-2", 2, "no_stock"),
        ("order-1", 1, "no_stock"),
    ]
    assert [line.demand_id for line in report.waiting_lines(session, reason="no_stock", limit=1)] == ["2"]


def test_references_are_found_by_demand(session):
    assert report.references(session, ["1", "9"]) == {"1": "order-1"}
