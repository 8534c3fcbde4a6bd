"""The pages on a database of their own, with a person of each role, and clients that are signed in."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from api import access, pages
from api.clock import Clock
from api.config import Config
from api.house import EXTENSION, House
from api.transaction import Doors
from kernel.db import connect
from kernel.vault import Vault
from stock.models import Node

PASSWORD = "a long password"
NOW = datetime(2026, 6, 12, 9, 0, tzinfo=UTC)
PEOPLE = {"admin": None, "planner": None, "agent": None, "store": "ES-MAD-01"}


@pytest.fixture(scope="module")
def app(sqlite_url: str) -> Iterator[Flask]:
    database = connect(sqlite_url)
    house = House(Config(), Clock(NOW), Vault(bytes(32)), Doors(database))
    house.doors.write(people_come)
    app = Flask("api")
    app.config.update(SECRET_KEY="x" * 32, TESTING=True)
    app.extensions[EXTENSION] = house
    pages.register(app, house, Limiter(get_remote_address, app=app, storage_uri="memory://"))
    yield app
    database.dispose()


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


def sign_in(client: FlaskClient, username: str, password: str = PASSWORD, address: str = "/login"):
    return client.post(address, data={"csrf_token": token(client), "username": username, "password": password})


def token(client: FlaskClient, address: str = "/login") -> str:
    """Return the token against forgery of the form at `address`."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(address).get_data(as_text=True))
    assert found, f"no form at {address}"
    return found[1]
