"""Units that are still to come: what suppliers owe, what is on its way between nodes, what rooms above declare.

Read by availability; `declare` and `withdraw` are for what only the rooms above know, such as customers' returns.
Invariant: nothing here is stock; units count once, from the moment they are expected until they are on hand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, case, delete, func, insert, literal, select
from sqlalchemy.orm import aliased

from stock.documents import Transfer, TransferLine, TransferStatus
from stock.models import ExpectedSupply, OpenDemand
from stock.purchasing import EXPECTING, PurchaseOrder, PurchaseOrderLine
from stock.upsert import chunks

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

PURCHASE_ORDER: Final = "purchase_order"
TRANSFER: Final = "transfer"
_LEAVING: Final = (TransferStatus.APPROVED, TransferStatus.PICKING)
_ON_THE_WAY: Final = (TransferStatus.IN_TRANSIT, TransferStatus.PARTLY_RECEIVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """Units of a SKU that are to come. `node` is None where that is not known yet.

    `adds` tells whether they are more for the network: not those of a transfer that has not left its source, which are
    on hand there.
    """

    sku: str
    node: str | None
    units: int
    expected_at: datetime | None
    kind: str
    reference: str
    adds: bool = True


@dataclass(frozen=True, slots=True)
class OnDate:
    """What can be promised in all from an instant on."""

    expected_at: datetime
    units: int


def declare(
    session: Session,
    units: Mapping[str, int],
    *,
    reference: str,
    kind: str,
    expected_at: datetime | None,
    node: str | None = None,
) -> None:
    """Say that units (by SKU) are to come under a reference, in place of what was said before."""
    withdraw(session, reference)
    rows = [
        {"sku": sku, "reference": reference, "node": node, "units": count, "expected_at": expected_at, "kind": kind}
        for sku, count in sorted(units.items())
        if count
    ]
    if rows:
        session.execute(insert(ExpectedSupply), rows)


def withdraw(session: Session, reference: str) -> None:
    """Expect nothing more under a reference: it came, or will not."""
    session.execute(delete(ExpectedSupply).where(ExpectedSupply.reference == reference))


def coming(session: Session, skus: Iterable[str]) -> dict[str, list[Supply]]:
    """Return what is to come of each SKU, the earliest first, what has no date last."""
    found: defaultdict[str, list[Supply]] = defaultdict(list)
    for some in chunks(sorted(set(skus))):
        for query in (_ordered(some), _moving(some), _declared(some)):
            for row in session.execute(query).mappings():
                found[row["sku"]].append(Supply(**row))
    return {sku: sorted(supplies, key=_date_first) for sku, supplies in found.items()}


def at_nodes(supplies: Mapping[str, Sequence[Supply]], nodes: Collection[str]) -> dict[str, list[Supply]]:
    """Return what is to come to these nodes, or to a node that is not known yet."""
    return {
        sku: [each for each in of_sku if each.node is None or each.node in nodes] for sku, of_sku in supplies.items()
    }


def by_date(spare: int, supplies: Sequence[Supply], *, now: datetime) -> list[OnDate]:
    """Return what can be promised from each date on, once earlier claims have eaten what comes first.

    `spare` are the units unclaimed now, below 0 where more is claimed than there is. What is overdue or has no date is
    promised to nobody: nobody can say when it comes.
    """
    dated: dict[datetime, int] = {}
    for supply in supplies:
        if supply.adds and supply.expected_at is not None and supply.expected_at > now:
            spare += supply.units
            dated[supply.expected_at] = max(0, spare)
    return [OnDate(expected_at, units) for expected_at, units in dated.items()]


def first_with(units: int, dates: Sequence[OnDate]) -> datetime | None:
    """Return from when on so many units can be promised."""
    return next((each.expected_at for each in dates if each.units >= units), None)


def expected(session: Session, waiting: Mapping[str, str], *, now: datetime) -> dict[str, datetime]:
    """Return when units that wait are expected, by their reference; `waiting` are the SKUs that references wait for.

    Who has waited longer has theirs first. Absent is what nothing that is to come, with a date, would reach.
    """
    if not waiting:
        return {}
    ahead = session.execute(_AHEAD, {"references": list(waiting), "skus": sorted(set(waiting.values()))})
    to_come = coming(session, waiting.values())
    found: dict[str, datetime] = {}
    for sku, reference, own, units in ahead:
        on = first_with(own, by_date(own - int(units), to_come.get(sku, ()), now=now))
        if on is not None and waiting[reference] == sku:
            found[reference] = on
    return found


_MINE, _OTHER = aliased(OpenDemand), aliased(OpenDemand)
_BEFORE = (_OTHER.since < _MINE.since) | ((_OTHER.since == _MINE.since) & (_OTHER.reference <= _MINE.reference))
_AHEAD = (
    select(_MINE.sku, _MINE.reference, _MINE.units, func.sum(_OTHER.units))
    .join(_OTHER, (_OTHER.sku == _MINE.sku) & _BEFORE)
    .where(
        _MINE.reference.in_(bindparam("references", expanding=True)), _MINE.sku.in_(bindparam("skus", expanding=True))
    )
    .group_by(_MINE.sku, _MINE.reference, _MINE.units)
)


def _ordered(skus: Sequence[str]) -> Select[*tuple[Any, ...]]:
    line, order = PurchaseOrderLine, PurchaseOrder
    outstanding = line.ordered - line.received - line.cancelled
    return (
        select(
            line.sku, order.node, outstanding.label("units"), order.expected_at, order.number.label("reference"),
            literal(PURCHASE_ORDER).label("kind"),
        )
        .join(order, order.id == line.purchase_order_id)
        .where(line.sku.in_(skus), order.status.in_(EXPECTING), outstanding > 0)
    )  # fmt: skip


def _moving(skus: Sequence[str]) -> Select[*tuple[Any, ...]]:
    """Select units between nodes that nobody has claimed; those of a claim are promised already."""
    line, transfer = TransferLine, Transfer
    left = transfer.status.in_(_ON_THE_WAY)
    units = case((left, line.dispatched - line.received - line.written_off), else_=line.units)
    return (
        select(
            line.sku, transfer.destination.label("node"), units.label("units"), transfer.expected_at,
            transfer.number.label("reference"), left.label("adds"), literal(TRANSFER).label("kind"),
        )
        .join(transfer, transfer.id == line.transfer_id)
        .where(line.sku.in_(skus), line.reference == "", transfer.status.in_((*_LEAVING, *_ON_THE_WAY)), units > 0)
    )  # fmt: skip


def _declared(skus: Sequence[str]) -> Select[*tuple[Any, ...]]:
    expected = ExpectedSupply
    return select(
        expected.sku, expected.node, expected.units, expected.expected_at, expected.kind, expected.reference
    ).where(expected.sku.in_(skus))  # fmt: skip


_NEVER: Final = datetime.max.replace(tzinfo=UTC)


def _date_first(supply: Supply) -> tuple[datetime, str]:
    return supply.expected_at or _NEVER, supply.reference
