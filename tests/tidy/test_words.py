"""Modules say what they own, names say what they mean, and nothing is left for some other day."""

import ast
import re
from collections.abc import Iterable, Iterator

import pytest

from tests.tidy.source import FUNCTION_NODES, Source, house

EMPTY_WORDS = {
    "manager", "managers", "helper", "helpers", "util", "utils", "data", "info", "process", "handle",
}  # fmt: skip
# Names that another library calls us by.
GIVEN_NAMES = {
    "handle_http_exception": "flask-smorest's hook for the body of an error",
    "handle_error": "marshmallow's and socketserver's hook",
    "get_data": "werkzeug's name for a body",
    "process_bind_param": "SQLAlchemy's hook of a column type",
    "process_result_value": "SQLAlchemy's hook of a column type",
    "process_literal_param": "SQLAlchemy's hook of a column type",
    "process_formdata": "WTForms' hook of a field",
    "process_data": "WTForms' hook of a field",
}
POSTPONED = re.compile(r"\b(TODO|FIXME|XXX)\b")


def silent_modules(sources: Iterable[Source]) -> list[str]:
    return [f"{source.path}: no docstring" for source in sources if not ast.get_docstring(source.tree)]


def empty_names(sources: Iterable[Source]) -> list[str]:
    return [
        f"{place}: '{name}' says nothing; name the thing or the deed"
        for source in sources
        for place, name in names_in(source)
        if name not in GIVEN_NAMES and EMPTY_WORDS & set(words_of(name))
    ]


def postponements(sources: Iterable[Source]) -> list[str]:
    return [
        f"{source.path}:{number}: {found.group()}"
        for source in sources
        for number, line in enumerate(source.text.splitlines(), 1)
        if (found := POSTPONED.search(line))
    ]


def names_in(source: Source) -> Iterator[tuple[str, str]]:
    """Yield place and name of the module, its folders, its functions and its classes."""
    for part in source.path.removesuffix(".py").split("/"):
        yield source.path, part
    for node in ast.walk(source.tree):
        if isinstance(node, (*FUNCTION_NODES, ast.ClassDef)):
            yield f"{source.path}:{node.lineno}", node.name


def words_of(name: str) -> list[str]:
    """Split a snake_case or CamelCase name into its words, in lower case."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")


def test_every_module_says_what_it_owns():
    assert silent_modules(house()) == []


def test_every_name_means_something():
    assert empty_names(house()) == []


def test_nothing_is_postponed():
    assert postponements(house()) == []


@pytest.mark.parametrize("text", ["units = 1", "# units\n", '"""   """'])
def test_a_silent_module_is_found(text):
    assert silent_modules([Source("a.py", text)]) == ["a.py: no docstring"]


@pytest.mark.parametrize(
    "source",
    [
        Source("stock/utils.py", ""),
        Source("order_helpers/pack.py", ""),
        Source("a.py", "def handle(order): ..."),
        Source("a.py", "class OrderManager: ..."),
        Source("a.py", "class Order:\n    def load_data(self): ..."),
    ],
)
def test_an_empty_name_is_found(source):
    assert len(empty_names([source])) == 1


@pytest.mark.parametrize("name", ["handler", "handling_s", "processor", "database", "process_bind_param"])
def test_a_full_word_is_no_empty_name(name):
    assert empty_names([Source("a.py", f"def {name}(): ...")]) == []


def test_a_postponement_is_found():
    assert postponements([Source("a.py", "x = 1\n# TODO later")]) == ["a.py:2: TODO"]
    assert postponements([Source("a.py", "XXXL = 'a size'")]) == []
