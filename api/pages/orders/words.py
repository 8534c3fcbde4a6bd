"""The words of the order pages: what shoppers are told, and the reasons that staff choose from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from oms.status import PublicStatus

PUBLIC: Final[Mapping[str, tuple[LazyString, str]]] = {
    PublicStatus.PROCESSING: (lazy_gettext("being prepared"), "calm"),
    PublicStatus.PROBLEM: (lazy_gettext("needs attention"), "warn"),
    PublicStatus.PICKUP_AVAILABLE: (lazy_gettext("ready to collect"), "good"),
    PublicStatus.IN_TRANSIT: (lazy_gettext("on its way"), "good"),
    PublicStatus.DELIVERED: (lazy_gettext("delivered"), "good"),
    PublicStatus.RETURNED: (lazy_gettext("returned"), "calm"),
    PublicStatus.CANCELLED: (lazy_gettext("cancelled"), "bad"),
}
REASONS_TO_CANCEL: Final = ("customer", "changed_mind", "fraud", "price", "other")
REASONS_TO_HOLD: Final = ("customer", "fraud", "payment", "other")


REMEDIES: Final[Mapping[str, LazyString]] = {
    "ship": lazy_gettext("ship home"),
    "collect": lazy_gettext("collect at a store"),
    "substitute": lazy_gettext("send another article"),
    "wait": lazy_gettext("wait"),
    "cancel": lazy_gettext("cancel"),
}


def remedy(choice: str) -> str:
    """Return the words for a way an order in trouble may go on."""
    return str(REMEDIES.get(choice, choice))


def public(status: str) -> tuple[str | LazyString, str]:
    """Return what the shopper is told, as a word and a tone."""
    return PUBLIC.get(status, (status, "calm"))
