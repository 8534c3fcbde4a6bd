"""A house on a fresh database, its application, and clients with every kind of key."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from api import access, log
from api.app import build_house, create_app
from api.config import ClockSettings, Config, DatabaseSettings, LogSettings, SecuritySettings

log.configure(LogSettings(level="warning"))
NOW = datetime(2026, 11, 17, 9, 0, tzinfo=UTC)
SECRETS = SecuritySettings(master_key="11" * 32, session_key="s" * 64)


def config_for(url: str, **sections) -> Config:
    return replace(
        Config(database=DatabaseSettings(url=url), clock=ClockSettings(fixed_at=NOW), security=SECRETS), **sections
    )


class Client:
    """Speaks to the application with one key, and asserts the status it was told to expect."""

    def __init__(self, app, key=None):
        self.app, self.key = app, key

    def send(self, method, path, expect=200, *, body=None, key=None, headers=None, **kwargs):
        sent = {"Idempotency-Key": key} if key else {}
        if self.key:
            sent["Authorization"] = f"Bearer {self.key}"
        data = json.dumps(body) if body is not None else kwargs.pop("data", None)
        if data is not None:
            sent["Content-Type"] = "application/json"
        answer = self.app.test_client().open(
            path, method=method, data=data, headers={**sent, **(headers or {})}, **kwargs
        )
        assert expect is None or answer.status_code == expect, answer.get_data(as_text=True)
        return answer

    def get(self, path, expect=200, **kwargs):
        return self.send("GET", path, expect, **kwargs).get_json()

    def post(self, path, body=None, expect=200, **kwargs):
        return self.send("POST", path, expect, body=body, **kwargs).get_json()


@pytest.fixture(scope="module")
def house(database_url):
    present = build_house(config_for(database_url))
    yield present
    present.doors.database.dispose()


@pytest.fixture(scope="module")
def app(house):
    return create_app(house.config, house)


@pytest.fixture(scope="module")
def client_with(app, house):
    """Return a client whose key has these scopes, and is perhaps bound to a node."""

    def make(*scopes, node=None):
        name = "+".join(scopes)
        key = house.doors.write(lambda session: access.add_key(session, name, list(scopes), node=node))
        return Client(app, key)

    return make


@pytest.fixture(scope="module")
def admin(client_with):
    return client_with("admin")


@pytest.fixture(scope="module")
def nobody(app):
    return Client(app)
