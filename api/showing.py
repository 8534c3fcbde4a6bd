"""Orders and carts gathered for whoever asked: lean for the channel that wrote one, whole for whoever looks at it.

Called by REST resources. Invariant: what is stored as the answer to an idempotency key names no person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from api.schemas.carts import show_cart
from api.schemas.decisions import show_decision
from api.schemas.orders import show_line, show_order, show_part
from api.schemas.promises import show_alternative
from fulfillment.sourcing import explain, flip, story
from fulfillment.sourcing.promises import Alternative
from fulfillment.work.models import Decision
from kernel.money import Money
from kernel.vault import SubjectErased, Vault
from oms import baskets, carts, customers, history, view
from oms.cart_holds import CartHold
from oms.models import Cart, Order
from oms.view import Outline
from stock import holds, reports, supply


def placed(
    session: Session, found: Outline, *, currency: str, now: datetime, alternatives: Sequence[Alternative] = ()
) -> dict[str, Any]:
    """Return an order as the channel that placed it wants to see it: without person, payments or history."""
    shown = _shown(session, found, currency, now)
    return shown | {"alternatives": [show_alternative(each) for each in alternatives]}


def whole(session: Session, order_id: str, *, vault: Vault, currency: str, now: datetime) -> dict[str, Any]:
    """Return an order with its person, address and payments. Raises UnknownOrder."""
    found = view.whole(session, order_id)
    contact, address = _person(session, vault, found.order)
    return _shown(session, found, currency, now) | {
        "contact": contact,
        "ship_to": address,
        "holds": found.holds,
        "paid": found.paid,
        "due": found.due,
    }


def page(session: Session, orders: Sequence[Order]) -> list[tuple[Order, str]]:
    """Return orders of a list, each with what its shopper is told."""
    told = view.public_statuses(session, orders)
    return [(order, str(told[order.id])) for order in orders]


def decisions(session: Session, order_id: str, *, currency: str) -> list[dict[str, Any]]:
    """Return every decision about an order, in figures and in words. Raises UnknownOrder."""
    history.get(session, order_id)
    names = {node.id: node.name for node in reports.nodes(session)}
    found = view.decisions(session, order_id)
    before = story.stories(session, found, names=names)
    return [
        {
            **show_decision(decision, currency),
            **{
                name: getattr(decision, name)
                for name in ("assignments", "unfilled", "candidates", "policy", "policy_version")
            },
            "words": [
                sentence.text
                for sentence in (*before[decision.id], *explain.words(decision, names=names, currency=currency))
            ],
        }
        for decision in found
    ]


def flips(session: Session, order_id: str, decision_id: str | None, *, currency: str) -> list[dict[str, Any]]:
    """Return what would have flipped a decision about an order, or the newest of each of its demands.

    Raises UnknownOrder, and UnknownDecision for one that is not about the order.
    """
    history.get(session, order_id)
    names = {node.id: node.name for node in reports.nodes(session)}
    newest = {decision.demand_id: decision for decision in view.decisions(session, order_id)}
    asked = newest.values() if decision_id is None else view.decisions(session, order_id, only=decision_id)
    return [
        _flipped(decision, [_flip(each, names, currency) for each in flip.flips_of(session, decision)])
        for decision in asked
    ]


def _flipped(decision: Decision, found: list[dict[str, Any]]) -> dict[str, Any]:
    nearest = found[0] if found else None
    return {"decision_id": decision.id, "decided_at": decision.decided_at, "nearest": nearest, "flips": found}


def _flip(flipped: flip.Flipped, names: Mapping[str, str], currency: str) -> dict[str, Any]:
    words = flipped.sentence(names, currency).text
    return vars(flipped) | {"saves": Money(flipped.saves_minor, currency), "words": words}


def cart(session: Session, cart: Cart) -> dict[str, Any]:
    """Return a cart with what is held for it, without its person."""
    ends = [held.expires_at for held in holds.open_of(session, cart.id)]
    return show_cart(cart, baskets.held_by_line(session, cart), min(ends, default=None))


def whole_cart(session: Session, cart_id: str, *, vault: Vault) -> dict[str, Any]:
    """Return a cart with who shops and where it goes, as far as they said. Raises UnknownCart."""
    found = carts.get(session, cart_id)
    person = {"customer": baskets.shopper(session, found, vault), "ship_to": baskets.address(session, found, vault)}
    return cart(session, found) | person


def held_cart(session: Session, held: CartHold) -> dict[str, Any]:
    """Return a cart with what could not be held for it."""
    return cart(session, held.cart) | {"missing": held.missing}


def _shown(session: Session, found: Outline, currency: str, now: datetime) -> dict[str, Any]:
    waiting = {each.line.id: each.line.sku for each in found.lines if each.counters.waiting}
    expected = supply.expected(session, waiting, now=now)
    return show_order(found.order, str(found.public_status)) | {
        "lines": [
            show_line(each, found.order.currency) | {"expected_at": expected.get(each.line.id)} for each in found.lines
        ],
        "fulfillment_orders": [show_part(part) for part in found.parts],
        "decisions": [show_decision(decision, currency) for decision in found.decisions],
    }


def _person(session: Session, vault: Vault, order: Order) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    try:
        return customers.contact(session, vault, order.customer_id), customers.address(session, vault, order)
    except SubjectErased:
        return None, None
