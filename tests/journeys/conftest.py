"""A retailer for each story, on a database of its own."""

import pytest

from tests.journeys.opening import application, close_retailer, open_retailer


@pytest.fixture(scope="session")
def app(tmp_path_factory):
    """The application of all stories, one after the other."""
    return application(tmp_path_factory.mktemp("journeys"))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request, databases):
    """A database for one story only, so that it begins with empty shelves."""
    with databases.fresh(request.param) as url:
        yield url


@pytest.fixture
def retailer(app, database_url):
    """A warehouse and three stores; whatever the story, the ledger is proven and every unit found when it is over."""
    retailer = open_retailer(app, database_url)
    yield retailer
    close_retailer(retailer)
