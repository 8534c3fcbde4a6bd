"""What planners type into forms, read into values; every faulty field is named.

Invariant: a value that cannot be read is a refusal that says which field and what to write; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

from flask_babel import gettext

from api.pages import i18n
from kernel.errors import Fault, Rejected
from kernel.money import InvalidMoney, parse

DAY_FIELD = "minutes-"


class Unreadable(Rejected):
    """A field of a form does not hold what it should."""

    code = "form_unreadable"


def whole(form: Mapping[str, str], name: str) -> int:
    """Read a whole number that is not negative. Raises Unreadable."""
    text = form.get(name, "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise Unreadable(gettext("%(field)s needs a whole number, not “%(text)s”.", field=_title(name), text=text))
    return int(text)


def decimal(form: Mapping[str, str], name: str) -> Decimal:
    """Read a decimal with a point or a comma. Raises Unreadable."""
    text = form.get(name, "").strip()
    try:
        value = Decimal(text.replace(",", "."))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise Unreadable(gettext("%(field)s needs a number, not “%(text)s”.", field=_title(name), text=text))
    return value


def money(form: Mapping[str, str], name: str, currency: str) -> int:
    """Read an amount of `currency` into minor units. Raises Unreadable."""
    text = form.get(name, "").strip()
    try:
        amount = parse(text.replace(",", "."), currency)
    except InvalidMoney:
        amount = None
    if amount is None or amount.minor < 0:
        raise Unreadable(
            gettext("%(field)s needs an amount such as 3.50, not “%(text)s”.", field=_title(name), text=text)
        )
    return amount.minor


def week(form: Mapping[str, str], intervals: int) -> dict[str, list[list[str]]]:
    """Read the opening hours of a week: fields opens-DAY-N and closes-DAY-N. Raises Unreadable."""
    hours: dict[str, list[list[str]]] = {}
    for weekday in range(7):
        for interval in range(intervals):
            opens, closes = (form.get(f"{edge}-{weekday}-{interval}", "").strip() for edge in ("opens", "closes"))
            if bool(opens) != bool(closes):
                raise Unreadable(
                    gettext("Hours need both an opening and a closing time; leave both empty for a closed day.")
                )
            if opens:
                hours.setdefault(str(weekday), []).append([opens, closes])
    return hours


def days(form: Mapping[str, str]) -> dict[date, int | None]:
    """Read the minutes of dates: fields minutes-YYYY-MM-DD, empty for the usual. Raises Unreadable."""
    return {
        date.fromisoformat(name.removeprefix(DAY_FIELD)): whole(form, name) if form[name].strip() else None
        for name in form
        if name.startswith(DAY_FIELD) and _is_date(name.removeprefix(DAY_FIELD))
    }


def bounded(form: Mapping[str, str], limits: Mapping[str, tuple[int, int]], currency: str) -> dict[str, int]:
    """Read whole numbers, and amounts where a name ends in _minor, between their limits. Raises Unreadable."""
    faults: list[Fault] = []
    found: dict[str, int] = {}
    for name, (least, most) in limits.items():
        try:
            value = money(form, name, currency) if name.endswith("_minor") else whole(form, name)
        except Unreadable:
            value = least - 1
        if least <= value <= most:
            found[name] = value
        else:
            faults.append(Fault(f"/{name}", "form_unreadable", _between(name, least, most, currency)))
    if faults:
        raise Unreadable(gettext("Nothing was saved. What is wrong stands beside its field."), faults=tuple(faults))
    return found


def text(form: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Return what was typed into these fields, without the spaces around it."""
    return {name: form.get(name, "").strip() for name in names}


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _between(name: str, least: int, most: int, currency: str) -> str:
    if name.endswith("_minor"):
        return gettext("Write an amount up to %(most)s, such as 3.50.", most=i18n.money(most, currency))
    return gettext("Write a whole number from %(least)s to %(most)s.", least=least, most=i18n.number(most))


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()
