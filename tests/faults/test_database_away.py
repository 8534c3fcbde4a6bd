"""The database is locked, full or away: people are told to come back, and nothing is half-written."""

import sqlite3
from contextlib import closing, contextmanager

import psycopg
import pytest
import structlog
from sqlalchemy import event
from sqlalchemy.engine import make_url

from api import errors
from kernel import db
from tests.journeys.opening import application, close_retailer, open_retailer
from tests.journeys.order import Refused, refused


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return application(tmp_path_factory.mktemp("faults"))


@pytest.fixture
def lines(monkeypatch):
    """What is logged about refusals, one call a line."""
    written = structlog.testing.CapturingLogger()
    monkeypatch.setattr(errors, "log", written)
    return written.calls


@pytest.fixture
def retailer(app, sqlite_story_url, monkeypatch):
    """A retailer on SQLite, who does not wait long for the file's lock."""
    monkeypatch.setattr(db, "SQLITE_BUSY_MS", 50)
    retailer = open_retailer(app, sqlite_story_url)
    retailer.gets("WH", coat=40)
    yield retailer
    close_retailer(retailer)


@pytest.fixture
def sqlite_story_url(databases):
    with databases.fresh("sqlite") as url:
        yield url


@contextmanager
def locked(url):
    """Somebody else holds the file's lock."""
    with closing(sqlite3.connect(make_url(url).database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def full(database):
    """The disk has no room for another page."""

    def no_more_pages(connection, *_):
        (present,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={present}")

    def room_again(connection, *_):
        connection.execute("PRAGMA max_page_count=1000000")

    event.listen(database.writer, "checkout", no_more_pages)
    yield
    event.remove(database.writer, "checkout", no_more_pages)
    event.listen(database.writer, "checkout", room_again)


@contextmanager
def away(url):
    """Nobody may connect to the database, and who was connected no longer is."""
    there = make_url(url)
    server = there.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as other:
        name = psycopg.sql.Identifier(there.database)
        alter = "ALTER DATABASE {} ALLOW_CONNECTIONS {}"
        other.execute(psycopg.sql.SQL(alter).format(name, psycopg.sql.SQL("false")))
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [there.database])
        yield
        other.execute(psycopg.sql.SQL(alter).format(name, psycopg.sql.SQL("true")))


def told_to_come_back(caught, lines):
    """The answer says when to come back, and one line is logged for it."""
    return int(caught.headers["Retry-After"]) > 0 and [call.method_name for call in lines] == ["error"]


def test_while_the_file_is_locked_nothing_is_taken_and_afterwards_everything(retailer, lines):
    basket = retailer.basket(coat=1)
    with locked(retailer.house.doors.database.url):
        with refused("unavailable", 503) as caught:
            retailer.takes(basket)
        assert retailer.get("/orders")["items"] == []
    assert told_to_come_back(caught.value, lines)
    assert retailer.stock("WH", "coat") == {"on_hand": 40}

    retailer.takes(basket)
    assert retailer.stock("WH", "coat") == {"on_hand": 40, "reserved": 1}


def test_on_a_full_disk_an_order_is_taken_whole_or_not_at_all(retailer, lines):
    with full(retailer.house.doors.database):
        basket, caught = fill_up(retailer)
    assert (caught.status, caught.code) == (503, "unavailable")
    assert told_to_come_back(caught, lines)
    assert lines[0].kwargs["reason"] == "database or disk is full"
    taken = len(retailer.orders)
    assert retailer.stock("WH", "coat").get("reserved", 0) == len(retailer.get("/orders")["items"]) == taken
    assert retailer.findings() == []

    retailer.takes(basket)
    assert retailer.stock("WH", "coat")["reserved"] == taken + 1


@pytest.mark.postgres
def test_while_the_server_is_away_nothing_is_taken_and_afterwards_everything(app, databases, lines):
    with databases.fresh("postgresql") as url:
        retailer = open_retailer(app, url)
        retailer.gets("WH", coat=1)
        basket = retailer.basket(coat=1)
        with away(url), refused("unavailable", 503) as caught:
            retailer.takes(basket)
        assert told_to_come_back(caught.value, lines)
        retailer.takes(basket)
        assert retailer.stock("WH", "coat") == {"on_hand": 1, "reserved": 1}
        close_retailer(retailer)


def fill_up(retailer):
    """Take orders until there is no room for one; return its basket and the refusal."""
    for _ in range(30):
        basket = retailer.basket(coat=1)
        try:
            retailer.takes(basket)
        except Refused as refusal:
            return basket, refusal
    raise AssertionError("thirty orders found room on a full disk")
