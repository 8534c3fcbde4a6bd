"""A view decodes, calls one verb and returns its value: no query, no `try`."""

import ast
from collections.abc import Iterable, Iterator

import pytest

from tests.tidy.source import FUNCTION_NODES, Source, called_name, last_word, product

FOLDER = "api/rest/"
# The decorators of a blueprint, on a function or on a class of views.
DECORATORS = {"operation", "route", "response", "arguments", "paginate", "get", "post", "put", "patch", "delete"}
VERBS = {"get", "post", "put", "patch", "delete"}
QUERIES = {"select", "execute", "scalar", "scalars", "query"}


def thick_views(sources: Iterable[Source]) -> list[str]:
    return [
        source.at(node, f"the view {view.name} {fault}")
        for source in sources
        if source.path.startswith(FOLDER)
        for view in views_in(source)
        for node in ast.walk(view)
        if (fault := fault_of(node))
    ]


def views_in(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield decorated functions, and the HTTP methods of decorated classes, each once."""
    seen = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef) and is_decorated(node):
            found = [item for item in node.body if isinstance(item, FUNCTION_NODES) and item.name in VERBS]
        else:
            found = [node] if isinstance(node, FUNCTION_NODES) and is_decorated(node) else []
        yield from (view for view in found if view not in seen)
        seen.update(found)


def is_decorated(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    return any(isinstance(item, ast.Call) and last_word(item.func) in DECORATORS for item in node.decorator_list)


def fault_of(node: ast.AST) -> str | None:
    if isinstance(node, (ast.Try, ast.TryStar)):
        return "has a try; errors are mapped to HTTP in one place"
    if isinstance(node, ast.Call) and called_name(node) in QUERIES:
        return f"calls {called_name(node)}(); queries live below the doors"
    return None


def view_with(line: str) -> Source:
    return Source("api/rest/orders.py", f'@blp.route("/orders")\n@blp.response(200)\ndef orders():\n    {line}\n')


def test_views_are_thin():
    assert thick_views(product()) == []


@pytest.mark.parametrize(
    "line", ["try: place()\n    except Conflict: ...", "return session.scalars(query)", "return sa.select(Order)"]
)
def test_a_thick_view_is_found(line):
    assert len(thick_views([view_with(line)])) == 1


def test_a_thick_method_is_found_once():
    text = '@blp.route("/")\nclass Orders(View):\n    @blp.response(200)\n    def get(self):\n        select(Order)'
    assert thick_views([Source("api/rest/orders.py", text)]) == [
        "api/rest/orders.py:5: the view get calls select(); queries live below the doors"
    ]


def test_a_thin_view_is_not():
    assert thick_views([view_with("return read(orders.page, **query)")]) == []


def test_other_functions_may_query():
    assert thick_views([Source("api/rest/orders.py", "def total():\n    return select(Order)")]) == []
    assert thick_views([Source("api/jobs.py", view_with("return select(Order)").text)]) == []
