"""Draws the orders of the story, as bodies of POST /orders.

Called by whoever tells the story. Customers live where people live, buy what is popular, and choose a channel, a method
and a service as shoppers do. Its invariant: an order names only articles, nodes and channels of the network, and asks
of each only what it offers, so that it can be refused for want of stock alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any, TypeVar

from demo import BUSINESS_CLOCK, people, popularity, stock
from demo.network import Article, City, Node, articles, cities, distance_km, nodes, postal_codes
from demo.people import Customer

# Channel: (share of orders, share of its orders that are collected). Together one order in four is collected.
CHANNELS = {
    "web": (0.45, 0.28),
    "app": (0.25, 0.36),
    "marketplace": (0.15, 0.0),
    "store": (0.08, 0.25),
    "contact_centre": (0.07, 0.20),
}
BASKET_SHARES = {1: 0.55, 2: 0.27, 3: 0.12, 4: 0.05, 5: 0.01}  # number of lines: share of orders; 1.7 lines on average
QUANTITY_SHARES = {1: 0.89, 2: 0.09, 3: 0.02}
# Orders by the hour, from Monday afternoon to Tuesday morning: a peak after dinner, a trough at night.
HOURS = (3, 3, 4, 5, 6, 8, 9, 7, 4, 2, 1, 1, 1, 1, 2, 4, 6)
RETURNING_SHARE = 0.12
EXPRESS_SHARE = 0.12
UNPAID_COLLECT_SHARE = 0.20
COORDINATES_SHARE = 0.85
COLLECT_WITHIN_KM = 40.0
# Half of those who collect choose among what their store has on the shelf; for the others it has to be brought.
COLLECT_FROM_SHELF_SHARE = 0.5
FREE_SHIPPING_FROM = Decimal("50.00")
SHIPPING_PRICES = {"standard": Decimal("3.95"), "express": Decimal("6.95")}

Body = dict[str, Any]
Choice = TypeVar("Choice")


def orders(seed: int, count: int) -> Iterator[Body]:
    """Yield `count` orders in the order they were placed, all before the business clock.

    `seed` settles everything; it is part of each `external_id`, so that two stories can be told to one server.
    """
    story = _Story(Random(f"orders {seed}"), popularity.weights(seed), _shelves(seed))
    for number, placed_at in enumerate(_moments(story.rng, count), start=1):
        yield _order(story, f"{seed}-{number:05d}", placed_at)


@dataclass(frozen=True)
class _Story:
    """What the next order depends on: the generator, what sells, what stores show, and the customers so far."""

    rng: Random
    shares: dict[str, float]
    shelves: dict[str, frozenset[str]]
    customers: list[Customer] = field(default_factory=list)


def _shelves(seed: int) -> dict[str, frozenset[str]]:
    """Return the SKUs that each node has in the morning, by node."""
    rows = list(stock.rows(seed))
    return {node.id: frozenset(row.sku for row in rows if row.node == node.id) for node in nodes()}


def _moments(rng: Random, count: int) -> list[datetime]:
    """Return when the orders were placed, earliest first, to the second."""
    start = BUSINESS_CLOCK - timedelta(hours=len(HOURS))
    hours = rng.choices(range(len(HOURS)), weights=HOURS, k=count)
    return sorted(start + timedelta(hours=hour, seconds=rng.randrange(3600)) for hour in hours)


def _order(story: _Story, reference: str, placed_at: datetime) -> Body:
    rng = story.rng
    channel = _draw(rng, {name: share for name, (share, _) in CHANNELS.items()})
    collects = rng.random() < CHANNELS[channel][1]
    customer = _customer(story, collects=collects)
    store = _collect_node(rng, customer.city) if collects else None
    lines = _basket(story, store)
    service = "standard" if collects or rng.random() >= EXPRESS_SHARE else "express"
    body: Body = {
        "channel": channel,
        "external_id": f"{channel}-{reference}",
        "currency": "EUR",
        "placed_at": placed_at.isoformat(),
        "customer": {
            "name": customer.name,
            "email": customer.email,
            "phone": customer.phone,
            "language": customer.language,
        },
        "method": "collect" if collects else "ship",
        "service": service,
        "ship_to": _address(customer, with_coordinates=rng.random() < COORDINATES_SHARE),
        "lines": [_line(article, quantity) for article, quantity in lines],
        "shipping_price": _money(_shipping_price(lines, service, collects=collects)),
        "paid": not (collects and rng.random() < UNPAID_COLLECT_SHARE),
    }
    if store:
        body["collect_node"] = store.id
    return body


def _customer(story: _Story, *, collects: bool) -> Customer:
    """Return a customer who was here before, or a new one; who collects lives near a store."""
    known = [customer for customer in story.customers if not collects or _stores_near(customer.city)]
    if known and story.rng.random() < RETURNING_SHARE:
        return story.rng.choice(known)
    homes = [city for city in cities() if not collects or _stores_near(city)]
    city = story.rng.choices(homes, weights=[home.population for home in homes])[0]
    customer = people.invent(story.rng, city, len(story.customers) + 1)
    story.customers.append(customer)
    return customer


def _basket(story: _Story, store: Node | None) -> list[tuple[Article, int]]:
    """Return different articles with their quantities, for some who collect only what their store shows."""
    shares = story.shares
    if store and story.rng.random() < COLLECT_FROM_SHELF_SHARE:
        shares = {sku: share for sku, share in shares.items() if sku in story.shelves[store.id]}
    basket: dict[str, int] = {}
    size = _draw(story.rng, BASKET_SHARES)
    while len(basket) < size:
        basket.setdefault(_draw(story.rng, shares), _draw(story.rng, QUANTITY_SHARES))
    return [(_articles_by_sku()[sku], quantity) for sku, quantity in basket.items()]


def _address(customer: Customer, *, with_coordinates: bool) -> Body:
    city = customer.city
    body: Body = {"name": customer.name, "line1": customer.line1}
    if customer.line2:
        body["line2"] = customer.line2
    body |= {"city": city.city, "region": city.region, "postal_code": city.postal_code, "country": city.country}
    # The small towns that the postal table lacks come without coordinates, so that the prefix of their code has to do.
    if with_coordinates and (city.country, city.postal_code) in _known_postal_codes():
        body |= {"latitude": customer.latitude, "longitude": customer.longitude}
    return body


def _line(article: Article, quantity: int) -> Body:
    return {"sku": article.sku, "quantity": quantity, "unit_price": _money(article.price)}


def _shipping_price(lines: list[tuple[Article, int]], service: str, *, collects: bool) -> Decimal:
    goods = sum((article.price * quantity for article, quantity in lines), Decimal(0))
    if collects or (service == "standard" and goods >= FREE_SHIPPING_FROM):
        return Decimal("0.00")
    return SHIPPING_PRICES[service]


def _money(amount: Decimal) -> dict[str, str]:
    return {"amount": f"{amount:.2f}", "currency": "EUR"}


def _draw(rng: Random, shares: dict[Choice, float]) -> Choice:
    """Return one key, with odds in proportion to its value."""
    return rng.choices(list(shares), weights=list(shares.values()))[0]


def _collect_node(rng: Random, city: City) -> Node:
    """Return a store near the city, the near ones more often: odds fall with one over the kilometres."""
    stores = _stores_near(city)
    return rng.choices(stores, weights=[1 / (2 + distance_km(store, city)) for store in stores])[0]


@cache
def _stores_near(city: City) -> tuple[Node, ...]:
    return tuple(node for node in nodes() if node.collects and distance_km(node, city) <= COLLECT_WITHIN_KM)


@cache
def _articles_by_sku() -> dict[str, Article]:
    return {article.sku: article for article in articles()}


@cache
def _known_postal_codes() -> frozenset[tuple[str, str]]:
    return frozenset((code.country, code.postal_code) for code in postal_codes())
