"""Each posting gets one position, after whatever it built on, however the news come in."""

import threading

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from kernel import events
from kernel.db import connect
from stock.ledger import post
from stock.models import Account, StockBalance
from stock.past import positions, recorded
from stock.past.chronicle import BalanceSnapshot, LedgerMark, PlacedBalance, PostingPosition
from stock.past.states import EVERY
from stock.postings import COUNTERS, DemandChange, Movement, Side
from stock.reservations import rebind
from tests.stock.past import place, placed
from tests.stock.shelf import claim, header, lay_out, stock


def move(session, sku, source, target):
    shelf = Side(Account.ON_HAND, source)
    return post(session, header("move"), [Movement(sku, 1, shelf, Side(Account.ON_HAND, target))])


def tell(session, *posting_ids):
    """Give the news of these postings their places in the feed, in this order, as a clock that jumped back would."""
    for posting_id in posting_ids:
        rows = {"id": posting_id}
        session.execute(
            text(
                "INSERT INTO outbox_position (position, event_id) SELECT (SELECT coalesce(max(position), 0) + 1 "
                "FROM outbox_position), id FROM outbox WHERE aggregate_id = :id AND type = 'stock.posted'"
            ),
            rows,
        )


def test_positions_are_dense_in_the_order_of_the_news(session):
    ids = [stock(session, coat_MAD=1), stock(session, hat_MAD=1), stock(session, coat_BCN=1)]
    tell(session, ids[1], ids[0], ids[2])
    assert positions.place(session, limit=10) == 3
    assert placed(session) == [ids[1], ids[0], ids[2]]
    assert positions.newest(session) == 3


def test_placing_again_places_nothing(session):
    stock(session, coat_MAD=1)
    place(session)
    assert positions.place(session, limit=10) == 0
    stock(session, coat_MAD=1)
    place(session)
    assert len(placed(session)) == 2


def test_a_posting_without_entries_has_a_position_too(session):
    rebind(session, header(), demand=[DemandChange("coat", "line-1", 2)])
    place(session)
    assert positions.newest(session) == 1


def test_what_a_posting_built_on_comes_before_it(session):
    first, second, third = (stock(session, coat_MAD=1) for _ in range(3))
    tell(session, third, second, first)
    positions.place(session, limit=10)
    assert placed(session) == [first, second, third]


def test_what_it_built_on_is_fetched_though_its_news_has_no_place_yet(session):
    base = stock(session, coat_MAD=2, hat_BCN=1)
    moved = move(session, "coat", "MAD", "LIS")
    back = move(session, "coat", "LIS", "BCN")
    other = stock(session, hat_BCN=1)
    tell(session, back)
    positions.place(session, limit=1)
    assert placed(session) == [base, moved, back]
    tell(session, other, moved, base)
    positions.place(session, limit=10)
    assert placed(session) == [base, moved, back, other]


def test_a_long_line_of_predecessors_is_placed_in_steps(session):
    ids = [stock(session, coat_MAD=1)]
    ids += [stock(session, **{f"{sku}_MAD": 1, "coat_BCN": 1}) for sku in ("hat", "boots", "scarf", "coat") * 3]
    tell(session, *reversed(ids))
    while positions.place(session, limit=2):
        pass
    assert placed(session) == ids


def test_a_version_that_was_deleted_holds_nothing_up(database, session):
    first, second = stock(session, coat_MAD=1), stock(session, coat_MAD=1)
    if database.is_sqlite:
        session.execute(text("DROP TRIGGER stock_entry_no_delete"))
    else:
        session.execute(text("ALTER TABLE stock_entry DISABLE TRIGGER USER"))
    session.execute(text("DELETE FROM stock_entry WHERE posting_id = :id"), {"id": first})
    tell(session, second)
    assert positions.place(session, limit=10) == 1
    assert placed(session) == [second]


def test_states_are_the_balances_when_all_is_placed(session):
    stock(session, coat_MAD=9, hat_BCN=2)
    rebind(session, header(), claims=[claim(units=4)])
    for _ in range(EVERY):
        move(session, "coat", "MAD", "BCN")
        move(session, "coat", "BCN", "MAD")
    place(session, limit=7)
    columns = ("sku", "node", "version", *COUNTERS)
    known = session.execute(select(*(getattr(PlacedBalance, name) for name in columns))).all()
    true = session.execute(select(*(getattr(StockBalance, name) for name in columns))).all()
    assert sorted(known) == sorted(true)
    snapshots = select(BalanceSnapshot.version).where(BalanceSnapshot.node == "MAD").order_by(BalanceSnapshot.position)
    assert list(session.scalars(snapshots)) == [EVERY, 2 * EVERY]


def test_the_digest_tells_every_column(session):
    id_ = stock(session, coat_MAD=1)
    posting = recorded.read(session, [id_])[id_]
    place(session)
    assert session.scalar(select(PostingPosition.digest)) == posting.digest
    digests = {posting.digest}
    for place_ in range(len(posting.header)):
        changed = [*posting.header]
        changed[place_] = "other"
        digests.add(recorded.Recorded(id_, changed, posting.entries).digest)
    (entry,) = posting.entries
    for place_ in range(1, len(entry)):
        changed = [*entry]
        changed[place_] = "other"
        digests.add(recorded.Recorded(id_, posting.header, [changed]).digest)
    assert len(digests) == 1 + len(posting.header) + len(entry) - 1


def test_nobody_moves_a_posting_to_another_position(session):
    stock(session, coat_MAD=1)
    place(session)
    with pytest.raises(DBAPIError, match="append-only"):
        session.execute(text("UPDATE posting_position SET position = 2"))


def test_two_at_once_place_each_posting_once(databases):
    for kind in ("sqlite", "postgresql"):
        with databases.fresh(kind) as url:
            database = connect(url)
            with database.write() as session:
                lay_out(session)
                for _ in range(40):
                    stock(session, coat_MAD=1, hat_BCN=1)
                events.place(session, limit=100)
                session.commit()
            threads = [threading.Thread(target=place_all, args=(database,)) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            with database.read() as session:
                assert session.scalar(select(func.count()).select_from(PostingPosition)) == 40
                assert positions.newest(session) == 40
                assert session.get(LedgerMark, "events").position == 40
            database.dispose()


def place_all(database):
    done = 1
    while done:
        with database.turn(), database.write() as session:
            done = positions.place(session, limit=3)
            session.commit()
