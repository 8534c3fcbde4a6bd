"""Every sentence of the pages is in every catalogue."""

import re

import pytest
from babel.messages import extract, pofile

from api.pages.i18n import FOLDER, LANGUAGES

ROOT = FOLDER.parent
KEYWORDS = {**extract.DEFAULT_KEYWORDS, "lazy_gettext": None}
METHODS = [("**.py", "python"), ("**.html", "jinja2")]
OPTIONS = {"**.html": {"trim_blocks": "true", "lstrip_blocks": "true"}}
PLACEHOLDER = re.compile(r"%\([a-z_]+\)[sd]")


def sentences() -> set[str | tuple[str, str]]:
    found = {
        message
        for folder in ("pages", "templates")
        for _, _, message, _, _ in extract.extract_from_dir(
            str(ROOT / folder), METHODS, OPTIONS, keywords=KEYWORDS, comment_tags=()
        )
    }
    assert found, "nothing was extracted"
    return found


@pytest.fixture(params=sorted(set(LANGUAGES) - {"en"}))
def catalogue(request):
    with (FOLDER / request.param / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return pofile.read_po(file, locale=request.param)


def test_no_sentence_is_missing(catalogue):
    translated = {message.id for message in catalogue if message.id and all_of(message.string)}
    assert sorted(map(str, sentences() - translated)) == []


def test_no_sentence_is_guessed_or_left_over(catalogue):
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []
    assert sorted(map(str, {message.id for message in catalogue if message.id} - sentences())) == []
    assert list(catalogue.obsolete) == []


def test_every_translation_has_the_same_blanks_to_fill(catalogue):
    wrong = [
        message.id
        for message in catalogue
        if message.id and any(blanks(text) != blanks(last(message.id)) for text in forms(message.string)[-1:])
    ]
    assert wrong == []


def all_of(string) -> bool:
    return all(forms(string))


def forms(string) -> tuple[str, ...]:
    return (string,) if isinstance(string, str) else tuple(string)


def last(message_id) -> str:
    return forms(message_id)[-1]


def blanks(text: str) -> list[str]:
    return sorted(PLACEHOLDER.findall(text))
