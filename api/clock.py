"""The only clock of the house: business time, handed down to every verb as `now`.

Read by the doors and by nothing below them. Invariant: instants are aware; a fixed clock always tells the same instant,
so that a demonstration tells the same story at any hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Clock:
    """Business time: the real time, or one fixed instant."""

    fixed_at: datetime | None = None

    def now(self) -> datetime:
        """Return the present business time, in UTC."""
        return self.fixed_at.astimezone(UTC) if self.fixed_at else datetime.now(UTC)

    @staticmethod
    def real_time() -> datetime:
        """Return the real time in UTC, by which schedules fire whatever the business time is."""
        return datetime.now(UTC)
