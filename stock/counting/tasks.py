"""Proposals to count: from short picks, rejections, sales beyond stock, shelves that should be empty, and age.

Proposed by the verbs that see the sign and by a nightly job, taken up by counts. Invariants: an article at a node has
at most one open task, which later signs only raise; a node has at most MOST_OPEN, so that a bad day hides nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select, text, tuple_, update

from kernel import states
from kernel.db import UtcDateTime, insert_into
from kernel.ids import new_id
from stock import availability
from stock.counting import rules
from stock.counting.documents import TASK_TRANSITIONS, Cause, CountTally, CountTask, LastCount, TaskStatus
from stock.counting.rules import Rule
from stock.errors import UnknownDocument
from stock.models import Article, Node, NodeKind, NodeStatus, StockBalance

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

MOST_OPEN = 200
# Articles that together make up this share of the value at a node are its A articles, the next ones B, the rest C
# (H. F. Dickie, "ABC inventory analysis shoots for dollars, not pennies", Factory Management and Maintenance, 1951).
A_SHARE, B_SHARE = 0.8, 0.95
B_TIMES, C_TIMES = 2, 4
URGENT_FIRST = tuple(Cause)


def propose(
    session: Session, node: str, skus: Collection[str], *, cause: Cause, reference: str = "", now: datetime
) -> None:
    """Propose to count articles at a node; for those that are proposed already, the more urgent cause stands."""
    room = MOST_OPEN - _open_tasks(session, node)
    known = _with_open_task(session, node, skus)
    wanted = [sku for sku in sorted(set(skus)) if sku in known or (room := room - 1) >= 0]
    if not wanted:
        return
    given = insert_into(session, CountTask)
    urgency = _urgency(given.excluded.cause) < _urgency(CountTask.cause)
    raised = given.on_conflict_do_update(
        index_elements=["sku", "node"],
        index_where=text("closed_at IS NULL"),
        set_={
            "times": CountTask.times + 1,
            "cause": case((urgency, given.excluded.cause), else_=CountTask.cause),
            "reference": case((urgency, given.excluded.reference), else_=CountTask.reference),
        },
    )
    rows = [
        {"id": new_id(), "sku": sku, "node": node, "cause": cause, "reference": reference, "times": 1,
         "status": TaskStatus.PROPOSED, "proposed_at": now}
        for sku in wanted
    ]  # fmt: skip
    session.execute(raised, rows)


def propose_where_empty(session: Session, node: str, skus: Collection[str], *, reference: str, now: datetime) -> None:
    """Propose to look at those of the articles of which nothing should be left: on the shelf, or to promise."""
    levels = availability.levels(session, skus, nodes=[node])
    empty = {sku for (sku, _), level in levels.items() if level.on_shelf == 0 or level.atp <= 0}
    if empty and rules.rule_of(session, node).zero_checks:
        propose(session, node, empty, cause=Cause.ZERO_CHECK, reference=reference, now=now)


def propose_by_age(session: Session, node: str, *, now: datetime) -> int:
    """Propose the articles of a node that were not counted for longest, for their value; return how many."""
    rule = rules.rule_of(session, node)
    of_age = select(func.count()).where(CountTask.node == node, CountTask.cause == Cause.AGE)
    under_way = session.scalar(of_age.where(CountTask.closed_at.is_(None))) or 0
    room = min(rule.tasks_a_day - under_way, MOST_OPEN - _open_tasks(session, node))
    skus = session.scalars(_aged(node, rule, now).limit(room)).all() if room > 0 else []
    if skus:
        propose(session, node, skus, cause=Cause.AGE, now=now)
    return len(skus)


def counted_nodes(session: Session) -> list[str]:
    """Return the nodes in which people count: open ones that are ours."""
    ours = (Node.status == NodeStatus.OPEN) & (Node.kind != NodeKind.SUPPLIER)
    return list(session.scalars(select(Node.id).where(ours).order_by(Node.id)))


def take(session: Session, node: str, skus: Collection[str], *, count_id: str) -> None:
    """Let a count take up what is proposed of its articles."""
    for some in _chunks(skus):
        proposed = _open(node, some) & (CountTask.status == TaskStatus.PROPOSED)
        session.execute(update(CountTask).where(proposed).values(status=TaskStatus.COUNTING, count_id=count_id))


def close_counted(
    session: Session, node: str, tallies: Sequence[CountTally], *, count_id: str, actor: str, now: datetime
) -> None:
    """Remember when articles were looked at, and close what was proposed of them."""
    _remember(session, node, tallies)
    for some in _chunks(tally.sku for tally in tallies):
        ended = {"status": TaskStatus.DONE, "count_id": count_id, "closed_at": now, "closed_by": actor}
        session.execute(update(CountTask).where(_open(node, some)).values(ended))


def drop_of_count(session: Session, count_id: str, *, actor: str, now: datetime) -> None:
    """Close the tasks that a voided count had taken up."""
    taken = (CountTask.count_id == count_id) & CountTask.closed_at.is_(None)
    ended = {"status": TaskStatus.DROPPED, "closed_at": now, "closed_by": actor}
    session.execute(update(CountTask).where(taken).values(ended))


def drop(session: Session, task_id: str, *, actor: str, now: datetime) -> CountTask:
    """Say that nobody need count this. Raises UnknownDocument, IllegalTransition."""
    task = session.get(CountTask, task_id, with_for_update=True, populate_existing=True)
    if task is None:
        raise UnknownDocument("count task", task_id)
    task.status = states.advance(TASK_TRANSITIONS, task.status, TaskStatus.DROPPED, what=f"The task of {task.sku}")
    task.closed_at, task.closed_by = now, actor
    session.flush()
    return task


def _open_tasks(session: Session, node: str) -> int:
    still = (CountTask.node == node) & CountTask.status.in_([TaskStatus.PROPOSED, TaskStatus.COUNTING])
    return session.scalar(select(func.count()).where(still)) or 0


def _with_open_task(session: Session, node: str, skus: Collection[str]) -> set[str]:
    found: set[str] = set()
    for some in _chunks(skus):
        found |= set(session.scalars(select(CountTask.sku).where(_open(node, some))))
    return found


def _open(node: str, skus: Sequence[str]) -> ColumnElement[bool]:
    return and_(CountTask.node == node, CountTask.sku.in_(skus), CountTask.closed_at.is_(None))


def _urgency(cause: Any) -> ColumnElement[int]:
    return case({each.value: place for place, each in enumerate(URGENT_FIRST)}, value=cause, else_=len(URGENT_FIRST))


def _aged(node: str, rule: Rule, now: datetime) -> Select[Any]:
    """Select the articles of a node that are due, the most valuable class first, and in it the longest not counted."""
    value = StockBalance.on_hand * (Article.unit_cost_minor + 1)  # an article without a cost weighs by its units
    before = func.sum(value).over(order_by=(value.desc(), StockBalance.sku)) - value
    valued = (
        select(StockBalance.sku, value.label("value"), before.label("before"), func.sum(value).over().label("total"))
        .join(Article, Article.sku == StockBalance.sku)
        .where(StockBalance.node == node, StockBalance.on_hand > 0)
        .subquery()
    )
    share = valued.c.before * 1.0 / valued.c.total
    class_ = case((share < A_SHARE, 0), (share < B_SHARE, 1), else_=2)
    limits = [
        literal(now - timedelta(days=rule.max_age_days * times), UtcDateTime()) for times in (1, B_TIMES, C_TIMES)
    ]
    due_before = case((class_ == 0, limits[0]), (class_ == 1, limits[1]), else_=limits[2])
    waiting = (CountTask.sku == valued.c.sku) & (CountTask.node == node) & CountTask.closed_at.is_(None)
    return (
        select(valued.c.sku)
        .outerjoin(LastCount, (LastCount.sku == valued.c.sku) & (LastCount.node == node))
        .where(or_(LastCount.counted_at.is_(None), LastCount.counted_at < due_before))
        .where(~select(CountTask.id).where(waiting).exists())
        .order_by(class_, LastCount.counted_at.nulls_first(), valued.c.value.desc(), valued.c.sku)
    )


def _remember(session: Session, node: str, tallies: Sequence[CountTally]) -> None:
    if not tallies:
        return
    given = insert_into(session, LastCount)
    look = ("version", "counted_at")
    newer = given.on_conflict_do_update(
        index_elements=["sku", "node"],
        set_={name: given.excluded[name] for name in ("count_id", *look)},
        where=tuple_(*(getattr(LastCount, name) for name in look)) <= tuple_(*(given.excluded[name] for name in look)),
    )
    rows = [
        {"sku": tally.sku, "node": node, "count_id": tally.count_id, "version": tally.version,
         "counted_at": tally.counted_at}
        for tally in tallies
    ]  # fmt: skip
    session.execute(newer, rows)


def _chunks(skus: Iterable[str]) -> Iterable[list[str]]:
    wanted = sorted(set(skus))
    return (wanted[start : start + availability.LOOKUP] for start in range(0, len(wanted), availability.LOOKUP))
