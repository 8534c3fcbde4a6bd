"""The words for terms of a decision's cost, and for the rules by which a candidate is out, in the reader's language.

Used where decisions and runs are shown. Invariant: a term that a retailer adds shows its own name, rather than nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

TERMS: Mapping[str, LazyString] = {
    "handling": lazy_gettext("picking and packing"),
    "line_handling": lazy_gettext("picking by line"),
    "carrier": lazy_gettext("carrier"),
    "surcharge": lazy_gettext("surcharges of the carrier"),
    "box": lazy_gettext("boxes"),
    "lateness": lazy_gettext("lateness"),
    "pick_risk": lazy_gettext("risk of not finding it"),
    "preference": lazy_gettext("preference"),
    "churn": lazy_gettext("cost of changing"),
    "failed_before": lazy_gettext("failed it before"),
    "shadow_price": lazy_gettext("worth of the unit where it lies"),
    "markdown": lazy_gettext("markdown avoided"),
    "capacity": lazy_gettext("worth of the hours"),
    "transfer": lazy_gettext("transfer"),
    "unfilled": lazy_gettext("left waiting"),
    "open": lazy_gettext("opening"),
}

EXCLUSIONS: Mapping[str, LazyString] = {
    "not_eligible": lazy_gettext("does not offer it, or cannot reach the address"),
    "no_stock": lazy_gettext("does not have the units"),
    "no_capacity": lazy_gettext("has no working time left"),
    "package_limit": lazy_gettext("would be one package too many"),
    "cost": lazy_gettext("costs more than leaving it"),
    "must_serve": lazy_gettext("cannot serve all of it"),
    "barred": lazy_gettext("failed it, and is not asked again"),
    "not_open": lazy_gettext("is not open"),
    "store_not_open": lazy_gettext("does not hand over orders now"),
    "does_not_ship": lazy_gettext("does not ship"),
    "excluded_by_policy": lazy_gettext("is excluded by the policy"),
    "out_of_reach": lazy_gettext("no carrier reaches the address from there"),
    "no_transfers": lazy_gettext("the policy allows no transfer from there"),
    "no_work_day": lazy_gettext("does not work within the horizon"),
    "too_early": lazy_gettext("could only deliver before the date asked for"),
    "after_promise": lazy_gettext("would arrive after the date that was promised"),
    "no_address": lazy_gettext("the address is not known well enough"),
    "part_value": lazy_gettext("a part of the order would be worth too little"),
    "only_groups": lazy_gettext("is in none of the policy's groups"),
    "not_groups": lazy_gettext("is in a group that the policy bars"),
    "max_distance": lazy_gettext("is farther away than the policy allows"),
    "domestic": lazy_gettext("is in another country"),
    "articles_only": lazy_gettext("is not among the nodes that the policy keeps the article to"),
    "articles_not": lazy_gettext("is barred from the article by the policy"),
    "min_stock": lazy_gettext("has less of it than the policy asks for"),
    "in_time": lazy_gettext("would arrive after the date asked for"),
    "same_day": lazy_gettext("would not arrive on the day of the order"),
}


def term(code: str) -> str:
    """Return the words for a term of the cost."""
    return str(TERMS.get(code, code.replace("_", " ")))


def exclusion(code: str) -> str:
    """Return the words for the rule that excluded a candidate."""
    return str(EXCLUSIONS.get(code, code.replace("_", " ")))
