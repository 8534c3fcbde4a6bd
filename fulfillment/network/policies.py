"""Policies: the weights and limits by which orders are sourced, as versioned rows.

Written by planners, read by sourcing and planning. Invariant: exactly one version of a policy is active; a policy that
nobody has written yet is version 0, the defaults below. Money is in minor units of the network's currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from fulfillment.network.models import POLICIES, Policy
from kernel.db import caches
from kernel.errors import Fault, NotFound, Rejected
from stock.revisions import may_cache, raise_version, versions

DEFAULT: Final = "default"
_CACHE: Final = "active_policies"
CONSEQUENCES: Final = ("bar", "tomorrow", "price", "nothing")
# The ledger knows after a displacement what is there, and the network that a node is closed.
AFTER_FAILURE: Final = {
    "no_staff": "tomorrow", "closing": "tomorrow", "displacement": "nothing", "node_closed": "nothing",
    "missed_cut_off": "price",
}  # fmt: skip


class InvalidPolicy(Rejected):
    """Settings that no policy can have."""

    code = "policy_invalid"


class UnknownPolicy(NotFound):
    """No policy has this id or version."""

    code = "policy_unknown"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The weights and limits of one policy version.

    max_packages         most packages of one order, None: any number
    horizon_days         how many of its next working days a node may offer
    unfilled_minor       penalty for each unit that stays without a node, on top of its value
    lateness_day_minor   penalty for each day begun after the due instant, for each package
    resource_minor       what it costs to source a line anew that a node did not find
    churn_minor          what a change must save for each line that it takes away from a node
    service_days         working days within which a service should arrive, counted from the order
    collect_days         working days within which a collection should be ready
    collect_lead_minutes how long a store needs until a collection is ready
    kind_minor           what each package from a kind of node costs beyond its money, a preference
    excluded_nodes       nodes that serve no order of this policy
    transfers            whether a store may collect what another node sends it
    pick_prior_lines     lines that a node must look for before an article's own evidence weighs as much as the node's
    capacity_minor       what a minute of a node is worth when its day is full, beyond its wages
    node_prior_lines     lines that a node must look for before they weigh as much as the planner's figure for it
    after_failure        what it means for a node that it failed, by reason or else by cause: bar (never again for this
                         article of this order), tomorrow (not today), price (dearer), nothing; not named means bar
    failed_minor         what a line costs more at a node that failed it and is not barred
    most_attempts        after so many failed attempts a person decides how an order goes on
    attempts_hours       how many hours back failed attempts are counted
    """

    max_packages: int | None = 3
    horizon_days: int = 3
    unfilled_minor: int = 20_000
    lateness_day_minor: int = 300
    resource_minor: int = 600
    churn_minor: int = 50
    service_days: Mapping[str, int] = field(default_factory=lambda: {"standard": 3, "express": 1})
    collect_days: int = 2
    collect_lead_minutes: int = 120
    kind_minor: Mapping[str, int] = field(default_factory=dict)
    excluded_nodes: tuple[str, ...] = ()
    transfers: bool = True
    pick_prior_lines: int = 20
    node_prior_lines: int = 200
    capacity_minor: int = 0
    after_failure: Mapping[str, str] = field(default_factory=lambda: dict(AFTER_FAILURE))
    failed_minor: int = 500
    most_attempts: int = 4
    attempts_hours: int = 24


@dataclass(frozen=True)
class ActivePolicy:
    """A policy in force: its id, version and settings."""

    id: str
    version: int
    settings: Settings


def active(session: Session, policy_id: str, known_versions: Mapping[str, int] | None = None) -> ActivePolicy:
    """Return the active version of a policy; the defaults, as version 0, for one that nobody has written."""
    present = versions(session) if known_versions is None else known_versions
    version = present.get(POLICIES, 0)
    kept: tuple[int, dict[str, ActivePolicy]] | None = caches(session).get(_CACHE)
    if kept is None or kept[0] != version or not may_cache(session):
        kept = (version, _read(session))
        if may_cache(session):
            caches(session)[_CACHE] = kept
    return kept[1].get(policy_id) or ActivePolicy(policy_id, 0, Settings())


def put(session: Session, policy_id: str, settings: Mapping[str, Any]) -> int:
    """Write a new version of a policy as a draft and return its number. Raises InvalidPolicy with every fault."""
    checked = parse(settings)
    last = session.scalar(select(func.max(Policy.version)).where(Policy.id == policy_id)) or 0
    session.add(Policy(id=policy_id, version=last + 1, status="draft", settings=asdict(checked)))
    session.flush()
    return last + 1


def activate(session: Session, policy_id: str, version: int) -> None:
    """Put one version in force and retire the one that was. Raises UnknownPolicy."""
    chosen = session.get(Policy, (policy_id, version))
    if chosen is None:
        raise UnknownPolicy(f"Policy {policy_id} has no version {version}.")
    in_force = (Policy.id == policy_id) & (Policy.status == "active")
    session.execute(update(Policy).where(in_force).values(status="retired"))
    chosen.status = "active"
    session.flush()
    raise_version(session, POLICIES)


def parse(settings: Mapping[str, Any]) -> Settings:
    """Check settings given by people or files and return them typed. Raises InvalidPolicy with every fault."""
    known = {each.name for each in fields(Settings)}
    faults = [_fault(name, "unknown_field", f"There is no setting {name}.") for name in settings if name not in known]
    for name, value in settings.items():
        if name in known and (sentence := _wrong(name, value)):
            faults.append(_fault(name, "invalid", f"{name} {sentence}."))
    if faults:
        raise InvalidPolicy("The policy has settings that cannot be.", faults=tuple(faults))
    values = dict(settings)
    if "excluded_nodes" in values:
        values["excluded_nodes"] = tuple(values["excluded_nodes"])
    return Settings(**values)


def _read(session: Session) -> dict[str, ActivePolicy]:
    rows = session.execute(select(Policy.id, Policy.version, Policy.settings).where(Policy.status == "active"))
    return {row.id: ActivePolicy(row.id, row.version, parse(row.settings)) for row in rows}


def _fault(name: str, code: str, message: str) -> Fault:
    return Fault(f"/settings/{name}", code, message)


_LEAST: Final = {
    "max_packages": 1, "horizon_days": 1, "collect_days": 1, "pick_prior_lines": 1, "node_prior_lines": 1,
    "most_attempts": 1, "attempts_hours": 1,
}  # fmt: skip
_MOST: Final = {"horizon_days": 14, "max_packages": 100}


def _wrong(name: str, value: Any) -> str | None:
    """Say what is wrong with a setting's value, if anything is."""
    if name == "max_packages" and value is None:
        return None
    if name == "transfers":
        return None if isinstance(value, bool) else "must be true or false"
    if name == "excluded_nodes":
        fits = isinstance(value, list | tuple) and all(isinstance(node, str) for node in value)
        return None if fits else "must be a list of nodes"
    if name == "after_failure":
        fits = isinstance(value, Mapping) and all(each in CONSEQUENCES for each in value.values())
        return None if fits else f"must map reasons to one of {', '.join(CONSEQUENCES)}"
    if name in {"service_days", "kind_minor"}:
        fits = isinstance(value, Mapping) and all(_whole(number) for number in value.values())
        return None if fits else "must map names to whole numbers of at least 0"
    least, most = _LEAST.get(name, 0), _MOST.get(name, 10**9)
    fits = _whole(value) and least <= value <= most
    return None if fits else f"must be a whole number from {least} to {most}"


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
