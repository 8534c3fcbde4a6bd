"""A policy in words: its weights, groups, bands and fences, in the reader's language.

Used by the page of a policy. Invariant: every rule and every setting has its words; one that a newer document has shows
its own name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from flask_babel import gettext, lazy_gettext
from flask_babel.speaklater import LazyString

from api.pages import i18n, words
from fulfillment.network.settings import Band, Fence, Group, Settings, document_of

SETTINGS: Final[Mapping[str, LazyString]] = {
    "max_packages": lazy_gettext("Packages of an order, at most"),
    "horizon_days": lazy_gettext("Working days ahead that a node may offer"),
    "unfilled_minor": lazy_gettext("Penalty for a unit left waiting"),
    "lateness_day_minor": lazy_gettext("Penalty for a day of lateness"),
    "resource_minor": lazy_gettext("Cost of a line that is not found"),
    "churn_minor": lazy_gettext("What a change must save by line"),
    "service_days": lazy_gettext("Working days of each service"),
    "collect_days": lazy_gettext("Working days until a collection is ready"),
    "collect_lead_minutes": lazy_gettext("Minutes that a store needs for a collection"),
    "kind_minor": lazy_gettext("Preference by kind of node"),
    "excluded_nodes": lazy_gettext("Nodes that serve nothing"),
    "transfers": lazy_gettext("Stores collect from other nodes"),
    "pick_prior_lines": lazy_gettext("Lines until an article's own evidence counts"),
    "node_prior_lines": lazy_gettext("Lines until a node's own evidence counts"),
    "capacity_minor": lazy_gettext("Worth of a minute of a full day"),
    "after_failure": lazy_gettext("What a failure means for a node"),
    "failed_minor": lazy_gettext("What a line costs more where it failed"),
    "most_attempts": lazy_gettext("Failed attempts until a person decides"),
    "attempts_hours": lazy_gettext("Hours in which attempts are counted"),
}


def fences(settings: Settings, currency: str) -> list[tuple[str, int | None]]:
    """Return each fence in words, with its place in the order in which soft ones give way; None for a hard one."""
    soft = [fence.name for fence in settings.fences if fence.soft]
    return [
        (fence_words(fence, currency), soft.index(fence.name) + 1 if fence.soft else None) for fence in settings.fences
    ]


def bands(settings: Settings, currency: str) -> list[str]:
    """Return each band in words, the preferred first."""
    return [_band(each, currency) for each in settings.bands]


def groups(settings: Settings) -> list[tuple[str, str]]:
    """Return the name of each group, and who is in it."""
    return [(name, _members(group)) for name, group in settings.groups.items()]


def weights(settings: Settings, currency: str) -> list[tuple[str, str]]:
    """Return each plain setting in words with its value."""
    return [(label(name), value) for name, value in _plain(settings, currency).items()]


def changes(before: Settings, after: Settings, currency: str) -> list[tuple[str, str, str]]:
    """Return what differs between two versions: its words, how it is, how it would be."""
    was, would = _all(before, currency), _all(after, currency)
    return [(label(name), was[name], would[name]) for name in would if was[name] != would[name]]


def label(name: str) -> str:
    """Return the words for a setting."""
    nested = {"groups": gettext("Groups"), "bands": gettext("Bands"), "fences": gettext("Fences")}
    return nested.get(name) or str(SETTINGS.get(name, name.replace("_", " ")))


def fence_words(fence: Fence, currency: str) -> str:
    """Return a fence in words."""
    values = {
        "groups": ", ".join(fence.groups),
        "goods": ", ".join((*fence.families, *fence.skus)),
        "number": fence.number,
        "amount": _money(fence.number, currency),
    }
    return FENCES[fence.rule](values) if fence.rule in FENCES else fence.rule


FENCES: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "only_groups": lambda values: gettext("only nodes of %(groups)s", **values),
    "not_groups": lambda values: gettext("no node of %(groups)s", **values),
    "articles_only": lambda values: gettext("%(goods)s only from %(groups)s", **values),
    "articles_not": lambda values: gettext("%(goods)s never from %(groups)s", **values),
    "min_stock": lambda values: gettext("only nodes that may give %(number)d units of the article", **values),
    "max_distance": lambda values: gettext("only nodes up to %(number)d km away", **values),
    "domestic": lambda values: gettext("only nodes in the country that it goes to", **values),
    "same_day": lambda values: gettext("only what arrives on the day of the order", **values),
    "max_packages": lambda values: gettext("at most %(number)d packages", **values),
    "min_part_value": lambda values: gettext("no part of a split worth less than %(amount)s", **values),
    "together": lambda values: gettext("%(goods)s leave together", **values),
}


def _band(band: Band, currency: str) -> str:
    if not band.minor:
        return band.group
    amount = _money(band.minor, currency)
    return gettext("%(group)s, where it saves %(amount)s for a package", group=band.group, amount=amount)


def _members(group: Group) -> str:
    kinds = ", ".join(words.spelled(kind) for kind in group.kinds)
    said = [kinds, *(", ".join(each) for each in (group.countries, group.regions, group.tags))]
    return "; ".join(filter(None, [", ".join(group.nodes), " · ".join(filter(None, said))]))


def _all(settings: Settings, currency: str) -> dict[str, str]:
    told = [gettext("%(fence)s (soft)", fence=text) if soft else text for text, soft in fences(settings, currency)]
    return _plain(settings, currency) | {
        "groups": "; ".join(f"{name}: {members}" for name, members in groups(settings)),
        "bands": "; ".join(bands(settings, currency)),
        "fences": "; ".join(told),
    }


def _plain(settings: Settings, currency: str) -> dict[str, str]:
    nested = {"groups", "bands", "fences"}
    return {
        name: _written(name, value, currency) for name, value in document_of(settings).items() if name not in nested
    }


def _written(name: str, value: Any, currency: str) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{words.spelled(key)}: {_written(name, each, currency)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if value is None:
        return gettext("any number")
    return _money(value, currency) if name.endswith("_minor") else str(value)


def _money(minor: int, currency: str) -> str:
    return i18n.money(minor, currency)
