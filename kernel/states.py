"""State machines as tables: from each state, the states it may go to."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from kernel.errors import Conflict

Transitions = Mapping[str, Collection[str]]


class IllegalTransition(Conflict):
    """This step is not possible from the present state."""

    code = "illegal_transition"

    def __init__(self, what: str, current: str, target: str, allowed: Collection[str]) -> None:
        options = ", ".join(sorted(allowed)) or "nothing: it is final"
        super().__init__(f"{what} is {current} and cannot become {target}; from here it may become {options}.")
        self.current, self.target = current, target


def advance(table: Transitions, current: str, target: str, *, what: str) -> str:
    """Return `target` when `table` allows it from `current`; raise IllegalTransition otherwise."""
    assert current in table, f"{current!r} is not a state of {what}"
    if target not in table[current]:
        raise IllegalTransition(what, current, target, table[current])
    return target
