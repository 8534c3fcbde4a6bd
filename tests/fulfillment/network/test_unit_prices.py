"""Shadow prices and expected markdowns: which hold when, and that nothing is read where nothing is stored."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event, update

from fulfillment.network import snapshot, unit_prices
from fulfillment.network.catalog import InvalidRows
from fulfillment.network.unit_prices import MarkdownRow, ShadowPriceRow
from kernel.db import CACHES
from stock import revisions
from stock.models import Node
from tests.fulfillment.sourcing.world import NOW

FAMILIES = {"A": "shirts", "B": "shirts", "C": ""}
TODAY = NOW.date()


def put_price(session, minor, *, sku="A", node="MAD-S", valid_from=NOW, now=NOW):
    row = ShadowPriceRow(sku=sku, node=node, price_minor=minor, valid_from=valid_from, source="test")
    return unit_prices.put_shadow_prices(session, [row], now=now)


def put_markdown(session, minor, *, node="MAD-S", from_on=TODAY, until_on=None, **about):
    row = MarkdownRow(node=node, saved_minor=minor, from_on=from_on, until_on=until_on, **about)
    return unit_prices.put_markdowns(session, [row])


def prices(session, now=NOW):
    """What holds, as {(sku, node): (shadow price, markdown)}, without zeros."""
    net = snapshot.load(session)
    shadow, saved = unit_prices.prices_at(session, net, FAMILIES, revisions.versions(session), now=now)
    return {
        (sku, node): (int(shadow[row, place]), int(saved[row, place]))
        for row, sku in enumerate(FAMILIES)
        for place, node in enumerate(net.nodes)
        if shadow[row, place] or saved[row, place]
    }


def statements(session):
    """A list that fills with the statements about prices."""
    found = []
    event.listen(session.connection(), "before_cursor_execute", lambda *told: found.append(told[2]))
    return found


def test_a_shadow_price_holds_from_its_instant_until_a_later_one_begins(session):
    put_price(session, 150)
    put_price(session, 90, valid_from=NOW + timedelta(hours=1))
    assert prices(session, NOW - timedelta(seconds=1)) == {}
    assert prices(session) == {("A", "MAD-S"): (150, 0)}
    assert prices(session, NOW + timedelta(hours=1)) == {("A", "MAD-S"): (90, 0)}


def test_a_price_that_another_has_replaced_goes(session):
    put_price(session, 150)
    later = NOW + timedelta(days=1)
    put_price(session, 90, valid_from=later, now=NOW)
    assert len(unit_prices.shadow_prices(session, sku="A", after=None, limit=10).rows) == 2
    put_price(session, 80, valid_from=later + timedelta(days=1), now=later)
    assert [row.price_minor for row in unit_prices.shadow_prices(session, after=None, limit=10).rows] == [90, 80]


def test_a_markdown_holds_on_its_dates_by_the_clock_of_the_node(session):
    session.execute(
        update(Node).where(Node.id == "BCN-S").values(time_zone="Atlantic/Canary", version=Node.version + 1)
    )
    for node in ("MAD-S", "BCN-S"):
        put_markdown(session, 400, node=node, sku="A", until_on=TODAY)
    madrid, canary = ("A", "MAD-S"), ("A", "BCN-S")
    midnight = datetime(2026, 11, 16, 23, 0, tzinfo=UTC)
    assert prices(session, midnight - timedelta(seconds=1)) == {}
    assert set(prices(session, midnight)) == {madrid}
    assert set(prices(session, midnight + timedelta(hours=1))) == {madrid, canary}
    assert set(prices(session, midnight + timedelta(days=1))) == {canary}


def test_what_is_said_of_an_article_goes_before_its_family(session):
    put_markdown(session, 400, family="shirts")
    put_markdown(session, 100, sku="A")
    assert prices(session) == {("A", "MAD-S"): (0, 100), ("B", "MAD-S"): (0, 400)}


def test_of_two_markdowns_at_once_the_later_begun_holds(session):
    put_markdown(session, 100, sku="A", from_on=TODAY)
    put_markdown(session, 400, sku="A", from_on=TODAY - timedelta(days=9))
    assert prices(session) == {("A", "MAD-S"): (0, 100)}


def test_nothing_is_read_where_nothing_is_stored_and_once_where_something_is(session):
    net, versions = snapshot.load(session), revisions.versions(session)
    read = statements(session)
    unit_prices.prices_at(session, net, FAMILIES, versions, now=NOW)
    assert read == []
    put_price(session, 150)
    put_markdown(session, 100, sku="A")
    session.info.pop("revision_raised")
    versions = revisions.versions(session)
    read.clear()
    for _ in range(3):
        unit_prices.prices_at(session, net, FAMILIES, versions, now=NOW)
    assert len(read) == 2
    session.info[CACHES].clear()


def test_faulty_rows_are_named_and_nothing_is_written(session):
    with pytest.raises(InvalidRows) as refusal:
        put_markdown(session, 100, sku="A", family="shirts", until_on=date(2026, 1, 1), node="NOWHERE")
    assert {fault.pointer for fault in refusal.value.faults} == {"/0/node", "/0/family", "/0/until_on"}
    with pytest.raises(InvalidRows) as refusal:
        put_price(session, -1, sku="Z")
    assert {fault.pointer for fault in refusal.value.faults} == {"/0/sku", "/0/price/amount"}
    assert put_price(session, 5) == ["created"]
    assert put_price(session, 5) == ["unchanged"]
