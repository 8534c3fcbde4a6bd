"""Reason codes: between which accounts a reason moves units. Read by the verbs that correct stock.

Invariant: a reason is data; what it does is stored with it, and never depends on its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from stock.errors import UnknownReason
from stock.models import NODE_ACCOUNTS, Account, Reason
from stock.postings import Movement, Side

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

ADJUSTMENT, SHORT, REJECT, RETURN_GRADE = "adjustment", "short", "reject", "return_grade"


@dataclass(frozen=True)
class Effect:
    """Between which accounts a reason moves units."""

    source: Account
    target: Account

    def movement(self, sku: str, node: str, units: int) -> Movement:
        """Return the movement of `units` at a node, backwards when they are negative."""
        sides = (_side(self.source, node), _side(self.target, node))
        source, target = sides if units > 0 else sides[::-1]
        return Movement(sku, abs(units), source, target)


def effect(session: Session, code: str, use: str) -> Effect | None:
    """Return what a reason does to stock, None when it moves nothing. Raises UnknownReason."""
    in_use = {reason.code: reason for reason in known(session, use)}
    if code not in in_use:
        raise UnknownReason(code, use, in_use)
    reason = in_use[code]
    if reason.from_account is None or reason.to_account is None:
        return None
    return Effect(Account(reason.from_account), Account(reason.to_account))


def known(session: Session, use: str) -> list[Reason]:
    """Return the active reasons for a use, by code."""
    active = (Reason.use == use) & Reason.active.is_(True)
    return list(session.scalars(select(Reason).where(active).order_by(Reason.code)))


def _side(account: Account, node: str) -> Side:
    return Side(account, node if account in NODE_ACCOUNTS else None)
