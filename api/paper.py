"""Labels and packing slips: rendered for whom the vault names, never stored.

Called by REST and by store pages. Invariant: the person's data goes from the vault onto the paper and nowhere else.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from fulfillment.work import documents, lists
from fulfillment.work.documents import Recipient
from kernel.vault import SubjectErased, Vault
from oms import customers, history


def label(session: Session, fo_id: str, *, vault: Vault) -> bytes:
    """Return the label of a shipped order. Raises UnknownFulfillmentOrder, NothingShipped."""
    return documents.label_pdf(session, fo_id, recipient=recipient(session, fo_id, vault))


def slip(session: Session, fo_id: str, *, vault: Vault) -> bytes:
    """Return the packing slip of an order. Raises UnknownFulfillmentOrder."""
    return documents.slip_pdf(session, fo_id, recipient=recipient(session, fo_id, vault))


def recipient(session: Session, fo_id: str, vault: Vault) -> Recipient | None:
    """Return whom a fulfillment order is for; None when it goes to a node, or the person was erased."""
    fo = lists.fulfillment_order(session, fo_id)
    if fo.destination_node is not None:
        return None
    order = history.get(session, fo.reference)
    try:
        contact = customers.contact(session, vault, order.customer_id) or {}
        address = customers.address(session, vault, order) or {}
    except SubjectErased:
        return None
    known = {name: value for name, value in address.items() if name in Recipient.__dataclass_fields__ and value}
    if not known and not contact.get("name"):
        return None
    return Recipient(**{"name": contact.get("name", ""), "phone": contact.get("phone", ""), **known})
