"""/stock/safety-rules: how many units are kept back of what, where, and from which channel."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from api import bulk, catalog
from api.openapi import PREFIX
from api.rest.operation import Call, Resource, anywhere
from api.schemas import safety_rules as schemas
from api.schemas.base import BulkAnswerSchema
from stock import safety_rules

resource = Resource(
    "safety-rules", __name__, url_prefix=f"{PREFIX}/stock", description="What is kept back from whom, by rule."
)


@resource.operation(
    "PUT", "/safety-rules", scope="plan:write", body=schemas.SafetyRuleRowSchema(many=True), answer=BulkAnswerSchema,
    example=[schemas.EXAMPLE],
)  # fmt: skip
def put_safety_rules(session: Session, call: Call) -> Any:
    """Create or update rules of safety stock; each row has its own result."""
    return bulk.or_refuse(bulk.put(session, call.body, catalog.put_safety_rules, name=lambda row: str(row.id)))


@resource.operation("GET", "/safety-rules", scope="stock:read", answer=schemas.SafetyRulesSchema, at=anywhere)
def list_safety_rules(session: Session, _call: Call) -> Any:
    """List all rules of safety stock by id."""
    return {"items": safety_rules.known(session)}


@resource.operation("DELETE", "/safety-rules/<rule_id>", scope="plan:write")
def remove_safety_rule(session: Session, _call: Call, rule_id: str) -> Any:
    """Take a rule of safety stock away."""
    safety_rules.remove(session, rule_id)
