"""Kits put together from their components, or taken apart, at one node.

Called by the doors. Invariants: components and kits change in one posting, through the account of conversions, so that
the units of each article stay conserved; only units that nobody has claimed are used, so that no reservation gives way.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

from kernel.errors import Rejected
from stock import recipes
from stock.displacement import Levels, settle
from stock.errors import InsufficientStock, Shortage
from stock.lines import check_known, check_units
from stock.models import Account
from stock.postings import Header, Movement, Side
from stock.recipes import RecipeKind

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Direction: TypeAlias = Literal["assemble", "take_apart"]
CONVERSION = Side(Account.CONVERSION)


class NoKit(Rejected):
    """This article is not assembled from others."""

    code = "no_kit"


def convert(
    session: Session,
    *,
    node: str,
    sku: str,
    units: int,
    direction: Direction,
    reference: str = "",
    actor: str,
    now: datetime,
) -> str:
    """Put `units` kits together at a node, or take them apart, by the recipe of today; return the posting's id.

    The safety stock may be used, since whoever assembles has the units in hand. Raises NoKit, InvalidUnits,
    UnknownStock, and InsufficientStock with every article that lacks unclaimed units.
    """
    check_units([units])
    check_known(session, [(sku, node)])
    made_of = recipes.components(session, [sku], kind=RecipeKind.KIT).get(sku)
    if made_of is None:
        raise NoKit(f"{sku} is not assembled: it has no recipe as a kit.")
    parts = {part.sku: part.units * units for part in made_of}
    check_units(parts.values())
    out, into = (parts, {sku: units}) if direction == "assemble" else ({sku: units}, parts)

    def plan(seen: Levels) -> list[Movement]:
        _check_unclaimed(seen, node, out)
        shelf = Side(Account.ON_HAND, node)
        used = [Movement(part, count, shelf, CONVERSION) for part, count in out.items()]
        return used + [Movement(part, count, CONVERSION, shelf) for part, count in into.items()]

    header = Header(kind="conversion", reason=direction, reference=reference, actor=actor, occurred_at=now)
    posting_id = settle(session, header, [(part, node) for part in (*out, *into)], plan)
    assert posting_id is not None, "a conversion moves units"
    return posting_id


def _check_unclaimed(seen: Levels, node: str, wanted: dict[str, int]) -> None:
    unclaimed = {sku: max(0, seen[sku, node].on_hand - seen[sku, node].reserved) for sku in wanted}
    short = [
        Shortage(sku, node, "unclaimed", units, unclaimed[sku])
        for sku, units in wanted.items()
        if units > unclaimed[sku]
    ]
    if short:
        raise InsufficientStock(short)
