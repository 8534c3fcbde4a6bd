"""A question for promises, checked: a basket that is sent or a cart's, as one demand that would be shipped.

Called by `promises` on a read session. Invariant: nothing is written, and every fault is found, under the field that
has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from fulfillment.sourcing.proposal import Wanted
from fulfillment.work.models import Method
from kernel.errors import Fault
from kernel.ids import new_id
from kernel.money import Money
from kernel.vault import Vault
from oms import baskets, bundles, carts, checks, orders
from oms.checks import MISSING
from oms.commands import AskPromises, Basket, Line, Place, PlaceOrder, ShipTo
from oms.errors import InvalidRequest
from oms.models import Cart, Channel
from oms.orders import Prepared
from stock import reports


@dataclass(frozen=True)
class Asked:
    """What is asked about: a demand that would be shipped, in a channel, and perhaps the cart that it comes from."""

    wanted: Wanted
    channel: Channel
    cart: Cart | None


def understand(
    session: Session, ask: AskPromises, services: Sequence[str], *, country: str, vault: Vault, now: datetime
) -> Asked:
    """Check a question and state it as a demand; `services` are those there are.

    `country` is where a place without one lies.

    Raises UnknownCart, CartClosed, and InvalidRequest with every fault.
    """
    cart = None
    if ask.cart is not None:
        cart = carts.get(session, ask.cart)
        carts.require_open(session, cart)
    name = ask.channel or (cart.channel if cart else "")
    channel = session.get(Channel, name) if name.isprintable() else None
    basket = _basket(session, ask, cart, channel, country=country, vault=vault)
    if faults := _faults(session, ask, basket, channel, services):
        raise InvalidRequest(faults)
    assert channel is not None, "a basket without a channel has a fault"
    return Asked(_wanted(session, basket, channel, now=now), channel, cart)


def _basket(
    session: Session, ask: AskPromises, cart: Cart | None, channel: Channel | None, *, country: str, vault: Vault
) -> Basket:
    """Return what is asked about as a basket that is shipped, at the articles' own prices or those of the cart."""
    name, place = channel.id if channel else "", _ship_to(ask.place, country) if ask.place else None
    if cart:
        known = baskets.basket_of(session, cart, vault)
        lines = tuple(replace(line, method=None, collect_node=None) for line in known.lines)
        return Basket(
            channel=name, currency=known.currency, lines=lines, ship_to=place or known.ship_to,
            requested_from=ask.requested_from or known.requested_from,
            requested_by=ask.requested_by or known.requested_by,
        )  # fmt: skip
    articles = reports.articles(session, {sku for sku, _ in ask.lines if sku.isprintable()}) if ask.lines else {}
    currency = channel.currency if channel else ""
    lines = tuple(
        Line(sku=sku, quantity=units, unit_price=Money(articles[sku].price_minor if sku in articles else 0, currency))
        for sku, units in ask.lines
    )
    return Basket(
        channel=name, currency=currency, lines=lines, ship_to=place, requested_from=ask.requested_from,
        requested_by=ask.requested_by,
    )  # fmt: skip


def _ship_to(place: Place, country: str) -> ShipTo:
    return ShipTo(
        name="", line1="", city="", postal_code=place.postal_code or "", country=place.country or country,
        latitude=place.latitude, longitude=place.longitude,
    )  # fmt: skip


def _faults(
    session: Session, ask: AskPromises, basket: Basket, channel: Channel | None, known: Sequence[str]
) -> list[Fault]:
    """Return every fault of a question, under the fields in which it was sent."""
    # As a collection, so that the service is not looked at: each of those asked about is.
    faults = checks.draft_faults(session, replace(basket, method=Method.COLLECT.value), channel)
    faults = [replace(fault, pointer=fault.pointer.replace("/ship_to", "/place")) for fault in faults]
    if basket.ship_to is None:
        faults.append(Fault("/place", MISSING, "say where it goes, or near which place it is collected"))
    if not basket.lines:
        faults.append(Fault("/lines", MISSING, "say what is wanted, or name a cart"))
    for number, name in enumerate(ask.services):
        if name not in known:
            faults.append(Fault(f"/services/{number}", "unknown_service", f"use one of {', '.join(known)}"))
    return faults


def _wanted(session: Session, basket: Basket, channel: Channel, *, now: datetime) -> Wanted:
    """Return the basket as one demand that is shipped; a line is named by its place as sent, a component beside it."""
    as_order = PlaceOrder(external_id="", **vars(basket))
    unpacked = bundles.unpack(session, as_order)
    prepared = Prepared(
        command=replace(as_order, lines=unpacked.lines), body_hash=b"", order_id=new_id(), unpacked=unpacked,
        line_ids=tuple(f"{place + 1}/{number}" for number, place in enumerate(unpacked.places)),
    )  # fmt: skip
    [wanted] = orders.wanted_of(session, prepared, channel, now=now)
    return wanted
