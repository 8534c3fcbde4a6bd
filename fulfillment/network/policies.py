"""Policies: the rules and weights by which orders are sourced, as versioned rows.

Written by planners, read by sourcing and planning. Invariant: at most one version of a policy is active, and only a
draft changes; a policy of which no version was put in force yet is version 0, the defaults.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fulfillment.network.models import POLICIES, Policy
from fulfillment.network.references import unknown_names
from fulfillment.network.settings import InvalidPolicy, Settings, document_of, parse
from kernel.db import caches
from kernel.errors import Conflict, Fault, NotFound
from stock.revisions import may_cache, raise_version, versions

DEFAULT: Final = "default"
DRAFT: Final = "draft"
ACTIVE: Final = "active"
ARCHIVED: Final = "archived"
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
MOST_VERSIONS: Final = 10**6
_CACHE: Final = "active_policies"


class UnknownPolicy(NotFound):
    """No policy has this id or version."""

    code = "policy_unknown"


class NoDraft(Conflict):
    """What only a draft allows was asked of a version that is in force or was."""

    code = "policy_no_draft"

    def __init__(self, policy_id: str, version: int, status: str) -> None:
        super().__init__(f"Version {version} of policy {policy_id} is {status}: write a new draft instead.")


@dataclass(frozen=True)
class ActivePolicy:
    """A policy to decide by: its id, version and settings."""

    id: str
    version: int
    settings: Settings


def active(session: Session, policy_id: str, known_versions: Mapping[str, int] | None = None) -> ActivePolicy:
    """Return the active version of a policy; the defaults, as version 0, for one that nobody has put in force."""
    present = versions(session) if known_versions is None else known_versions
    version = present.get(POLICIES, 0)
    kept: tuple[int, dict[str, ActivePolicy]] | None = caches(session).get(_CACHE)
    if kept is None or kept[0] != version or not may_cache(session):
        kept = (version, _read(session))
        if may_cache(session):
            caches(session)[_CACHE] = kept
    return kept[1].get(policy_id) or ActivePolicy(policy_id, 0, Settings())


def as_if_active(session: Session, policy_id: str, version: int) -> ActivePolicy:
    """Return a version as it would be were it in force; version 0 is the defaults. Raises UnknownPolicy."""
    if version == 0:
        return ActivePolicy(policy_id, 0, Settings())
    return ActivePolicy(policy_id, version, parse(one(session, policy_id, version).settings))


def names(session: Session) -> list[str]:
    """Return the ids of all policies, drafts included, and the one that there always is."""
    return sorted({DEFAULT, *session.scalars(select(Policy.id).distinct())})


def known(session: Session) -> list[Policy]:
    """Return every version of every policy, by id, the newest first."""
    return list(session.scalars(select(Policy).order_by(Policy.id, Policy.version.desc())))


def versions_of(session: Session, policy_id: str) -> Sequence[Policy]:
    """Return the versions of a policy, the newest first. Raises UnknownPolicy."""
    found = session.scalars(select(Policy).where(Policy.id == policy_id).order_by(Policy.version.desc())).all()
    if not found:
        raise UnknownPolicy(f"There is no policy {policy_id}.")
    return found


def one(session: Session, policy_id: str, version: int) -> Policy:
    """Return one version of a policy. Raises UnknownPolicy."""
    found = session.get(Policy, (policy_id, version)) if version <= MOST_VERSIONS else None
    if found is None:
        raise UnknownPolicy(f"Policy {policy_id} has no version {version}.")
    return found


def check(session: Session, settings: Mapping[str, Any]) -> Settings:
    """Return settings typed. Raises InvalidPolicy with every fault, names that stand for nothing included."""
    checked = parse(settings)
    faults = unknown_names(session, checked)
    if faults:
        raise InvalidPolicy("The policy names what there is not.", faults=tuple(faults))
    return checked


def put(session: Session, policy_id: str, settings: Mapping[str, Any], *, note: str = "", actor: str = "") -> int:
    """Write a new version of a policy as a draft and return its number. Raises InvalidPolicy with every fault."""
    if not _ID.fullmatch(policy_id):
        message = "A policy is named by 1 to 64 letters, digits, points, hyphens and underscores."
        raise InvalidPolicy(message, faults=(Fault("/id", "invalid", message),))
    checked = check(session, settings)
    _lock(session, policy_id)
    last = session.scalar(select(func.max(Policy.version)).where(Policy.id == policy_id)) or 0
    draft = Policy(id=policy_id, version=last + 1, status=DRAFT, settings=document_of(checked), note=note, author=actor)
    session.add(draft)
    session.flush()
    return last + 1


def revise(session: Session, policy_id: str, version: int, settings: Mapping[str, Any], *, note: str | None) -> None:
    """Change a draft. Raises UnknownPolicy, NoDraft, InvalidPolicy."""
    draft = _draft(session, policy_id, version)
    draft.settings = document_of(check(session, settings))
    draft.note = draft.note if note is None else note
    draft.revision += 1
    session.flush()


def activate(session: Session, policy_id: str, version: int, *, now: datetime | None = None) -> None:
    """Put one version, a draft or an archived one, in force and archive the one that was. Raises UnknownPolicy.

    What was decided under the other one and is not committed yet is decided again.
    """
    _lock(session, policy_id)
    chosen = one(session, policy_id, version)
    for each in versions_of(session, policy_id):
        if each.status == ACTIVE and each is not chosen:
            _move(each, ARCHIVED)
    # The database allows one active version, so the other must have ceased to be before this one is.
    session.flush()
    _move(chosen, ACTIVE)
    chosen.activated_at = now
    session.flush()
    raise_version(session, POLICIES)


def archive(session: Session, policy_id: str, version: int) -> None:
    """Put a draft away. Raises UnknownPolicy, NoDraft."""
    _move(_draft(session, policy_id, version), ARCHIVED)
    session.flush()


def shadow(session: Session, policy_id: str, version: int, after: str | None) -> None:
    """Run a draft beside the active version on the decisions `after` one, or (None) no longer.

    Raises UnknownPolicy, NoDraft. At most one draft of a policy runs: another one ceases to.
    """
    draft = _draft(session, policy_id, version)
    for each in versions_of(session, policy_id):
        each.shadow_after = after if each is draft else None
    draft.revision += 1
    session.flush()


def _move(policy: Policy, status: str) -> None:
    policy.status = status
    policy.shadow_after = None
    policy.revision += 1


def _draft(session: Session, policy_id: str, version: int) -> Policy:
    _lock(session, policy_id)
    found = one(session, policy_id, version)
    if found.status != DRAFT:
        raise NoDraft(policy_id, version, found.status)
    return found


def _lock(session: Session, policy_id: str) -> None:
    """Lock the versions of a policy, so that two people who change which one is in force follow each other."""
    query = select(Policy).where(Policy.id == policy_id).order_by(Policy.version).with_for_update()
    session.scalars(query.execution_options(populate_existing=True)).all()


def _read(session: Session) -> dict[str, ActivePolicy]:
    rows = session.execute(select(Policy.id, Policy.version, Policy.settings).where(Policy.status == ACTIVE))
    return {row.id: ActivePolicy(row.id, row.version, parse(row.settings)) for row in rows}
