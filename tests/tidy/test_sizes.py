"""Files and functions stay small enough to be read in one go."""

import ast
import statistics
from collections.abc import Iterable

from tests.tidy.source import Source, house

FILE_LINES = 400
FUNCTION_LINES = 70
USUAL_LINES = 40
USUAL_SHARE = 0.95
MEDIAN_LINES = 10


def long_files(sources: Iterable[Source]) -> list[str]:
    counted = ((source, non_blank(source.text.splitlines())) for source in sources)
    return [f"{source.path}: {lines} lines, over {FILE_LINES}" for source, lines in counted if lines > FILE_LINES]


def long_functions(sources: Iterable[Source]) -> list[str]:
    return [
        source.at(function, f"{function.name} has {lines} lines, over {FUNCTION_LINES}")
        for source in sources
        for function in source.functions()
        if (lines := body_lines(source, function)) > FUNCTION_LINES
    ]


def unusual_sizes(sources: Iterable[Source]) -> list[str]:
    """Judge the tree as a whole; an empty one is in order."""
    sizes = [body_lines(source, function) for source in sources for function in source.functions()]
    if not sizes:
        return []
    findings = []
    share = sum(size <= USUAL_LINES for size in sizes) / len(sizes)
    if share < USUAL_SHARE:
        findings.append(f"only {share:.1%} of the functions have at most {USUAL_LINES} lines")
    if (median := statistics.median(sizes)) > MEDIAN_LINES:
        findings.append(f"the median function has {median} lines, over {MEDIAN_LINES}")
    return findings


def body_lines(source: Source, function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of the body that are neither blank nor docstring."""
    lines = source.text.splitlines()
    start = function.body[0].lineno
    if ast.get_docstring(function) is not None:
        start = function.body[0].end_lineno + 1
    return non_blank(lines[start - 1 : function.end_lineno])


def non_blank(lines: Iterable[str]) -> int:
    return sum(1 for line in lines if line.strip())


def function_of(lines: int) -> str:
    return "def count():\n" + "    units = 1\n" * lines


def test_no_file_is_too_long():
    assert long_files(house()) == []


def test_no_function_is_too_long():
    assert long_functions(house()) == []


def test_functions_are_short_as_a_rule():
    assert unusual_sizes(house()) == []


def test_a_long_file_is_found():
    assert long_files([Source("a.py", "x = 1\n\n" * 400)]) == []
    assert long_files([Source("a.py", "x = 1\n" * 401)]) == ["a.py: 401 lines, over 400"]


def test_a_long_function_is_found():
    assert long_functions([Source("a.py", function_of(70))]) == []
    assert long_functions([Source("a.py", function_of(71))]) == ["a.py:1: count has 71 lines, over 70"]


def test_a_docstring_does_not_count():
    text = 'def count():\n    """One.\n\n    Two.\n    """\n' + "    units = 1\n" * 70
    assert long_functions([Source("a.py", text)]) == []


def test_too_many_middling_functions_are_found():
    many, one = [Source("a.py", function_of(9))] * 19, [Source("b.py", function_of(41))]
    assert unusual_sizes(many + one) == []
    assert unusual_sizes(many + one * 2) == ["only 90.5% of the functions have at most 40 lines"]


def test_a_large_median_is_found():
    assert unusual_sizes([Source("a.py", function_of(11))]) == ["the median function has 11 lines, over 10"]
