"""What postings can mend is mended by them, once; what they cannot is left alone and named. History only grows."""

import pytest
from sqlalchemy import text

from kernel.proofs import WHOLE, Stretch
from stock.proof import repair, verify
from tests.stock import past
from tests.stock.damage import fill, put_guards_back, take_guards_away
from tests.stock.shelf import NOW, counters, reservation, stock

BY = {"actor": "repair", "now": NOW}


@pytest.fixture
def busy(session):
    """A ledger in which everything has happened and has its position, without its guards."""
    fill(session)
    past.place(session)
    take_guards_away(session)
    yield session
    put_guards_back(session)


def mends(session):
    return [*repair.by_sku(session, WHOLE), *repair.by_posting(session, WHOLE)]


def content(session):
    tables = ("posting", "stock_entry", "stock_balance", "reservation", "outbox")
    return {table: session.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2")).all() for table in tables}


@pytest.mark.parametrize(
    ("deed", "told"),
    [
        ("UPDATE stock_balance SET on_hand = on_hand + 2 WHERE sku = 'hat'", "2 hat at MAD from adjustment to on_hand"),
        ("UPDATE stock_balance SET on_hand = on_hand - 1 WHERE node = 'BCN'", "1 coat at BCN from on_hand to adj"),
        ("UPDATE stock_balance SET damaged = 3 WHERE sku = 'hat'", "3 hat at MAD from adjustment to damaged"),
        ("UPDATE stock_entry SET units = units + 1 WHERE to_account = 'shrink'", "hat at MAD from adjustment"),
        ("UPDATE stock_balance SET reserved = 3 WHERE node = 'MAD' AND sku = 'coat'", "reserved 3 becomes 2"),
        ("UPDATE stock_balance SET picked = 0 WHERE node = 'MAD' AND sku = 'coat'", "picked 0 becomes 1"),
        ("UPDATE stock_balance SET in_transit = 5 WHERE node = 'BCN'", "in_transit 5 becomes 1"),
        ("UPDATE reservation SET consumed = 1 WHERE reference = 'line-1'", "consumed 1 becomes 2"),
        ("UPDATE reservation SET released = 2 WHERE reference = 'line-1'", "released 2 becomes 0"),
        ("UPDATE reservation SET picked = 0 WHERE reference = 'line-1'", "picked 0 becomes 1"),
        ("DELETE FROM stock_balance WHERE node = 'BCN'", "balance coat at BCN is made from its 2 entries"),
        ("DELETE FROM outbox WHERE aggregate = 'stock' AND sequence = 1", "event stock.posted"),
    ],
)  # fmt: skip
def test_a_deed_is_mended_once_and_history_only_grows(busy, deed, told):
    busy.execute(text(deed))
    assert list(verify.findings(busy)) != []
    broken = content(busy)
    planned = mends(busy)
    assert any(told in line for mend in planned for line in mend.lines)
    assert content(busy) == broken, "planning writes nothing"
    found = {(finding.table, finding.key) for finding in verify.findings(busy)}
    assert found <= set().union(*(mend.rows for mend in planned))
    written = [mend.write(busy, **BY) for mend in planned]
    assert all(written)
    assert list(verify.findings(busy)) == []
    mended = content(busy)
    assert set(broken["stock_entry"]) <= set(mended["stock_entry"])
    assert set(broken["posting"]) <= set(mended["posting"])
    assert mends(busy) == []
    assert not any(mend.write(busy, **BY) for mend in planned), "what was mended is not mended again"
    assert content(busy) == mended


@pytest.mark.parametrize(
    "deed",
    [
        "DELETE FROM stock_entry WHERE to_account = 'shrink'",
        "UPDATE stock_balance SET version = version + 1 WHERE sku = 'hat'",
        "UPDATE stock_entry SET from_version = 99 WHERE to_account = 'in_transit'",
        "DELETE FROM reservation WHERE reference = 'line-2'",
        "UPDATE stock_entry SET to_account = 'reserved' WHERE to_account = 'damaged'",
    ],
)
def test_what_no_posting_can_mend_is_left_and_a_person_is_told_what_to_do(busy, deed):
    busy.execute(text(deed))
    broken = content(busy)
    covered = set().union(*(mend.rows for mend in mends(busy)), set())
    left = [found for found in verify.findings(busy) if (found.table, found.key) not in covered]
    assert left != []
    assert all(repair.advice(found).endswith(".") for found in left)
    assert content(busy) == broken


def test_a_counter_is_not_lowered_below_what_is_promised(busy):
    """The shelf stays as it is believed to be; what is promised beyond it is a matter for a count."""
    busy.execute(text("UPDATE stock_balance SET on_hand = 1, backorder_limit = 0 WHERE sku = 'coat' AND node = 'MAD'"))
    assert mends(busy) == []
    found = next(finding for finding in verify.findings(busy) if finding.invariant == "I1")
    assert "Count the article" in repair.advice(found)


def test_the_units_of_a_drifted_counter_stay_where_they_are(busy):
    before = counters(busy, "hat", "MAD")
    busy.execute(text("UPDATE stock_balance SET on_hand = on_hand + 2 WHERE sku = 'hat'"))
    for mend in mends(busy):
        mend.write(busy, **BY)
    busy.expire_all()
    assert counters(busy, "hat", "MAD")["on_hand"] == before["on_hand"] + 2
    stock(busy, hat_MAD=1)
    assert list(verify.findings(busy)) == []


def test_a_repair_is_told_like_any_posting(busy):
    busy.execute(text("UPDATE stock_balance SET on_hand = on_hand + 2 WHERE sku = 'hat'"))
    for mend in mends(busy):
        mend.write(busy, **BY)
    kinds = busy.execute(text("SELECT kind, reason, actor FROM posting WHERE kind = 'repair'")).all()
    assert kinds == [("repair", "repair", "repair")]


def test_a_posting_that_was_never_placed_is_not_told_but_left_to_a_person(busy):
    """Told, a posting that was slipped in would get a position and a seal."""
    busy.execute(
        text(
            "INSERT INTO posting (id, kind, reason, actor, reference, occurred_at) "
            "SELECT '00000000-forged', kind, reason, actor, reference, occurred_at FROM posting LIMIT 1"
        )
    )
    assert mends(busy) == []
    (finding,) = verify.findings(busy)
    assert (finding.invariant, finding.key) == ("I8", "00000000-forged")
    assert "what the seals find" in repair.advice(finding)


def test_only_the_stretch_asked_for_is_mended(busy):
    busy.execute(text("UPDATE stock_balance SET on_hand = on_hand + 1"))
    articles = [mend.lines[0] for mend in repair.by_sku(busy, Stretch(only="hat"))]
    assert articles == ["posting repair for hat at MAD"]


def test_a_reservation_keeps_its_units(busy):
    busy.execute(text("UPDATE reservation SET consumed = 0 WHERE reference = 'line-1'"))
    for mend in mends(busy):
        mend.write(busy, **BY)
    row = busy.scalar(text("SELECT id FROM reservation WHERE reference = 'line-1'"))
    assert reservation(busy, row) == (4, 1, 2, 0)
