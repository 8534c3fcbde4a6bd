"""The refusals of physical work, each with a stable code and a sentence that says what to do instead."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import ClassVar

from fulfillment.work.models import Status
from kernel.errors import Conflict, Fault, NotFound, Rejected

S = Status
INSTEAD = {
    S.ALLOCATED: "accept it and put it on a pick list first",
    S.AWAITING_TRANSFER: "wait until its transfer is received",
    S.ACCEPTED: "put it on a pick list first",
    S.PICKING: "pick all its units first, or say which are missing",
    S.PICKED: "pack it first",
    S.PACKED: "ship it or set it ready, or unpack it to change its contents",
    S.SHIPPED: "it has left: what comes back is a return",
    S.DELIVERED: "it has arrived: what comes back is a return",
    S.READY: "hand it over, or cancel it",
    S.HANDED_OVER: "the customer has it: what comes back is a return",
    S.SUPERSEDED: "its units are served from elsewhere now: stop, and put back what you have in hand",
    S.REJECTED: "its units are served from elsewhere now: stop, and put back what you have in hand",
    S.CANCELLED: "nobody wants its units any more: put back what you have in hand",
    S.EXPIRED: "it was not collected in time: put its units back, or order anew",
    S.REFUSED: "the customer did not want it: put its units back",
    S.RETURNED_TO_SENDER: "the carrier brought it back: receive it as a return",
}


class UnknownFulfillmentOrder(NotFound):
    """No fulfillment order has this id."""

    code = "fulfillment_order_unknown"

    def __init__(self, ids: Collection[str]) -> None:
        super().__init__(f"There is no fulfillment order {', '.join(sorted(ids))}.")


class UnknownPickList(NotFound):
    """No pick list has this id."""

    code = "pick_list_unknown"

    def __init__(self, pick_list_id: str) -> None:
        super().__init__(f"There is no pick list {pick_list_id}.")


class UnknownPutBack(NotFound):
    """No put-back task has this id."""

    code = "put_back_unknown"

    def __init__(self, put_back_id: str) -> None:
        super().__init__(f"There is no put-back task {put_back_id}.")


class UnknownLines(NotFound):
    """Lines were named that are not there."""

    code = "line_unknown"

    def __init__(self, where: str, line_ids: Collection[str]) -> None:
        faults = tuple(Fault("/lines", self.code, f"{line_id} is no line of {where}.") for line_id in sorted(line_ids))
        super().__init__(f"{where} has no line {', '.join(sorted(line_ids))}.", faults=faults)


class InvalidUnits(Rejected):
    """Numbers of units that cannot be."""

    code = "units_invalid"

    def __init__(self, messages: Collection[str]) -> None:
        super().__init__(" ".join(messages), faults=tuple(Fault("/lines", self.code, message) for message in messages))


class NotPossibleNow(Conflict):
    """The fulfillment order's state does not allow this step; the sentence says which step it does allow."""

    code = "not_possible_now"

    def __init__(self, number: str, status: str) -> None:
        super().__init__(f"Fulfillment order {number} is {status}: {INSTEAD[Status(status)]}.")
        self.number, self.status = number, status


class AlreadyShipped(NotPossibleNow):
    """The units have left the node."""

    code = "already_shipped"


class OnHold(Conflict):
    """The demand is paused: nobody starts on it, and nothing of it leaves."""

    code = "on_hold"

    def __init__(self, number: str) -> None:
        super().__init__(f"Fulfillment order {number} is on hold: leave it where it is until the hold is lifted.")


class LinesAlreadyShipped(Conflict):
    """More units were to be cancelled than are still here."""

    code = "already_shipped"

    def __init__(self, left: Mapping[str, int]) -> None:
        faults = tuple(
            Fault("/lines", self.code, f"Of line {line_id} only {units} can still be cancelled.")
            for line_id, units in sorted(left.items())
        )
        sentences = " ".join(fault.message for fault in faults)
        super().__init__(
            f"{sentences} The rest has left or was cancelled: what has left comes back as a return.", faults=faults
        )
        self.left = dict(left)


class WrongMethod(Conflict):
    """This step belongs to another way of reaching the customer."""

    code = "wrong_method"

    def __init__(self, number: str, method: str, instead: str) -> None:
        super().__init__(f"Fulfillment order {number} is for {method}: {instead}.")


class NothingToPick(Conflict):
    """No fulfillment order of the node waits to be picked."""

    code = "nothing_to_pick"

    def __init__(self, node: str) -> None:
        super().__init__(f"Nothing waits to be picked at {node}.")


class ClaimedByOther(Conflict):
    """Somebody else picks this list."""

    code = "claimed_by_other"

    def __init__(self, number: str, claimed_by: str) -> None:
        super().__init__(f"Pick list {number} is being picked by {claimed_by}; take it over to go on with it.")
        self.claimed_by = claimed_by


class WrongArticle(Rejected):
    """The scanned code is not the article that was expected; nothing was counted."""

    code = "wrong_article"

    def __init__(self, scanned: str, expected: str) -> None:
        super().__init__(f"{scanned} was scanned; expected {expected}. Nothing was counted.")
        self.scanned, self.expected = scanned, expected


class TooMany(Conflict):
    """More units were scanned than are wanted; nothing was counted."""

    code = "too_many"

    def __init__(self, article: str, *, wanted: int, have: int, scanned: int) -> None:
        super().__init__(
            f"{article}: {wanted} wanted, {have} already there, {scanned} more scanned. Nothing was counted."
        )
        self.wanted, self.have, self.scanned = wanted, have, scanned


class WrongShelf(Rejected):
    """The scanned shelf is not the article's."""

    code = "wrong_shelf"

    def __init__(self, scanned: str, expected: str) -> None:
        super().__init__(f"Shelf {scanned} was scanned; this article belongs on {expected}. Nothing was counted.")


class ScanIdReused(Rejected):
    """A scan id stands for one scan, and came with another code."""

    code = "scan_id_reused"

    def __init__(self, scan_id: str) -> None:
        super().__init__(f"Scan {scan_id} was sent before with another code or line; make a new id for a new scan.")


class WrongCode(Rejected):
    """The pickup code does not match; the try stays counted."""

    code = "wrong_code"
    keeps_writes: ClassVar[bool] = True

    def __init__(self, number: str, tries_left: int) -> None:
        super().__init__(f"This is not the code of {number}; {tries_left} tries are left.")
        self.tries_left = tries_left


class CodeLocked(Conflict):
    """Too many wrong codes were tried."""

    code = "code_locked"
    keeps_writes: ClassVar[bool] = True

    def __init__(self, number: str) -> None:
        super().__init__(
            f"The code of {number} is locked after too many wrong tries: identify the person by a document."
        )


class IdentificationNeeded(Rejected):
    """Somebody must show the code, or who they are."""

    code = "identification_needed"

    def __init__(self, kinds: Collection[str]) -> None:
        super().__init__(f"Ask for the pickup code, or identify the person by one of {', '.join(sorted(kinds))}.")


class NothingShipped(Conflict):
    """A label needs a shipment."""

    code = "nothing_shipped"

    def __init__(self, number: str) -> None:
        super().__init__(f"Fulfillment order {number} has no shipment yet: ship it, then print its label.")


class TrackingNumberTaken(Conflict):
    """Another package has this tracking number."""

    code = "tracking_number_taken"

    def __init__(self, tracking_number: str) -> None:
        super().__init__(f"Tracking number {tracking_number} is on another package: scan the label of this one.")
