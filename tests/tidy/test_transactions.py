"""Only the doors commit, in one file, and only the ledger writes the ledger's tables."""

import ast
import re
from collections.abc import Iterable

import pytest

from tests.tidy.source import Source, called_name, last_word, product

# Where a transaction may end. Everything else is handed a session, and may flush it.
COMMITTERS = {"api/transaction.py"}
ENDINGS = {"commit", "begin"}

LEDGER_TABLES = ("posting", "stock_entry", "stock_balance", "reservation", "open_demand")
LEDGER_CLASSES = {"Posting", "StockEntry", "StockBalance", "Reservation", "OpenDemand"}
APPEND_ONLY = {"Posting", "StockEntry"}
LEDGER_WRITERS = "stock/"
# Where months leave the ledger once their file is checked; the database lets nothing else go.
ARCHIVE = "stock/proof/archive.py"
WRITES = {"insert", "update", "delete", "bulk_save_objects", "bulk_insert_mappings", "add", "add_all", "merge"}
CHANGES = {"update", "delete"}
WRITTEN_AS_TEXT = re.compile(
    rf"\b(?:insert\s+into|update|delete\s+from)\s+\"?(?:{'|'.join(LEDGER_TABLES)})\b", re.IGNORECASE
)
CHANGED_AS_TEXT = re.compile(r"\b(?:update|delete\s+from)\s+\"?(?:posting|stock_entry)\b", re.IGNORECASE)


def commits_elsewhere(sources: Iterable[Source]) -> list[str]:
    """Find `x.commit()` and `x.begin()`, which a session and a connection have in common; both take no arguments."""
    return [
        source.at(call, f"{call.func.attr}() outside {', '.join(sorted(COMMITTERS))}")
        for source in sources
        if source.path not in COMMITTERS
        for call in source.calls()
        if isinstance(call.func, ast.Attribute) and call.func.attr in ENDINGS and not (call.args or call.keywords)
    ]


def ledger_writes_elsewhere(sources: Iterable[Source]) -> list[str]:
    return [
        source.at(node, "writes a table of the ledger; call a verb of stock/")
        for source in sources
        if not source.path.startswith(LEDGER_WRITERS)
        for node in ast.walk(source.tree)
        if writes(node, WRITES, LEDGER_CLASSES) or is_text(node, WRITTEN_AS_TEXT)
    ]


def rewritten_history(sources: Iterable[Source]) -> list[str]:
    return [
        source.at(node, "changes what is only appended to; post a correction")
        for source in sources
        if source.path != ARCHIVE
        for node in ast.walk(source.tree)
        if writes(node, CHANGES, APPEND_ONLY) or is_text(node, CHANGED_AS_TEXT)
    ]


def writes(node: ast.AST, verbs: set[str], classes: set[str]) -> bool:
    """Tell whether `node` is a call like `update(StockBalance)` or `session.add(Posting(...))`."""
    return isinstance(node, ast.Call) and called_name(node) in verbs and any(
        names_one_of(argument, classes) for argument in node.args
    )  # fmt: skip


def names_one_of(argument: ast.expr, classes: set[str]) -> bool:
    subject = argument.func if isinstance(argument, ast.Call) else argument
    if isinstance(subject, ast.Attribute) and subject.attr == "__table__":
        subject = subject.value
    return last_word(subject) in classes


def is_text(node: ast.AST, pattern: re.Pattern[str]) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(pattern.search(node.value))


def test_only_the_door_commits():
    assert commits_elsewhere(product()) == []


def test_only_the_ledger_writes_the_ledger():
    assert ledger_writes_elsewhere(product()) == []


def test_history_is_only_appended_to():
    assert rewritten_history(product()) == []


@pytest.mark.parametrize("line", ["session.commit()", "with engine.begin() as c: ...", "self.session.commit()"])
def test_a_commit_is_found(line):
    assert len(commits_elsewhere([Source("oms/orders.py", line)])) == 1
    assert commits_elsewhere([Source("api/transaction.py", line)]) == []


@pytest.mark.parametrize("line", ["sourcing.commit(session, plan)", "session.begin_nested()", "commit()"])
def test_another_commit_is_not(line):
    assert commits_elsewhere([Source("oms/orders.py", line)]) == []


@pytest.mark.parametrize(
    "line",
    [
        "session.execute(update(StockBalance).values(on_hand=1))",
        "sa.delete(models.Reservation)",
        "pg.insert(StockBalance.__table__)",
        "session.add(Posting(kind='receipt'))",
        "session.execute(text('UPDATE stock_balance SET on_hand = 1'))",
        "sql = 'insert  into open_demand values (1)'",
    ],
)
def test_a_write_to_the_ledger_is_found(line):
    assert len(ledger_writes_elsewhere([Source("oms/orders.py", line)])) == 1
    assert ledger_writes_elsewhere([Source("stock/ledger.py", line)]) == []


@pytest.mark.parametrize("line", ["select(StockBalance)", "update(Demand)", "text('SELECT 1 FROM posting')"])
def test_a_read_of_the_ledger_is_not(line):
    assert ledger_writes_elsewhere([Source("oms/orders.py", line)]) == []


@pytest.mark.parametrize("line", ["update(StockEntry)", "delete(Posting)", "'DELETE FROM stock_entry'"])
def test_rewriting_history_is_found(line):
    assert len(rewritten_history([Source("stock/ledger.py", line)])) == 1


def test_appending_is_not():
    assert rewritten_history([Source("stock/ledger.py", "insert(StockEntry)\ninsert(Posting)")]) == []
