"""Carts: what somebody is about to buy, begun in one channel and finished in any.

Called by the doors, by `orders` when a cart becomes an order, and by the job that gives up carts nobody came back to.
Invariants: whoever changes a cart has locked its row, before any customer and any balance; what is held for a cart has
its id as reference; whoever shopped with a cart is erased from it when it closes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from fulfillment.network import held_minutes
from kernel import events
from kernel.db import database_now
from kernel.ids import new_id, short_code
from kernel.states import advance
from kernel.vault import Vault
from oms import baskets, checks
from oms.commands import Basket
from oms.errors import CartClosed, InvalidCart, UnknownCart
from oms.events import CartMoved
from oms.models import CART_TRANSITIONS, Cart, CartStatus, Channel, Order
from stock import holds
from stock.postings import Header

CODE_LENGTH = 8


def start(session: Session, basket: Basket, *, vault: Vault, actor: str) -> Cart:
    """Begin a cart. Much may be missing in it, but nothing wrong: raises InvalidCart with every fault."""
    _check(session, basket)
    cart = Cart(
        id=new_id(), code=short_code(CODE_LENGTH), status=CartStatus.OPEN, started_in=basket.channel, version=1,
        lines=[],
    )  # fmt: skip
    baskets.fill(session, cart, basket, vault)
    session.add(cart)
    session.flush()
    _tell(session, cart, None, actor=actor)
    return cart


def change(
    session: Session, cart_id: str, basket: Basket, *, hold_minutes: int, vault: Vault, actor: str, now: datetime
) -> Cart:
    """Let a cart hold what the basket says, which may be in another channel than before.

    What is held for it and still wanted is extended by `hold_minutes`, as far as it may; what is not, is released.
    Raises UnknownCart, CartClosed, and InvalidCart with every fault.
    """
    cart = lock_open(session, cart_id)
    _check(session, basket)
    baskets.fill(session, cart, basket, vault)
    _touch(cart)
    session.flush()
    keep = baskets.units_needed(session, basket.lines)
    holds.release(session, _header(cart, "hold", actor=actor, now=now), cart.id, keep=keep)
    holds.extend(session, cart.id, minutes=hold_minutes)
    return cart


def go_on(session: Session, cart_id: str, channel: str, *, hold_minutes: int) -> Cart:
    """Go on with a cart in another channel: its lines, prices, shopper and holds stay, and are extended.

    Raises UnknownCart, CartClosed, and InvalidCart for a channel that there is not.
    """
    cart = lock_open(session, cart_id)
    faults = checks.Faults()
    checks.require_channel(faults, _channel(session, channel))
    if faults.found:
        raise InvalidCart(faults.found)
    cart.channel = channel
    _touch(cart)
    session.flush()
    holds.extend(session, cart.id, minutes=hold_minutes)
    return cart


def release(session: Session, cart_id: str, *, actor: str, now: datetime) -> Cart:
    """Release what is held for a cart. Raises UnknownCart and CartClosed."""
    cart = lock_open(session, cart_id)
    holds.release(session, _header(cart, "release", actor=actor, now=now), cart.id)
    held_minutes.release(session, [cart.id])
    cart.touched_at = database_now()
    session.flush()
    return cart


def abandon(session: Session, cart_id: str, *, actor: str, now: datetime) -> Cart:
    """Give up a cart: what is held for it is free, and who shopped with it is erased.

    Raises UnknownCart and CartClosed.
    """
    cart = lock_open(session, cart_id)
    give_up(session, [cart], actor=actor, now=now)
    return cart


def abandon_idle(session: Session, *, idle: timedelta, limit: int, actor: str, now: datetime) -> int:
    """Give up to `limit` carts that nobody used for so long by the database's clock; return how many."""
    clock: datetime | None = session.scalar(select(database_now()))
    assert clock is not None, "the database has a clock"
    left_alone = (Cart.status == CartStatus.OPEN) & (Cart.touched_at <= clock - idle)
    due = session.scalars(select(Cart.id).where(left_alone).order_by(Cart.touched_at, Cart.id).limit(limit)).all()
    # One that is used at this moment is no longer left alone once it is locked.
    locked = _lock_all(session, Cart.id.in_(due) & left_alone)
    give_up(session, locked, actor=actor, now=now)
    return len(locked)


def lock_of_customer(session: Session, customer_id: str) -> list[Cart]:
    """Lock the carts that a customer still shops with, and return them."""
    return _lock_all(session, _shopped_with_by(customer_id))


def of_customer(session: Session, customer_id: str) -> list[Cart]:
    """Return the carts that a customer still shops with, oldest first."""
    return list(session.scalars(select(Cart).where(_shopped_with_by(customer_id)).order_by(Cart.id)))


def give_up(session: Session, locked: Sequence[Cart], *, actor: str, now: datetime) -> None:
    """Abandon locked carts, in one posting of the ledger."""
    header = Header(kind="release", reference=locked[0].id if len(locked) == 1 else "", actor=actor, occurred_at=now)
    references = [cart.id for cart in locked]
    holds.release_all(session, header, references)
    held_minutes.release(session, references)
    for cart in locked:
        _close(session, cart, CartStatus.ABANDONED, actor=actor)


def finish(session: Session, cart: Cart, order: Order, *, actor: str) -> None:
    """Close a locked cart whose order was placed; from now on the order's customer is who the order is for."""
    cart.order_id = order.id
    _close(session, cart, CartStatus.ORDERED, actor=actor)


def get(session: Session, cart_id: str) -> Cart:
    """Return a cart with its lines. Raises UnknownCart."""
    cart = session.get(Cart, cart_id, options=[selectinload(Cart.lines)])
    if cart is None:
        raise UnknownCart(cart_id)
    return cart


def by_code(session: Session, code: str) -> list[Cart]:
    """Return the open cart with this code, as people type it; an empty list when there is none."""
    typed = "".join(letter for letter in code.upper() if letter.isalnum())
    return list(session.scalars(select(Cart).where(Cart.code == typed, Cart.status == CartStatus.OPEN)))


def lock(session: Session, cart_id: str) -> Cart:
    """Lock a cart and return it as it is now. Raises UnknownCart."""
    locked = _lock_all(session, Cart.id == cart_id)
    if not locked:
        raise UnknownCart(cart_id)
    return locked[0]


def lock_open(session: Session, cart_id: str) -> Cart:
    """Lock a cart that somebody still shops with. Raises UnknownCart and CartClosed."""
    cart = lock(session, cart_id)
    require_open(session, cart)
    return cart


def require_open(session: Session, cart: Cart) -> None:
    """Raise CartClosed unless somebody still shops with the cart."""
    if cart.status == CartStatus.ORDERED:
        order = session.get_one(Order, cart.order_id)
        raise CartClosed(cart.code, f"has become order {order.number}")
    if cart.status != CartStatus.OPEN:
        raise CartClosed(cart.code, "was given up")


def _check(session: Session, basket: Basket) -> None:
    if faults := checks.draft_faults(session, basket, _channel(session, basket.channel)):
        raise InvalidCart(faults)


def _channel(session: Session, channel: str) -> Channel | None:
    return session.get(Channel, channel) if channel.isprintable() else None


def _shopped_with_by(customer_id: str) -> Any:
    return (Cart.status == CartStatus.OPEN) & (Cart.customer_id == customer_id)


def _lock_all(session: Session, which: Any) -> list[Cart]:
    rows = session.scalars(
        select(Cart)
        .where(which)
        .order_by(Cart.id)
        .options(selectinload(Cart.lines))
        .execution_options(populate_existing=True)
        .with_for_update()
    )
    return list(rows)


def _close(session: Session, cart: Cart, target: CartStatus, *, actor: str) -> None:
    before = cart.status
    cart.status = advance(CART_TRANSITIONS, before, target, what=f"Cart {cart.code}")
    if cart.subject_id is not None:
        Vault.erase(session, cart.subject_id)
        cart.subject_id = None
    _touch(cart)
    session.flush()
    _tell(session, cart, before, actor=actor)


def _touch(cart: Cart) -> None:
    cart.version += 1
    cart.touched_at = database_now()


def _header(cart: Cart, kind: str, *, actor: str, now: datetime) -> Header:
    return Header(kind=kind, reference=cart.id, actor=actor, occurred_at=now)


def _tell(session: Session, cart: Cart, before: str | None, *, actor: str) -> None:
    events.record(
        session,
        CartMoved(
            aggregate_id=cart.id, channel=cart.channel, from_status=before, to_status=cart.status,
            order_id=cart.order_id, actor=actor,
        ),
    )  # fmt: skip
