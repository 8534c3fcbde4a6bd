"""What an article is made of: kits, assembled ahead and stocked themselves, and bundles, sold as their components.

Read by availability, by conversions and by the order service; written by catalogs and imports. Invariant: a recipe is
one level deep, since a component has no recipe of its own; a bundle never has stock.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, bindparam, delete, or_, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from kernel.db import Base, Code, table
from kernel.errors import Fault, Rejected
from kernel.pages import Page, page
from stock.catalog import InvalidRows
from stock.models import Article, StockBalance
from stock.rows import repeated
from stock.upsert import Outcome, chunks

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

MAX_PER_UNIT = 1_000
MAX_COMPONENTS = 100


class RecipeKind(enum.StrEnum):
    """Whether an article is put together ahead of its sale, or only on the order."""

    KIT = "kit"
    BUNDLE = "bundle"


class Recipe(Base):
    """An article that is made of others."""

    __tablename__ = "recipe"

    sku: Mapped[Code] = mapped_column(ForeignKey("article.sku"), primary_key=True)
    kind: Mapped[Code]
    version: Mapped[int] = mapped_column(default=1)
    lines: Mapped[list[RecipeLine]] = relationship(order_by="RecipeLine.component")


class RecipeLine(Base):
    """Units of a component that one unit of the article takes."""

    __tablename__ = "recipe_line"
    __table_args__ = (CheckConstraint("units > 0 AND component <> sku", name="units_of_others"),)

    sku: Mapped[Code] = mapped_column(ForeignKey("recipe.sku"), primary_key=True)
    component: Mapped[Code] = mapped_column(ForeignKey("article.sku"), primary_key=True, index=True)
    units: Mapped[int]


@dataclass(frozen=True, order=True)
class Component:
    """Units of an article in one unit of another."""

    sku: str
    units: int


@dataclass(frozen=True, kw_only=True)
class RecipeRow:
    """A recipe as it is given; see Recipe."""

    sku: str
    kind: str
    components: tuple[Component, ...]


class NoStockOfBundles(Rejected):
    """Units of a bundle were said to be somewhere; only its components can be."""

    code = "bundle_has_no_stock"


def components(
    session: Session, skus: Iterable[str], *, kind: RecipeKind | None = None
) -> dict[str, tuple[Component, ...]]:
    """Return what one unit of each of these articles is made of, by SKU; those without a recipe are absent.

    `kind` keeps to kits or to bundles.
    """
    found: dict[str, tuple[Component, ...]] = {}
    for some in chunks(sorted(set(skus))):
        rows = session.execute(_COMPONENTS, {"skus": some, "kinds": [kind] if kind else list(RecipeKind)})
        for sku, component, units in rows:
            found[sku] = (*found.get(sku, ()), Component(component, units))
    return found


# Built once, since every order may be of bundles.
_RECIPE, _LINE = table(Recipe), table(RecipeLine)
_COMPONENTS = (
    select(_LINE.c.sku, _LINE.c.component, _LINE.c.units)
    .join(_RECIPE, _RECIPE.c.sku == _LINE.c.sku)
    .where(_LINE.c.sku.in_(bindparam("skus", expanding=True)), _RECIPE.c.kind.in_(bindparam("kinds", expanding=True)))
    .order_by(_LINE.c.sku, _LINE.c.component)
)


def kinds(session: Session, skus: Iterable[str]) -> dict[str, RecipeKind]:
    """Return whether each of these articles is a kit or a bundle; those without a recipe are absent."""
    found: dict[str, RecipeKind] = {}
    for some in chunks(sorted(set(skus))):
        rows = session.execute(select(Recipe.sku, Recipe.kind).where(Recipe.sku.in_(some)))
        found |= {sku: RecipeKind(kind) for sku, kind in rows}
    return found


def check_no_bundles(session: Session, skus: Sequence[str]) -> None:
    """Raise NoStockOfBundles naming every line that is of a bundle."""
    known = kinds(session, skus)
    faults = tuple(
        Fault(f"/lines/{place}/sku", NoStockOfBundles.code, f"{sku} is a bundle: name its components")
        for place, sku in enumerate(skus)
        if known.get(sku) == RecipeKind.BUNDLE
    )
    if faults:
        raise NoStockOfBundles("Bundles have no stock of their own.", faults=faults)


def put(session: Session, rows: Sequence[RecipeRow]) -> list[Outcome]:
    """Write recipes, each whole, and tell for each whether it was created, updated or unchanged. Raises InvalidRows."""
    faults = tuple(_faults(session, rows))
    if faults:
        message = f"{len(faults)} faults in the rows; nothing was written. {faults[0].pointer}: {faults[0].message}."
        raise InvalidRows(message, faults=faults)
    return [_put(session, row) for row in rows]


def recipes(session: Session, *, after: Sequence[str] | None, limit: int) -> Page:
    """Return recipes by SKU, a page at a time."""
    return page(session, select(Recipe), [Recipe.sku], after=after, limit=limit)


def _put(session: Session, row: RecipeRow) -> Outcome:
    stored = session.get(Recipe, row.sku, with_for_update=True)
    wanted = {part.sku: part.units for part in row.components}
    if stored is None:
        session.add(Recipe(sku=row.sku, kind=row.kind, version=1, lines=_lines(row)))
        session.flush()
        return "created"
    if (stored.kind, {line.component: line.units for line in stored.lines}) == (row.kind, wanted):
        return "unchanged"
    session.execute(delete(RecipeLine).where(RecipeLine.sku == row.sku))
    session.expire(stored, ["lines"])
    session.add_all(_lines(row))
    stored.kind, stored.version = row.kind, stored.version + 1
    session.flush()
    return "updated"


def _lines(row: RecipeRow) -> list[RecipeLine]:
    return [RecipeLine(sku=row.sku, component=part.sku, units=part.units) for part in row.components]


def _faults(session: Session, rows: Sequence[RecipeRow]) -> Iterator[Fault]:
    yield from repeated(rows, ("sku",))
    named = {row.sku for row in rows} | {part.sku for row in rows for part in row.components}
    known = {
        sku
        for some in chunks(sorted(named))
        for sku in session.scalars(select(Article.sku).where(Article.sku.in_(some)))
    }
    made = set(kinds(session, named)) | {row.sku for row in rows}
    used = _used_in(session, [row.sku for row in rows])
    used |= {part.sku: row.sku for row in rows for part in row.components}
    stocked = _stocked(session, [row.sku for row in rows if row.kind == RecipeKind.BUNDLE])
    for place, row in enumerate(rows):
        yield from _faults_of(place, row, known, made)
        if row.sku in used and used[row.sku] != row.sku:
            yield Fault(f"/{place}/sku", "nested", f"{row.sku} is a component of {used[row.sku]}: it has no recipe")
        if row.sku in stocked:
            yield Fault(f"/{place}/kind", "has_stock", f"{row.sku} has stock, or may be promised: it is no bundle")


def _faults_of(place: int, row: RecipeRow, known: set[str], made: set[str]) -> Iterator[Fault]:
    if row.sku not in known:
        yield Fault(f"/{place}/sku", "unknown_article", f"there is no article {row.sku}")
    if row.kind not in list(RecipeKind):
        yield Fault(f"/{place}/kind", "invalid", f"must be one of {', '.join(RecipeKind)}")
    if not 0 < len(row.components) <= MAX_COMPONENTS:
        yield Fault(f"/{place}/components", "invalid", f"must be 1 to {MAX_COMPONENTS}")
    seen: set[str] = set()
    for number, part in enumerate(row.components):
        where = f"/{place}/components/{number}"
        if part.sku not in known:
            yield Fault(f"{where}/sku", "unknown_article", f"there is no article {part.sku}")
        elif part.sku == row.sku or part.sku in made:
            yield Fault(f"{where}/sku", "nested", f"{part.sku} has a recipe of its own: name what it is made of")
        if part.sku in seen:
            yield Fault(f"{where}/sku", "repeated", f"{part.sku} is a component already")
        if not 0 < part.units <= MAX_PER_UNIT:
            yield Fault(f"{where}/units", "invalid", f"must be 1 to {MAX_PER_UNIT}")
        seen.add(part.sku)


def _used_in(session: Session, skus: Sequence[str]) -> dict[str, str]:
    """Return in which recipe each of these articles is a component, but for recipes that are given anew."""
    query = select(RecipeLine.component, RecipeLine.sku).where(RecipeLine.sku.not_in(skus))
    return {
        component: sku
        for some in chunks(list(skus))
        for component, sku in session.execute(query.where(RecipeLine.component.in_(some)))
    }


def _stocked(session: Session, skus: Sequence[str]) -> set[str]:
    """Return which of these articles have units somewhere, or promises to be kept."""
    b = StockBalance
    some_units = or_(*(column > 0 for column in (b.on_hand, b.reserved, b.damaged, b.quarantine, b.in_transit)))
    query = select(b.sku).where(some_units | (b.backorder_limit > 0))
    return {sku for some in chunks(list(skus)) for sku in session.scalars(query.where(b.sku.in_(some)))}
