"""A retailer for each story: a house on a database of its own, whose ledger is proven when the story ends."""

import pytest

from api import access, log
from api.app import build_house, create_app
from api.config import ClockSettings, Config, DatabaseSettings, LogSettings, SecuritySettings
from api.house import EXTENSION
from tests import factories
from tests.journeys.retailer import Retailer

SECRETS = SecuritySettings(master_key="11" * 32, session_key="s" * 64)


def config_for(url):
    clock = ClockSettings(fixed_at=factories.NOW)
    return Config(database=DatabaseSettings(url=url), clock=clock, security=SECRETS)


@pytest.fixture(scope="session")
def app(tmp_path_factory):
    """The application, described once; each story moves it into a house of its own."""
    log.configure(LogSettings(level="error"))
    return create_app(config_for(f"sqlite:///{tmp_path_factory.mktemp('journeys')}/nobody.sqlite"))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request, databases):
    """A database for one story only, so that it begins with empty shelves."""
    with databases.fresh(request.param) as url:
        yield url


@pytest.fixture
def retailer(app, database_url):
    """A warehouse and three stores in Iberia; whatever the story, the ledger is proven and every unit found."""
    house = app.extensions[EXTENSION] = build_house(config_for(database_url))
    house.doors.write(factories.lay_out)
    key = house.doors.write(lambda session: access.add_key(session, "story", ["admin"]))
    retailer = Retailer(app, house, key)
    yield retailer
    assert retailer.findings() == []
    assert {sku: retailer.unaccounted(sku) for sku in factories.GTINS} == dict.fromkeys(factories.GTINS, 0)
    house.doors.database.dispose()
