"""Which soft fence to give up next, where a plan leaves units waiting.

Called by `decide` once a plan is there; pure. Invariant: a fence is named only if it kept out something that has units
of a line that waits, so that a demand which cannot be served anyway keeps all its fences.
"""

from __future__ import annotations

from typing import Final

from fulfillment.network.settings import Fence
from fulfillment.optimizer.plan import Plan
from fulfillment.sourcing.fences import LINE_RULES
from fulfillment.sourcing.gather import Gathered

ORDER_RULES: Final = frozenset({"max_packages", "min_part_value", "together"})
"""Rules about the order as a whole, which keep out plans and not nodes."""


def next_to_relax(gathered: Gathered, plan: Plan, number: int) -> str | None:
    """Return the name of the first soft fence of a demand that may stand between it and units it lacks."""
    lines = sorted({missing.line for missing in plan.unfilled if missing.order == number})
    if not lines:
        return None
    soft = (fence for fence in gathered.scenes[number].fences if fence.soft)
    return next((fence.name for fence in soft if _withholds(gathered, number, lines, fence)), None)


def _withholds(gathered: Gathered, number: int, lines: list[int], fence: Fence) -> bool:
    scene, options = gathered.scenes[number], gathered.options[number]
    useful = scene.could_serve[lines] & options.could
    if fence.rule in LINE_RULES:
        useful = useful & scene.fenced[fence][lines]
    elif fence.rule not in ORDER_RULES:
        # A rule about time is not asked where no way is left to be late.
        useful = useful & options.withheld.get(fence.name, False)
    return bool(useful.any())
