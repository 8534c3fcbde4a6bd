"""Addresses of the page one is on, with something changed: a tab, a filter, a column to sort by.

Used by templates, so that every view of a page has an address that can be shared.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import request, url_for


class Column(NamedTuple):
    """The head of a sortable column: where a tap leads, and how the table is sorted by it now."""

    address: str
    sorted: str


def here(**changes: Any) -> str:
    """Return this page's address with parameters changed; None removes one."""
    values = {**request.args.to_dict(), **(request.view_args or {}), **changes}
    return url_for(str(request.endpoint), **{name: value for name, value in values.items() if value is not None})


def column(key: str, standing: str = "") -> Column:
    """Return the head of column `key`; `standing` is how the table is sorted when the address does not say."""
    sort = request.args.get("sort", standing)
    if sort == key:
        return Column(here(sort=f"-{key}"), "ascending")
    return Column(here(sort=key), "descending" if sort == f"-{key}" else "")


def sorted_by(rows: list[Any], keys: tuple[str, ...], standing: str) -> list[Any]:
    """Return `rows` sorted as the address asks, by one of `keys`; rows without a value come last."""
    sort = request.args.get("sort", standing)
    name, down = sort.removeprefix("-"), sort.startswith("-")
    if name not in keys:
        name, down = standing.removeprefix("-"), standing.startswith("-")
    known = [row for row in rows if getattr(row, name) is not None]
    unknown = [row for row in rows if getattr(row, name) is None]
    return sorted(known, key=lambda row: getattr(row, name), reverse=down) + unknown
