"""People who buy: one subject of the vault each, found again by the channel's id for them or by e-mail.

Called by `orders` when an order comes in, and by the doors that show, export and erase. Invariant: what names a person
stands in the vault alone; a customer with open orders is erased when the last of them closes.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from kernel import events
from kernel.vault import Subject, SubjectErased, Vault
from oms.commands import CustomerDetails, ShipTo
from oms.errors import UnknownCustomer
from oms.events import CustomerErased
from oms.models import Customer, Order, OrderStatus

CONTACT = "contact"
OPEN = (OrderStatus.CREATED, OrderStatus.HELD, OrderStatus.APPROVED)
# National numbers differ in their last digits; before them people write +34, 0034, 0 or nothing.
PHONE_DIGITS = 9


def admit(session: Session, vault: Vault, details: CustomerDetails, *, channel: str) -> Customer:
    """Find the customer or make one, and keep what the order says about them; the row is locked.

    Of two orders that bring the same new person at once, the database refuses one (IntegrityError), which must begin
    again. Raises UnknownCustomer and SubjectErased.
    """
    customer = _recognised(session, vault, details, channel) or _open(session, vault)
    customer.language = details.language
    known = vault.read(session, customer.id, CONTACT) or {}
    said = {name: value for name in ("name", "email", "phone") if (value := getattr(details, name))}
    if said.items() - known.items():
        vault.store(session, customer.id, CONTACT, known | said)
    _index(session, vault, customer.id, details, channel)
    session.flush()
    return customer


def keep_address(session: Session, vault: Vault, customer_id: str, order_id: str, ship_to: ShipTo) -> None:
    """Keep where an order goes; the recipient's name leads to the customer, as a shopper asks under it."""
    vault.store(session, customer_id, f"ship_to:{order_id}", asdict(ship_to))
    vault.index(session, customer_id, "name", ship_to.name)


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
    }


def erase(session: Session, customer_id: str, *, now: datetime) -> bool:
    """Erase a person's data; return False when open orders need it, with the last of which it will be erased.

    Raises UnknownCustomer.
    """
    customer = _get(session, customer_id, lock=True)
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


def _recognised(session: Session, vault: Vault, details: CustomerDetails, channel: str) -> Customer | None:
    if details.id is not None:
        customer = _get(session, details.id, lock=True)
        if _is_erased(session, details.id):
            raise SubjectErased(details.id)
        return customer
    given = {"external": details.external_id and f"{channel} {details.external_id}", "email": details.email}
    for kind, value in given.items():
        for customer_id in vault.find(session, kind, value) if value else ():
            customer = _get(session, customer_id, lock=True)
            # Whoever erases holds the same row: a person found a moment ago may be gone by now, and is then a new one.
            if not _is_erased(session, customer_id):
                return customer
    return None


def _open(session: Session, vault: Vault) -> Customer:
    customer = Customer(id=vault.open_subject(session), language="en")
    session.add(customer)
    return customer


def _index(session: Session, vault: Vault, customer_id: str, details: CustomerDetails, channel: str) -> None:
    if details.external_id:
        vault.index(session, customer_id, "external", f"{channel} {details.external_id}", sole=True)
    if details.email:
        # Whoever gives their id may bring an address that another customer has; it then leads to that other one.
        taken = details.id is not None and vault.find(session, "email", details.email)
        vault.index(session, customer_id, "email", details.email, sole=not taken)
    if details.phone:
        vault.index(session, customer_id, "phone", _phone_key(details.phone))
    if details.name:
        vault.index(session, customer_id, "name", details.name)


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
