"""Taking orders in: one with its answer in one transaction, or many, each in its own.

Called by REST and by imports. Invariant: an order that fails keeps no other from being taken; sending the same order
again gives the one that is there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from api.bulk import FAILED, Row
from api.errors import status_of
from api.house import House
from kernel.errors import DomainError, Fault
from oms import orders
from oms.commands import PlaceOrder
from oms.orders import Placed

Shown = TypeVar("Shown")


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


def place(house: House, command: PlaceOrder, *, actor: str, show: Callable[[Session, Placed], Shown]) -> Shown:
    """Take one order in and return what `show` makes of it in the same transaction. Raises as the order service."""
    now = house.clock.now()

    def commit(session: Session, prepared: orders.Prepared) -> Shown:
        return show(session, orders.place(session, prepared, vault=house.vault, now=now, actor=actor))

    prepare = lambda session: orders.prepare(session, command, vault=house.vault, now=now)  # noqa: E731
    return house.doors.decide_then_commit(prepare, commit)


def place_many(
    house: House, rows: Sequence[Row], *, actor: str, show: Callable[[Session, Placed], Any]
) -> list[OrderAnswer]:
    """Take orders in one after the other and tell what became of each."""
    return [_place_row(house, place_, row, actor, show) for place_, row in enumerate(rows)]


def _place_row(house: House, number: int, row: Row, actor: str, show: Callable[[Session, Placed], Any]) -> OrderAnswer:
    if row.faults:
        return OrderAnswer(
            number, FAILED, problem=_problem(422, "invalid", "The order has faults.", row.faults), faults=row.faults
        )
    try:
        created, shown = place(
            house, row.value, actor=actor, show=lambda session, placed: (placed.created, show(session, placed))
        )
    except DomainError as error:
        faults = error.faults or (Fault("", error.code, error.message),)
        problem = _problem(status_of(error), error.code, error.message, error.faults)
        return OrderAnswer(number, FAILED, problem=problem, faults=faults)
    return OrderAnswer(number, "created" if created else "existing", order=shown)


def _problem(status: int, code: str, detail: str, faults: Sequence[Fault]) -> dict[str, Any]:
    return {"status": status, "code": code, "detail": detail, "errors": [vars(fault) for fault in faults]}
