"""Nobody changes what was posted, with whatever tool."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.stock.shelf import stock


@pytest.mark.parametrize("table", ["posting", "stock_entry"])
@pytest.mark.parametrize("deed", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_history_is_neither_changed_nor_deleted(session, table, deed):
    stock(session, coat_MAD=1)
    column = {"posting": "reason", "stock_entry": "reservation_id"}[table]
    with pytest.raises(DBAPIError, match="append-only: post a correction instead"):
        session.execute(text(deed.format(table, column, column)))


@pytest.mark.parametrize("table", ["posting", "stock_entry"])
def test_history_is_not_truncated(database, session, table):
    if database.is_sqlite:
        pytest.skip("SQLite has no TRUNCATE")
    with pytest.raises(DBAPIError, match="append-only"):
        session.execute(text(f"TRUNCATE {table} CASCADE"))


def test_balances_have_room_to_move_in(database, session):
    if database.is_sqlite:
        pytest.skip("SQLite updates in place")
    options = session.scalar(text("SELECT reloptions FROM pg_class WHERE relname = 'stock_balance'"))
    assert "fillfactor=40" in options
