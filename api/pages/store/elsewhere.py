"""What would become of units that this store cannot serve: said in words, then committed as it was decided.

Used by the pages of missing articles and of rejections. Invariant: what a page says before it is confirmed comes from
the same decision that is made again, and committed, when it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from flask_babel import gettext
from sqlalchemy.orm import Session

from api.pages import i18n, words
from api.pages.visit import caller, doors, now
from fulfillment.network import minutes
from fulfillment.sourcing import commit
from fulfillment.sourcing.proposal import Package, Proposal
from stock import reasons
from stock.models import Node, Reason

Result = TypeVar("Result")


@dataclass(frozen=True)
class Choice:
    """A reason one may give, and what it does to the store's stock."""

    code: str
    word: str
    effect: str


def choices(session: Session, use: str) -> list[Choice]:
    """Return the reasons for a use, each with its effect on stock."""
    return [
        Choice(reason.code, words.reason(reason.code), _stock_effect(reason)) for reason in reasons.known(session, use)
    ]


def settle(decided: Callable[[Session], Proposal], happens: Callable[[Session], Result]) -> Result:
    """Let `happens` happen and the units go where `decided` says, in one transaction."""

    def both(session: Session, proposal: Proposal) -> Result:
        with minutes.held_back(session):
            result = happens(session)
            commit.commit(session, proposal, now=now(), actor=caller().actor)
            return result

    return doors().decide_then_commit(decided, both)


def order_effect(session: Session, proposal: Proposal) -> list[str]:
    """Say where the units of a proposal go and when they arrive, or that they wait."""
    sentences = []
    for change in proposal.changes:
        sentences += [_package_words(session, package, change.wanted.collect_node) for package in change.packages]
        waiting = sum(missing.units for missing in change.missing)
        if waiting:
            why = words.reason(change.missing[0].reason)
            sentences.append(gettext("%(units)s: the customer waits. %(why)s.", units=i18n.units(waiting), why=why))
    return sentences or [gettext("Nothing of the order has to move.")]


def _package_words(session: Session, package: Package, collect_node: str | None) -> str:
    node = session.get_one(Node, package.node)
    zone = ZoneInfo(node.time_zone)
    arrives = _day(package.arrives_at, zone)
    units = i18n.units(sum(line.units for line in package.lines))
    if package.transfer:
        return gettext("%(node)s sends %(units)s here; they arrive %(day)s.", node=node.name, units=units, day=arrives)
    if collect_node:
        return gettext("%(node)s has %(units)s ready %(day)s.", node=node.name, units=units, day=arrives)
    return gettext(
        "%(node)s sends %(units)s to the customer; arrives %(day)s.", node=node.name, units=units, day=arrives
    )


def _day(instant: datetime, zone: ZoneInfo) -> str:
    today: date = now().astimezone(zone).date()
    return i18n.day(instant.astimezone(zone).date(), today)


def _stock_effect(reason: Reason) -> str:
    return {
        None: gettext("Your stock stays as it is."),
        "shrink": gettext("Your stock falls by the missing units."),
        "damaged": gettext("The units move to your damaged stock."),
        "quarantine": gettext("The units are set aside until somebody looks at them."),
        "customer": gettext("The units are booked as sold."),
    }.get(reason.to_account, gettext("Your stock is corrected."))
