"""An order in trouble: the ways it may go on, and carrying out the one that a person chose.

Called by the doors: `prepare` on a read session, `carry_out` in one write transaction. Invariant: what is chosen is
decided as any order is, and committed with the mark of who chose it and why; what somebody works on already is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fulfillment.network import geography
from fulfillment.network.geography import Destination
from fulfillment.sourcing import commit, recovery
from fulfillment.sourcing.decide import CannotCollect
from fulfillment.sourcing.proposal import Proposal, Wanted, WantedLine
from fulfillment.sourcing.recovery import Choice, Remedy
from fulfillment.work import cancelling
from fulfillment.work.models import Demand, Method
from kernel.errors import Fault, step
from kernel.ids import new_id
from kernel.vault import Vault
from oms import customers, history
from oms.checks import Faults
from oms.errors import InvalidRequest, NothingToRecover, RemedyGone
from oms.models import Order, OrderLine
from stock import substitutes

SUBSTITUTED = "substituted"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a person chose for a demand, and why; `node` for a collection, `substitutes` by SKU for a substitution."""

    demand_id: str
    choice: str
    reason: str
    node: str | None = None
    substitutes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Trouble:
    """A demand of which something can still be decided, and the ways it may go on."""

    demand: Demand
    wanted: Wanted
    remedies: Sequence[Remedy]


@dataclass(frozen=True)
class Prepared:
    """A choice that was checked and decided; `stands_for` tells which line each new one of a substitution replaces."""

    asked: Asked
    wanted: Wanted
    proposal: Proposal | None = None
    stands_for: Mapping[str, str] = field(default_factory=dict)


def troubles(session: Session, order_id: str, *, vault: Vault, now: datetime) -> list[Trouble]:
    """Return the demands of an order that can still be decided, with the ways each may go on. Raises UnknownOrder."""
    home = _home(session, history.get(session, order_id), vault)
    found = []
    for demand in _demands(session, order_id):
        wanted = recovery.remaining(session, demand.id)
        if wanted is not None:
            found.append(Trouble(demand, wanted, recovery.remedies(session, wanted, home, now=now)))
    return found


def prepare(session: Session, order_id: str, asked: Asked, *, vault: Vault, now: datetime) -> Prepared:
    """Check a choice and decide what it means, without writing anything.

    Raises UnknownOrder, InvalidRequest with every fault, NothingToRecover when somebody works on all of it by now,
    CannotCollect, and RemedyGone when the way that was chosen serves nothing any more.
    """
    order = history.get(session, order_id)
    home = _home(session, order, vault)
    known = {demand.id for demand in _demands(session, order_id)}
    _require_valid(asked, known, home)
    wanted = recovery.remaining(session, asked.demand_id)
    if wanted is None:
        raise NothingToRecover(order.number)
    if asked.choice == Choice.SUBSTITUTE and (faults := _unnamed(session, wanted, asked.substitutes)):
        raise InvalidRequest(faults)
    if asked.choice in {Choice.WAIT, Choice.CANCEL}:
        return Prepared(asked, wanted)
    stands_for: dict[str, str] = {}
    stated = _stated(wanted, asked, home)
    if asked.choice == Choice.SUBSTITUTE:
        stands_for = {new_id(): line.id for line in stated.lines}
        lines = [replace(line, id=own) for own, line in zip(stands_for, stated.lines, strict=True)]
        stated = replace(stated, lines=tuple(lines))
    proposal = _proposed(session, stated, now=now)
    if not any(change.packages for change in proposal.changes):
        raise RemedyGone(order.number)
    return Prepared(asked, wanted, proposal, stands_for)


def carry_out(session: Session, order_id: str, prepared: Prepared, *, now: datetime, actor: str) -> Order:
    """Do what was chosen and return the order. Raises StalePlan when it no longer holds: the door prepares it anew."""
    asked, wanted = prepared.asked, prepared.wanted
    recovery.lock_unchanged(session, wanted)
    if asked.choice == Choice.WAIT:
        recovery.wait(session, asked.demand_id, now=now)
    elif asked.choice == Choice.CANCEL:
        units = {line.id: line.units for line in wanted.lines}
        cancelling.cancel_units(session, lines=units, reason=asked.reason, actor=actor, now=now)
    elif asked.choice == Choice.SUBSTITUTE:
        _substitute(session, order_id, prepared, now=now, actor=actor)
    else:
        assert prepared.proposal is not None, f"{asked.choice} was decided"
        recovery.choose(session, prepared.proposal, now=now, actor=actor)
    order = history.lock(session, order_id)
    if asked.choice in {Choice.SHIP, Choice.COLLECT}:
        _redirect(order, {line.id for line in wanted.lines}, asked)
    history.touch(order)
    told = {"choice": asked.choice, "node": asked.node, "substitutes": dict(asked.substitutes)}
    history.write(session, order_id, "recovered", actor=actor, now=now, reason=asked.reason, details=told)
    session.flush()
    return order


def _demands(session: Session, order_id: str) -> Sequence[Demand]:
    return session.scalars(select(Demand).where(Demand.reference == order_id).order_by(Demand.id)).all()


def _home(session: Session, order: Order, vault: Vault) -> Destination | None:
    to = customers.address(session, vault, order)
    if to is None:
        return None
    place = {name: to.get(name) for name in ("country", "postal_code")}
    location = geography.locate(session, **place, latitude=to.get("latitude"), longitude=to.get("longitude"))
    return Destination(location, **place)


def _require_valid(asked: Asked, known: set[str], home: Destination | None) -> None:
    faults = Faults()
    faults.code("/reason", asked.reason)
    if asked.demand_id not in known:
        faults.add("/demand_id", "unknown_demand", "the order has no such demand")
    if asked.choice not in set(Choice):
        faults.add("/choice", "unknown_choice", f"use one of {', '.join(Choice)}")
    if asked.choice == Choice.COLLECT and not asked.node:
        faults.add("/node", "missing", "say at which store it is collected")
    if asked.choice == Choice.SHIP and home is None:
        faults.add("/choice", "no_address", "the order has no address to ship to")
    if asked.choice == Choice.SUBSTITUTE and not asked.substitutes:
        faults.add("/substitutes", "missing", "say which article goes instead of which")
    if faults.found:
        raise InvalidRequest(faults.found)


def _proposed(session: Session, stated: Wanted, *, now: datetime) -> Proposal:
    try:
        return recovery.propose(session, stated, now=now)
    except CannotCollect as refusal:
        faults = tuple(replace(fault, pointer="/node") for fault in refusal.faults)
        raise CannotCollect(refusal.message, faults=faults) from refusal


def _unnamed(session: Session, wanted: Wanted, chosen: Mapping[str, str]) -> list[Fault]:
    """Return a fault for every article that nobody named to go instead of one that is wanted here."""
    named = substitutes.of(session, {line.sku for line in wanted.lines})
    faults = Faults()
    for sku, other in chosen.items():
        if other not in named.get(sku, ()):
            use = f"use one of {', '.join(named[sku])}" if named.get(sku) else "nothing is named that may go instead"
            faults.add(f"/substitutes/{step(sku)}", "unknown_substitute", use)
    return faults.found


def _stated(wanted: Wanted, asked: Asked, home: Destination | None) -> Wanted:
    if asked.choice == Choice.SUBSTITUTE:
        return recovery.replaced(wanted, asked.substitutes)
    if asked.choice == Choice.COLLECT:
        return wanted.collected_at(asked.node or "")
    if wanted.method == Method.SHIP or home is None:
        return wanted
    return wanted.shipped_to(home)


def _redirect(order: Order, line_ids: set[str], asked: Asked) -> None:
    for line in order.lines:
        if line.id in line_ids:
            line.method, line.collect_node = asked.choice, asked.node


def _substitute(session: Session, order_id: str, prepared: Prepared, *, now: datetime, actor: str) -> None:
    """Let other articles, at the price of those ordered, take the place of units that wait."""
    proposal, stands_for = prepared.proposal, prepared.stands_for
    assert proposal is not None, "a substitution was decided"
    commit.commit(session, proposal, now=now, actor=actor)
    order = history.lock(session, order_id)
    lines = {line.id: line for line in order.lines}
    (change,) = proposal.changes
    for position, line in enumerate(change.wanted.lines, start=len(lines) + 1):
        session.add(_line(order_id, position, line, lines[stands_for[line.id]]))
    session.flush()
    given_up = {stands_for[line.id]: line.units for line in change.wanted.lines}
    cancelling.cancel_units(session, lines=given_up, reason=SUBSTITUTED, actor=actor, now=now)


def _line(order_id: str, position: int, wanted: WantedLine, ordered: OrderLine) -> OrderLine:
    def share(minor: int) -> int:
        return minor * wanted.units // ordered.ordered

    return OrderLine(
        id=wanted.id, order_id=order_id, position=position, sku=wanted.sku, ordered=wanted.units,
        unit_price_minor=ordered.unit_price_minor, discount_minor=share(ordered.discount_minor),
        tax_minor=share(ordered.tax_minor), method=ordered.method, collect_node=ordered.collect_node,
    )  # fmt: skip
