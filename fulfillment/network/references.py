"""What the names in a policy stand for: nodes, kinds, places, families and articles that there must be.

Called by `policies` before a version is written. Invariant: a policy whose names are all known when it is written says
what its author meant; a name that goes out of use later matches nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from fulfillment.network.models import NodeProfile
from fulfillment.network.settings import Settings
from kernel.errors import Fault, step
from stock.models import Article, Node, NodeKind


def unknown_names(session: Session, settings: Settings) -> list[Fault]:
    """Return a fault for every name in a policy that stands for nothing."""
    named = list(_named(settings))
    known = {
        "node": _found(session, Node.id, [name for kind, _, name in named if kind == "node"]),
        "tag": _found(session, Node.group, [name for kind, _, name in named if kind == "tag"]),
        "family": _found(session, Article.family, [name for kind, _, name in named if kind == "family"]),
        "article": _found(session, Article.sku, [name for kind, _, name in named if kind == "article"]),
        "kind of node": set(NodeKind),
        "country": set(),
        "region": set(),
    }
    if any(kind in {"country", "region"} for kind, *_ in named):
        places = session.execute(select(NodeProfile.country, NodeProfile.region).distinct()).all()
        known["country"] = {country for country, _ in places}
        known["region"] = {f"{country}-{region}" for country, region in places}
    return [
        Fault(f"/settings/{where}", "unknown", f"there is no {kind} {name}.")
        for kind, where, name in named
        if name not in known[kind]
    ]


def _found(session: Session, column: InstrumentedAttribute[str], names: Collection[str]) -> Collection[str]:
    return set(session.scalars(select(column).where(column.in_(set(names))).distinct())) if names else ()


def _named(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Yield each name with what it stands for and where it is written."""
    yield from _listed("node", "excluded_nodes", settings.excluded_nodes)
    for kind in settings.kind_minor:
        yield "kind of node", f"kind_minor/{step(kind)}", kind
    for name, group in settings.groups.items():
        where = f"groups/{step(name)}"
        yield from _listed("node", f"{where}/nodes", group.nodes)
        yield from _listed("kind of node", f"{where}/kinds", group.kinds)
        yield from _listed("country", f"{where}/countries", group.countries)
        yield from _listed("region", f"{where}/regions", group.regions)
        yield from _listed("tag", f"{where}/tags", group.tags)
    for number, fence in enumerate(settings.fences):
        yield from _listed("family", f"fences/{number}/families", fence.families)
        yield from _listed("article", f"fences/{number}/skus", fence.skus)


def _listed(kind: str, where: str, names: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    for number, name in enumerate(names):
        yield kind, f"{where}/{number}", name
