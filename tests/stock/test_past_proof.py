"""What is stored of the past is proven from the postings it was made from: whatever a hand does to it is named."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import text

from kernel.proofs import Stretch
from stock.ledger import post
from stock.models import Account
from stock.past import states
from stock.past.chronicle import MarkName, go_on
from stock.past.history import keep_states
from stock.postings import Movement, Side
from stock.proof import remembered, repair
from tests.stock import past
from tests.stock.shelf import NOW, SUPPLIER, header

POSTINGS = 40
COAT = "sku = 'coat' AND node = 'MAD'"


@pytest.fixture
def known(session, monkeypatch):
    """Forty postings to three balances, some long after they happened, placed in three goes."""
    monkeypatch.setattr(states, "EVERY", 4)
    drawn = random.Random(5)
    for number in range(POSTINGS):
        sku, node = drawn.choice([("coat", "MAD"), ("coat", "BCN"), ("hat", "MAD")])
        happened = header(occurred_at=NOW + timedelta(minutes=number - drawn.choice([0, 0, 0, 50, 3000])))
        post(session, happened, [Movement(sku, drawn.randint(1, 5), SUPPLIER, Side(Account.ON_HAND, node))])
        if number % 15 == 14:
            past.place(session)
    past.place(session)
    return session


def found(session):
    return {(finding.table, finding.message.partition(":")[0]) for finding in remembered.findings(session)}


def test_the_past_as_it_was_written_is_clean(known):
    assert known.scalar(text("SELECT count(*) FROM late_posting")) > 3
    assert known.scalar(text("SELECT count(*) FROM balance_snapshot")) > 6
    assert list(remembered.findings(known)) == []


def test_what_has_no_position_yet_is_no_finding(known):
    post(known, header(), [Movement("coat", 1, SUPPLIER, Side(Account.ON_HAND, "LIS"))])
    assert list(remembered.findings(known)) == []


FOLD = "is not the fold of what was placed until then"
NOTED = "is not noted as late as it came, or should not be"
NOTHING = "tells of a position at which nothing was posted to it"
IDS = "does not enclose the ids of its postings"
FIRST = "was first posted to at 1"
ONE = f"{COAT} AND position = (SELECT min(position) FROM {{}} WHERE {COAT})"


@pytest.mark.parametrize(
    ("deed", "table", "fault"),
    [
        ("UPDATE balance_snapshot SET on_hand = on_hand + 1 WHERE {one}", "balance_snapshot", FOLD),
        ("UPDATE balance_snapshot SET version = version - 1 WHERE {one}", "balance_snapshot", FOLD),
        ("UPDATE balance_snapshot SET latest_occurred_at = '2030-01-01 00:00:00.000000' WHERE {one}",
         "balance_snapshot", FOLD),
        ("UPDATE balance_snapshot SET least_id = greatest_id WHERE {one}", "balance_snapshot", IDS),
        ("UPDATE balance_snapshot SET position = 1000 WHERE {one}", "balance_snapshot", NOTHING),
        ("DELETE FROM balance_snapshot WHERE {one}", "balance_snapshot", IDS),
        ("UPDATE late_posting SET on_hand = on_hand + 1 WHERE {one}", "late_posting", NOTED),
        ("UPDATE late_posting SET lateness = 0 WHERE lateness > 0", "late_posting", NOTED),
        ("DELETE FROM late_posting WHERE {one}", "late_posting", NOTED),
        ("UPDATE placed_balance SET reserved = 1 WHERE sku = 'hat'", "placed_balance", FOLD),
        ("UPDATE placed_balance SET first_position = 9 WHERE sku = 'hat'", "placed_balance", FIRST),
        ("DELETE FROM placed_balance WHERE sku = 'hat'", "placed_balance", "is not there"),
    ],
)  # fmt: skip
def test_what_was_changed_by_hand_is_named(known, deed, table, fault):
    known.execute(text(deed.format(one=ONE.format(table))))
    assert (table, fault) in found(known)


def test_a_finding_names_balance_position_and_difference(known):
    known.execute(text("UPDATE placed_balance SET on_hand = on_hand + 3 WHERE sku = 'hat'"))
    (finding,) = remembered.findings(known)
    position, units = known.execute(text("SELECT position, on_hand FROM placed_balance WHERE sku = 'hat'")).one()
    assert finding.key == f"hat at MAD, position {position}"
    assert finding.message.endswith(f"on hand {units} against {units - 3}")
    assert list(remembered.by_sku(known, Stretch(only="coat"))) == []
    assert repair.advice(finding).startswith("Restore the row")


def test_where_history_is_archived_the_proof_begins_at_what_was_kept(known):
    position = POSTINGS // 2
    keep_states(known, position, after=None, limit=100)
    go_on(known, MarkName.ARCHIVED).position = position
    known.flush()
    assert list(remembered.findings(known)) == []
    known.execute(text(f"UPDATE balance_snapshot SET on_hand = 99 WHERE {COAT} AND position <= {position}"))
    assert ("placed_balance", FOLD) in found(known)
