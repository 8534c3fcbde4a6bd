"""News of the night."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class RunMoved(Event):
    """A run has a new status: proposed, accepted, rejected and so on; `applied` and `lapsed` count its movements."""

    aggregate: ClassVar[str] = "run"
    verb: ClassVar[str] = "moved"
    status: str
    applied: int = 0
    lapsed: int = 0

    @property
    def type(self) -> str:
        """The name under which the outside knows it, as in "run.accepted"."""
        return f"{self.aggregate}.{self.status}"
