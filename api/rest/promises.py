"""/promises: in which ways a basket could be served, and one of them held. POST /orders names it."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from api.openapi import PREFIX
from api.rest.operation import Call, Resource, anywhere
from api.schemas import promises as schemas
from oms import promises
from oms.promises import Answer, PreparedHold, Terms
from stock.holds import Term

resource = Resource("promises", __name__, url_prefix=f"{PREFIX}/promises", description="How it could be served.")

EXAMPLE = {
    "channel": "web", "place": {"postal_code": "28013", "country": "ES"},
    "lines": [{"sku": "SHI01-WHT-M", "quantity": 1}],
}  # fmt: skip


def _ways(session: Session, call: Call) -> Answer:
    settings, country = call.config.promises, call.config.network.country
    terms = Terms(settings.valid_minutes, settings.hold_minutes)
    return promises.prepare(session, call.body, terms=terms, country=country, vault=call.vault, now=call.now)


def _quoted(session: Session, call: Call, promise_id: str) -> PreparedHold:
    return promises.prepare_hold(session, promise_id, now=call.now)


@resource.operation(
    "POST", "", scope="availability:read", body=schemas.AskPromisesSchema, answer=schemas.AnswerSchema, decide=_ways,
    at=anywhere, example=EXAMPLE,
)  # fmt: skip
def find_promises(session: Session, call: Call, decided: Answer) -> Any:
    """Tell in which ways a basket could be served, and when: by each service, and at the stores near. Nothing is held.

    Of each service, and of collections, the earliest, the cheapest and the one of fewest packages are told, then what
    no other beats in all three, then the next best. A key with `availability:read` alone does not see what they cost.
    """
    promises.write(session, decided)
    return schemas.show_answer(
        decided, currency=call.config.network.currency, exact=call.caller.may("stock:read")
    )  # fmt: skip


@resource.operation(
    "POST", "/<promise_id>/hold", scope="orders:write", body=schemas.PromiseHoldSchema,
    answer=schemas.HeldPromiseSchema, decide=_quoted, at=anywhere, example={"minutes": 15},
)  # fmt: skip
def hold_promise(session: Session, call: Call, promise_id: str, decided: PreparedHold) -> Any:  # noqa: ARG001 (decided)
    """Hold a way's units and its nodes' minutes of work until `held_until`; sent again, it extends that.

    It never holds longer than an order can have what was promised. An order that names it as `promise` meanwhile
    arrives by `promised_by`, or earlier.
    """
    settings = call.config.promises
    term = Term(call.body["minutes"] or settings.hold_minutes, settings.most_hold_minutes)
    return schemas.show_held(promises.hold(session, decided, term=term, actor=call.actor, now=call.now))


@resource.operation(
    "POST", "/<promise_id>/release", scope="orders:write", answer=schemas.HeldPromiseSchema, at=anywhere
)
def release_promise(session: Session, call: Call, promise_id: str) -> Any:
    """Release what is held for a way, as when another one was chosen."""
    return schemas.show_promise(promises.release(session, promise_id, actor=call.actor, now=call.now))
