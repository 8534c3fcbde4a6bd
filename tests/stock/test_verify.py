"""A hand in the database is found, whatever it did; an honest ledger is clean."""

import pytest
from sqlalchemy import text

from kernel.proofs import WHOLE
from stock.proof import verify
from tests.stock.damage import fill, put_guards_back, take_guards_away


@pytest.fixture
def busy(session):
    """A ledger in which everything has happened, without its guards."""
    fill(session)
    take_guards_away(session)
    yield session
    put_guards_back(session)


def invariants(session):
    return {(finding.invariant, finding.table) for finding in verify.findings(session)}


def test_an_honest_ledger_is_clean(busy):
    assert list(verify.findings(busy)) == []


def test_an_empty_ledger_is_clean(session):
    assert list(verify.findings(session)) == []


@pytest.mark.parametrize(
    ("deed", "found"),
    [
        ("UPDATE stock_balance SET on_hand = -1 WHERE sku = 'hat'", ("I1", "stock_balance")),
        ("UPDATE stock_balance SET reserved = 99 WHERE sku = 'coat'", ("I1", "stock_balance")),
        ("UPDATE stock_balance SET on_hand = on_hand + 1 WHERE sku = 'hat'", ("I2", "stock_balance")),
        ("UPDATE stock_entry SET units = units + 1 WHERE to_account = 'damaged'", ("I2", "stock_balance")),
        ("DELETE FROM stock_entry WHERE to_account = 'shrink'", ("I3", "stock_balance")),
        ("UPDATE stock_balance SET version = version + 1 WHERE sku = 'hat'", ("I3", "stock_balance")),
        ("UPDATE stock_entry SET from_version = 99 WHERE to_account = 'in_transit'", ("I3", "stock_balance")),
        ("UPDATE stock_entry SET from_version = 98 WHERE to_account = 'damaged'", ("I3", "stock_entry")),
        ("DELETE FROM stock_balance WHERE sku = 'hat'", ("I3", "stock_entry")),
        ("UPDATE stock_entry SET posting_id = replace(posting_id, '-7', '-6')", ("I3", "stock_entry")),
        ("UPDATE reservation SET released = 9 WHERE reference = 'line-1'", ("I4", "reservation")),
        ("UPDATE reservation SET consumed = 1 WHERE reference = 'line-1'", ("I4", "reservation")),
        ("UPDATE reservation SET picked = 0 WHERE reference = 'line-1'", ("I4", "stock_balance")),
        ("DELETE FROM reservation WHERE reference = 'line-2'", ("I4", "stock_entry")),
        ("UPDATE open_demand SET units = 0", ("I4", "open_demand")),
        ("UPDATE stock_entry SET to_account = 'reserved' WHERE to_account = 'damaged'", ("I6", "stock_entry")),
        ("UPDATE stock_entry SET units = 8 WHERE from_account = 'supplier' AND to_node = 'BCN'", ("I6", "stock_entry")),
    ],
)
def test_each_deed_is_found(busy, deed, found):
    busy.execute(text(deed))
    assert found in invariants(busy)


def test_a_finding_names_the_row_and_the_difference(busy):
    busy.execute(text("UPDATE stock_balance SET on_hand = on_hand + 1 WHERE sku = 'hat'"))
    finding = next(finding for finding in verify.findings(busy) if finding.invariant == "I2")
    assert finding.key == "hat at MAD"
    assert finding.message.startswith("its entries differ by on hand -1, reserved 0")


def test_an_entry_without_its_posting_is_named(busy):
    (line,) = busy.scalars(text("SELECT line FROM stock_entry WHERE to_account = 'shrink'"))
    busy.execute(text("UPDATE stock_entry SET posting_id = 'lost' WHERE to_account = 'shrink'"))
    found = [(finding.invariant, finding.key, finding.message) for finding in verify.findings(busy)]
    assert found == [("I3", f"hat in lost line {line}", "is of a posting that is not there")]


def test_findings_are_bounded(busy):
    busy.execute(text("UPDATE stock_balance SET version = version + 1"))
    assert len([finding for finding in verify.by_sku(busy, WHOLE, limit=2) if finding.invariant == "I3"]) == 2
