"""What happened to an order, in words: one sentence for each thing that was recorded.

Invariant: a kind of fact that has no words yet shows its own name, rather than nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask_babel import gettext, ngettext

from api.pages import words
from api.pages.orders.words import remedy
from oms.view import Moment

Names = Mapping[str, str]


def told(moment: Moment, names: Names) -> str:
    """Return what happened; `names` are those of the nodes."""
    if moment.fulfillment_order is not None:
        return _of_work(moment, names)
    told_of_order = OF_ORDER.get(moment.what)
    if told_of_order is not None:
        return told_of_order(moment)
    return words.spelled(moment.what).capitalize()


def why(moment: Moment) -> str:
    """Return the reason in words; empty when there is none, and for a decision, which tells its own."""
    decided = moment.fulfillment_order is not None and moment.from_status is None
    return "" if decided or not moment.reason else words.reason(moment.reason)


def tone(moment: Moment) -> str:
    """Return the tone of what happened."""
    if moment.what in {"units_taken_off", "lines_cancelled", "wrong_code", "hold_placed"}:
        return "warn"
    return words.state(moment.to_status).tone if moment.to_status else "calm"


def _of_work(moment: Moment, names: Names) -> str:
    node = names.get(moment.node or "", moment.node or "")
    if moment.what == "units_taken_off":
        return gettext("%(node)s could not give all of it", node=node)
    if moment.what == "wrong_code":
        return gettext("A wrong code was shown at %(node)s", node=node)
    if moment.from_status is None and moment.to_status is not None:
        return gettext("%(node)s was chosen", node=node)
    state = words.state(moment.to_status or moment.what).word
    return gettext("%(node)s: %(state)s", node=node, state=state)


def _cancelled(moment: Moment) -> str:
    units = sum(line.get("units", 0) for line in moment.details.get("lines", ()))
    return ngettext("%(num)d unit was cancelled", "%(num)d units were cancelled", units)


def _moved(moment: Moment) -> str:
    return gettext("The order is %(state)s", state=words.state(moment.to_status or "").word)


OF_ORDER: Mapping[str, Callable[[Moment], str]] = {
    "placed": lambda _moment: gettext("The order came in"),
    "moved": _moved,
    "lines_cancelled": _cancelled,
    "paid": lambda _moment: gettext("A payment came in"),
    "hold_placed": lambda _moment: gettext("The order was held"),
    "hold_taken": lambda _moment: gettext("What was held for the cart became the order"),
    "hold_lifted": lambda _moment: gettext("The hold was lifted"),
    "address_corrected": lambda _moment: gettext("The address was corrected"),
    "recovered": lambda moment: gettext("A person chose: %(choice)s", choice=remedy(moment.details.get("choice", ""))),
    "return": lambda moment: gettext("Return: %(state)s", state=words.state(moment.to_status or "").word),
}
