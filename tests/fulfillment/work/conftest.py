"""Databases with a small network in them; what a test writes is rolled back when it ends."""

import pytest

from fulfillment.work import displacement
from kernel.db import connect
from kernel.events import HANDLERS
from stock.displacement import BEFORE_DISPLACEMENT
from stock.events import ReservationsDisplaced
from tests.fulfillment.work.floor import lay_out


@pytest.fixture(scope="module")
def database(database_url):
    opened = connect(database_url)
    opened.info[HANDLERS] = {ReservationsDisplaced: (displacement.on_reservations_displaced,)}
    opened.info[BEFORE_DISPLACEMENT] = displacement.before_displacement
    with opened.write() as session:
        lay_out(session)
        session.commit()
    yield opened
    opened.dispose()


@pytest.fixture
def session(database):
    with database.write() as session:
        yield session
