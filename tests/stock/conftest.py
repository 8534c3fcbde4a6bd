"""Databases with a small network in them; what a test writes is rolled back when it ends."""

import pytest

from kernel.db import connect
from tests.stock.shelf import lay_out


@pytest.fixture(scope="module")
def database(database_url):
    opened = connect(database_url)
    with opened.write() as session:
        lay_out(session)
        session.commit()
    yield opened
    opened.dispose()


@pytest.fixture
def session(database):
    with database.write() as session:
        yield session
