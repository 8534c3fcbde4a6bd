"""/carts: begun in one channel, held, gone on with in another, and given up. POST /orders finishes one."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from api import showing
from api.openapi import PREFIX
from api.rest.operation import Call, Resource, anywhere
from api.schemas import carts as schemas
from oms import cart_holds, carts
from oms.cart_holds import PreparedHold
from stock.holds import Term

resource = Resource("carts", __name__, url_prefix=f"{PREFIX}/carts", description="What somebody is about to buy.")

EXAMPLE = {
    "channel": "web", "currency": "EUR", "method": "ship",
    "customer": {"email": "ana@example.com"}, "ship_to": {"postal_code": "28013", "country": "ES"},
    "lines": [{"sku": "SHI01-WHT-M", "quantity": 1, "unit_price": {"amount": "29.95", "currency": "EUR"}}],
}  # fmt: skip


def _version(session: Session, cart_id: str) -> int:
    return carts.get(session, cart_id).version


def _locked_version(session: Session, cart_id: str) -> int:
    return carts.lock(session, cart_id).version


def _decide(session: Session, call: Call, cart_id: str) -> PreparedHold:
    return cart_holds.prepare(session, cart_id, vault=call.vault, now=call.now)


@resource.operation(
    "POST", "", scope="orders:write", body=schemas.BasketSchema, answer=schemas.CartSchema, status=201, at=anywhere,
    example=EXAMPLE,
)  # fmt: skip
def start_cart(session: Session, call: Call) -> Any:
    """Begin a cart. Much may be missing until it is ordered; what is said must be right."""
    return showing.cart(session, carts.start(session, call.body, vault=call.vault, actor=call.actor))


@resource.operation(
    "GET", "", scope="orders:read", query=schemas.CartQuery, answer=schemas.CartsSchema, at=anywhere
)  # fmt: skip
def find_cart(session: Session, call: Call) -> Any:
    """Find the open cart with a code that somebody shows or says."""
    return {"items": [showing.cart(session, cart) for cart in carts.by_code(session, call.query["code"])]}


@resource.operation(
    "GET", "/<cart_id>", scope="orders:read", answer=schemas.WholeCartSchema, version=_version, at=anywhere
)
def show_cart(session: Session, call: Call, cart_id: str) -> Any:
    """Show a cart with its person, its address and what is held; its ETag is wanted by whoever changes it."""
    return showing.whole_cart(session, cart_id, vault=call.vault)


@resource.operation(
    "PUT", "/<cart_id>", scope="orders:write", body=schemas.BasketSchema, answer=schemas.CartSchema,
    version=_locked_version, at=anywhere, example=EXAMPLE,
)  # fmt: skip
def change_cart(session: Session, call: Call, cart_id: str) -> Any:
    """Change what is in a cart: all of it is sent, and what is left out is forgotten.

    What is held and still wanted is extended; what is no longer wanted is free.
    """
    minutes = call.config.carts.hold_minutes
    changed = carts.change(
        session, cart_id, call.body, hold_minutes=minutes, vault=call.vault, actor=call.actor, now=call.now
    )
    return showing.cart(session, changed)


@resource.operation(
    "POST", "/<cart_id>/continue", scope="orders:write", body=schemas.ContinueSchema, answer=schemas.CartSchema,
    at=anywhere, example={"channel": "till"},
)  # fmt: skip
def continue_cart(session: Session, call: Call, cart_id: str) -> Any:
    """Go on with a cart in another channel; its lines, prices, person and holds stay."""
    minutes = call.config.carts.hold_minutes
    return showing.cart(session, carts.go_on(session, cart_id, call.body["channel"], hold_minutes=minutes))


@resource.operation(
    "POST", "/<cart_id>/hold", scope="orders:write", body=schemas.CartHoldSchema, answer=schemas.HeldCartSchema,
    decide=_decide, at=anywhere, example={"minutes": 15},
)  # fmt: skip
def hold_cart(session: Session, call: Call, cart_id: str, decided: PreparedHold) -> Any:  # noqa: ARG001 (decided)
    """Hold what is in a cart where an order would be served from, so that nobody else can buy it meanwhile.

    Sent again, it extends what is held and holds again what has run out; what cannot be held is named in `missing`.
    """
    settings = call.config.carts
    term = Term(call.body["minutes"] or settings.hold_minutes, settings.most_hold_minutes)
    held = cart_holds.hold(session, decided, term=term, actor=call.actor, now=call.now)
    return showing.held_cart(session, held)


@resource.operation("POST", "/<cart_id>/release", scope="orders:write", answer=schemas.CartSchema, at=anywhere)
def release_cart(session: Session, call: Call, cart_id: str) -> Any:
    """Release what is held for a cart; the cart stays."""
    return showing.cart(session, carts.release(session, cart_id, actor=call.actor, now=call.now))


@resource.operation("POST", "/<cart_id>/abandon", scope="orders:write", answer=schemas.CartSchema, at=anywhere)
def abandon_cart(session: Session, call: Call, cart_id: str) -> Any:
    """Give up a cart: what is held for it is free, and whoever shopped with it is erased from it."""
    return showing.cart(session, carts.abandon(session, cart_id, actor=call.actor, now=call.now))
