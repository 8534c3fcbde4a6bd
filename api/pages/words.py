"""The words in which pages speak of states, methods, reasons and roles, in the reader's language.

Used by templates and views. Invariant: a state always has a word and a tone; a code without a word shows itself,
spelled out, rather than nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString


class State(NamedTuple):
    """How a state is shown: its word, and the tone that repeats it (good, warn, bad or calm)."""

    word: str | LazyString
    tone: str


STATES: Mapping[str, State] = {
    # Of fulfillment orders.
    "allocated": State(lazy_gettext("to pick"), "calm"),
    "awaiting_transfer": State(lazy_gettext("coming from another store"), "warn"),
    "accepted": State(lazy_gettext("accepted"), "calm"),
    "picking": State(lazy_gettext("being picked"), "warn"),
    "picked": State(lazy_gettext("to pack"), "warn"),
    "packed": State(lazy_gettext("packed"), "good"),
    "shipped": State(lazy_gettext("shipped"), "good"),
    "delivered": State(lazy_gettext("delivered"), "good"),
    "ready": State(lazy_gettext("ready to collect"), "good"),
    "handed_over": State(lazy_gettext("handed over"), "good"),
    "superseded": State(lazy_gettext("sent elsewhere"), "calm"),
    "rejected": State(lazy_gettext("rejected"), "bad"),
    "cancelled": State(lazy_gettext("cancelled"), "bad"),
    "expired": State(lazy_gettext("not collected"), "bad"),
    "refused": State(lazy_gettext("refused"), "bad"),
    "returned_to_sender": State(lazy_gettext("returned to sender"), "bad"),
    # Of orders.
    "created": State(lazy_gettext("new"), "calm"),
    "held": State(lazy_gettext("on hold"), "warn"),
    "approved": State(lazy_gettext("in progress"), "calm"),
    "completed": State(lazy_gettext("completed"), "good"),
    # Of transfers.
    "proposed": State(lazy_gettext("proposed"), "calm"),
    "in_transit": State(lazy_gettext("on its way"), "warn"),
    "partly_received": State(lazy_gettext("partly received"), "warn"),
    "received": State(lazy_gettext("received"), "good"),
    "closed_short": State(lazy_gettext("closed with units missing"), "bad"),
    # Of returns.
    "requested": State(lazy_gettext("requested"), "calm"),
    "authorised": State(lazy_gettext("authorised"), "calm"),
    "inspected": State(lazy_gettext("inspected"), "calm"),
    "closed": State(lazy_gettext("closed"), "good"),
    # Of runs.
    "queued": State(lazy_gettext("queued"), "calm"),
    "running": State(lazy_gettext("running"), "warn"),
    "partly_accepted": State(lazy_gettext("partly accepted"), "good"),
    "stale": State(lazy_gettext("out of date"), "warn"),
    "failed": State(lazy_gettext("failed"), "bad"),
    "rolled_back": State(lazy_gettext("rolled back"), "calm"),
    # Of policies.
    "draft": State(lazy_gettext("draft"), "warn"),
    "active": State(lazy_gettext("in force"), "good"),
    "archived": State(lazy_gettext("archived"), "calm"),
    "shadow": State(lazy_gettext("runs beside"), "calm"),
    # Of nodes.
    "open": State(lazy_gettext("open"), "good"),
    "suspended": State(lazy_gettext("stopped for now"), "warn"),
    "busy": State(lazy_gettext("busy"), "warn"),
    "full": State(lazy_gettext("full today"), "warn"),
    "stopped": State(lazy_gettext("stopped"), "warn"),
    "closed_today": State(lazy_gettext("closed"), "calm"),
    # what became of a run's movements
    "applied": State(lazy_gettext("applied"), "good"),
    "lapsed": State(lazy_gettext("lapsed"), "warn"),
    "declined": State(lazy_gettext("declined"), "calm"),
    # Of a page, not of a document.
    "late": State(lazy_gettext("late"), "bad"),
    "waiting": State(lazy_gettext("waiting"), "warn"),
    "paid": State(lazy_gettext("paid"), "good"),
    "to_pay": State(lazy_gettext("to be paid"), "warn"),
}

METHODS: Mapping[str, str | LazyString] = {
    "ship": lazy_gettext("home delivery"),
    "collect": lazy_gettext("collection in store"),
    "carry_out": lazy_gettext("taken along"),
    "transfer": lazy_gettext("transfer to another store"),
}

REASONS: Mapping[str, str | LazyString] = {
    "not_found": lazy_gettext("Not found"),
    "damaged": lazy_gettext("Damaged"),
    "display_worn": lazy_gettext("Worn display piece"),
    "sold_meanwhile": lazy_gettext("Sold meanwhile"),
    "wrong_label": lazy_gettext("Wrong label"),
    "none_needed": lazy_gettext("It is there, but cannot be sent from here"),
    "no_variance": lazy_gettext("It is there, but cannot be sent from here"),
    "no_staff": lazy_gettext("No one free to pick it"),
    "closing": lazy_gettext("The store is closing"),
    "no_stock": lazy_gettext("No stock anywhere"),
    "no_capacity": lazy_gettext("No capacity left where there is stock"),
    "not_in_time": lazy_gettext("No place that has it can make the date"),
    "no_node": lazy_gettext("No store or warehouse can serve this address"),
    "changed": lazy_gettext("The order changed in the meantime"),
    "no_longer_possible": lazy_gettext("That way is gone, or would now be later than promised"),
    "no_room": lazy_gettext("Others took the units or the working time"),
    "too_bulky": lazy_gettext("No carrier takes a parcel so large or heavy"),
    "package_limit": lazy_gettext("It would need one package too many"),
    "cost": lazy_gettext("Serving it would cost more than leaving it"),
    "fraud": lazy_gettext("It looks like fraud"),
    "payment": lazy_gettext("The payment is not clear"),
    "price": lazy_gettext("The price was wrong"),
    "address": lazy_gettext("The address cannot be found"),
    "hold_expired": lazy_gettext("The hold had run out"),
    "undecided": lazy_gettext("Not decided yet"),
    "no_address": lazy_gettext("The address cannot be placed on the map"),
    "changed_mind": lazy_gettext("Changed their mind"),
    "too_small": lazy_gettext("Too small"),
    "too_large": lazy_gettext("Too large"),
    "not_as_described": lazy_gettext("Not as described"),
    "wrong_article": lazy_gettext("Wrong article"),
    "late": lazy_gettext("Came too late"),
    "customer": lazy_gettext("The customer asked for it"),
    "planner": lazy_gettext("We decided it"),
    "substituted": lazy_gettext("Another article goes instead"),
    "other": lazy_gettext("Another reason"),
    "good": lazy_gettext("Good as new"),
    "quarantine": lazy_gettext("To be looked at"),
    "over_delivery": lazy_gettext("More than was ordered"),
    "wrong_item": lazy_gettext("Not what was ordered"),
    "needs_person": lazy_gettext("So many attempts failed that a person decides"),
    "node_closed": lazy_gettext("The node closed"),
    "missed_cut_off": lazy_gettext("Not begun when it was to leave"),
    "no_show": lazy_gettext("Nobody came to collect it"),
}

GRADES: Mapping[str, str | LazyString] = {
    "resell": lazy_gettext("Good as new"),
    "damaged": lazy_gettext("Damaged"),
    "quarantine": lazy_gettext("To be looked at"),
}

GRADE_EFFECTS: Mapping[str, str | LazyString] = {
    "resell": lazy_gettext("Back to the shelf, for sale at once."),
    "damaged": lazy_gettext("To the damaged stock; it is not sold."),
    "quarantine": lazy_gettext("Set aside until somebody decides."),
}

COUNT_STATES: Mapping[str, str | LazyString] = {
    "open": lazy_gettext("not begun"),
    "counting": lazy_gettext("being counted"),
    "review": lazy_gettext("to review"),
    "posted": lazy_gettext("posted"),
    "void": lazy_gettext("thrown away"),
}

COUNT_CAUSES: Mapping[str, str | LazyString] = {
    "short_pick": lazy_gettext("not found at a pick"),
    "rejection": lazy_gettext("rejected as missing"),
    "sold_beyond_stock": lazy_gettext("sold more than we knew of"),
    "zero_check": lazy_gettext("should be empty"),
    "age": lazy_gettext("not counted for long"),
}

ROLES: Mapping[str, str | LazyString] = {
    "admin": lazy_gettext("administrator"),
    "planner": lazy_gettext("planner"),
    "agent": lazy_gettext("customer service"),
    "store": lazy_gettext("store"),
    "supplier": lazy_gettext("supplier"),
}


def state(code: str) -> State:
    """Return how a state is shown."""
    return STATES.get(code, State(spelled(code), "calm"))


def method(code: str) -> str:
    """Return the words for how units reach the customer."""
    return str(METHODS.get(code, spelled(code)))


def reason(code: str) -> str:
    """Return the words for a reason."""
    return str(REASONS.get(code, spelled(code)))


def grade(code: str) -> str:
    """Return the words for the grade of what came back."""
    return str(GRADES.get(code, spelled(code)))


def count_state(code: str) -> str:
    """Return the words for where a count stands; its open is another than a node's."""
    return str(COUNT_STATES.get(code, spelled(code)))


def count_cause(code: str) -> str:
    """Return the words for why something should be counted."""
    return str(COUNT_CAUSES.get(code, spelled(code)))


def role(code: str) -> str:
    """Return the words for a role."""
    return str(ROLES.get(code, spelled(code)))


def spelled(code: str) -> str:
    """Return a code as words, for codes that a retailer added."""
    return code.replace("_", " ")
