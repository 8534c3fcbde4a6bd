"""Holding what is in a cart: decided as an order would be, then held where the decision would serve it from.

Called by the doors, which run `prepare` on a read session and `hold` in one short write transaction. Invariant: this
holds units and nothing else, no demand and no fulfillment order; minutes of work are held for a cart's promise alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from fulfillment.sourcing import decide, holding
from fulfillment.sourcing.proposal import Proposal, Wanted
from fulfillment.work.models import Method
from kernel.db import database_now
from kernel.errors import Fault
from kernel.vault import Vault
from oms import baskets, bundles, carts, orders
from oms.checks import MISSING
from oms.commands import PlaceOrder
from oms.errors import CartChanged, InvalidCart
from oms.models import Cart, Channel
from oms.orders import Prepared
from stock.holds import Term


@dataclass(frozen=True)
class PreparedHold:
    """A cart as it was read, and what was decided for it."""

    cart_id: str
    version: int
    proposal: Proposal


@dataclass(frozen=True)
class NotHeld:
    """Units of a cart's line, or of a component of a bundle there, that could not be held, and why."""

    position: int
    sku: str
    units: int
    reason: str


@dataclass(frozen=True)
class CartHold:
    """A cart that holds what could be held."""

    cart: Cart
    missing: tuple[NotHeld, ...]


def prepare(session: Session, cart_id: str, *, vault: Vault, now: datetime) -> PreparedHold:
    """Decide what is in a cart, to which what it holds already is available; writes nothing.

    Raises UnknownCart, CartClosed and CannotCollect.
    """
    cart = carts.get(session, cart_id)
    carts.require_open(session, cart)
    basket = baskets.basket_of(session, cart, vault)
    as_order = PlaceOrder(external_id=cart.id, **vars(basket))
    unpacked = bundles.unpack(session, as_order)
    wanting = Prepared(
        command=replace(as_order, lines=unpacked.lines), body_hash=b"", order_id=cart.id, unpacked=unpacked,
        line_ids=tuple(f"{cart.lines[place].position}/{number}" for number, place in enumerate(unpacked.places)),
    )  # fmt: skip
    channel = session.get_one(Channel, cart.channel)
    wanted = list(orders.wanted_of(session, wanting, channel, now=now))
    _require_stores(wanted)
    held = holding.of(session, cart.id)
    return PreparedHold(cart.id, cart.version, decide.decide(session, wanted, now=now, cause="hold", held=held))


def hold(session: Session, prepared: PreparedHold, *, term: Term, actor: str, now: datetime) -> CartHold:
    """Hold what was decided, as long as `term` says; what is held already is kept and extended.

    Returns the cart with what is missing. Raises CartClosed, and CartChanged or StalePlan when others were faster.
    """
    cart = carts.lock_open(session, prepared.cart_id)
    if cart.version != prepared.version:
        raise CartChanged(cart.code)
    holding.hold(session, prepared.proposal, cart.id, term=term, actor=actor, now=now)
    cart.touched_at = database_now()
    session.flush()
    missing = (
        NotHeld(int(each.line_id.partition("/")[0]), each.sku, each.units, each.reason)
        for each in prepared.proposal.unfilled
    )
    return CartHold(cart, tuple(sorted(missing, key=lambda each: each.position)))


def _require_stores(wanted: Sequence[Wanted]) -> None:
    if any(one.method == Method.COLLECT and one.collect_node is None for one in wanted):
        raise InvalidCart([Fault("/collect_node", MISSING, "say at which store the goods are collected")])
