"""The answer to a scan: a tone, and a sentence that says what was counted, or what was expected instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from flask_babel import gettext

from fulfillment.work.errors import TooMany, WrongArticle


class Named(Protocol):
    """An article as people call it."""

    @property
    def name(self) -> str:
        """What it is."""

    @property
    def colour(self) -> str:
        """Its colour, empty when it has none."""

    @property
    def size(self) -> str:
        """Its size, empty when it has none."""

    @property
    def sku(self) -> str:
        """Its key."""


@dataclass(frozen=True)
class Answer:
    """What a scan led to; `tone` is good, bad or calm, and is heard as well as seen."""

    tone: str
    sentence: str


def article_words(article: Named) -> str:
    """Return an article as a person would say it."""
    return " ".join(filter(None, (article.name, article.colour, article.size)))


def wrong(error: WrongArticle, expected: Named | None) -> Answer:
    """Say what was scanned, and what was expected instead."""
    if expected is None:
        return Answer("bad", gettext("%(code)s is not on this list. Nothing was counted.", code=error.scanned))
    sentence = gettext(
        "Wrong article: %(code)s was scanned, %(article)s (%(sku)s) is expected. Nothing was counted.",
        code=error.scanned,
        article=article_words(expected),
        sku=expected.sku,
    )
    return Answer("bad", sentence)


def too_many(error: TooMany, article: Named | None) -> Answer:
    """Say that more was scanned than is wanted."""
    sentence = gettext(
        "One too many: %(wanted)s wanted, %(have)s counted already. Put this one back; nothing was counted.",
        wanted=error.wanted,
        have=error.have,
    )
    return Answer("bad", f"{article_words(article)}. {sentence}" if article else sentence)
