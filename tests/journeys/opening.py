"""Opening and closing a retailer for one story: a house on a fresh database, and the proof when the story is over.

Used by the stories and by the tests of faults. Invariant: no retailer closes whose ledger does not prove itself, or who
cannot say where every unit is.
"""

from contextlib import contextmanager

from api import access, log
from api.app import build_house, create_app
from api.config import ClockSettings, Config, DatabaseSettings, LogSettings, SecuritySettings
from api.house import EXTENSION
from kernel.db import CACHES
from tests import factories
from tests.journeys.retailer import Retailer

SECRETS = SecuritySettings(master_key="11" * 32, session_key="s" * 64)


def application(folder):
    """The application, described once, without a house that anybody could live in."""
    log.configure(LogSettings(level="error"))
    return create_app(_config(f"sqlite:///{folder}/nobody.sqlite"))


def open_retailer(app, url):
    """Move the application into a house of its own: a warehouse and three stores in Iberia, whose shelves are empty."""
    house = app.extensions[EXTENSION] = house_for(url)
    house.doors.write(factories.lay_out)
    key = house.doors.write(lambda session: access.add_key(session, "story", ["admin"]))
    return Retailer(app, house, key)


@contextmanager
def stage(app, databases, kind):
    """Yield a function that opens the retailer for one story after the other.

    All stories happen in one house, whose database begins anew each time: what was compiled for one serves the next.
    """
    with databases.fresh(kind) as opening, databases.fresh(kind) as url:
        first, house = open_retailer(app, opening), house_for(url)
        first.house.doors.database.dispose()

        def begin():
            house.doors.database.dispose()
            databases.overwrite(url, opening)
            house.doors.database.info[CACHES].clear()
            app.extensions[EXTENSION] = house
            return Retailer(app, house, first.key)

        yield begin
        house.doors.database.dispose()


def house_for(url):
    """The house of the database at `url`, on the day on which all stories begin."""
    return build_house(_config(url))


def close_retailer(retailer):
    """Prove the ledger, find every unit, and close the house."""
    findings = retailer.findings()
    unaccounted = retailer.unaccounted(*factories.GTINS)
    retailer.house.doors.database.dispose()
    assert findings == []
    assert unaccounted == dict.fromkeys(factories.GTINS, 0)


def _config(url):
    clock = ClockSettings(fixed_at=factories.NOW)
    return Config(database=DatabaseSettings(url=url), clock=clock, security=SECRETS)
