"""Promises: the ways in which a basket could be served, quoted without commitment, and one of them held.

Called by the doors, which run `prepare` and `prepare_hold` on a read session, `write` and `hold` in one short write
transaction. Invariants: what is quoted can be bought until its `order_by` as long as its units are held and its nodes
have the minutes; a quote names no person; what is held for a cart's promise is held for the cart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from fulfillment.network.geography import Location
from fulfillment.sourcing import holding
from fulfillment.sourcing import promises as sourcing
from fulfillment.sourcing.commit import StalePlan
from fulfillment.sourcing.promises import Choice, Store, Way
from fulfillment.sourcing.proposal import Missing, Wanted
from fulfillment.work.models import Method
from kernel.errors import Fault
from kernel.ids import new_id
from kernel.money import Money
from kernel.vault import Vault
from oms import baskets, bundles, carts, checks, orders, quotes
from oms.checks import MISSING
from oms.commands import AskPromises, Basket, Line, Place, PlaceOrder, ShipTo
from oms.errors import CartChanged, InvalidRequest, PromiseExpired, PromiseGone, UnknownPromise
from oms.models import Cart, Channel
from oms.orders import Prepared
from oms.quotes import Quoted
from stock import availability, holds, outlook, reports, supply
from stock.errors import ClaimsChanged, InsufficientStock
from stock.holds import Held, HoldUnits, Term
from stock.outlook import Status
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
class Lacking:
    """Units of a line (from 1, as sent) that no way serves, why, and from when on they can be had, if that is known."""

    line: int
    sku: str
    units: int
    reason: str
    expected_at: datetime | None


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
    cart = _cart(session, ask)
    channel = (
        session.get(Channel, name) if (name := ask.channel or (cart.channel if cart else "")).isprintable() else None
    )
    basket = _basket(session, ask, cart, channel, country=country, vault=vault)
    known = sourcing.services(session)
    if faults := _faults(session, ask, basket, channel, known):
        raise InvalidRequest(faults)
    assert channel is not None, "a basket without a channel has a fault"
    wanted = _wanted(session, basket, channel, now=now)
    stores = sourcing.stores_near(session, wanted.location, ask.stores) if Method.COLLECT in ask.methods else []
    grace = terms.valid_minutes + terms.hold_minutes
    asked = [replace(wanted, service=name, demand_id=new_id()) for name in ask.services or known]
    every = asked if Method.SHIP in ask.methods else []
    every += [replace(sourcing.at_store(wanted, store.node), grace_minutes=grace) for store in stores]
    held = holds.claimed_by(session, cart.id) if cart else []
    choice = sourcing.ways_to_serve(session, every, now=now, most=ask.most, held=held)
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
        missing=_lacking(session, choice, wanted, channel, now=now),
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
    """Hold the units of a way where they were quoted from, never longer than an order can have what was promised.

    Held again, it is extended. Raises PromiseGone when others took units, CartClosed, CartChanged when the cart is
    another than the one that was quoted for, and StalePlan when what was held has ended meanwhile.
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
    except InsufficientStock as refusal:
        raise PromiseGone(refusal.faults) from refusal
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
    return quoted


def _cart(session: Session, ask: AskPromises) -> Cart | None:
    if ask.cart is None:
        return None
    cart = carts.get(session, ask.cart)
    carts.require_open(session, cart)
    return cart


def _basket(
    session: Session, ask: AskPromises, cart: Cart | None, channel: Channel | None, *, country: str, vault: Vault
) -> Basket:
    """Return what is asked about as a basket that is shipped, at the articles' own prices or those of the cart."""
    currency = cart.currency if cart else channel.currency if channel else ""
    lines = tuple(Line(sku=sku, quantity=units, unit_price=Money(0, currency)) for sku, units in ask.lines)
    if cart:
        lines = baskets.basket_of(session, cart, vault).lines
        lines = tuple(replace(line, method=None, collect_node=None) for line in lines)
    elif lines:
        articles = reports.articles(session, {line.sku for line in lines if line.sku.isprintable()})
        prices = {sku: article.price_minor for sku, article in articles.items()}
        lines = tuple(
            replace(line, unit_price=Money(prices.get(line.sku, 0), currency)) for line in lines
        )  # fmt: skip
    ship_to = _ship_to(ask.place, country) if ask.place else baskets.address(session, cart, vault) if cart else None
    return Basket(
        channel=channel.id if channel else "", currency=currency, lines=lines, ship_to=ship_to,
        requested_from=ask.requested_from, requested_by=ask.requested_by,
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


def _quoted(
    quote_id: str, number: int, way: Way, channel: Channel, cart: Cart | None, *, until: datetime
) -> Quoted:  # fmt: skip
    units: Counter[tuple[str, str]] = Counter()
    for package in way.packages:
        units.update({(line.sku, package.node): line.units for line in package.lines})
    return Quoted(
        id=quotes.way_id(quote_id, number),
        channel=channel.id,
        method=way.wanted.method,
        service=way.wanted.service,
        collect_node=way.wanted.collect_node,
        units=tuple((sku, node, count) for (sku, node), count in sorted(units.items())),
        promised_by=way.arrives_at,
        order_by=way.order_by,
        valid_until=min(until, way.order_by),
        cart_id=cart.id if cart else None,
        cart_version=cart.version if cart else None,
    )


def _lacking(
    session: Session, choice: Choice, wanted: Wanted, channel: Channel, *, now: datetime
) -> tuple[Lacking, ...]:  # fmt: skip
    expected = _expected(session, choice.missing, wanted, channel, now=now)
    return tuple(
        Lacking(
            line=int(each.line_id.partition("/")[0]), sku=each.sku, units=each.units, reason=each.reason,
            expected_at=expected.get(each.sku),
        )
        for each in choice.missing
    )  # fmt: skip


def _expected(
    session: Session, missing: Sequence[Missing], wanted: Wanted, channel: Channel, *, now: datetime
) -> Mapping[str, datetime]:
    """Return from when on all that is wanted of a SKU can be promised, where dated supply covers it."""
    skus = {each.sku for each in missing if each.reason == "no_stock"}
    if not skus:
        return {}
    units: Counter[str] = Counter()
    for line in wanted.lines:
        units[line.sku] += line.units
    articles = reports.articles(session, skus)
    levels = availability.promisable(session, {sku: articles[sku].family for sku in skus}, channel=channel.id)
    waiting, coming = availability.open_demand(session, skus), supply.coming(session, skus)
    found: dict[str, datetime] = {}
    for sku in skus:
        article = articles[sku]
        terms = outlook.Terms(available_from=article.available_from, backorder=article.backorder)
        own = [level for (each, _), level in levels.items() if each == sku]
        told = outlook.of_article(own, waiting.get(sku, 0), coming.get(sku, ()), terms, low=0, now=now)
        first = supply.first_with(units[sku], told.dates)
        begins = told.expected_at if told.status == Status.PRE_ORDER else None
        if first or begins:
            found[sku] = max(filter(None, (first, begins)))
    return found


def _minutes_left(quoted: Quoted, now: datetime) -> int:
    """Return for how many minutes an order could still have what was promised."""
    return int((quoted.order_by - now).total_seconds() // 60)
