"""How an order finishes a cart, and takes over what was held for it.

Called by `orders`, at the decision and at the commit. Invariants: a cart becomes one order, since its row is locked and
has not changed since the order was decided; what was held is exchanged in the commit of the decision, or released.
Minutes that the commit did not know of go with the next sweep, as it has touched the days of nodes for the last time.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from fulfillment.sourcing import holding
from fulfillment.sourcing.proposal import NOTHING, Holding
from kernel.vault import Vault
from oms import baskets, carts, history
from oms.commands import PlaceOrder
from oms.errors import CartChanged
from oms.models import Cart, Order
from stock import holds
from stock.postings import Header

LATE = "hold_expired"


def completed(session: Session, command: PlaceOrder, vault: Vault) -> tuple[PlaceOrder, int | None]:
    """Take from the cart that an order finishes what it does not say itself; return the cart's version too.

    What is held for its promise is held under the promise's id, or under the cart's where one was quoted for. Raises
    UnknownCart and CartClosed.
    """
    if command.cart is None:
        return (replace(command, hold_reference=command.promise) if command.promise else command), None
    cart = carts.get(session, command.cart)
    carts.require_open(session, cart)
    whole = baskets.completed(command, baskets.basket_of(session, cart, vault))
    return replace(whole, hold_reference=cart.id), cart.version


def held_for(session: Session, command: PlaceOrder) -> tuple[Holding, bool]:
    """Return what is claimed for an order, and whether the order is late: something was held, and nothing counts now.

    What has run out and nobody swept yet is the order's all the same, since nobody else can have it either.
    """
    if command.hold_reference is None:
        return NOTHING, False
    held = holding.of(session, command.hold_reference)
    return held, not any(each.valid for each in held.units) and holds.was_held(session, command.hold_reference)


def locked_cart(session: Session, command: PlaceOrder, version: int | None) -> Cart | None:
    """Lock the cart that an order finishes, if it does. Raises CartChanged when it is not as it was decided."""
    if command.cart is None:
        return None
    cart = carts.lock(session, command.cart)
    if cart.version != version:
        raise CartChanged(cart.code)
    return cart


def take_over(
    session: Session, command: PlaceOrder, order: Order, cart: Cart | None, *, late: bool, actor: str, now: datetime
) -> None:
    """Close the cart of an order, and release what its decision has not exchanged, such as units carried out."""
    if (reference := command.hold_reference) is not None:
        header = Header(kind="release", reference=reference, actor=actor, occurred_at=now)
        holds.release_all(session, header, [reference])
        if holds.was_held(session, reference):
            details, reason = {"reference": reference}, LATE if late else ""
            history.write(session, order.id, "hold_taken", reason=reason, details=details, actor=actor, now=now)
    if cart is not None:
        carts.finish(session, cart, order, actor=actor)
