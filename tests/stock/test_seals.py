"""Whatever a hand in the database does to the past is found, and named."""

import hashlib

import pytest
from sqlalchemy import select, text

from kernel.proofs import WHOLE, Stretch
from stock.ledger import post
from stock.models import Account
from stock.past import positions, seals
from stock.past.chronicle import MarkName, Seal, go_on, reached
from stock.past.recorded import Recorded, read
from stock.postings import Movement, Side
from stock.reservations import rebind
from tests.stock.past import place
from tests.stock.shelf import NOW, SUPPLIER, claim, header, stock

GUARDED = ("posting", "stock_entry", "posting_position", "seal")
FORGED_ENTRY = (
    "INSERT INTO stock_entry (sku, posting_id, line, units, from_account, to_node, to_account, to_version) "
    "VALUES ('boots', :posting, 77, 5, 'supplier', 'LIS', 'on_hand', 1)"
)


@pytest.fixture
def sealed(session, monkeypatch):
    """Ten postings under three seals, and two more that are placed; the guards of the tables are taken away."""
    monkeypatch.setattr(seals, "BLOCK", 4)
    for number in range(8):
        stock(session, **{f"{('coat', 'hat')[number % 2]}_MAD": number + 1})
    rebind(session, header(), claims=[claim(units=2)])
    shelf = Side(Account.ON_HAND, "MAD")
    post(session, header("move"), [Movement("coat", 1, shelf, Side(Account.ON_HAND, "BCN")),
                                   Movement("hat", 1, SUPPLIER, shelf)])  # fmt: skip
    place(session)
    while seals.seal(session):
        pass
    stock(session, coat_LIS=1)
    stock(session, coat_LIS=1)
    place(session)
    for table in GUARDED:
        if session.get_bind().dialect.name == "sqlite":
            for deed in ("update", "delete"):
                session.execute(text(f"DROP TRIGGER {table}_no_{deed}"))
        else:
            session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
    return session


def found(session):
    return [(finding.table, finding.key.split(",")[0]) for finding in seals.findings(session)]


def posting_at(session, position):
    query = text("SELECT posting_id FROM posting_position WHERE position = :position")
    return session.scalar(query, {"position": position})


def do(session, deed, position):
    session.execute(text(deed), {"posting": posting_at(session, position), "position": position})


def test_a_ledger_that_nobody_touched_has_no_findings(sealed):
    assert list(seals.findings(sealed)) == []
    blocks = sealed.execute(select(Seal.first_position, Seal.through_position, Seal.entries).order_by(Seal.block)).all()
    assert blocks == [(1, 4, 4), (5, 8, 4), (9, 10, 3)]
    assert reached(sealed, MarkName.SEALED) == 10


def test_a_ledger_without_seals_has_no_findings(session):
    stock(session, coat_MAD=1)
    assert list(seals.findings(session)) == []
    assert seals.newest_root(session) is None
    assert seals.seal(session) == 0


@pytest.mark.parametrize("position", [1, 6, 10, 12])
@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE stock_entry SET units = units + 1 WHERE posting_id = :posting AND line = 1",
        "UPDATE stock_entry SET to_account = 'damaged' WHERE posting_id = :posting AND line = 1",
        "UPDATE stock_entry SET to_node = 'BCN', to_version = 99 WHERE posting_id = :posting AND line = 1",
        "UPDATE stock_entry SET reservation_id = 'other' WHERE posting_id = :posting AND line = 1",
        "UPDATE posting SET reason = 'other' WHERE id = :posting",
        "UPDATE posting SET actor = 'nobody' WHERE id = :posting",
        "UPDATE posting SET occurred_at = '2020-01-01 00:00:00.000000' WHERE id = :posting",
        "DELETE FROM stock_entry WHERE posting_id = :posting AND line = 1",
        FORGED_ENTRY,
    ],
)
def test_a_posting_that_was_changed_is_named_with_its_position(sealed, deed, position):
    do(sealed, deed, position)
    assert found(sealed) == [("posting_position", str(position))]


@pytest.mark.parametrize("position", [1, 8, 12])
def test_a_posting_that_was_deleted_is_named_with_its_position(sealed, position):
    do(sealed, "DELETE FROM stock_entry WHERE posting_id = :posting", position)
    if sealed.get_bind().dialect.name == "sqlite":
        sealed.execute(text("PRAGMA defer_foreign_keys = ON"))
    do(sealed, "DELETE FROM posting WHERE id = :posting", position)
    (finding,) = seals.findings(sealed)
    assert finding.key.startswith(f"{position}, posting ")
    assert finding.message == "is gone"


def test_a_forged_posting_is_found(sealed):
    forged = {"id": "00000000-forged"}
    sealed.execute(
        text(
            "INSERT INTO posting (id, kind, reason, actor, reference, occurred_at) "
            "SELECT :id, kind, reason, actor, reference, occurred_at FROM posting LIMIT 1"
        ),
        forged,
    )
    sealed.execute(text(FORGED_ENTRY), {"posting": forged["id"]})
    assert found(sealed) == [("posting", "00000000-forged")]


@pytest.mark.parametrize(("position", "block"), [(1, "1 to 4"), (4, "1 to 4"), (10, "9 to 10")])
def test_a_posting_changed_with_its_digest_breaks_its_block(sealed, position, block):
    do(sealed, "UPDATE posting SET reason = 'other' WHERE id = :posting", position)
    digest = posting_digest(sealed, position)
    sealed.execute(
        text("UPDATE posting_position SET digest = :digest WHERE position = :position"),
        {"digest": digest, "position": position},
    )
    assert ("seal", block) in found(sealed)


def posting_digest(session, position):
    id_ = posting_at(session, position)
    return read(session, [id_])[id_].digest


@pytest.mark.parametrize(
    ("deed", "key"),
    [
        ("DELETE FROM posting_position WHERE position = 6", "5 to 8"),
        ("UPDATE posting_position SET posting_id = 'other' WHERE position = 2", "1 to 4"),
        ("UPDATE seal SET hash = previous_hash WHERE first_position = 5", "5 to 8"),
        ("UPDATE seal SET previous_hash = hash WHERE first_position = 9", "9 to 10"),
        ("DELETE FROM seal WHERE first_position = 5", "9 to 10"),
        ("DELETE FROM seal WHERE first_position = 9", "10"),
    ],
)
def test_whoever_touches_the_chain_is_found(sealed, deed, key):
    sealed.execute(text(deed))
    assert ("seal", key) in found(sealed)


def test_a_position_taken_away_after_the_last_seal_is_found(sealed):
    lost = posting_at(sealed, 12)
    sealed.execute(text("DELETE FROM posting_position WHERE position = 12"))
    assert found(sealed) == [("posting", lost)]
    sealed.execute(text("UPDATE posting_position SET position = 13 WHERE position = 11"))
    assert ("posting_position", "13") in found(sealed)


def test_a_posting_whose_news_is_not_read_yet_is_no_finding(sealed):
    stock(sealed, hat_BCN=1)
    assert found(sealed) == []


def test_findings_are_bounded_and_go_on_from_a_block(sealed):
    for position in (1, 2, 3):
        do(sealed, "UPDATE posting SET actor = 'nobody' WHERE id = :posting", position)
    assert len(list(seals.changed_postings(sealed, WHOLE, limit=2))) == 2
    sealed.execute(text("UPDATE seal SET hash = previous_hash WHERE first_position = 5"))
    keys = [finding.key for finding in seals.broken_blocks(sealed, Stretch("0000000004", "0000000008"))]
    assert keys == ["5 to 8"]


def test_the_chain_stands_when_what_it_sealed_is_archived(sealed):
    go_on(sealed, MarkName.ARCHIVED).position = 8
    sealed.flush()
    gone = "(SELECT posting_id FROM posting_position WHERE position <= 8)"
    sealed.execute(text(f"DELETE FROM stock_entry WHERE posting_id IN {gone}"))
    sealed.execute(text(f"DELETE FROM posting WHERE id IN {gone}"))
    assert list(seals.findings(sealed)) == []
    sealed.execute(text("DELETE FROM posting_position WHERE position <= 8"))
    assert list(seals.findings(sealed)) == []
    sealed.execute(text("UPDATE seal SET hash = previous_hash WHERE first_position = 1"))
    assert [finding.key for finding in seals.findings(sealed)] == ["5 to 8"]


def test_a_root_that_is_kept_shows_that_the_chain_was_written_anew(sealed):
    root = seals.newest_root(sealed)
    assert str(root) == f"10:{root.hash}"
    seals.check_root(sealed, str(root))
    do(sealed, "UPDATE posting SET actor = 'nobody' WHERE id = :posting", 3)
    sealed.execute(text("DELETE FROM seal"))
    sealed.execute(text("DELETE FROM posting_position"))
    sealed.execute(text("UPDATE ledger_mark SET position = 0"))
    for table in ("placed_balance", "balance_snapshot", "late_posting"):
        sealed.execute(text(f"DELETE FROM {table}"))
    sealed.expire_all()
    place(sealed)
    while seals.seal(sealed):
        pass
    assert list(seals.findings(sealed)) == []
    assert positions.newest(sealed) == 12
    with pytest.raises(seals.WrongRoot):
        seals.check_root(sealed, str(root))


@pytest.mark.parametrize("kept", ["", "10", "99:ab", "x:ab", "1000000000000:ab"])
def test_what_is_no_root_is_refused(sealed, kept):
    with pytest.raises(seals.WrongRoot):
        seals.check_root(sealed, kept)


def test_the_canonical_text_stays_as_it_is():
    """Seals are kept for years: a digest that came out otherwise would call every one of them broken."""
    header = ("p-1", "receipt", "", "tester", "PO-ñ", NOW, NOW)
    entry = ("p-1", 1, "coat", 5, None, "supplier", None, "MAD", "on_hand", 7, None)
    written = (
        '[["p-1","receipt","","tester","PO-ñ","2026-03-02T10:00:00.000000+00:00","2026-03-02T10:00:00.000000+00:00"],'
        '[[1,"coat",5,null,"supplier",null,"MAD","on_hand",7,null]]]'
    )
    assert Recorded("p-1", header, [entry]).digest == hashlib.sha256(written.encode()).digest()
