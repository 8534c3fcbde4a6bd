"""Promises: the ways in which a basket could be served, quoted without commitment, and one of them held.

Called by the doors, which run `prepare` and `prepare_hold` on a read session, `write` and `hold` in one short write
transaction. Invariants: what is quoted can be bought until its `order_by` as long as it is held, units and minutes of
work alike; a quote names no person; what is held for a cart's promise is held for the cart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from fulfillment.network import held_minutes, nearby
from fulfillment.network.geography import Location
from fulfillment.network.minutes import NoMinutesLeft
from fulfillment.network.nearby import Store
from fulfillment.sourcing import holding
from fulfillment.sourcing import promises as sourcing
from fulfillment.sourcing.commit import StalePlan
from fulfillment.sourcing.promises import Way
from fulfillment.sourcing.proposal import NOTHING
from fulfillment.work.models import Method
from kernel.errors import Fault
from kernel.ids import new_id
from kernel.vault import Vault
from oms import asking, carts, quotes
from oms.commands import AskPromises
from oms.errors import CartChanged, PromiseExpired, PromiseGone, UnknownPromise
from oms.lacking import Lacking, lacking
from oms.models import Cart, Channel
from oms.quotes import Quoted
from stock import holds
from stock.errors import ClaimsChanged, InsufficientStock
from stock.holds import Held, HoldUnits, Term
from stock.postings import Header


@dataclass(frozen=True)
class Terms:
    """For how many minutes a quote is valid at most, and for how many it is then held."""

    valid_minutes: int
    hold_minutes: int


@dataclass(frozen=True)
class Offer:
    """A way with the id by which it is held, and the store of a collection."""

    quoted: Quoted
    way: Way
    store: Store | None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The ways to serve a basket, and what none of them serves; `quote_id` is theirs together."""

    quote_id: str
    quoted_at: datetime
    location: Location
    offers: tuple[Offer, ...]
    missing: tuple[Lacking, ...]


@dataclass(frozen=True)
class PreparedHold:
    """A way that was quoted, and what is claimed for it now."""

    quoted: Quoted
    held: Sequence[Held]


@dataclass(frozen=True)
class HeldPromise:
    """A way that is held, and until when."""

    quoted: Quoted
    held_until: datetime


def prepare(
    session: Session, ask: AskPromises, *, terms: Terms, country: str, vault: Vault, now: datetime
) -> Answer:  # fmt: skip
    """Find the ways to serve what is asked about; `country` is where a place without one lies.

    Raises UnknownCart, CartClosed, and InvalidRequest with every fault.
    """
    known = sourcing.services(session)
    asked = asking.understand(session, ask, known, country=country, vault=vault, now=now)
    wanted, channel, cart = asked.wanted, asked.channel, asked.cart
    stores = nearby.stores(session, wanted.location, ask.stores) if Method.COLLECT in ask.methods else []
    grace = terms.valid_minutes + terms.hold_minutes
    every = [replace(wanted.collected_at(store.node), demand_id=new_id(), grace_minutes=grace) for store in stores]
    if Method.SHIP in ask.methods:
        every += [
            replace(wanted, service=name, policy=channel.policy_for(name), demand_id=new_id())
            for name in ask.services or known
        ]
    held = holding.of(session, cart.id) if cart else NOTHING
    found = wanted.location.latitude is not None
    choice = sourcing.ways_to_serve(session, every, now=now, most=ask.most, held=held, by_distance=found)
    quote_id = new_id()
    quoted = [
        _quoted(quote_id, number, way, channel, cart, until=now + timedelta(minutes=terms.valid_minutes))
        for number, way in enumerate(choice.ways, start=1)
    ]
    at = {store.node: store for store in stores}
    return Answer(
        quote_id=quote_id,
        quoted_at=now,
        location=wanted.location,
        offers=tuple(
            Offer(kept, way, at.get(kept.collect_node or "")) for kept, way in zip(quoted, choice.ways, strict=True)
        ),
        missing=lacking(session, choice, wanted, channel, now=now),
    )


def write(session: Session, answer: Answer) -> None:
    """Keep what is quoted, so that it can be held."""
    quotes.write(session, answer.quote_id, [offer.quoted for offer in answer.offers], now=answer.quoted_at)


def prepare_hold(session: Session, promise_id: str, *, now: datetime) -> PreparedHold:
    """Read a way and what is held for it.

    Raises UnknownPromise, and PromiseExpired when it is no longer valid and nothing is held for it.
    """
    quoted = quotes.find(session, promise_id)
    if quoted is None:
        raise UnknownPromise(promise_id)
    held = holds.claimed_by(session, quoted.reference)
    if _minutes_left(quoted, now) < 1 or (now > quoted.valid_until and not any(each.valid for each in held)):
        raise PromiseExpired(promise_id)
    return PreparedHold(quoted, held)


def hold(session: Session, prepared: PreparedHold, *, term: Term, actor: str, now: datetime) -> HeldPromise:
    """Hold a way's units and minutes where they were quoted, never longer than an order can have what was promised.

    Held again, it is extended. Raises PromiseGone when others took units or minutes, CartClosed, CartChanged when the
    cart is another than the one that was quoted for, and StalePlan when what was held has ended meanwhile.
    """
    quoted = prepared.quoted
    if quoted.cart_id is not None:
        cart = carts.lock_open(session, quoted.cart_id)
        if cart.version != quoted.cart_version:
            raise CartChanged(cart.code)
    left = _minutes_left(quoted, now)
    bounded = Term(min(term.minutes, left), min(term.most_minutes, left))
    parts = [holding.Part(HoldUnits(sku, node, units), quoted.channel) for sku, node, units in quoted.units]
    try:
        ends = holding.hold_parts(
            session, parts, quoted.reference, instead_of=prepared.held, term=bounded, now=now, actor=actor
        )
        held_minutes.hold(session, quoted.reference, quoted.minutes)
    except InsufficientStock as refusal:
        raise PromiseGone(refusal.faults) from refusal
    except NoMinutesLeft as refusal:
        message = f"{refusal.node} has not {refusal.minutes} minutes of work left on {refusal.on}."
        raise PromiseGone([Fault("", refusal.code, message)]) from refusal
    except ClaimsChanged as refusal:
        raise StalePlan([fault.message for fault in refusal.faults]) from refusal
    return HeldPromise(quoted, ends)


def release(session: Session, promise_id: str, *, actor: str, now: datetime) -> Quoted:
    """Release what is held for a promise. Raises UnknownPromise."""
    quoted = quotes.find(session, promise_id)
    if quoted is None:
        raise UnknownPromise(promise_id)
    header = Header(kind="release", reference=quoted.reference, actor=actor, occurred_at=now)
    holds.release(session, header, quoted.reference)
    held_minutes.release(session, [quoted.reference])
    return quoted


def _quoted(
    quote_id: str, number: int, way: Way, channel: Channel, cart: Cart | None, *, until: datetime
) -> Quoted:  # fmt: skip
    units: Counter[tuple[str, str]] = Counter()
    minutes: Counter[tuple[str, date]] = Counter()
    for package in way.packages:
        units.update({(line.sku, package.node): line.units for line in package.lines})
        minutes[package.node, package.work_on] += package.work_minutes
    return Quoted(
        id=quotes.way_id(quote_id, number),
        channel=channel.id,
        method=way.wanted.method,
        service=way.wanted.service,
        collect_node=way.wanted.collect_node,
        units=tuple((sku, node, count) for (sku, node), count in sorted(units.items())),
        minutes=tuple((node, on, count) for (node, on), count in sorted(minutes.items()) if count),
        promised_by=way.arrives_at,
        order_by=way.order_by,
        valid_until=min(until, way.order_by),
        cart_id=cart.id if cart else None,
        cart_version=cart.version if cart else None,
    )


def _minutes_left(quoted: Quoted, now: datetime) -> int:
    """Return for how many minutes an order could still have what was promised."""
    return int((quoted.order_by - now).total_seconds() // 60)
