"""The bar of every page: where am I, what else is there for my role, who am I.

Used by the base template. Invariant: it links only to what the role may open.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import current_app, g, request, url_for
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString
from flask_login import current_user


class Place(NamedTuple):
    """One entry of the bar: the page it leads to, its word, its icon, and the pages that count as being there."""

    endpoint: str
    word: LazyString
    icon: str
    within: tuple[str, ...] = ()


BESIDE_ORDERS = (
    "pages.store.put_back", "pages.store.transfer", "pages.store.deliver", "pages.store.counts_here",
    "pages.store.count_",
)  # fmt: skip
STORE = (
    Place(
        "pages.store.home",
        lazy_gettext("Home"),
        "home",
        BESIDE_ORDERS,
    ),
    Place("pages.store.board", lazy_gettext("Orders"), "orders", ("pages.store.order", "pages.store.walk")),
    Place("pages.store.counter", lazy_gettext("Hand over"), "bag", ("pages.store.counter", "pages.store.hand_over")),
    Place("pages.store.return_search", lazy_gettext("Return"), "back", ("pages.store.return_",)),
    Place("pages.store.stock", lazy_gettext("Stock"), "search", ("pages.store.stock_",)),
)
POLICIES = ("pages.planner.policy", "pages.planner.safety")
PLANNER = (
    Place("pages.planner.network", lazy_gettext("Network"), "network", ("pages.planner.node",)),
    Place("pages.planner.runs", lazy_gettext("Runs"), "runs", ("pages.planner.run",)),
    Place("pages.planner.waiting", lazy_gettext("Waiting"), "waiting"),
    Place("pages.planner.counts", lazy_gettext("Counts"), "shelf", ("pages.planner.count",)),
    Place("pages.planner.carriers", lazy_gettext("Carriers"), "truck", ("pages.planner.carrier",)),
    Place("pages.planner.policies", lazy_gettext("Policies"), "rules", POLICIES),
)
AGENT = (Place("pages.orders.find", lazy_gettext("Orders"), "orders", ("pages.orders.",)),)
STORES = (Place("pages.store.choose", lazy_gettext("Stores"), "home", ("pages.store.",)),)
BY_ROLE = {
    "store": STORE,
    "supplier": STORE[:2],
    "planner": PLANNER + AGENT,
    "agent": AGENT,
    "admin": PLANNER + AGENT + STORES,
}


class Link(NamedTuple):
    """An entry as the template shows it."""

    address: str
    word: LazyString
    icon: str
    here: bool


def links() -> list[Link]:
    """Return the entries for the signed-in person; in a store, those of the store, also for visitors of other roles."""
    node = getattr(current_user, "node", None) or g.get("node_id")
    role = getattr(current_user, "role", "")
    places = STORE if node and role != "supplier" else BY_ROLE.get(role, ())
    values: dict[str, Any] = {"node": node} if node else {}
    return [
        Link(url_for(place.endpoint, **values), place.word, place.icon, _is_here(place))
        for place in places
        if place.endpoint in current_app.view_functions
    ]


def first_page() -> str:
    """Return the address of the page that answers the signed-in person's first question."""
    node = getattr(current_user, "node", None)
    if node:
        return url_for("pages.store.home", node=node)
    own = [
        place
        for place in BY_ROLE.get(getattr(current_user, "role", ""), ())
        if place.endpoint in current_app.view_functions
    ]
    return url_for(own[0].endpoint) if own else url_for("pages.store.choose")


def _is_here(place: Place) -> bool:
    here = request.endpoint or ""
    return here == place.endpoint or here.startswith(place.within)
