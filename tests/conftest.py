"""What every test may ask for: a fresh database of either kind, and a browser. Closes the network."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy.engine import make_url

from tests.browsers import FLAGS, HOW_TO_GET_ONE, find_chromium
from tests.databases import Databases, open_scratch
from tests.sockets import close_network

EXTERNAL_URL = os.environ.get("OMS_TEST_DATABASE_URL")
CONTINUOUS_INTEGRATION = os.environ.get("CI") == "true"

# A shared machine makes deadlines flaky, and a finding must come again when it is looked at.
settings.register_profile("house", deadline=None, derandomize=True, database=None)
settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    """Open the scratch folder in the process that was started by hand; its workers inherit the name."""
    if not hasattr(config, "workerinput"):
        os.environ["OMS_TEST_SCRATCH"] = str(open_scratch())
    external = make_url(EXTERNAL_URL).host if EXTERNAL_URL else None
    close_network(except_hosts={external} if external else set())


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server and remove the scratch folder when all workers have ended."""
    if not hasattr(config, "workerinput"):
        _session_databases().close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks for a browser, so that `-m "not browser"` leaves it out; begin with the files that take longest.

    Two workers that take file after file then end at about the same time.
    """
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def databases() -> Databases:
    """Fresh databases on demand: `with databases.fresh("postgresql") as url`."""
    return _session_databases()


@pytest.fixture(scope="module")
def sqlite_url(databases: Databases) -> Iterator[str]:
    """A migrated, empty SQLite database for this module."""
    with databases.fresh("sqlite") as url:
        yield url


@pytest.fixture(scope="module")
def postgresql_url(databases: Databases) -> Iterator[str]:
    """A migrated, empty PostgreSQL database for this module."""
    with databases.fresh("postgresql") as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, databases: Databases) -> Iterator[str]:
    """A migrated, empty database for this module: whoever asks for it runs twice, on SQLite and on PostgreSQL."""
    with databases.fresh(request.param) as url:
        yield url


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser's path; skips where there is none, and fails where there must be one."""
    path = find_chromium()
    if path is None:
        (pytest.fail if CONTINUOUS_INTEGRATION else pytest.skip)(HOW_TO_GET_ONE)
    return path


@pytest.fixture(scope="session")
def browser(chromium: Path):
    """A running headless browser; each test opens a context of its own in it, and closes it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield running
        running.close()


def _session_databases() -> Databases:
    return Databases(Path(os.environ["OMS_TEST_SCRATCH"]), EXTERNAL_URL)
