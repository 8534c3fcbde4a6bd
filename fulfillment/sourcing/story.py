"""What changed from one decision of a demand to the next: who failed it in between, and who serves instead.

Called by the doors beside `explain`, whose sentences follow these. Invariant: only stored decisions and setbacks are
read; what stayed with its node because somebody works on it is not told as a change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy.orm import Session

from fulfillment.sourcing.explain import Sentence
from fulfillment.work import setbacks
from fulfillment.work.models import Decision, Setback


def stories(session: Session, decisions: Sequence[Decision], *, names: Mapping[str, str]) -> dict[str, list[Sentence]]:
    """Tell for each decision, by id, what led to it and what it changed; nothing for the first of a demand.

    `decisions` are those of an order, oldest first; `names` are those of the nodes by id.
    """
    by_demand: defaultdict[str, list[Decision]] = defaultdict(list)
    for decision in decisions:
        by_demand[decision.demand_id].append(decision)
    again = [demand_id for demand_id, own in by_demand.items() if len(own) > 1]
    failed = setbacks.of_demands(session, again) if again else {}
    told: dict[str, list[Sentence]] = {decision.id: [] for decision in decisions}
    for demand_id in again:
        for before, after in zip(by_demand[demand_id], by_demand[demand_id][1:], strict=False):
            # Ids rise with time, also where the business clock stands still.
            between = [each for each in failed.get(demand_id, ()) if before.id < each.id < after.id]
            told[after.id] = [*_failed(between, names), *_moved(before, after, names)]
    return told


def _failed(between: Sequence[Setback], names: Mapping[str, str]) -> Iterator[Sentence]:
    for each in between:
        values = {"node": names.get(each.node, each.node), "units": each.units, "sku": each.sku, "reason": each.reason}
        yield Sentence(f"failed_{each.cause}", values)


def _moved(before: Decision, after: Decision, names: Mapping[str, str]) -> Iterator[Sentence]:
    """Tell which nodes serve lines now that others served, and which were put off to another day."""
    was, now = _nodes(before), _nodes(after)
    came = {node for line, nodes in now.items() for node in nodes if line in was and node not in was[line]}
    went = {node for line, nodes in was.items() for node in nodes if line in now and node not in now[line]}
    if came and went:
        yield Sentence("instead", {"nodes": _named(came, names), "others": _named(went, names)})
    days = {package["node"]: package["work_on"] for package in before.assignments}
    for package in after.assignments:
        if days.get(package["node"], package["work_on"]) < package["work_on"]:
            node = names.get(package["node"], package["node"])
            yield Sentence("put_off", {"node": node, "day": package["work_on"]})


def _nodes(decision: Decision) -> dict[str, set[str]]:
    """Return the nodes that serve each line, as far as the decision says."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for package in decision.assignments:
        for line in package["lines"]:
            found[line["line"]].add(package["node"])
    return dict(found)


def _named(nodes: set[str], names: Mapping[str, str]) -> str:
    return ", ".join(sorted(names.get(node, node) for node in nodes))
