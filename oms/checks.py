"""What can be wrong with an order as it is written, found before anything is decided, every fault and not the first.

Called by `orders.prepare` on a read session. Invariant: nothing is written here, and no message repeats a name, an
address, an e-mail address or a phone number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from fulfillment.network.models import CarrierService, NodeProfile
from fulfillment.work.models import Method
from kernel.countries import COUNTRIES
from kernel.db import table
from kernel.errors import Fault
from kernel.money import CURRENCIES, Money
from oms import quotes
from oms.commands import Basket, CustomerDetails, Line, PlaceOrder, ShipTo
from oms.models import Channel, Customer
from stock.models import Article, Node, NodeStatus

MOST_UNITS = 9_999
MOST_LINES = 200
MOST_MINOR = 10**15
LONGEST_CODE = 64
LONGEST_TEXT = 200
# The code of what an order needs and does not say.
MISSING = "required"
METHODS = (Method.SHIP, Method.COLLECT, Method.CARRY_OUT)
MAIL = re.compile(r"[^@\s]+@[^@\s]+")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")


@dataclass
class Faults:
    """Faults as they are found, each under its pointer."""

    found: list[Fault] = field(default_factory=list)

    def add(self, pointer: str, code: str, message: str) -> None:
        """Note a fault."""
        self.found.append(Fault(pointer, code, message))

    def code(self, pointer: str, value: str) -> bool:
        """Note what cannot be a code: an empty, long or unprintable string. Return whether it can be one."""
        fine = 0 < len(value) <= LONGEST_CODE and value.isprintable()
        if not fine:
            self.add(pointer, "invalid", f"write 1 to {LONGEST_CODE} printable characters")
        return fine

    def text(self, pointer: str, value: str | None, *, needed: bool = False) -> None:
        """Note a text that is missing although needed, too long or unprintable."""
        if needed and not (value and value.strip()):
            self.add(pointer, MISSING, "this is needed")
        elif value and (len(value) > LONGEST_TEXT or not value.isprintable()):
            self.add(pointer, "invalid", f"write at most {LONGEST_TEXT} printable characters")


@dataclass(frozen=True)
class Known:
    """The rows that an order names and that exist."""

    skus: frozenset[str]
    nodes: dict[str, Collecting]
    services: frozenset[str]


@dataclass(frozen=True)
class Collecting:
    """What matters of a node where somebody wants to collect."""

    status: str
    collects: bool


def faults_of(session: Session, command: PlaceOrder, channel: Channel | None) -> list[Fault]:
    """Return every fault of the order."""
    faults = Faults()
    faults.code("/external_id", command.external_id)
    _basket(faults, session, command, channel)
    if command.promise is not None and quotes.find(session, command.promise) is None:
        faults.add("/promise", "unknown_promise", "there is no such promise, or not any more; ask for promises again")
    return faults.found


def draft_faults(session: Session, basket: Basket, channel: Channel | None) -> list[Fault]:
    """Return what is wrong with a basket that may still miss what an order needs."""
    faults = Faults()
    _basket(faults, session, basket, channel)
    return [fault for fault in faults.found if fault.code != MISSING]


def require_channel(faults: Faults, channel: Channel | None) -> None:
    """Note a channel that takes no orders."""
    if channel is None or not channel.active:
        faults.add("/channel", "unknown_channel", "there is no such channel, or it is closed")


def line_total(line: Line) -> int:
    """Return what the line costs, in minor units."""
    return line.unit_price.minor * line.quantity - (line.discount.minor if line.discount else 0)


def total(command: Basket) -> int:
    """Return what the order costs with its shipping, in minor units."""
    shipping = command.shipping_price.minor if command.shipping_price else 0
    return shipping + sum(line_total(line) for line in command.lines)


def method_of(command: Basket, line: Line) -> str:
    """Return how this line reaches the customer."""
    return line.method or command.method


def collect_node_of(command: Basket, line: Line) -> str | None:
    """Return where this line is collected or carried out, if it is."""
    return None if method_of(command, line) == Method.SHIP else line.collect_node or command.collect_node


def _basket(faults: Faults, session: Session, command: Basket, channel: Channel | None) -> None:
    require_channel(faults, channel)
    _head(faults, command)
    _lines(faults, command, _known(session, command))
    _customer(faults, session, command)
    if command.ship_to is not None:
        _ship_to(faults, command.ship_to)
    _total(faults, command)


def _head(faults: Faults, command: Basket) -> None:
    if not command.currency:
        faults.add("/currency", MISSING, "say in which currency")
    elif command.currency not in CURRENCIES:
        faults.add("/currency", "unknown_currency", "use an ISO 4217 code such as EUR")
    if command.method not in METHODS:
        faults.add("/method", "unknown_method", f"use one of {', '.join(METHODS)}")
    if command.requested_from and command.requested_by and command.requested_by < command.requested_from:
        faults.add("/requested/to", "before_from", "the end lies before the beginning")
    _money(faults, "/shipping_price", command.shipping_price, command.currency)
    if not command.lines:
        faults.add("/lines", MISSING, "an order has at least one line")
    if len(command.lines) > MOST_LINES:
        faults.add("/lines", "too_many", f"an order has at most {MOST_LINES} lines; send the rest as another order")


def _lines(faults: Faults, command: Basket, known: Known) -> None:
    for number, line in enumerate(command.lines):
        pointer = f"/lines/{number}"
        if line.sku not in known.skus:
            faults.add(f"{pointer}/sku", "unknown_sku", "there is no such article")
        if not 1 <= line.quantity <= MOST_UNITS:
            faults.add(f"{pointer}/quantity", "out_of_range", f"order 1 to {MOST_UNITS} units")
        _prices(faults, pointer, line, command.currency)
        _way(faults, pointer, command, line, known)
    if any(method_of(command, line) == Method.SHIP for line in command.lines):
        if command.ship_to is None:
            faults.add("/ship_to", MISSING, "say where the parcel goes")
        if known.services and command.service not in known.services:
            faults.add("/service", "unknown_service", f"use one of {', '.join(sorted(known.services))}")


def _prices(faults: Faults, pointer: str, line: Line, currency: str) -> None:
    for name, money in (("unit_price", line.unit_price), ("discount", line.discount), ("tax", line.tax)):
        _money(faults, f"{pointer}/{name}", money, currency)
    if line.discount and line.quantity > 0 and line_total(line) < 0 <= line.unit_price.minor:
        faults.add(f"{pointer}/discount", "too_large", "the discount is larger than the price of the line")
    elif line.tax and line.tax.minor > line_total(line):
        faults.add(f"{pointer}/tax", "too_large", "the tax is part of the price of the line and cannot be larger")


def _money(faults: Faults, pointer: str, money: Money | None, currency: str) -> None:
    if money is None:
        return
    if money.currency != currency:
        faults.add(f"{pointer}/currency", "other_currency", f"the order is in {currency}")
    if money.minor < 0:
        faults.add(f"{pointer}/amount", "negative", "write 0 or more")


def _way(faults: Faults, pointer: str, command: Basket, line: Line, known: Known) -> None:
    """Check the line's method and the node it is collected at, under the field that says so."""
    if line.method is not None and line.method not in METHODS:
        faults.add(f"{pointer}/method", "unknown_method", f"use one of {', '.join(METHODS)}")
        return
    if method_of(command, line) not in {Method.COLLECT, Method.CARRY_OUT}:
        return
    at = f"{pointer}/collect_node" if line.collect_node is not None or line.method is not None else "/collect_node"
    if all(fault.pointer != at for fault in faults.found):
        _collect_node(faults, at, collect_node_of(command, line), method_of(command, line), known)


def _collect_node(faults: Faults, pointer: str, node_id: str | None, method: str, known: Known) -> None:
    if node_id is None:
        faults.add(pointer, MISSING, "say at which node the goods are handed over")
        return
    node = known.nodes.get(node_id)
    if node is None:
        faults.add(pointer, "unknown_node", "there is no such node")
    elif node.status == NodeStatus.CLOSED:
        faults.add(pointer, "node_closed", "this node has closed for good")
    elif method == Method.COLLECT and not node.collects:
        faults.add(pointer, "cannot_collect", "this node does not offer collection")


def _customer(faults: Faults, session: Session, command: Basket) -> None:
    customer = command.customer
    if customer is None:
        if any(method_of(command, line) != Method.CARRY_OUT for line in command.lines):
            faults.add("/customer", MISSING, "say who buys")
        return
    if customer.id is not None and (not customer.id.isprintable() or session.get(Customer, customer.id) is None):
        faults.add("/customer/id", "unknown_customer", "there is no such customer")
    if not any((customer.id, customer.external_id, customer.name, customer.email, customer.phone)):
        faults.add("/customer", MISSING, "give an id, a name, an e-mail address or a phone number")
    _contact(faults, customer)


def _contact(faults: Faults, customer: CustomerDetails) -> None:
    for name in ("name", "email", "phone", "external_id"):
        faults.text(f"/customer/{name}", getattr(customer, name))
    if customer.email and not MAIL.fullmatch(customer.email):
        faults.add("/customer/email", "invalid", "write an e-mail address")
    if not LANGUAGE.fullmatch(customer.language):
        faults.add("/customer/language", "invalid", "use a language tag such as en or pt-PT")


def _ship_to(faults: Faults, ship_to: ShipTo) -> None:
    for name in ("name", "line1", "city"):
        faults.text(f"/ship_to/{name}", getattr(ship_to, name), needed=True)
    for name in ("line2", "region", "postal_code"):
        faults.text(f"/ship_to/{name}", getattr(ship_to, name))
    if ship_to.country not in COUNTRIES:
        faults.add("/ship_to/country", "unknown_country", "use an ISO 3166-1 code of two letters such as ES")
    if (ship_to.latitude is None) != (ship_to.longitude is None):
        faults.add("/ship_to/latitude", "incomplete", "give latitude and longitude, or neither")
    for name, most in (("latitude", 90.0), ("longitude", 180.0)):
        degrees = getattr(ship_to, name)
        if degrees is not None and not (math.isfinite(degrees) and abs(degrees) <= most):
            faults.add(f"/ship_to/{name}", "out_of_range", f"write degrees from -{most:g} to {most:g}")


def address_faults(ship_to: ShipTo) -> list[Fault]:
    """Return every fault of an address."""
    faults = Faults()
    _ship_to(faults, ship_to)
    return faults.found


def _total(faults: Faults, command: Basket) -> None:
    if not faults.found and total(command) >= MOST_MINOR:
        faults.add("/lines", "too_large", "the order's total is too large to be one")


def _known(session: Session, command: Basket) -> Known:
    skus = {line.sku for line in command.lines if line.sku.isprintable()}
    nodes = {node for node in _nodes_named(command) if node.isprintable()}
    ships = any(method_of(command, line) == Method.SHIP for line in command.lines)
    rows = session.execute(_NODES, {"nodes": nodes}) if nodes else ()
    return Known(
        skus=frozenset(session.scalars(_SKUS, {"skus": skus})),
        nodes={row.id: Collecting(row.status, bool(row.collects)) for row in rows},
        services=frozenset(session.scalars(_SERVICES)) if ships else frozenset(),
    )


# Statements are built once, since every order is checked.
_ARTICLE, _NODE, _PROFILE, _CARRIER = table(Article), table(Node), table(NodeProfile), table(CarrierService)
_SKUS = select(_ARTICLE.c.sku).where(_ARTICLE.c.sku.in_(bindparam("skus", expanding=True)))
_SERVICES = select(_CARRIER.c.service).where(_CARRIER.c.active).distinct()
_NODES = (
    select(_NODE.c.id, _NODE.c.status, _PROFILE.c.collects)
    .outerjoin(_PROFILE, _PROFILE.c.node == _NODE.c.id)
    .where(_NODE.c.id.in_(bindparam("nodes", expanding=True)))
)


def _nodes_named(command: Basket) -> Iterator[str]:
    for line in command.lines:
        node = collect_node_of(command, line)
        if node is not None:
            yield node
