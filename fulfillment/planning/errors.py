"""What can be refused about nightly runs."""

from __future__ import annotations

from collections.abc import Sequence

from kernel.errors import Conflict, NotFound, Rejected


class RunNotFound(NotFound):
    """There is no such run."""

    code = "run_not_found"

    def __init__(self, run_id: str) -> None:
        super().__init__(f"There is no run {run_id}.")


class RunUnderWay(Conflict):
    """Another run is being worked out."""

    code = "run_under_way"

    def __init__(self, number: str) -> None:
        super().__init__(f"Run {number} is still being worked out; wait for it, or cancel it first.")


class NotMoved(Rejected):
    """Movements were asked for that the run does not have."""

    code = "not_moved"

    def __init__(self, number: str, demand_ids: Sequence[str]) -> None:
        super().__init__(f"Run {number} has no movement for {', '.join(demand_ids)}; read the run for those it has.")


class PlanRefused(Conflict):
    """The judge found that a plan breaks a rule; nothing of it is proposed."""

    code = "plan_refused"

    def __init__(self, findings: tuple[str, ...]) -> None:
        super().__init__("The plan breaks a rule and is not proposed: " + "; ".join(findings[:5]))
