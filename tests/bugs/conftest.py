"""One retailer for the tests of a file, an article of its own for each test, and the proof after each.

Each test is named after what went wrong in another system, and its docstring says where that was reported. The test
holds as long as it does not go wrong here.
"""

import itertools
from dataclasses import replace

import pytest

from stock import catalog
from tests import factories
from tests.journeys.opening import application, open_retailer

numbers = itertools.count(1)


@pytest.fixture(scope="session")
def app(tmp_path_factory):
    """The application, which moves from one retailer's house to the next."""
    return application(tmp_path_factory.mktemp("bugs"))


@pytest.fixture(scope="module")
def retailer(app, database_url):
    """A warehouse and three stores, selling in a web shop, at a marketplace that refuses shortages, and at tills."""
    opened = open_retailer(app, database_url)
    factories.wire(opened.house.doors.database)
    yield opened
    opened.house.doors.database.dispose()


@pytest.fixture
def sku(retailer):
    """An article that no other test touches; when the test is over, everything adds up."""
    code = f"article-{next(numbers)}"
    row = replace(factories.article("coat"), sku=code, name=code, gtin=None)
    retailer.house.doors.write(lambda session: catalog.put_articles(session, [row]))
    yield code
    assert retailer.findings() == []


@pytest.fixture
def session(retailer):
    """A session on the retailer's database; what is written in it is rolled back."""
    with retailer.house.doors.database.write() as opened:
        yield opened
