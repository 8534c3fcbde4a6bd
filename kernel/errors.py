"""The three kinds of refusal a caller can meet, mapped to HTTP once, in `api/`.

Concrete errors live in the package that raises them, each with a stable `code` and a sentence that says what to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a request: where (a JSON pointer, empty for the whole), its code, and what to do."""

    pointer: str
    code: str
    message: str


def step(name: object) -> str:
    """Return a name as one step of a JSON pointer (RFC 6901)."""
    return str(name).replace("~", "~0").replace("/", "~1")


class DomainError(Exception):
    """A refusal with a stable code, a sentence for a person, and every fault found, not only the first.

    `keeps_writes` is true where what was written on the way to the refusal must stay, as a counted wrong try does: the
    door then commits before it answers.
    """

    code: ClassVar[str] = "error"
    keeps_writes: ClassVar[bool] = False

    def __init__(self, message: str, *, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.faults = faults


class NotFound(DomainError):
    """What was asked for does not exist, or not for this caller."""

    code = "not_found"


class Conflict(DomainError):
    """The request is well formed, yet the present state does not allow it."""

    code = "conflict"


class Rejected(DomainError):
    """The request itself is wrong and will be wrong again."""

    code = "rejected"
