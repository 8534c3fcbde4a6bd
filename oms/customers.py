"""People who buy: one subject of the vault each, found again by the channel's id for them or by e-mail.

Called by `orders` when an order comes in, and by the doors that show, export and erase. Invariant: what names a person
stands in the vault alone; a customer with open orders is erased when the last of them closes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, exists, insert, select, update
from sqlalchemy.orm import Session

from kernel import events
from kernel.db import database_now, table
from kernel.vault import Clue, Subject, SubjectErased, Vault
from oms import baskets, carts
from oms.commands import CustomerDetails, ShipTo
from oms.errors import UnknownCustomer
from oms.events import CustomerErased
from oms.models import Cart, Customer, Order, OrderStatus

CONTACT = "contact"
OPEN = (OrderStatus.CREATED, OrderStatus.HELD, OrderStatus.APPROVED)
# National numbers differ in their last digits; before them people write +34, 0034, 0 or nothing.
PHONE_DIGITS = 9

# Statements are built once, since every order has a customer.
_CUSTOMER, _SUBJECT = table(Customer), table(Subject)
_OPEN = insert(_CUSTOMER).values(id=bindparam("id"), language=bindparam("language"), recorded_at=database_now())
_LOCK = (
    select(_CUSTOMER.c.id, _CUSTOMER.c.language)
    .join(_SUBJECT, _SUBJECT.c.id == _CUSTOMER.c.id)
    .where(_CUSTOMER.c.id == bindparam("id"), _SUBJECT.c.wrapped_key.is_not(None))
    .with_for_update(of=_CUSTOMER)
)


def admit(
    session: Session,
    vault: Vault,
    details: CustomerDetails,
    *,
    channel: str,
    addresses: Mapping[str, ShipTo] | None = None,
) -> str:
    """Find the customer or make one, keep what an order says about them, and return their id; the row is locked.

    `addresses` are where orders go, by the order's id. Of two orders that bring the same new person at once, the
    database refuses one (IntegrityError), which must begin again. Raises UnknownCustomer and SubjectErased.
    """
    records = {f"ship_to:{order_id}": asdict(ship_to) for order_id, ship_to in (addresses or {}).items()}
    clues = [Clue("name", ship_to.name) for ship_to in (addresses or {}).values()]
    said = {name: value for name in ("name", "email", "phone") if (value := getattr(details, name))}
    known = _recognised(session, vault, details, channel)
    if known is None:
        clues += _clues(details, channel)
        customer_id = vault.open_subject(session, records={CONTACT: said} | records, clues=clues)
        session.execute(_OPEN, {"id": customer_id, "language": details.language})
        return customer_id
    kept = contact(session, vault, known.id) or {}
    if said.items() - kept.items():
        records[CONTACT] = kept | said
    if CONTACT in records or (details.external_id and known.by != "external"):
        clues += _new_clues(session, vault, known.id, _clues(details, channel))
    if records or clues:
        vault.write(session, known.id, records=records, clues=clues)
    if known.language != details.language:
        session.execute(update(Customer).where(Customer.id == known.id).values(language=details.language))
    return known.id


def keep_address(session: Session, vault: Vault, customer_id: str, order_id: str, ship_to: ShipTo) -> None:
    """Keep where an order goes; the recipient's name leads to the customer, as a shopper asks under it."""
    clues = [Clue("name", ship_to.name)]
    vault.write(session, customer_id, records={f"ship_to:{order_id}": asdict(ship_to)}, clues=clues)


def contact(session: Session, vault: Vault, customer_id: str | None) -> dict[str, Any] | None:
    """Return name, email and phone as far as known; None when there is nobody, or not any more."""
    return vault.read(session, customer_id, CONTACT) if customer_id else None


def address(session: Session, vault: Vault, order: Order) -> dict[str, Any] | None:
    """Return where an order goes; None when it is collected, or the person was erased."""
    return vault.read(session, order.customer_id, f"ship_to:{order.id}") if order.customer_id else None


def find(
    session: Session, vault: Vault, *, email: str | None = None, phone: str | None = None, name: str | None = None
) -> list[str]:
    """Return the ids of customers who match everything that is given, oldest first."""
    given = {"email": email, "phone": phone and _phone_key(phone), "name": name}
    matches = [vault.find(session, kind, value) for kind, value in given.items() if value]
    return [customer for customer in matches[0] if all(customer in others for others in matches)] if matches else []


def export(session: Session, vault: Vault, customer_id: str) -> dict[str, Any]:
    """Return everything held about a person, as they may ask for it. Raises UnknownCustomer."""
    customer = _get(session, customer_id)
    orders = session.scalars(select(Order).where(Order.customer_id == customer_id).order_by(Order.id))
    return {
        "id": customer_id,
        "language": customer.language,
        "contact": contact(session, vault, customer_id),
        "orders": [_exported(session, vault, order) for order in orders],
        "carts": [_exported_cart(session, vault, cart) for cart in carts.of_customer(session, customer_id)],
    }


def erase(session: Session, customer_id: str, *, now: datetime) -> bool:
    """Erase a person's data; return False when open orders need it, with the last of which it will be erased.

    Their carts are given up. Raises UnknownCustomer.
    """
    _get(session, customer_id)
    theirs = carts.lock_of_customer(session, customer_id)
    customer = _get(session, customer_id, lock=True)
    carts.give_up(session, theirs, actor="erasure", now=now)
    if customer.erase_requested_at is None:
        customer.erase_requested_at = now
        session.flush()
    return _erase_unless_needed(session, customer_id)


def erase_if_asked(session: Session, customer_id: str) -> None:
    """Erase a person who asked for it, if no order needs their data any more; called whenever an order closes."""
    asked = (Customer.id == customer_id) & Customer.erase_requested_at.is_not(None)
    if session.scalar(select(Customer.id).where(asked).with_for_update()):
        _erase_unless_needed(session, customer_id)


def _erase_unless_needed(session: Session, customer_id: str) -> bool:
    if session.scalar(select(exists().where(Order.customer_id == customer_id, Order.status.in_(OPEN)))):
        return False
    if not _is_erased(session, customer_id):
        Vault.erase(session, customer_id)
        events.record(session, CustomerErased(aggregate_id=customer_id))
    return True


@dataclass(frozen=True)
class Known:
    """A customer who is there, and by what they were found."""

    id: str
    language: str
    by: str


def _recognised(session: Session, vault: Vault, details: CustomerDetails, channel: str) -> Known | None:
    if details.id is not None:
        _get(session, details.id)
        known = _lock(session, details.id, "id")
        if known is None:
            raise SubjectErased(details.id)
        return known
    given = {"external": details.external_id and f"{channel} {details.external_id}", "email": details.email}
    for kind, value in given.items():
        for customer_id in vault.find(session, kind, value) if value else ():
            # Whoever erases holds the same row: a person found a moment ago may be gone by now, and is then a new one.
            if known := _lock(session, customer_id, kind):
                return known
    return None


def _lock(session: Session, customer_id: str, by: str) -> Known | None:
    """Lock a customer; None for one who was erased."""
    row = session.execute(_LOCK, {"id": customer_id}).one_or_none()
    return Known(row.id, row.language, by) if row else None


def _clues(details: CustomerDetails, channel: str) -> list[Clue]:
    """Return what leads to a customer of whom all this is said."""
    clues = []
    if details.external_id:
        clues.append(Clue("external", f"{channel} {details.external_id}", sole=True))
    if details.email:
        clues.append(Clue("email", details.email, sole=True))
    if details.phone:
        clues.append(Clue("phone", _phone_key(details.phone)))
    if details.name:
        clues.append(Clue("name", details.name))
    return clues


def _new_clues(session: Session, vault: Vault, customer_id: str, clues: Iterable[Clue]) -> Iterator[Clue]:
    """Yield the clues that do not lead to the customer yet; one that another has for itself leads to both."""
    for clue in clues:
        owners = vault.find(session, clue.kind, clue.value)
        if customer_id not in owners:
            yield replace(clue, sole=clue.sole and not owners)


def _phone_key(phone: str) -> str:
    return "".join(letter for letter in phone if letter.isdecimal())[-PHONE_DIGITS:]


def _get(session: Session, customer_id: str, *, lock: bool = False) -> Customer:
    customer = session.get(Customer, customer_id, with_for_update=lock or None, populate_existing=lock)
    if customer is None:
        raise UnknownCustomer(customer_id)
    return customer


def _is_erased(session: Session, customer_id: str) -> bool:
    return session.scalar(select(Subject.wrapped_key).where(Subject.id == customer_id)) is None


def _exported(session: Session, vault: Vault, order: Order) -> dict[str, Any]:
    lines = [
        {"sku": line.sku, "ordered": line.ordered, "unit_price_minor": line.unit_price_minor} for line in order.lines
    ]
    return {
        "number": order.number,
        "channel": order.channel,
        "external_id": order.external_id,
        "placed_at": order.placed_at.isoformat(),
        "currency": order.currency,
        "total_minor": order.total_minor,
        "lines": lines,
        "ship_to": address(session, vault, order),
    }


def _exported_cart(session: Session, vault: Vault, cart: Cart) -> dict[str, Any]:
    shopper, ship_to = baskets.shopper(session, cart, vault), baskets.address(session, cart, vault)
    return {
        "code": cart.code,
        "channel": cart.channel,
        "lines": [{"sku": line.sku, "units": line.units} for line in cart.lines],
        "shopper": asdict(shopper) if shopper else None,
        "ship_to": asdict(ship_to) if ship_to else None,
    }
