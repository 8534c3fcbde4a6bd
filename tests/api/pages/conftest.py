"""The pages on a database of their own, with a person of each role, and clients that are signed in."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api import access
from api.app import build_house, create_app
from api.config import ClockSettings, Config, DatabaseSettings, SecuritySettings
from api.house import House
from stock.models import Node
from tests.api.pages.visitors import PASSWORD, sign_in

NOW = datetime(2026, 6, 12, 9, 0, tzinfo=UTC)
# Many tests sign in within a minute; the one about guessing counts tries from an address of its own.
SECRETS = SecuritySettings(master_key="11" * 32, session_key="s" * 64, login_limit="30 per minute")
PEOPLE = {"admin": None, "planner": None, "agent": None, "store": "ES-MAD-01"}


@pytest.fixture(scope="module")
def house(sqlite_url: str) -> Iterator[House]:
    settings = Config(database=DatabaseSettings(url=sqlite_url), clock=ClockSettings(fixed_at=NOW), security=SECRETS)
    present = build_house(settings)
    present.doors.write(people_come)
    yield present
    present.doors.database.dispose()


@pytest.fixture(scope="module")
def app(house: House) -> Flask:
    return create_app(house.config, house)


def people_come(session):
    for node in ("ES-MAD-01", "ES-SVQ-01"):
        session.add(Node(id=node, name=f"Tienda {node}", kind="store", time_zone="Europe/Madrid"))
    session.flush()
    for role, node in PEOPLE.items():
        access.add_user(session, role, PASSWORD, role=role, name=f"{role.title()} García", node=node)
    access.add_user(session, "tienda", PASSWORD, role="store", name="Lucía", node="ES-MAD-01", language="es")


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
