"""The sentences in which a decision is told, in the reader's language, by the codes of `sourcing.explain`.

Invariant: every code of `explain` has its sentence here, with the number of things in the right grammatical form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from flask_babel import gettext, lazy_gettext, ngettext
from flask_babel.speaklater import LazyString

from api.pages import costs, i18n, words
from api.pages.visit import config, now
from kernel.money import parse

Values = Mapping[str, Any]


def sentence_of(code: str, values: Values) -> str:
    """Return a sentence of a decision; a rule by which nodes lost is told with their names."""
    written = {name: WRITTEN[name](value) if name in WRITTEN else value for name, value in values.items()}
    return TOLD[code](written) if code in TOLD else _lost(code, written)


def _ships(values: Values) -> str:
    return ngettext(
        "%(node)s ships %(num)d unit with %(service)s, to arrive by %(arrives_at)s.",
        "%(node)s ships %(num)d units with %(service)s, to arrive by %(arrives_at)s.",
        values["units"], **values,
    )  # fmt: skip


def _collected(values: Values) -> str:
    return ngettext(
        "%(node)s has %(num)d unit ready from its own shelves by %(arrives_at)s.",
        "%(node)s has %(num)d units ready from its own shelves by %(arrives_at)s.",
        values["units"], **values,
    )  # fmt: skip


def _transferred(values: Values) -> str:
    return ngettext(
        "%(node)s sends %(num)d unit with %(service)s to the store, ready by %(arrives_at)s.",
        "%(node)s sends %(num)d units with %(service)s to the store, ready by %(arrives_at)s.",
        values["units"], **values,
    )  # fmt: skip


def _cheaper(values: Values) -> str:
    return gettext("This costs %(cost)s, which is %(gap)s less than the best plan with %(other)s.", **values)


def _as_cheap(values: Values) -> str:
    return gettext("This costs %(cost)s; the best plan with %(other)s costs the same.", **values)


def _alone(values: Values) -> str:
    return gettext("This costs %(cost)s; no other node could serve it.", **values)


def _waits(values: Values) -> str:
    return ngettext(
        "%(num)d unit of %(sku)s waits: %(why)s.", "%(num)d units of %(sku)s wait: %(why)s.", values["units"], **values
    )


def _relaxed(values: Values) -> str:
    return gettext("With all fences units would wait, so these did not bind: %(fences)s.", **values)


def _short_pick(values: Values) -> str:
    return ngettext(
        "%(node)s did not find %(num)d unit of %(sku)s.", "%(node)s did not find %(num)d units of %(sku)s.",
        values["units"], **values,
    )  # fmt: skip


def _rejection(values: Values) -> str:
    return ngettext(
        "%(node)s refused %(num)d unit of %(sku)s: %(reason)s.",
        "%(node)s refused %(num)d units of %(sku)s: %(reason)s.",
        values["units"], **values,
    )  # fmt: skip


def _displacement(values: Values) -> str:
    return ngettext(
        "%(node)s turned out to have %(num)d unit of %(sku)s less.",
        "%(node)s turned out to have %(num)d units of %(sku)s less.",
        values["units"], **values,
    )  # fmt: skip


def _node_closed(values: Values) -> str:
    return gettext("%(node)s closed before it began.", **values)


def _missed_cut_off(values: Values) -> str:
    return gettext("%(node)s had not begun when it was to leave.", **values)


def _instead(values: Values) -> str:
    return gettext("%(nodes)s now serves instead of %(others)s.", **values)


def _put_off(values: Values) -> str:
    return gettext("%(node)s works on it later, on %(day)s.", **values)


def _flip_stock(values: Values) -> str:
    return ngettext(
        "With %(num)d more unit of %(sku)s at %(node)s, another plan would be %(saved)s cheaper.",
        "With %(num)d more units of %(sku)s at %(node)s, another plan would be %(saved)s cheaper.",
        values["count"], **values,
    )  # fmt: skip


def _flip_packages(values: Values) -> str:
    return ngettext(
        "With %(num)d more package allowed, another plan would be %(saved)s cheaper.",
        "With %(num)d more packages allowed, another plan would be %(saved)s cheaper.",
        values["count"], **values,
    )  # fmt: skip


def _flip_minutes(values: Values) -> str:
    return ngettext(
        "With %(num)d more minute of work at %(node)s, another plan would be %(saved)s cheaper.",
        "With %(num)d more minutes of work at %(node)s, another plan would be %(saved)s cheaper.",
        values["count"], **values,
    )  # fmt: skip


def _flip_cost(values: Values) -> str:
    return gettext("%(node)s would serve it if that cost %(amount)s less.", **values)


def _flip_cost_at_least(values: Values) -> str:
    return gettext("%(node)s would serve it only if that cost at least %(amount)s less.", **values)


def _flip_fence(values: Values) -> str:
    return gettext("If %(node)s were asked for %(sku)s, another plan would be %(saved)s cheaper.", **values)


def _flip_cut_off(values: Values) -> str:
    return ngettext(
        "%(num)d minute earlier, or with the cut-off of %(node)s so much later, it would leave a day sooner and "
        "arrive by %(arrives_at)s, %(saved)s cheaper.",
        "%(num)d minutes earlier, or with the cut-off of %(node)s so much later, it would leave a day sooner and "
        "arrive by %(arrives_at)s, %(saved)s cheaper.",
        values["count"], **values,
    )  # fmt: skip


def _lost(rule: str, values: Values) -> str:
    told = costs.exclusion(rule)
    told = told[:1].upper() + told[1:]
    return f"{told} ({values['count']}): {values['nodes']}" if "nodes" in values else f"{told}."


def _money(value: str) -> str:
    amount, currency = value.split()
    return i18n.money(parse(amount, currency).minor, currency)


def _instant(value: str) -> str:
    if not value:
        return ""
    return i18n.moment(datetime.fromisoformat(value).replace(tzinfo=UTC), config().night.time_zone, now()).striptags()


def _why(value: str) -> str:
    return str(WHY.get(value, value))


def _reason(value: str) -> str:
    return words.reason(value).lower()


def _day(value: str) -> str:
    return i18n.day(date.fromisoformat(value), now().date())


TOLD: Final[Mapping[str, Callable[[Values], str]]] = {
    "ships": _ships,
    "collected": _collected,
    "transferred": _transferred,
    "cheaper": _cheaper,
    "as_cheap": _as_cheap,
    "alone": _alone,
    "waits": _waits,
    "relaxed": _relaxed,
    "failed_short_pick": _short_pick,
    "failed_rejection": _rejection,
    "failed_displacement": _displacement,
    "failed_node_closed": _node_closed,
    "failed_missed_cut_off": _missed_cut_off,
    "instead": _instead,
    "put_off": _put_off,
    "flip_stock": _flip_stock,
    "flip_packages": _flip_packages,
    "flip_minutes": _flip_minutes,
    "flip_cost": _flip_cost,
    "flip_cost_at_least": _flip_cost_at_least,
    "flip_fence": _flip_fence,
    "flip_cut_off": _flip_cut_off,
}
WRITTEN: Final[Mapping[str, Callable[[str], str]]] = {
    "cost": _money, "gap": _money, "amount": _money, "saved": _money, "arrives_at": _instant, "why": _why,
    "reason": _reason, "day": _day,
}  # fmt: skip
WHY: Final[Mapping[str, LazyString]] = {
    "no node has them": lazy_gettext("no node has them"),
    "no node that has them has minutes left": lazy_gettext("no node that has them has minutes left"),
    "no node may serve them": lazy_gettext("no node may serve them"),
    "the address is not known well enough": lazy_gettext("the address is not known well enough"),
    "no node that has them can make the date": lazy_gettext("no node that has them can make the date"),
    "they would need one package too many": lazy_gettext("they would need one package too many"),
    "a part of the order would be worth too little": lazy_gettext("a part of the order would be worth too little"),
    "no carrier takes a parcel so large or heavy": lazy_gettext("no carrier takes a parcel so large or heavy"),
    "so many attempts failed that a person decides": lazy_gettext("so many attempts failed that a person decides"),
    "serving them would cost more than leaving them": lazy_gettext("serving them would cost more than leaving them"),
}
