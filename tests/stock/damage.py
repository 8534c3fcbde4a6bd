"""A ledger in which everything has happened, its guards taken away, so that tests can break it by hand."""

from sqlalchemy import text

from stock import reservations, transfers
from stock.ledger import Movement, Side, post
from stock.models import Account
from stock.postings import DemandChange
from stock.reservations import ReservedUnits, rebind
from stock.transfers import TransferWant
from tests.stock.shelf import NOW, claim, header, stock

DROPS = {
    "sqlite": "DROP TRIGGER stock_entry_no_update; DROP TRIGGER stock_entry_no_delete; PRAGMA defer_foreign_keys = ON",
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


def fill(session):
    """Post some of everything; the balances of three articles at two nodes follow."""
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


def take_guards_away(session):
    """Let this transaction do what nobody may."""
    dialect = session.get_bind().dialect.name
    for statement in f"{DROPS[dialect]}; {WITHOUT_CHECKS[dialect]}".split("; "):
        session.execute(text(statement))


def put_guards_back(session):
    """Undo all; SQLite keeps what was said about checks beyond the transaction."""
    if session.get_bind().dialect.name == "sqlite":
        session.rollback()
        session.execute(text("PRAGMA ignore_check_constraints = OFF"))
