"""A retailer for each story, whose shelves are empty when it begins."""

from contextlib import ExitStack
from functools import cache

import pytest

from tests.journeys.opening import application, close_retailer, stage


@pytest.fixture(scope="session")
def app(tmp_path_factory):
    """The application of all stories, one after the other."""
    return application(tmp_path_factory.mktemp("journeys"))


@pytest.fixture(scope="session")
def stages(app, databases):
    """The stage of each kind of database, set up for the first story that asks for it."""
    with ExitStack() as opened:
        yield cache(lambda kind: opened.enter_context(stage(app, databases, kind)))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def retailer(request, stages):
    """A warehouse and three stores; whatever the story, the ledger is proven and every unit found when it is over."""
    retailer = stages(request.param)()
    yield retailer
    close_retailer(retailer)
