"""The version of a whole set of rows, so that cached copies are found out of date with one small query.

Every verb that writes such a set raises its revision here, in this room and in those above; whoever keeps a copy reads
it. Invariant: a session that raised a revision fills no cache, since its rows may yet be rolled back.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, literal, select, update
from sqlalchemy.orm import Session

from kernel.db import insert_into, table
from stock.models import Node, Revision

NODES: Final = "nodes"
_RAISED: Final = "revision_raised"

# Nodes have no revision of their own; each carries a version that only rises.
_REVISION = table(Revision)
_VERSIONS = select(_REVISION.c.scope, _REVISION.c.version).union_all(
    select(literal(NODES), func.coalesce(func.sum(table(Node).c.version), 0))
)


def versions(session: Session) -> dict[str, int]:
    """Return the present version of every set of rows."""
    return {row[0]: row[1] for row in session.execute(_VERSIONS)}


def may_cache(session: Session) -> bool:
    """Tell whether what this session reads may be kept for others."""
    return _RAISED not in session.info


def raise_version(session: Session, scope: str) -> None:
    """Mark the rows of `scope` as changed."""
    session.execute(insert_into(session, Revision).values(scope=scope, version=0).on_conflict_do_nothing())
    session.execute(update(Revision).where(Revision.scope == scope).values(version=Revision.version + 1))
    session.info[_RAISED] = True
