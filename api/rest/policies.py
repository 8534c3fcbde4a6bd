"""/policies: the rules by which orders are sourced, as drafts, in force and archived, and what a draft would change."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from api.openapi import PREFIX
from api.rest.operation import Call, Resource
from api.schemas import policies as schemas
from fulfillment.network import policies
from fulfillment.sourcing import shadow, trial
from fulfillment.sourcing.comparison import compared
from fulfillment.sourcing.trial import Pair

resource = Resource(
    "policies", __name__, url_prefix=f"{PREFIX}/policies", description="The rules by which orders are sourced."
)
ONE = "/<policy_id>/versions/<int:version>"


def _revision(session: Session, policy_id: str, version: int) -> int:
    return policies.one(session, policy_id, version).revision


def _tried(session: Session, call: Call, policy_id: str, version: int) -> list[Pair]:
    return trial.tried(session, policy_id, version, most=call.body["demands"], now=call.now)


@resource.operation("GET", "", scope="plan:read", answer=schemas.PoliciesSchema)
def list_policies(session: Session, _call: Call) -> Any:
    """List every version of every policy."""
    return {"items": [schemas.show_version(each) for each in policies.known(session)]}


@resource.operation("GET", "/<policy_id>", scope="plan:read", answer=schemas.VersionsSchema)
def show_policy(session: Session, _call: Call, policy_id: str) -> Any:
    """Show the versions of a policy with what they say."""
    return {"items": [schemas.show_version(each) for each in policies.versions_of(session, policy_id)]}


@resource.operation("GET", ONE, scope="plan:read", answer=schemas.WholePolicySchema, version=_revision)
def show_policy_version(session: Session, _call: Call, policy_id: str, version: int) -> Any:
    """Show a version; its ETag is wanted by whoever changes it."""
    return schemas.show_version(policies.one(session, policy_id, version))


@resource.operation(
    "POST", "/<policy_id>/versions", scope="plan:write", body=schemas.DraftSchema, answer=schemas.WholePolicySchema,
    status=201, key=True, example={"settings": schemas.EXAMPLE_SETTINGS, "note": "Stores only where it pays"},
)  # fmt: skip
def draft_policy(session: Session, call: Call, policy_id: str) -> Any:
    """Write a new version as a draft, of a policy that there is or of a new one."""
    note = call.body["note"] or ""
    version = policies.put(session, policy_id, call.body["settings"], note=note, actor=call.actor)
    return schemas.show_version(policies.one(session, policy_id, version))


@resource.operation(
    "PUT", ONE, scope="plan:write", body=schemas.DraftSchema, answer=schemas.WholePolicySchema, version=_revision,
    example={"settings": schemas.EXAMPLE_SETTINGS},
)  # fmt: skip
def revise_policy(session: Session, call: Call, policy_id: str, version: int) -> Any:
    """Change a draft."""
    policies.revise(session, policy_id, version, call.body["settings"], note=call.body["note"])
    return schemas.show_version(policies.one(session, policy_id, version))


@resource.operation("POST", f"{ONE}/activate", scope="plan:write", answer=schemas.WholePolicySchema, version=_revision)
def activate_policy(session: Session, call: Call, policy_id: str, version: int) -> Any:
    """Put a draft, or an archived version, in force; the one that was is archived. Orders from now on follow it."""
    policies.activate(session, policy_id, version, now=call.now)
    return schemas.show_version(policies.one(session, policy_id, version))


@resource.operation("POST", f"{ONE}/archive", scope="plan:write", answer=schemas.WholePolicySchema, version=_revision)
def archive_policy(session: Session, _call: Call, policy_id: str, version: int) -> Any:
    """Put a draft away."""
    policies.archive(session, policy_id, version)
    return schemas.show_version(policies.one(session, policy_id, version))


@resource.operation(
    "POST", f"{ONE}/try", scope="plan:write", body=schemas.TrySchema, answer=schemas.ComparisonSchema, decide=_tried,
    example={"demands": 100},
)  # fmt: skip
def try_policy(_session: Session, call: Call, policy_id: str, version: int, decided: list[Pair]) -> Any:  # noqa: ARG001 (of the path)
    """Decide the newest demands under the version in force and under this one, without effect."""
    return schemas.show_comparison(compared(decided), decided, call.config.network.currency)


@resource.operation(
    "PUT", f"{ONE}/shadow", scope="plan:write", body=schemas.ShadowSwitchSchema, answer=schemas.WholePolicySchema,
    version=_revision, example={"on": True},
)  # fmt: skip
def switch_shadow(session: Session, call: Call, policy_id: str, version: int) -> Any:
    """Run a draft beside the version in force on orders from now on, without effect, or no longer."""
    after = shadow.newest_decision(session) if call.body["on"] else None
    policies.shadow(session, policy_id, version, after=after)
    return schemas.show_version(policies.one(session, policy_id, version))


@resource.operation("GET", f"{ONE}/shadow", scope="plan:read", answer=schemas.ComparisonSchema)
def show_shadow(session: Session, call: Call, policy_id: str, version: int) -> Any:
    """Show what a draft that runs beside the version in force would have changed."""
    policies.one(session, policy_id, version)
    pairs = shadow.pairs(session, policy_id, version)
    return schemas.show_comparison(compared(pairs), pairs, call.config.network.currency)
