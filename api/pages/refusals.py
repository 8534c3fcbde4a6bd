"""Refusals from below in the reader's language: what is not possible, and what is instead.

Used by the error pages. The rooms below write English sentences; here each stable code has one that can be translated.
Invariant: an English reader gets the original, which knows more; a code without a sentence keeps its original.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext

from api.pages import i18n, words
from kernel.errors import DomainError
from kernel.money import Money

# By status: what to do with a fulfillment order instead of what was asked.
INSTEAD = {
    "allocated": lazy_gettext("put it on a pick list first"),
    "awaiting_transfer": lazy_gettext("wait until its transfer is received"),
    "accepted": lazy_gettext("put it on a pick list first"),
    "picking": lazy_gettext("pick all its units first, or say which are missing"),
    "picked": lazy_gettext("pack it first"),
    "packed": lazy_gettext("ship it or set it ready, or open its package to change what is in it"),
    "shipped": lazy_gettext("it has left: what comes back is a return"),
    "delivered": lazy_gettext("it has arrived: what comes back is a return"),
    "ready": lazy_gettext("hand it over, or cancel it"),
    "handed_over": lazy_gettext("the customer has it: what comes back is a return"),
    "superseded": lazy_gettext("its units are served from elsewhere now: put back what you have in hand"),
    "rejected": lazy_gettext("its units are served from elsewhere now: put back what you have in hand"),
    "cancelled": lazy_gettext("nobody wants its units any more: put back what you have in hand"),
    "expired": lazy_gettext("it was not collected in time: put its units back"),
    "refused": lazy_gettext("the customer did not want it: put its units back"),
    "returned_to_sender": lazy_gettext("the carrier brought it back: receive it as a return"),
}
GONE = lazy_gettext("It does not exist, or not any more. Go back and look again.")
CHANGED = lazy_gettext("Somebody else was faster. Look again, then repeat what you wanted.")
WRONG_NUMBERS = lazy_gettext("These numbers of units are not possible. Check them.")
NO_REASON = lazy_gettext("Choose one of the reasons.")
SENTENCES: Mapping[str, Any] = {
    "already_shipped": lazy_gettext("It has left already: what comes back is a return."),
    "balances_moved": CHANGED,
    "changed_meanwhile": lazy_gettext("Somebody else changed this. Nothing was saved: look at it again."),
    "claimed_by_other": lazy_gettext("%(claimed_by)s is picking this list. Take it over to go on with it."),
    "claims_changed": CHANGED,
    "code_locked": lazy_gettext("The code is locked after too many wrong tries. Look at a document."),
    "article_unknown": lazy_gettext("No article has the code %(scanned)s. Nothing was counted."),
    "count_incomplete": lazy_gettext(
        "Some articles have not been counted. Count them, or confirm that there are none."
    ),
    "count_too_large": lazy_gettext("That is too much for one count. Name fewer shelves."),
    "count_undecided": lazy_gettext("Accept one of the results of each article, or have it counted again."),
    "counted_before": lazy_gettext(
        "You counted the first time. Let somebody else count again, or say that you are alone."
    ),
    "four_eyes": lazy_gettext("Only you have seen some large differences: somebody else has to post."),
    "fulfillment_order_unknown": GONE,
    "identification_needed": lazy_gettext("Ask for the pickup code, or look at a document and say which."),
    "illegal_transition": lazy_gettext("It has moved on meanwhile. Look at it again."),
    "insufficient_stock": lazy_gettext("There are not enough units for this. Look at the stock again."),
    "invalid_request": lazy_gettext("Something is missing or wrong. Check what you chose."),
    "invalid_units": WRONG_NUMBERS,
    "last_band": lazy_gettext(
        "Without these bands %(service)s would have no price, and nothing could leave by it. Import the right bands "
        "first, or take the service out of use."
    ),
    "line_unknown": GONE,
    "not_being_counted": lazy_gettext("This count is over. Nothing is counted for it any more."),
    "not_found": GONE,
    "not_in_review": lazy_gettext("This count is not in review."),
    "not_possible_now": lazy_gettext("Order %(number)s is %(state)s: %(instead)s."),
    "not_returnable": lazy_gettext("The customer does not have so many units of it. Check what came back before."),
    "nothing_to_count": lazy_gettext("No article lies there. Check the shelves."),
    "nothing_shipped": lazy_gettext("It was not shipped yet. Ship it, then print its label."),
    "nothing_to_cancel": lazy_gettext("There is nothing left to cancel: what has left comes back as a return."),
    "nothing_to_pick": lazy_gettext("Nothing waits to be picked here. Somebody else may have begun."),
    "on_hold": lazy_gettext("The order is on hold. Customer service has to lift the hold first."),
    "overpaid": lazy_gettext("Only %(due)s is to be paid."),
    "payment_due": lazy_gettext("%(due)s is to be paid first. Collect it, and say how it was paid."),
    "pick_list_unknown": GONE,
    "put_back_unknown": GONE,
    "reason_unknown": NO_REASON,
    "round_unknown": CHANGED,
    "safety_rule_unknown": GONE,
    "scan_id_reused": lazy_gettext("This scan came in before with another code. Scan it again."),
    "session_ended": lazy_gettext("This session is over. Begin another one."),
    "session_of_other": lazy_gettext("This is the session of %(counter)s. Begin one of your own."),
    "sessions_under_way": lazy_gettext("%(counters)s are still counting. Let them hand in first."),
    "shelf_taken": lazy_gettext("%(counter)s counts %(sku)s on shelf %(shelf)s. Nothing was counted."),
    "stale_plan": CHANGED,
    "subject_erased": lazy_gettext("The personal data of this customer was erased."),
    "takes_no_returns": lazy_gettext("This place takes no returns. Send the customer to one that does."),
    "bundle_has_no_stock": lazy_gettext("This is sold as a set: receive the articles it is made of."),
    "transfer_invalid": WRONG_NUMBERS,
    "too_many": lazy_gettext("That is more than is wanted. Nothing was counted."),
    "tracking_number_taken": lazy_gettext("Another package has this tracking number. Scan the label of this one."),
    "units_invalid": WRONG_NUMBERS,
    "unknown_customer": GONE,
    "unknown_document": GONE,
    "unknown_order": GONE,
    "unknown_reason": NO_REASON,
    "unknown_return": GONE,
    "wrong_article": lazy_gettext("%(scanned)s is another article than the one expected. Nothing was counted."),
    "wrong_code": lazy_gettext("This is not the right code; %(tries_left)s tries are left."),
    "wrong_method": lazy_gettext("This step is for another way of delivery. Look at the order again."),
    "wrong_shelf": lazy_gettext("This is another shelf than the article's. Nothing was counted."),
}
# By the code of a single fault, for a word beside a field.
FAULTS: Mapping[str, Any] = {
    "invalid": lazy_gettext("This is not possible here."),
    "one_too_many": lazy_gettext("A rule names one of these, not several."),
    "scope_taken": lazy_gettext("Another rule is about the same: change that one."),
    "unknown_channel": lazy_gettext("There is no such channel."),
    "unknown_node": lazy_gettext("There is no such node."),
    "unknown_sku": lazy_gettext("There is no such article."),
}


def said(error: DomainError) -> tuple[str, list[str]]:
    """Return a refusal's sentence for the reader, and the single faults where they add to it."""
    sentence = SENTENCES.get(error.code)
    if sentence is None or i18n.language() == "en":
        return error.message, [fault.message for fault in error.faults if fault.message not in error.message]
    try:
        return str(sentence) % _values(error), []
    except KeyError:
        return error.message, []


def flaws(error: DomainError) -> dict[str, str]:
    """Return what is wrong by the field that it stands beside; what belongs to no field is under the empty name."""
    english = i18n.language() == "en"
    found = {
        fault.pointer.rpartition("/")[2]: fault.message if english else str(FAULTS.get(fault.code, fault.message))
        for fault in error.faults
    }
    return found or {"": said(error)[0]}


def _values(error: DomainError) -> dict[str, Any]:
    """Return the fields of a refusal as words."""
    values = dict(vars(error))
    status = values.get("status")
    if status is not None:
        values["state"] = words.state(status).word
        values["instead"] = INSTEAD.get(status, "")
    if isinstance(due := values.get("due"), Money):
        values["due"] = i18n.money(due.minor, due.currency)
    return values
