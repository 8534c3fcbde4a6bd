"""Words, dates, numbers and money of the pages, in the reader's language and in the node's time zone.

Wired by `api/pages`; templates use the filters, views `gettext`. English is the language of the source; the others are
the catalogues in `api/translations`, read once from their .po files, so that no compiled copy can be stale.
Invariant: the language is the signed-in person's, else the best that the browser accepts, else English.
"""

from __future__ import annotations

import io
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import flask_babel
from babel import dates, numbers
from babel.messages import mofile, pofile
from babel.support import NullTranslations, Translations
from flask import Flask, request
from flask_babel import Babel, Domain, gettext, ngettext
from flask_login import current_user
from markupsafe import Markup

from kernel.money import exponent

LANGUAGES = {"en": "English", "es": "Español"}
FOLDER = Path(__file__).parents[1] / "translations"


class Catalogues(Domain):
    """The translations of the pages, compiled in memory."""

    def get_translations(self) -> NullTranslations:
        """Return the catalogue of this request's language."""
        return catalogue(language())


def init(app: Flask) -> None:
    """Give `app` its languages and its templates the filters of this module."""
    babel = Babel(app, locale_selector=choose_language)
    babel.domain_instance = Catalogues()
    app.jinja_env.add_extension("jinja2.ext.do")
    app.jinja_env.filters.update(
        money=money,
        number=number,
        decimal=decimal,
        time=time,
        day=day,
        moment=moment,
        kilos=kilos,
        units=units,
        duration=duration,
    )
    app.jinja_env.globals.update(languages=LANGUAGES, language=language)


def choose_language() -> str:
    """Return the language for this request."""
    own = getattr(current_user, "language", None)
    return own if own in LANGUAGES else request.accept_languages.best_match(list(LANGUAGES)) or "en"


def language() -> str:
    """Return the language in use."""
    locale = flask_babel.get_locale()
    return str(locale.language) if locale else "en"


@cache
def catalogue(of: str) -> NullTranslations:
    """Return the compiled catalogue of a language; English has none, since it is the language of the source."""
    path = FOLDER / of / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return NullTranslations()
    compiled = io.BytesIO()
    with path.open("rb") as file:
        mofile.write_mo(compiled, pofile.read_po(file, locale=of))
    compiled.seek(0)
    return Translations(compiled)


def money(minor: int, currency: str) -> str:
    """Write an amount of minor units, as in "19,90 EUR" for a Spanish reader."""
    return numbers.format_currency(Decimal(minor).scaleb(-exponent(currency)), currency, locale=_locale())


def number(value: int) -> str:
    """Write a whole number with the separators of the language."""
    return numbers.format_decimal(value, locale=_locale())


def decimal(value: float, digits: int = 1) -> str:
    """Write a number with exactly `digits` after the point."""
    point = "." if digits else ""
    return numbers.format_decimal(value, format=f"#,##0{point}{'0' * digits}", locale=_locale())


def units(count: int) -> str:
    """Write a number of units."""
    return str(ngettext("%(num)s unit", "%(num)s units", count))


def kilos(weight_g: int) -> str:
    """Write a weight in kilograms."""
    return str(gettext("%(weight)s kg", weight=decimal(weight_g / 1000, 2)))


def time(instant: datetime, zone: str) -> Markup:
    """Write the time of day of `instant` in a node's time zone."""
    return _marked(instant, dates.format_time(instant, "short", tzinfo=ZoneInfo(zone), locale=_locale()))


def day(on: date, today: date | None = None) -> str:
    """Write a date, as a person says it when it is near `today`."""
    apart = (on - today).days if today else None
    if apart == 0:
        return str(gettext("today"))
    if apart == 1:
        return str(gettext("tomorrow"))
    if apart == -1:
        return str(gettext("yesterday"))
    return dates.format_skeleton("MMMEd", on, locale=_locale())


def moment(instant: datetime, zone: str, now: datetime | None = None) -> Markup:
    """Write date and time of `instant` in a node's time zone, the date as a person says it when it is near `now`."""
    there = ZoneInfo(zone)
    near = day(instant.astimezone(there).date(), now.astimezone(there).date() if now else None)
    return _marked(instant, f"{near} {dates.format_time(instant, 'short', tzinfo=there, locale=_locale())}")


def duration(seconds: int) -> str:
    """Write hours and minutes left, as a clock counts down."""
    return f"{seconds // 3600}:{seconds % 3600 // 60:02d}"


def _marked(instant: datetime, text: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(instant.isoformat(), text.replace(" ", "\N{NO-BREAK SPACE}"))


def _locale() -> str:
    return str(flask_babel.get_locale() or "en")
