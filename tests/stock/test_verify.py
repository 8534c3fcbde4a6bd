"""A hand in the database is found, whatever it did; an honest ledger is clean."""

import pytest
from sqlalchemy import text

from kernel.proofs import WHOLE
from stock import reservations, transfers, verify
from stock.ledger import Movement, Side, post
from stock.models import Account
from stock.postings import DemandChange
from stock.reservations import ReservedUnits, rebind
from stock.transfers import TransferWant
from tests.stock.shelf import NOW, claim, header, stock

DROPS = {
    "sqlite": "DROP TRIGGER stock_entry_no_update; DROP TRIGGER stock_entry_no_delete",
    "postgresql": "ALTER TABLE stock_entry DISABLE TRIGGER USER",
}
WITHOUT_CHECKS = {
    "sqlite": "PRAGMA ignore_check_constraints = ON",
    "postgresql": "ALTER TABLE stock_balance DROP CONSTRAINT ck_stock_balance_not_oversold, "
    "DROP CONSTRAINT ck_stock_balance_on_hand, DROP CONSTRAINT ck_stock_balance_picked; "
    "ALTER TABLE reservation DROP CONSTRAINT ck_reservation_ends_once; "
    "ALTER TABLE open_demand DROP CONSTRAINT ck_open_demand_units_positive; "
    "ALTER TABLE stock_entry DROP CONSTRAINT ck_stock_entry_units_positive",
}


@pytest.fixture
def busy(session):
    """A ledger in which everything has happened."""
    stock(session, coat_MAD=9, hat_MAD=2, coat_BCN=4)
    first, second = rebind(
        session, header(), claims=[claim(units=4), claim(units=1, reference="line-2")],
        demand=[DemandChange("coat", "line-3", 2)],
    )  # fmt: skip
    reservations.pick(session, header(), [ReservedUnits("coat", first, 3)])
    reservations.consume(session, header(), [ReservedUnits("coat", first, 2)])
    rebind(session, header(), release=[ReservedUnits("coat", second, 1)])
    shelf = Side(Account.ON_HAND, "MAD")
    post(session, header(), [
        Movement("hat", 1, shelf, Side(Account.DAMAGED, "MAD")),
        Movement("hat", 1, Side(Account.DAMAGED, "MAD"), Side(Account.SHRINK)),
    ])  # fmt: skip
    by = {"actor": "tester", "now": NOW}
    wants = [TransferWant(sku="coat", units=1)]
    sent = transfers.open_transfer(session, source="MAD", destination="BCN", reference="", lines=wants, **by)
    transfers.dispatch(session, sent.id, [1], **by)
    dialect = session.get_bind().dialect.name
    for statement in f"{DROPS[dialect]}; {WITHOUT_CHECKS[dialect]}".split("; "):
        session.execute(text(statement))
    yield session
    if dialect == "sqlite":
        session.rollback()
        session.execute(text("PRAGMA ignore_check_constraints = OFF"))


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


def test_findings_are_bounded(busy):
    busy.execute(text("UPDATE stock_balance SET version = version + 1"))
    assert len([finding for finding in verify.by_sku(busy, WHOLE, limit=2) if finding.invariant == "I3"]) == 2
