"""The document of a policy: weights, groups of nodes, bands and fences, typed and checked.

Owns what a policy may say. Written by planners through `policies`, read by sourcing and planning. Invariant: a document
that was taken once is read for ever; whatever it lacks has its default here. Money is in minor units of the network's
currency.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

from kernel.errors import Fault, Rejected, step


class InvalidPolicy(Rejected):
    """Settings that no policy can have."""

    code = "policy_invalid"


@dataclass(frozen=True, kw_only=True)
class Group:
    """A named set of nodes: those listed, and those that have one of each of the kinds, countries, regions, tags given.

    Regions are written as COUNTRY-REGION, as in ES-MD; a node's tag is its `group` in the catalog.
    """

    nodes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Band:
    """What each package from the nodes of a group must save to be worth while; earlier bands are preferred."""

    group: str
    minor: int = 0


@dataclass(frozen=True, kw_only=True)
class Fence:
    """A rule that keeps ways out of a decision; a soft one is relaxed where it leaves units unserved.

    `number` is what the rule counts: see NUMBERS. `name` tells fences of one rule apart.
    """

    rule: str
    name: str
    soft: bool = False
    groups: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    number: int = 0


NUMBERS: Final = {
    "max_distance": ("km", 1, 40_000),
    "min_stock": ("units", 1, 10**6),
    "max_packages": ("packages", 1, 100),
    "min_part_value": ("minor", 1, 10**9),
}
"""What each rule counts: the field of its number, its least and its most."""
RULES: Final[Mapping[str, tuple[str, ...]]] = {
    "only_groups": ("groups",),
    "not_groups": ("groups",),
    "articles_only": ("families", "skus", "groups"),
    "articles_not": ("families", "skus", "groups"),
    "domestic": (),
    "same_day": (),
    "in_time": (),
    "together": ("families", "skus"),
    **{rule: (name,) for rule, (name, *_) in NUMBERS.items()},
}
"""The fields of each rule beside rule, name and soft."""
CONSEQUENCES: Final = ("bar", "tomorrow", "price", "nothing")
# The ledger knows after a displacement what is there, and the network that a node is closed.
AFTER_FAILURE: Final = {
    "no_staff": "tomorrow", "closing": "tomorrow", "displacement": "nothing", "node_closed": "nothing",
    "missed_cut_off": "price",
}  # fmt: skip
MOST_ENTRIES: Final = 1_000
MOST_FENCES: Final = 50


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one policy version says.

    max_packages         most packages of one order, None: any number
    horizon_days         how many of its next working days a node may offer
    unfilled_minor       penalty for each unit that stays without a node, on top of its value
    lateness_day_minor   penalty for each day begun after the due instant, for each package
    resource_minor       what it costs to source a line anew that a node did not find
    churn_minor          what a change must save for each line that it takes away from a node
    service_days         working days within which a service should arrive, counted from the order
    collect_days         working days within which a collection should be ready
    collect_lead_minutes how long a store needs until a collection is ready
    kind_minor           what each package from a kind of node costs beyond its money, a preference
    excluded_nodes       nodes that serve no order of this policy
    transfers            whether a store may collect what another node sends it
    pick_prior_lines     lines that a node must look for before an article's own evidence weighs as much as the node's
    capacity_minor       what a minute of a node is worth when its day is full, beyond its wages
    node_prior_lines     lines that a node must look for before they weigh as much as the planner's figure for it
    after_failure        what it means for a node that it failed, by reason or else by cause: bar (never again for this
                         article of this order), tomorrow (not today), price (dearer), nothing; not named means bar
    failed_minor         what a line costs more at a node that failed it and is not barred
    most_attempts        after so many failed attempts a person decides how an order goes on
    attempts_hours       how many hours back failed attempts are counted
    groups               named sets of nodes, for bands and fences
    bands                groups in the order of preference; a node in none stands in the last
    fences               hard ones bind always, soft ones are relaxed in this order where they leave units unserved
    """

    max_packages: int | None = 3
    horizon_days: int = 3
    unfilled_minor: int = 20_000
    lateness_day_minor: int = 300
    resource_minor: int = 600
    churn_minor: int = 50
    service_days: Mapping[str, int] = field(default_factory=lambda: {"standard": 3, "express": 1})
    collect_days: int = 2
    collect_lead_minutes: int = 120
    kind_minor: Mapping[str, int] = field(default_factory=dict)
    excluded_nodes: tuple[str, ...] = ()
    transfers: bool = True
    pick_prior_lines: int = 20
    node_prior_lines: int = 200
    capacity_minor: int = 0
    after_failure: Mapping[str, str] = field(default_factory=lambda: dict(AFTER_FAILURE))
    failed_minor: int = 500
    most_attempts: int = 4
    attempts_hours: int = 24
    groups: Mapping[str, Group] = field(default_factory=dict)
    bands: tuple[Band, ...] = ()
    fences: tuple[Fence, ...] = ()


def parse(document: Mapping[str, Any]) -> Settings:
    """Check settings given by people or files and return them typed. Raises InvalidPolicy with every fault."""
    if not isinstance(document, Mapping):
        raise InvalidPolicy("A policy is an object of settings.", faults=(Fault("/settings", "type", "no object"),))
    faults = list(_faults(document))
    if faults:
        raise InvalidPolicy("The policy has settings that cannot be.", faults=tuple(faults))
    values = dict(document)
    if "excluded_nodes" in values:
        values["excluded_nodes"] = tuple(values["excluded_nodes"])
    if "groups" in values:
        values["groups"] = {name: Group(**_tuples(group)) for name, group in values["groups"].items()}
    if "bands" in values:
        values["bands"] = tuple(Band(**band) for band in values["bands"])
    if "fences" in values:
        values["fences"] = tuple(map(_fence, values["fences"]))
    return Settings(**values)


def document_of(settings: Settings) -> dict[str, Any]:
    """Return settings as the document that `parse` reads."""
    written = asdict(settings)
    written["groups"] = {
        name: {each: list(values) for each, values in group.items() if values}
        for name, group in written["groups"].items()
    }
    written["bands"] = list(written["bands"])
    written["fences"] = [fence_document(fence) for fence in settings.fences]
    return written


def fence_document(fence: Fence) -> dict[str, Any]:
    """Return a fence as people write it."""
    written: dict[str, Any] = {"rule": fence.rule, "name": fence.name, "soft": fence.soft}
    for name in RULES[fence.rule]:
        value: Any = fence.number if fence.rule in NUMBERS else list(getattr(fence, name))
        if value:
            written[name] = value
    return written


def _fence(document: Mapping[str, Any]) -> Fence:
    values = _tuples(document)
    if document["rule"] in NUMBERS:
        values["number"] = values.pop(NUMBERS[document["rule"]][0])
    return Fence(**{"name": document["rule"]} | values)


def _tuples(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in document.items()}


def _faults(document: Mapping[str, Any]) -> Iterator[Fault]:
    known = {each.name for each in fields(Settings)}
    for name, value in document.items():
        if name not in known:
            yield _fault(name, "unknown_field", f"There is no setting {name}.")
        elif name not in _NESTED and (sentence := _wrong(name, value)):
            yield _fault(name, "invalid", f"{name} {sentence}.")
    groups = document.get("groups", {})
    yield from _wrong_groups(groups)
    names = set(groups) if isinstance(groups, Mapping) else set()
    yield from _wrong_bands(document.get("bands", ()), names, document.get("unfilled_minor"))
    yield from _wrong_fences(document.get("fences", ()), names)


def _wrong_groups(groups: Any) -> Iterator[Fault]:
    if not isinstance(groups, Mapping):
        yield _fault("groups", "invalid", "groups must map names to sets of nodes.")
        return
    known = {each.name for each in fields(Group)}
    for name, group in groups.items():
        where = f"groups/{step(name)}"
        if not _name(name):
            yield _fault(where, "invalid", "a group needs a name of 1 to 64 characters.")
        if not isinstance(group, Mapping) or not any(group.values()):
            yield _fault(where, "invalid", "a group needs some of nodes, kinds, countries, regions and tags.")
            continue
        yield from _unknown_fields(where, group, known)
        yield from (_not_names(f"{where}/{each}") for each in sorted(known & group.keys()) if not _names(group[each]))


def _wrong_bands(bands: Any, groups: set[str], unfilled: Any) -> Iterator[Fault]:
    if not isinstance(bands, list | tuple) or len(bands) > MOST_FENCES:
        yield _fault("bands", "invalid", f"bands must be a list of at most {MOST_FENCES}.")
        return
    most = unfilled if _whole(unfilled) else Settings.unfilled_minor
    before = 0
    for number, band in enumerate(bands):
        where = f"bands/{number}"
        if not isinstance(band, Mapping):
            yield _fault(where, "invalid", "a band is an object with group and minor.")
            continue
        yield from _unknown_fields(where, band, {"group", "minor"})
        yield from _unknown_groups(f"{where}/group", [band.get("group")], groups)
        minor = band.get("minor", 0)
        if not _whole(minor) or not before <= minor < max(most, 1):
            sentence = f"must be a whole number from {before}, the band before, to below {most}, a unit left waiting."
            yield _fault(f"{where}/minor", "invalid", f"minor {sentence}")
        else:
            before = minor


def _wrong_fences(fences: Any, groups: set[str]) -> Iterator[Fault]:
    if not isinstance(fences, list | tuple) or len(fences) > MOST_FENCES:
        yield _fault("fences", "invalid", f"fences must be a list of at most {MOST_FENCES}.")
        return
    names: set[str] = set()
    for number, fence in enumerate(fences):
        where = f"fences/{number}"
        rule = fence.get("rule") if isinstance(fence, Mapping) else None
        if not isinstance(rule, str) or rule not in RULES:
            yield _fault(f"{where}/rule", "unknown", f"use one of {', '.join(RULES)}.")
            continue
        yield from _unknown_fields(where, fence, {"rule", "name", "soft", *RULES[rule]})
        name = fence.get("name", rule)
        if not _name(name) or name in names:
            yield _fault(f"{where}/name", "invalid", "give each fence a name of 1 to 64 characters of its own.")
        names.add(name if isinstance(name, str) else "")
        if not isinstance(fence.get("soft", False), bool):
            yield _fault(f"{where}/soft", "invalid", "soft must be true or false.")
        yield from _wrong_fields(where, rule, fence, groups)


def _wrong_fields(where: str, rule: str, fence: Mapping[str, Any], groups: set[str]) -> Iterator[Fault]:
    if rule in NUMBERS:
        name, least, most = NUMBERS[rule]
        if not _whole(fence.get(name)) or not least <= fence[name] <= most:
            yield _fault(f"{where}/{name}", "invalid", f"{name} must be a whole number from {least} to {most}.")
        return
    lists = [name for name in RULES[rule] if name in fence]
    yield from (_not_names(f"{where}/{name}") for name in lists if not _names(fence[name]))
    if "groups" in RULES[rule]:
        if not fence.get("groups"):
            yield _fault(f"{where}/groups", "required", "name at least one group.")
        elif _names(fence["groups"]):
            yield from _unknown_groups(f"{where}/groups", fence["groups"], groups)
    if "families" in RULES[rule] and not (fence.get("families") or fence.get("skus")):
        yield _fault(f"{where}/families", "required", "name at least one family or SKU.")


def _unknown_fields(where: str, given: Mapping[str, Any], known: set[str]) -> Iterator[Fault]:
    for name in given:
        if name not in known:
            yield _fault(f"{where}/{step(name)}", "unknown_field", f"There is no {name} here.")


def _unknown_groups(where: str, given: Sequence[Any], groups: set[str]) -> Iterator[Fault]:
    for number, name in enumerate(given):
        if not isinstance(name, str) or name not in groups:
            place = where if len(given) == 1 and where.endswith("/group") else f"{where}/{number}"
            yield _fault(place, "unknown", f"there is no group {name} in this policy.")


def _not_names(where: str) -> Fault:
    return _fault(where, "invalid", f"must be a list of at most {MOST_ENTRIES} names.")


def _fault(where: str, code: str, message: str) -> Fault:
    return Fault(f"/settings/{where}", code, message)


_NESTED: Final = frozenset({"groups", "bands", "fences"})
_LEAST: Final = {
    "max_packages": 1, "horizon_days": 1, "collect_days": 1, "pick_prior_lines": 1, "node_prior_lines": 1,
    "most_attempts": 1, "attempts_hours": 1,
}  # fmt: skip
_MOST: Final = {"horizon_days": 14, "max_packages": 100, "attempts_hours": 10**6}
_MOST_NUMBER: Final = 10**9


def _wrong(name: str, value: Any) -> str | None:
    """Say what is wrong with a setting's value, if anything is."""
    if name == "max_packages" and value is None:
        return None
    if name == "transfers":
        return None if isinstance(value, bool) else "must be true or false"
    if name == "excluded_nodes":
        return None if _names(value) else "must be a list of nodes"
    if name == "after_failure":
        fits = isinstance(value, Mapping) and all(each in CONSEQUENCES for each in value.values())
        return None if fits else f"must map reasons to one of {', '.join(CONSEQUENCES)}"
    if name in {"service_days", "kind_minor"}:
        fits = isinstance(value, Mapping) and all(_whole(each) and each <= _MOST_NUMBER for each in value.values())
        return None if fits else f"must map names to whole numbers from 0 to {_MOST_NUMBER}"
    least, most = _LEAST.get(name, 0), _MOST.get(name, _MOST_NUMBER)
    fits = _whole(value) and least <= value <= most
    return None if fits else f"must be a whole number from {least} to {most}"


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _name(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= 64 and value.isprintable()


def _names(value: object) -> bool:
    return isinstance(value, list | tuple) and len(value) <= MOST_ENTRIES and all(map(_name, value))
