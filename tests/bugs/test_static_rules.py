"""A counter was read, changed in Python and written back."""

import ast

import pytest

from stock.postings import COUNTERS
from tests import factories
from tests.stock.shelf import counters
from tests.tidy.source import Source, product

# What the ledger keeps of balances and reservations; what a picker has found stands in documents of the floor as well.
LEDGER_COLUMNS = {*COUNTERS, "consumed", "released"}
ALSO_OF_DOCUMENTS = {"picked"}
# Verdicts and losses are worked out on values of their own.
VALUES = {"stock/verdicts.py", "stock/displacement.py"}


def assigned_counters(sources):
    """Find `balance.on_hand = ...` and `balance.on_hand += ...`."""
    for source in sources:
        columns = LEDGER_COLUMNS if source.folder == "stock" else LEDGER_COLUMNS - ALSO_OF_DOCUMENTS
        for node in ast.walk(source.tree):
            for target in targets_of(node):
                if isinstance(target, ast.Attribute) and target.attr in columns and source.path not in VALUES:
                    yield source.at(node, f"assigns {target.attr}; post to the ledger")


def targets_of(node):
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AugAssign) else []


def test_a_counter_was_read_changed_and_written_back(retailer, sku):
    """https://github.com/django-oscar/django-oscar/issues/1811,
    https://github.com/openfoodfoundation/openfoodnetwork/pull/5406
    """
    assert list(assigned_counters(product())) == []
    retailer.gets("WH", **{sku: 5})
    database = retailer.house.doors.database
    with database.read() as early:
        assert counters(early, sku, "WH") == {"on_hand": 5}
        early.rollback()
        retailer.sells_at_till("WH", **{sku: 1})
    with database.write() as late:
        factories.stock(late, "WH", **{sku: 10})
        assert counters(late, sku, "WH") == {"on_hand": 14}


@pytest.mark.parametrize("line", ["balance.on_hand = 3", "row.reserved -= 1", "a = b.released = 0"])
def test_such_a_line_is_found(line):
    assert len(list(assigned_counters([Source("oms/orders.py", line)]))) == 1
