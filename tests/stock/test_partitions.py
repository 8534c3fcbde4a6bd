"""On PostgreSQL a posting stands in the partition of its month, and is as safe there as in the table."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from kernel import ids
from stock.proof import partitions
from tests.stock.shelf import stock

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def database_url(postgresql_url):
    """SQLite keeps plain tables."""
    return postgresql_url


@pytest.fixture
def month():
    return next(partitions.following_months(datetime.now(UTC), 1))


def count(session, table):
    return session.scalar(text(f"SELECT count(*) FROM {table}"))


def make_at(monkeypatch, instant):
    """Let the next ids be made at an instant."""
    monkeypatch.setattr("stock.batches.new_id", lambda: ids.least_id(instant).replace("-0000-", "-7000-", 1))


def test_a_posting_stands_in_its_month(session, month):
    for table in partitions.TABLES:
        name = partitions.partition_of(table, month)
        before = count(session, name)
        stock(session, coat_MAD=1)
        assert count(session, name) == before + 1
        assert count(session, f"{table}_default") == 0


def test_a_posting_of_a_month_that_nobody_made_is_taken_all_the_same(session, monkeypatch):
    make_at(monkeypatch, datetime(2001, 1, 1, tzinfo=UTC))
    stock(session, coat_MAD=1)
    assert [count(session, f"{table}_default") for table in partitions.TABLES] == [1, 1]


@pytest.mark.parametrize("deed", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
@pytest.mark.parametrize(("table", "column"), [("posting", "reason"), ("stock_entry", "reservation_id")])
def test_a_partition_is_only_appended_to(session, month, table, column, deed):
    stock(session, coat_MAD=1)
    with pytest.raises(DBAPIError, match="append-only: post a correction instead"):
        session.execute(text(deed.format(partitions.partition_of(table, month), column, column)))


@pytest.mark.parametrize("table", partitions.TABLES)
def test_the_default_partition_is_only_appended_to(session, table):
    with pytest.raises(DBAPIError, match="append-only: post a correction instead"):
        session.execute(text(f"TRUNCATE {table}_default CASCADE"))


def test_a_version_is_not_written_twice(session, month):
    posting_id = stock(session, coat_MAD=1)
    again = "INSERT INTO stock_entry SELECT sku, posting_id, line + 1, units, from_node, from_account, from_version, "
    again += "to_node, to_account, to_version, reservation_id FROM stock_entry WHERE posting_id = :id"
    with pytest.raises(DBAPIError, match=f"uq_{partitions.partition_of('stock_entry', month)}_to"):
        session.execute(text(again), {"id": posting_id})


def test_months_are_made_ahead_and_once(session):
    soon = datetime.now(UTC) + timedelta(days=400)
    made = 2 * (partitions.MONTHS_AHEAD + 1)
    assert partitions.make_ahead(session, now=soon) == made
    assert partitions.make_ahead(session, now=soon) == 0
    names = [partitions.partition_of("stock_entry", month) for month in partitions.following_months(soon, 4)]
    for name in names:
        with pytest.raises(DBAPIError, match="append-only"), session.begin_nested():
            session.execute(text(f"TRUNCATE {name}"))


def test_a_month_whose_postings_stand_in_the_default_partition_stays_there(session, monkeypatch):
    late = datetime(2040, 5, 7, tzinfo=UTC)
    make_at(monkeypatch, late)
    stock(session, coat_MAD=1)
    assert partitions.make_ahead(session, now=late) == 2 * partitions.MONTHS_AHEAD
    assert count(session, "posting_default") == 1


def test_whoever_looks_for_a_posting_opens_one_partition(session):
    posting_id = stock(session, coat_MAD=1)
    session.execute(text("PREPARE look_up(text) AS SELECT * FROM stock_entry WHERE posting_id = $1"))
    plan = session.scalars(text(f"EXPLAIN EXECUTE look_up('{posting_id}')")).all()
    assert sum("Scan" in line and "on stock_entry_" in line for line in plan) == 1
    assert any("Subplans Removed" in line for line in plan)


def test_the_months_of_a_year_follow_one_another():
    months = list(partitions.following_months(datetime(2026, 11, 30, 23, 59, tzinfo=UTC), 3))
    assert [f"{month:%Y-%m-%d}" for month in months] == ["2026-11-01", "2026-12-01", "2027-01-01"]
