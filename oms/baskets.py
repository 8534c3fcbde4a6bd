"""What is in a cart, written and read: lines with their prices, and who shops, whose words stand in the vault.

Called by `carts` and `orders`. Invariant: who shops and where the goods would go are records of a subject of the
cart's own; what is no longer said is erased.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from typing import Any

from sqlalchemy.orm import Session

from fulfillment.work.models import Method
from kernel.money import Money
from kernel.vault import Vault
from oms import checks
from oms.commands import Basket, CustomerDetails, Line, PlaceOrder, ShipTo
from oms.models import Cart, CartLine
from stock import holds, recipes
from stock.recipes import Component, RecipeKind

SHOPPER, SHIP_TO = "customer", "ship_to"


def fill(session: Session, cart: Cart, basket: Basket, vault: Vault) -> None:
    """Write the basket into a cart; a line that was there already keeps the channel that gave its price."""
    priced_in = {_content(line): line.priced_in for line in cart.lines}
    for name in ("channel", "currency", "method", "collect_node", "service", "requested_from", "requested_by"):
        setattr(cart, name, getattr(basket, name))
    cart.shipping_price_minor = basket.shipping_price.minor if basket.shipping_price else None
    cart.customer_id = basket.customer.id if basket.customer else None
    _keep_person(session, cart, basket, vault)
    lines = [_cart_line(line, position) for position, line in enumerate(basket.lines, start=1)]
    for line in lines:
        line.priced_in = priced_in.get(_content(line), basket.channel)
    cart.lines.clear()
    session.flush()
    cart.lines.extend(lines)


def basket_of(session: Session, cart: Cart, vault: Vault) -> Basket:
    """Return what a cart holds, with who shops and where it goes."""
    shipping = cart.shipping_price_minor
    return Basket(
        channel=cart.channel, currency=cart.currency, lines=tuple(_line(line, cart.currency) for line in cart.lines),
        customer=shopper(session, cart, vault), ship_to=address(session, cart, vault), method=cart.method,
        collect_node=cart.collect_node, service=cart.service, requested_from=cart.requested_from,
        requested_by=cart.requested_by, shipping_price=None if shipping is None else Money(shipping, cart.currency),
    )  # fmt: skip


def completed(command: PlaceOrder, basket: Basket) -> PlaceOrder:
    """Return an order with what it does not say itself taken from the cart that it finishes."""
    kept = {f.name: getattr(command, f.name) or getattr(basket, f.name) for f in fields(Basket)}
    whole = replace(command, **kept)
    if all(checks.method_of(whole, line) != Method.SHIP for line in whole.lines):
        # An address that was only begun is no fault of an order that is not shipped.
        whole = replace(whole, ship_to=command.ship_to)
    return whole


def shopper(session: Session, cart: Cart, vault: Vault) -> CustomerDetails | None:
    """Return who shops, as far as they said."""
    said = _said(session, cart, vault, SHOPPER)
    if said is None:
        return CustomerDetails(id=cart.customer_id) if cart.customer_id else None
    return CustomerDetails(id=cart.customer_id, **said)


def address(session: Session, cart: Cart, vault: Vault) -> ShipTo | None:
    """Return where the cart's goods would go, as far as was said."""
    said = _said(session, cart, vault, SHIP_TO)
    return None if said is None else ShipTo(**said)


def units_needed(session: Session, lines: Iterable[Line]) -> Counter[str]:
    """Return the units of each SKU that lines take from the shelf; a bundle takes its components."""
    wanted: Counter[str] = Counter()
    for line in lines:
        wanted[line.sku] += line.quantity
    for sku, components in recipes.components(session, wanted, kind=RecipeKind.BUNDLE).items():
        count = wanted.pop(sku)
        for component in components:
            wanted[component.sku] += count * component.units
    return wanted


def held_by_line(session: Session, cart: Cart) -> list[int]:
    """Return how many units of each line are held, in their order; a bundle as often as all its components are."""
    left = Counter[str]()
    for held in holds.open_of(session, cart.id):
        left[held.sku] += held.units
    made_of = recipes.components(session, {line.sku for line in cart.lines}, kind=RecipeKind.BUNDLE)
    counts = []
    for line in cart.lines:
        parts = made_of.get(line.sku, (Component(line.sku, 1),))
        counts.append(min(line.units, *(left[part.sku] // part.units for part in parts)))
        left.subtract({part.sku: counts[-1] * part.units for part in parts})
    return counts


def _cart_line(line: Line, position: int) -> CartLine:
    return CartLine(
        position=position, sku=line.sku, units=line.quantity, unit_price_minor=line.unit_price.minor,
        discount_minor=line.discount.minor if line.discount else 0, tax_minor=line.tax.minor if line.tax else 0,
        method=line.method, collect_node=line.collect_node,
    )  # fmt: skip


def _content(line: CartLine) -> tuple[Any, ...]:
    return line.sku, line.unit_price_minor, line.discount_minor, line.tax_minor


def _line(line: CartLine, currency: str) -> Line:
    return Line(
        sku=line.sku, quantity=line.units, unit_price=Money(line.unit_price_minor, currency),
        discount=Money(line.discount_minor, currency) if line.discount_minor else None,
        tax=Money(line.tax_minor, currency) if line.tax_minor else None,
        method=line.method, collect_node=line.collect_node,
    )  # fmt: skip


def _keep_person(session: Session, cart: Cart, basket: Basket, vault: Vault) -> None:
    """Keep who shops and where it goes in the vault; a subject is opened for the first that is said."""
    said: dict[str, dict[str, Any]] = {}
    if basket.customer is not None:
        said[SHOPPER] = {name: value for name, value in asdict(basket.customer).items() if name != "id"}
    if basket.ship_to is not None:
        said[SHIP_TO] = asdict(basket.ship_to)
    if cart.subject_id is not None and _names(session, cart, vault) - said.keys():
        # What is no longer said is forgotten.
        vault.erase(session, cart.subject_id)
        cart.subject_id = None
    if said and cart.subject_id is None:
        cart.subject_id = vault.open_subject(session, records=said)
    elif said and cart.subject_id is not None:
        vault.write(session, cart.subject_id, records=said)


def _names(session: Session, cart: Cart, vault: Vault) -> set[str]:
    return {name for name in (SHOPPER, SHIP_TO) if _said(session, cart, vault, name) is not None}


def _said(session: Session, cart: Cart, vault: Vault, name: str) -> dict[str, Any] | None:
    return vault.read(session, cart.subject_id, name) if cart.subject_id else None
