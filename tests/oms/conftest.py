"""A small retailer in a database of either kind; what a test writes is rolled back when it ends."""

import pytest

from kernel.db import connect
from tests import factories


@pytest.fixture(scope="module")
def database(database_url):
    opened = connect(database_url)
    factories.wire(opened)
    with opened.write() as session:
        factories.lay_out(session)
        session.commit()
    yield opened
    opened.dispose()


@pytest.fixture
def session(database):
    with database.write() as opened:
        yield opened
