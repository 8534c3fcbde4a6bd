"""A database with the small network in it; what a test writes is rolled back when it ends."""

import pytest

from kernel.db import CACHES, connect
from tests.fulfillment.sourcing import world


@pytest.fixture(scope="module")
def database(database_url):
    opened = connect(database_url)
    with opened.write() as session:
        world.lay_out(session)
        session.commit()
    yield opened
    opened.dispose()


@pytest.fixture
def session(database):
    with database.write() as session:
        yield session
    database.info[CACHES].clear()
