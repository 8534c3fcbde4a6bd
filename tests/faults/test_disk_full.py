"""The disk is full: writes are refused with a problem, reads go on, nothing is half-written, no hand is needed after.

For SQLite and for PostgreSQL's processes, files may not grow beyond a limit; what they are then told is what a full
disk tells them, but for the number of the error.
"""

import resource
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from tests.faults.clients import never_tire
from tests.faults.tally import counted, often
from tests.journeys.opening import application, close_retailer, open_retailer
from tests.journeys.order import Refused

ROOM = 64 * 1024
TIMES = often(1, 10)
MANY = 400
# More than a segment of the server's log, which is written whole.
LARGEST_FILE = 17 * 1024 * 1024
PAGE = 8192
SIZE = "SELECT pg_relation_size('idempotency_key')"
FILL = """INSERT INTO idempotency_key (scope, key, request_hash, status, answer, recorded_at)
    SELECT 'filler', gen_random_uuid()::text, 'x', 200, to_jsonb(repeat('x', 1500)), now()
    FROM generate_series(1, %s)"""


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return application(tmp_path_factory.mktemp("full"))


@contextmanager
def largest_file(size):
    """Let no file of this process grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def well_stocked(app, url):
    """Open a retailer that has units and hands for every order of all rounds."""
    retailer = open_retailer(app, url)
    retailer.house.doors.write(never_tire)
    retailer.gets("WH", coat=MANY * TIMES)
    return retailer


def fill_up(retailer):
    """Take orders until there is no room for one; return its basket and the refusal."""
    for _ in range(MANY):
        basket = retailer.basket(coat=1)
        try:
            retailer.takes(basket)
        except Refused as refusal:
            return basket, refusal
    raise AssertionError(f"{MANY} orders found room on a full disk")


def fill_table(url):
    """Let the keys of requests take nearly as much room as a file may have."""
    with connected(url) as connection:
        while (room := LARGEST_FILE - connection.execute(SIZE).fetchone()[0]) > 4 * PAGE:
            connection.execute(FILL, [max(1, room // PAGE)])


def empty_table(url):
    with connected(url) as connection:
        connection.execute("DELETE FROM idempotency_key WHERE scope = 'filler'")
        # Without FULL the room stays in the file, and the next time there is some.
        connection.execute("VACUUM FULL idempotency_key")


def connected(url):
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True)


def is_refused_and_can_be_read(retailer, refusal):
    assert (refusal.status, refusal.code) == (503, "unavailable")
    assert int(refusal.headers["Retry-After"]) > 0
    taken = retailer.stock("WH", "coat").get("reserved", 0)
    assert taken == len(retailer.orders)
    assert retailer.findings() == []
    return taken


def test_sqlite_finds_no_room_and_then_room_again(app, databases):
    with counted("disk full", "sqlite") as tally, databases.fresh("sqlite") as url:
        retailer = well_stocked(app, url)
        log = Path(f"{make_url(url).database}-wal")
        for _ in range(TIMES):
            with largest_file(log.stat().st_size + ROOM):
                basket, refusal = fill_up(retailer)
                taken = is_refused_and_can_be_read(retailer, refusal)
            retailer.takes(basket)
            assert retailer.stock("WH", "coat")["reserved"] == taken + 1
            tally.injected += 1
        close_retailer(retailer)


@pytest.mark.postgres
@pytest.mark.slow
def test_postgresql_finds_no_room_and_then_room_again(app, own_postgres):
    url = own_postgres.url("house")
    with counted("disk full", "postgresql") as tally:
        retailer = well_stocked(app, url)
        for _ in range(TIMES):
            fill_table(url)
            own_postgres.stop()
            own_postgres.start(largest_file=LARGEST_FILE)
            basket, refusal = fill_up(retailer)
            taken = is_refused_and_can_be_read(retailer, refusal)
            own_postgres.stop()
            own_postgres.start()
            retailer.takes(basket)
            assert retailer.stock("WH", "coat")["reserved"] == taken + 1
            empty_table(url)
            tally.injected += 1
        close_retailer(retailer)
