"""The pages on a database of their own, with a small retailer, a person of each role, and signed-in clients."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.app import build_house, create_app
from api.house import House
from tests.api.pages.shop import open_shop, settings_for
from tests.api.pages.visitors import sign_in


@pytest.fixture(scope="module")
def house(sqlite_url: str) -> Iterator[House]:
    present = build_house(settings_for(sqlite_url))
    present.doors.write(open_shop)
    yield present
    present.doors.database.dispose()


@pytest.fixture(scope="module")
def app(house: House) -> Flask:
    return create_app(house.config, house)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def signed_in(app: Flask) -> Callable[[str], FlaskClient]:
    """Return a client that is signed in as the person of this name."""

    def enter(username: str) -> FlaskClient:
        client = app.test_client()
        assert sign_in(client, username).status_code == 303
        return client

    return enter
