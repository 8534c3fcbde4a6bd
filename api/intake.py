"""Taking orders in: one with its answer in one transaction, or many in chunks of one transaction each.

Called by REST and by imports. Invariants: an order that fails keeps no other from being taken; many are taken as if one
came after the other; sending the same order again gives the one that is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

import structlog
from sqlalchemy.orm import Session

from api.bulk import FAILED, Row
from api.errors import status_of
from api.house import House
from fulfillment.sourcing.commit import StalePlan
from fulfillment.sourcing.taken import Taken
from kernel.errors import DomainError, Fault
from kernel.vault import Vault
from oms import orders
from oms.commands import PlaceOrder
from oms.orders import Placed, Prepared

CHUNK = 64
"""Orders that are decided and committed together."""

Shown = TypeVar("Shown")
Show = Callable[[Session, Placed], Any]
Outcome = tuple[bool, Any] | DomainError
"""Whether the order was created and how it is shown, or why it was not taken."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class OrderAnswer:
    """What became of one order of many: created, existing or failed, with the order or the reason."""

    row: int
    result: str
    order: Any = None
    problem: dict[str, Any] | None = None
    faults: tuple[Fault, ...] = ()

    @property
    def shown(self) -> dict[str, Any]:
        """The answer as it is sent."""
        return {"row": self.row, "result": self.result, "order": self.order, "problem": self.problem}


@dataclass(frozen=True)
class Waiting:
    """An order of many that is still to be taken, and how often it was overtaken."""

    number: int
    command: PlaceOrder
    tries: int = 1


def place(house: House, command: PlaceOrder, *, actor: str, show: Callable[[Session, Placed], Shown]) -> Shown:
    """Take one order in and return what `show` makes of it in the same transaction. Raises as the order service."""
    now = house.clock.now()

    def commit(session: Session, prepared: orders.Prepared) -> Shown:
        return show(session, orders.place(session, prepared, vault=house.vault, now=now, actor=actor))

    prepare = lambda session: orders.prepare(session, command, vault=house.vault, now=now)  # noqa: E731
    return house.doors.decide_then_commit(prepare, commit)


def place_many(house: House, rows: Sequence[Row], *, actor: str, show: Show) -> list[OrderAnswer]:
    """Take orders in as if one after the other, and tell what became of each.

    A chunk of them is decided on one read session, each with what those before it take away, and committed in one
    transaction. One that was overtaken falls out alone and goes again; after so many times, it is refused.
    """
    answers = {
        number: _failed(number, 422, "invalid", "The order has faults.", row.faults)
        for number, row in enumerate(rows)
        if row.faults
    }
    waiting = [Waiting(number, row.value) for number, row in enumerate(rows) if not row.faults]
    while waiting:
        chunk = _chunk(waiting)
        again = []
        for each, outcome in zip(chunk, _place_chunk(house, chunk, actor, show), strict=True):
            if isinstance(outcome, StalePlan) and each.tries < house.doors.tries:
                again.append(replace(each, tries=each.tries + 1))
            else:
                answers[each.number] = _answer(each.number, outcome)
        waiting = again + waiting[len(chunk) :]
    return [answers[number] for number in range(len(rows))]


def _chunk(waiting: Sequence[Waiting]) -> Sequence[Waiting]:
    """Return the orders that go next: one that repeats another comes after that one was committed."""
    seen = set()
    for place, each in enumerate(waiting[:CHUNK]):
        name = (each.command.channel, each.command.external_id)
        if name in seen:
            return waiting[:place]
        seen.add(name)
    return waiting[:CHUNK]


def _place_chunk(house: House, chunk: Sequence[Waiting], actor: str, show: Show) -> list[Outcome]:
    """Place orders together, or one by one when something other than stock stands in the way of one of them."""
    if len(chunk) > 1:
        try:
            return _place_together(house, [each.command for each in chunk], actor, show)
        except DomainError as error:
            log.info("placed_one_by_one", code=error.code)
    return [_place_alone(house, each.command, actor, show) for each in chunk]


def _place_together(house: House, commands: Sequence[PlaceOrder], actor: str, show: Show) -> list[Outcome]:
    now = house.clock.now()
    return house.doors.decide_then_commit(
        lambda session: _prepare(session, commands, vault=house.vault, now=now),
        lambda session, outcomes: _commit(session, outcomes, show, vault=house.vault, now=now, actor=actor),
    )


def _prepare(
    session: Session, commands: Sequence[PlaceOrder], *, vault: Vault, now: datetime
) -> list[Prepared | DomainError]:
    taken = Taken()
    outcomes: list[Prepared | DomainError] = []
    for command in commands:
        try:
            prepared = orders.prepare(session, command, vault=vault, now=now, taken=taken)
        except DomainError as error:
            outcomes.append(error)
        else:
            outcomes.append(prepared)
            if prepared.proposal is not None:
                taken.add(prepared.proposal)
    return outcomes


def _commit(
    session: Session, decided: Sequence[Prepared | DomainError], show: Show, *, vault: Vault, now: datetime, actor: str
) -> list[Outcome]:
    """Write the orders that still hold; who does not is left out, and the others are written without it."""
    outcomes: dict[int, Outcome] = {n: each for n, each in enumerate(decided) if isinstance(each, DomainError)}
    left = {n: each for n, each in enumerate(decided) if isinstance(each, Prepared)}
    while left:
        try:
            with session.begin_nested():
                placed = orders.place_many(session, list(left.values()), vault=vault, now=now, actor=actor)
        except StalePlan as stale:
            # What the session knows of these orders was rolled back with them.
            session.expunge_all()
            numbers = list(left)
            for place, why in stale.of.items():
                outcomes[numbers[place]] = why
                del left[numbers[place]]
        else:
            shown = [(each.created, show(session, each)) for each in placed]
            return [*_in_order(outcomes | dict(zip(left, shown, strict=True)))]
    return [*_in_order(outcomes)]


def _in_order(outcomes: Mapping[int, Outcome]) -> Iterator[Outcome]:
    return (outcomes[number] for number in sorted(outcomes))


def _place_alone(house: House, command: PlaceOrder, actor: str, show: Show) -> Outcome:
    try:
        return place(
            house, command, actor=actor, show=lambda session, placed: (placed.created, show(session, placed))
        )  # fmt: skip
    except DomainError as error:
        return error


def _answer(number: int, outcome: Outcome) -> OrderAnswer:
    if isinstance(outcome, DomainError):
        return _failed(number, status_of(outcome), outcome.code, outcome.message, outcome.faults)
    created, shown = outcome
    return OrderAnswer(number, "created" if created else "existing", order=shown)


def _failed(number: int, status: int, code: str, detail: str, faults: tuple[Fault, ...]) -> OrderAnswer:
    problem = _problem(status, code, detail, faults)
    return OrderAnswer(number, FAILED, problem=problem, faults=faults or (Fault("", code, detail),))


def _problem(status: int, code: str, detail: str, faults: Sequence[Fault]) -> dict[str, Any]:
    return {"status": status, "code": code, "detail": detail, "errors": [vars(fault) for fault in faults]}
