"""What counting refuses, each with what to do instead.

Raised by the verbs of counting, mapped to HTTP by the doors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kernel.errors import Conflict, Fault, NotFound, Rejected

MOST_LINES = 5_000


class NothingToCount(NotFound):
    """No article lies there."""

    code = "nothing_to_count"


class CountTooLarge(Rejected):
    """More articles than one count can have."""

    code = "count_too_large"

    def __init__(self, lines: int) -> None:
        super().__init__(f"{lines:,} articles lie there and a count has at most {MOST_LINES:,}: name fewer shelves.")


class CountIncomplete(Rejected):
    """Some articles of the round have no result yet; every one is named."""

    code = "count_incomplete"

    def __init__(self, skus: Iterable[str]) -> None:
        self.skus = tuple(skus)
        faults = tuple(Fault(f"/lines/{sku}", self.code, f"{sku} has not been counted") for sku in self.skus)
        super().__init__("Count every article first, or say that there is none.", faults=faults)


class SessionsUnderWay(Conflict):
    """Others are still counting."""

    code = "sessions_under_way"

    def __init__(self, counters: Sequence[str]) -> None:
        self.counters = ", ".join(counters)
        super().__init__(f"Still counting: {self.counters}. Let them hand in, or discard their sessions.")


class NotInReview(Conflict):
    """Only a count in review is decided about and posted."""

    code = "not_in_review"

    def __init__(self, status: str) -> None:
        self.status = status
        super().__init__(f"The count is {status}, not in review.")


class UnknownRound(Rejected):
    """An article was not counted in the round that is to be accepted, or is none of the count."""

    code = "round_unknown"

    def __init__(self, skus: Iterable[str]) -> None:
        faults = tuple(Fault(f"/accept/{sku}", self.code, f"{sku} has no such result") for sku in skus)
        super().__init__("Some articles have no result of that round.", faults=faults)


class CountUndecided(Conflict):
    """Rounds disagree, and nobody has said which is right; every article is named."""

    code = "count_undecided"

    def __init__(self, skus: Iterable[str]) -> None:
        faults = tuple(Fault(f"/lines/{sku}", self.code, f"{sku} was counted with different results") for sku in skus)
        super().__init__("Accept one of the results of each article, or have it counted again.", faults=faults)


class FourEyes(Conflict):
    """A large difference is posted by somebody else than the only person who counted it."""

    code = "four_eyes"

    def __init__(self, actor: str, skus: Iterable[str]) -> None:
        self.actor = actor
        faults = tuple(Fault(f"/lines/{sku}", self.code, f"only {actor} counted {sku}") for sku in skus)
        super().__init__(f"Only {actor} has seen some large differences: somebody else has to post.", faults=faults)


class NotYourSession(Conflict):
    """A session is written by the person who began it."""

    code = "session_of_other"

    def __init__(self, counter: str) -> None:
        self.counter = counter
        super().__init__(f"This is {counter}'s session: begin one of your own.")


class SessionEnded(Conflict):
    """Nothing more can be written into this session."""

    code = "session_ended"

    def __init__(self) -> None:
        super().__init__("This session is over: begin another one.")


class NotBeingCounted(Conflict):
    """The count is in review, posted or void."""

    code = "not_being_counted"

    def __init__(self, status: str) -> None:
        self.status = status
        super().__init__(f"The count is {status}: nothing is counted for it any more.")


class CountedBefore(Conflict):
    """A second count is made by somebody else, where there is somebody else."""

    code = "counted_before"

    def __init__(self, actor: str) -> None:
        self.actor = actor
        super().__init__(f"{actor} counted the first time: let somebody else count again, or say that you are alone.")


class ShelfTaken(Conflict):
    """Somebody else counts this article on this shelf."""

    code = "shelf_taken"

    def __init__(self, sku: str, shelf: str, counter: str) -> None:
        self.sku, self.shelf, self.counter = sku, shelf, counter
        super().__init__(f"{counter} has counted {sku} on shelf {shelf}: name another shelf, or discard that session.")


class UnknownCode(NotFound):
    """No article has this code."""

    code = "article_unknown"

    def __init__(self, scanned: str) -> None:
        self.scanned = scanned
        super().__init__(f"No article has the code {scanned!r}. Nothing was counted.")


class ScanReused(Conflict):
    """A scan id came with another scan before."""

    code = "scan_id_reused"

    def __init__(self, scan_id: str) -> None:
        super().__init__(f"Scan {scan_id} came before with another code or session.")
