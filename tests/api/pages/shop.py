"""A small retailer as its pages show it: people of each role, stock on shelves, and orders at the store in Madrid."""

import pytest
from argon2 import PasswordHasher

from api import access
from api.config import ClockSettings, Config, DatabaseSettings, SecuritySettings
from fulfillment.work.models import FulfillmentOrder
from stock import catalog
from stock.rows import PlacementRow
from tests import factories
from tests.api.pages.visitors import PASSWORD

STORE = "MAD"
PEOPLE = {"admin": None, "planner": None, "agent": None, "store": STORE, "tienda": STORE}
SHELVES = {"boots": "A-02", "coat": "A-11", "hat": "B-03", "scarf": "C-07"}
# Many tests sign in within a minute.
SECRETS = SecuritySettings(master_key=(b"v" * 32).hex(), session_key="s" * 64, login_limit="100 per minute")

# A password takes long to check, as it should; here hundreds are, and none is worth guessing.
HASTY = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def settings_for(url: str) -> Config:
    return Config(database=DatabaseSettings(url=url), clock=ClockSettings(fixed_at=factories.NOW), security=SECRETS)


def open_shop(session):
    """Lay the retailer out, fill the shelves, and let its people in."""
    factories.lay_out(session)
    rows = [PlacementRow(sku=sku, node=STORE, shelf=shelf) for sku, shelf in SHELVES.items()]
    catalog.put_placements(session, rows)
    factories.stock(session, STORE, boots=20, coat=20, hat=20, scarf=20)
    factories.stock(session, "SVQ", coat=5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(access, "_hasher", lambda: HASTY)
        let_in(session)


def let_in(session):
    """Give each of the people a user."""
    for username, node in PEOPLE.items():
        role, language = ("store", "es") if username == "tienda" else (username, "en")
        name = f"{username.title()} García"
        access.add_user(session, username, PASSWORD, role=role, name=name, node=node, language=language)


def collect(session, *lines, number="C-1", **fields) -> FulfillmentOrder:
    """Place an order that is collected at the store, and return its fulfillment order."""
    order = factories.place(session, *lines, external_id=number, method="collect", collect_node=STORE, **fields)
    return factories.fulfillment_orders(session, order)[0]


def ship(session, *lines, number="S-1", **fields) -> FulfillmentOrder:
    """Place an order that the store ships, and return its fulfillment order."""
    order = factories.place(session, *lines, external_id=number, **fields)
    return factories.fulfillment_orders(session, order)[0]
