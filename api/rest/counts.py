"""/counts, /count-tasks and /count-rules: the truth of the shelf, looked at by several people and reviewed by another.

Invariant: who may not review is told nothing of what the shelf should hold.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from api import cursors, deciding
from api.openapi import PREFIX
from api.rest.operation import Call, Reply, Resource, anywhere
from api.schemas import counts as schemas
from kernel.errors import NotFound
from stock import lists
from stock.counting import counts, opening, report, rules, sessions, tasks
from stock.counting.documents import Count, CountSession

resource = Resource("counts", __name__, url_prefix=PREFIX, description="Counts of what lies on the shelves.")
COUNT, TASK, RULE = "/counts/<count_id>", "/count-tasks/<task_id>", "/count-rules/<node_id>"
SESSION = f"{COUNT}/sessions/<session_id>"
REVIEW = "counts:review"


def _counted(session: Session, _call: Call, count_id: str, **_path: Any) -> list[str]:
    return [lists.count(session, count_id).node]


def _proposed(session: Session, _call: Call, task_id: str) -> list[str]:
    return [lists.count_task(session, task_id).node]


def _ruled(_session: Session, _call: Call, node_id: str) -> list[str]:
    return [node_id]


def _node_of_body(_session: Session, call: Call) -> list[str]:
    return [call.body["node"]]


def _view(session: Session, call: Call, count: Count) -> report.CountView:
    return report.view(session, count, blind=not call.caller.may(REVIEW))


def _of_count(session: Session, count_id: str, session_id: str) -> CountSession:
    found = sessions.found(session, session_id)
    if found.count_id != count_id:
        raise NotFound(f"Count {count_id} has no session {session_id}.")
    return found


@resource.operation(
    "POST", "/counts", scope="stock:write", body=schemas.OpenCountSchema, answer=schemas.WholeCountSchema, status=201,
    at=_node_of_body, example={"node": "MAD-1", "skus": ["SHI01-WHT-M"]},
)  # fmt: skip
def open_count(session: Session, call: Call) -> Any:
    """Open a count of articles, of shelves, or of an area; proposals for its articles are taken up."""
    body = call.body
    by = {"node": body["node"], "reason": body["reason"], "actor": call.actor, "now": call.now}
    if body["skus"]:
        opened = opening.open_count(session, skus=body["skus"], **by)
    elif body["shelves"]:
        opened = opening.open_shelves(session, shelves=body["shelves"], **by)
    else:
        opened = opening.open_area(session, **body["area"], **by)
    return _view(session, call, opened)


@resource.operation(
    "GET", "/counts", scope="stock:read", query=schemas.CountQuery, answer=schemas.CountPage, at=anywhere
)
def list_counts(session: Session, call: Call) -> Any:
    """List counts, oldest first."""
    after = cursors.decode(call.query["cursor"], str)
    asked = {"node": call.node(call.query["node"]), "status": call.query["status"]}
    return cursors.page(lists.counts(session, **asked, after=after, limit=call.query["limit"]))


@resource.operation("GET", COUNT, scope="stock:read", answer=schemas.WholeCountSchema, at=_counted)
def show_count(session: Session, call: Call, count_id: str) -> Any:
    """Show a count with its articles and sessions; figures only for those who review."""
    return _view(session, call, lists.count(session, count_id))


@resource.operation(
    "POST", f"{COUNT}/sessions", scope="stock:write", body=schemas.BeginSessionSchema,
    answer=schemas.CountSessionSchema, status=201, at=_counted, example={},
)  # fmt: skip
def begin_count_session(session: Session, call: Call, count_id: str) -> Any:
    """Begin to count, or go on with the caller's session of this round."""
    return sessions.begin(session, count_id, **call.body, actor=call.actor, now=call.now)


@resource.operation("GET", SESSION, scope="stock:read", answer=schemas.OwnSessionSchema, at=_counted)
def show_count_session(session: Session, call: Call, count_id: str, session_id: str) -> Any:
    """Show what the caller found in a session; those who review see everybody's."""
    own = _of_count(session, count_id, session_id)
    if own.counter != call.actor and not call.caller.may(REVIEW):
        raise NotFound("There is no such session of yours.")
    return own


@resource.operation(
    "POST", f"{SESSION}/lines", scope="stock:write", body=schemas.CountedSchema, answer=schemas.CountResultSchema,
    at=_counted, example={"sku": "SHI01-WHT-M", "units": 7, "shelf": "A-02"},
)  # fmt: skip
def record_in_session(session: Session, call: Call, count_id: str, session_id: str) -> Any:
    """Write down what a shelf holds of an article, totes not included; 0 confirms that there is none."""
    own = _of_count(session, count_id, session_id)
    return sessions.record(session, own.id, **call.body, actor=call.actor, now=call.now)


@resource.operation(
    "POST", f"{SESSION}/scans", scope="stock:write", body=schemas.CountScanSchema, answer=schemas.CountScannedSchema,
    at=_counted, example={"scan_id": "8d1f", "code": "8412345000010", "shelf": "A-02"},
)  # fmt: skip
def scan_in_session(session: Session, call: Call, count_id: str, session_id: str) -> Any:
    """Count a scan on top of what the session has on that shelf; the same `scan_id` counts once."""
    own = _of_count(session, count_id, session_id)
    return sessions.scan(session, own.id, **call.body, actor=call.actor, now=call.now)


@resource.operation(
    "POST", f"{SESSION}/none", scope="stock:write", body=schemas.NoneThereSchema, answer=schemas.OwnSessionSchema,
    at=_counted, example={"skus": ["SHI01-WHT-M"]},
)  # fmt: skip
def record_none_there(session: Session, call: Call, count_id: str, session_id: str) -> Any:
    """Confirm of each of these articles that there is none."""
    own = _of_count(session, count_id, session_id)
    sessions.record_none(session, own.id, call.body["skus"], actor=call.actor, now=call.now)
    return sessions.found(session, own.id)


@resource.operation(
    "POST", f"{SESSION}/forget", scope="stock:write", body=schemas.ForgetShelfSchema, answer=schemas.ForgottenSchema,
    at=_counted, example={"shelf": "A-02"},
)  # fmt: skip
def forget_counted_shelf(session: Session, call: Call, count_id: str, session_id: str) -> Any:
    """Take back what the session found on a shelf, to count it from the beginning."""
    own = _of_count(session, count_id, session_id)
    forgotten = sessions.forget_shelf(session, own.id, shelf=call.body["shelf"], actor=call.actor)
    return {"results": forgotten}


@resource.operation(
    "POST", f"{SESSION}/hand-in", scope="stock:write", answer=schemas.WholeCountSchema, at=_counted
)  # fmt: skip
def hand_in_count_session(session: Session, call: Call, count_id: str, session_id: str) -> Any:
    """Hand a session in; with the last one, when nothing is left to count, the round ends."""
    own = _of_count(session, count_id, session_id)
    return _view(session, call, counts.hand_in(session, own.id, actor=call.actor, now=call.now))


@resource.operation(
    "POST", f"{SESSION}/discard", scope="stock:write", answer=schemas.CountSessionSchema, at=_counted
)  # fmt: skip
def discard_count_session(session: Session, call: Call, count_id: str, session_id: str) -> Any:
    """Let a session count for nothing, so that its shelves can be counted by somebody else."""
    own = _of_count(session, count_id, session_id)
    return sessions.discard(session, own.id, actor=call.actor, now=call.now)


@resource.operation(
    "POST", f"{COUNT}/lines", scope="stock:write", body=schemas.CountedSchema, answer=schemas.CountResultSchema,
    at=_counted, example={"sku": "SHI01-WHT-M", "units": 7},
)  # fmt: skip
def record_count(session: Session, call: Call, count_id: str) -> Any:
    """Write down what a shelf holds of an article, in the caller's session, which begins when there is none."""
    return counts.record(session, count_id, **call.body, actor=call.actor, now=call.now)


@resource.operation("POST", f"{COUNT}/submit", scope="stock:write", answer=schemas.WholeCountSchema, at=_counted)
def submit_count(session: Session, call: Call, count_id: str) -> Any:
    """End the round: large differences are to be counted once more, all else goes to review."""
    return _view(session, call, counts.submit(session, count_id, actor=call.actor, now=call.now))


@resource.operation(
    "POST", f"{COUNT}/review", scope=REVIEW, body=schemas.ReviewSchema, answer=schemas.WholeCountSchema, at=_counted,
    example={"accept": [{"sku": "SHI01-WHT-M", "round": 2}], "recount": []},
)  # fmt: skip
def review_count(session: Session, call: Call, count_id: str) -> Any:
    """Accept a round's result of articles, or have them counted once more."""
    accept = {each["sku"]: each["round"] for each in call.body["accept"]}
    recount = call.body["recount"]
    reviewed = counts.review(session, count_id, accept=accept, recount=recount, actor=call.actor, now=call.now)
    return _view(session, call, reviewed)


@resource.operation("POST", f"{COUNT}/post", scope=REVIEW, answer=schemas.WholeCountSchema, at=_counted)
def post_count(session: Session, call: Call, count_id: str) -> Any:
    """Post the differences; reservations give way to what was counted."""
    counts.post(session, count_id, actor=call.actor, now=call.now)
    found = lists.count(session, count_id)
    skus = {line.sku for line in found.lines}
    return Reply(
        _view(session, call, found), after=lambda house: deciding.after_stock(house, skus, actor=call.actor)
    )  # fmt: skip


@resource.operation("POST", f"{COUNT}/void", scope=REVIEW, answer=schemas.CountSchema, at=_counted)
def void_count(session: Session, call: Call, count_id: str) -> Any:
    """Throw a count away; the proposals that it took up are closed."""
    return counts.void(session, count_id, actor=call.actor, now=call.now)


@resource.operation(
    "GET", "/count-tasks", scope="stock:read", query=schemas.CountTaskQuery, answer=schemas.CountTaskPage, at=anywhere
)
def list_count_tasks(session: Session, call: Call) -> Any:
    """List what is, or was, proposed to be counted, oldest first."""
    query = call.query
    after = cursors.decode(query["cursor"], str)
    asked = {"node": call.node(query["node"]), "status": query["status"], "cause": query["cause"]}
    return cursors.page(lists.count_tasks(session, **asked, after=after, limit=query["limit"]))


@resource.operation("POST", f"{TASK}/drop", scope="stock:write", answer=schemas.CountTaskSchema, at=_proposed)
def drop_count_task(session: Session, call: Call, task_id: str) -> Any:
    """Say that nobody need count this."""
    return tasks.drop(session, task_id, actor=call.actor, now=call.now)


@resource.operation("GET", RULE, scope="stock:read", answer=schemas.CountRuleSchema, at=_ruled)
def show_count_rule(session: Session, _call: Call, node_id: str) -> Any:
    """Show how a node counts."""
    return rules.rule_of(session, node_id)


@resource.operation(
    "PUT", RULE, scope=REVIEW, body=schemas.CountRuleSchema, answer=schemas.CountRuleSchema,
    example={"recount_units": 3, "recount_value_minor": 10000, "four_eyes": True, "zero_checks": True,
             "max_age_days": 60, "tasks_a_day": 30},
)  # fmt: skip
def put_count_rule(session: Session, call: Call, node_id: str) -> Any:
    """Set how a node counts, or `*` for every node that has no rule of its own."""
    return rules.put(session, node_id, call.body)


@resource.operation("DELETE", RULE, scope=REVIEW)
def remove_count_rule(session: Session, _call: Call, node_id: str) -> Any:
    """Take a node's own rule away, so that it counts as the rule of `*` says."""
    rules.remove(session, node_id)
