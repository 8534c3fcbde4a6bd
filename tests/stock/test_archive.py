"""Months leave the ledger for files, and everything that can be proven or asked afterwards still can."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from kernel import ids
from kernel.db import connect
from kernel.proofs import WHOLE
from stock import reservations, transfers
from stock.errors import HistoryArchived
from stock.ledger import post
from stock.models import Account
from stock.past import history, positions, seals
from stock.past.chronicle import MarkName, reached
from stock.postings import Movement, Side
from stock.proof import archive, partitions, repair, verify
from stock.proof.archive import ArchiveUnlike, NotArchivable
from stock.reservations import ReservedUnits, rebind
from stock.transfers import TransferWant
from tests.stock.past import history as changes
from tests.stock.past import naive, place, told
from tests.stock.shelf import claim, header, lay_out, stock

FIRST, SECOND, THIRD = (datetime(2026, month, 10, 12, tzinfo=UTC) for month in (1, 2, 3))
BY = {"actor": "tester"}


@pytest.fixture
def session(databases, request):
    with databases.fresh(request.param) as url:
        database = connect(url)
        with database.write() as session:
            lay_out(session)
            for month in (FIRST, SECOND, THIRD):
                partitions.make_ahead(session, now=month)
            session.commit()
            yield session
            session.rollback()
        database.dispose()


def pytest_generate_tests(metafunc):
    if "session" in metafunc.fixturenames:
        kinds = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
        metafunc.parametrize("session", kinds, indirect=True)


@pytest.fixture
def at(monkeypatch):
    """Let ids be made at an instant, one after the other."""
    made = iter(range(10**9))

    def go(instant):
        def id_():
            return f"{ids.least_id(instant + timedelta(seconds=(number := next(made))))[:14]}7000-8000-{number:012x}"

        monkeypatch.setattr("kernel.ids.uuid_utils.uuid7", id_)

    return go


@pytest.fixture
def years(session, at):
    """Three months: reservations that end in a later one, a transfer under way between two, balances that rest."""
    at(FIRST)
    stock(session, coat_MAD=20, hat_MAD=5, boots_BCN=3)
    open_, ended = rebind(session, header(), claims=[claim(units=4), claim(units=1, reference="line-2")])
    rebind(session, header(), release=[ReservedUnits("coat", ended, 1)])
    by = {**BY, "now": FIRST}
    wants = [TransferWant(sku="hat", units=2)]
    sent = transfers.open_transfer(session, source="MAD", destination="BCN", reference="", lines=wants, **by)
    transfers.dispatch(session, sent.id, [2], **by)
    at(SECOND)
    reservations.pick(session, header(), [ReservedUnits("coat", open_, 3)])
    reservations.consume(session, header(), [ReservedUnits("coat", open_, 2)])
    stock(session, coat_BCN=2)
    at(THIRD)
    shelf = Side(Account.ON_HAND, "MAD")
    post(session, header(), [Movement("coat", 1, shelf, Side(Account.DAMAGED, "MAD"))])
    reservations.consume(session, header(), [ReservedUnits("coat", open_, 1)])
    finish(session)
    return session


def finish(session):
    place(session)
    while seals.seal(session):
        pass
    session.commit()


def month_after(instant):
    return datetime(instant.year, instant.month + 1, 1, tzinfo=UTC)


def leave(session, before, folder):
    """Let every month that ended before an instant leave, and return their files."""
    files = []
    while (stay := archive.next_month(session, before)) is not None:
        written = archive.export(session, stay, folder)
        archive.check(session, stay, written)
        after = archive.keep_states(session, stay=stay, after=None)
        while after is not None:
            after = archive.keep_states(session, stay=stay, after=after)
        archive.remove(session, stay, written)
        session.commit()
        session.expire_all()
        files.append(written)
    return files


def clean(session):
    return [*verify.findings(session), *seals.findings(session)]


def count(session, table):
    return session.scalar(text(f"SELECT count(*) FROM {table}"))


def test_months_leave_for_files_and_the_ledger_still_proves_itself(years, tmp_path):
    assert clean(years) == []
    entries = count(years, "stock_entry")
    first, second = leave(years, month_after(SECOND), tmp_path)
    assert clean(years) == []
    assert entries - count(years, "stock_entry") == first.entries + second.entries
    assert count(years, "posting") == 2, "what March posted is there"
    stock(years, coat_MAD=1, hat_MAD=1)
    finish(years)
    assert clean(years) == []


def test_month_by_month_is_as_at_once(years, tmp_path):
    for before in (month_after(FIRST), month_after(SECOND), month_after(THIRD)):
        assert len(leave(years, before, tmp_path)) == 1
        assert clean(years) == []
    assert count(years, "posting") == 0


def test_the_file_holds_every_posting_in_order(years, tmp_path):
    (written,) = leave(years, month_after(FIRST), tmp_path)
    with gzip.open(written.path, "rt") as lines:
        told_ = [json.loads(line) for line in lines]
    assert [line["position"] for line in told_] == list(range(1, written.postings + 1))
    assert told_[0]["entries"][0] | {"sku": "", "units": 0, "to_node": "", "to_version": 0} == {
        "line": 1, "sku": "", "units": 0, "from_node": None, "from_account": "supplier", "from_version": None,
        "to_node": "", "to_account": "on_hand", "to_version": 0, "reservation_id": None,
    }  # fmt: skip
    assert sum(len(line["entries"]) for line in told_) == written.entries


def test_the_past_after_the_frontier_is_as_before_and_that_before_it_is_said_to_be_archived(years, tmp_path):
    known = list(changes(years))
    leave(years, month_after(FIRST), tmp_path)
    archived = reached(years, MarkName.ARCHIVED)
    skus = ["boots", "coat", "hat"]
    for position in range(archived, positions.newest(years) + 1):
        assert told(history.as_of(years, skus, position=position)) == naive(known, position)
    with pytest.raises(HistoryArchived, match="are archived: ask for a later position"):
        history.as_of(years, skus, position=1)


def test_what_is_broken_afterwards_is_found_and_mended_from_the_openings(years, tmp_path):
    leave(years, month_after(SECOND), tmp_path)
    years.execute(text("UPDATE stock_balance SET on_hand = on_hand + 1 WHERE sku = 'boots'"))
    years.execute(text("UPDATE reservation SET consumed = 0 WHERE reference = 'line-1'"))
    found = {(finding.invariant, finding.key) for finding in verify.findings(years)}
    assert {("I2", "boots at BCN"), ("I6", "boots")} <= found
    assert any(invariant == "I4" for invariant, _ in found)
    for mend in list(repair.by_sku(years, WHOLE)):
        assert mend.write(years, actor="repair", now=THIRD)
    assert list(verify.findings(years)) == []


def test_a_row_that_is_not_archived_is_still_not_deleted(years, tmp_path):
    leave(years, month_after(FIRST), tmp_path)
    with pytest.raises(DBAPIError, match="append-only"), years.begin_nested():
        years.execute(text("DELETE FROM stock_entry"))
    with pytest.raises(DBAPIError, match="append-only"), years.begin_nested():
        years.execute(text("UPDATE stock_entry SET units = 1"))


def test_a_mark_that_somebody_moved_is_found(years, tmp_path):
    leave(years, month_after(FIRST), tmp_path)
    years.execute(text("UPDATE ledger_mark SET position = position + 1 WHERE name = 'archived'"))
    assert "ledger_mark" in {finding.table for finding in verify.findings(years)}


def test_a_posting_of_an_old_month_that_came_late_stays(session, at, tmp_path):
    """Its id was made in January, but it was placed after the first of February."""
    at(FIRST)
    stock(session, coat_MAD=2)
    place(session)
    at(SECOND)
    stock(session, coat_MAD=3)
    place(session)
    at(FIRST + timedelta(hours=1))
    late = stock(session, coat_MAD=4)
    finish(session)
    (written,) = leave(session, month_after(FIRST), tmp_path)
    assert written.postings == 1
    assert session.scalar(text("SELECT count(*) FROM posting WHERE id = :id"), {"id": late}) == 1
    assert clean(session) == []
    leave(session, month_after(SECOND), tmp_path)
    assert count(session, "posting") == 0
    assert clean(session) == []


def test_a_month_that_is_not_over_stays(years):
    assert archive.next_month(years, FIRST) is None


def test_what_is_not_sealed_stays(session, at):
    at(FIRST)
    stock(session, coat_MAD=2)
    place(session)
    with pytest.raises(NotArchivable, match="oms ledger seal"):
        archive.next_month(session, month_after(FIRST))


def test_what_has_no_position_stays(years, at):
    at(FIRST + timedelta(days=1))
    stock(years, coat_MAD=2)
    with pytest.raises(NotArchivable, match="1 postings of 2026-01 or before have no position"):
        archive.next_month(years, month_after(FIRST))


@pytest.mark.parametrize("deed", ["cut", "change"])
def test_a_file_that_is_unlike_the_ledger_is_refused(years, tmp_path, deed):
    stay = archive.next_month(years, month_after(FIRST))
    written = archive.export(years, stay, tmp_path)
    lines = gzip.decompress(written.path.read_bytes()).decode().splitlines(keepends=True)
    lines = lines[:-1] if deed == "cut" else [lines[0].replace('"units":20', '"units":21'), *lines[1:]]
    written.path.write_bytes(gzip.compress("".join(lines).encode()))
    with pytest.raises(ArchiveUnlike):
        archive.check(years, stay, written)


def test_two_who_archive_do_not_remove_twice(years, tmp_path):
    stay = archive.next_month(years, month_after(FIRST))
    written = archive.export(years, stay, tmp_path)
    keep = partial(archive.keep_states, years, stay=stay)
    after = keep(after=None)
    while after is not None:
        after = keep(after=after)
    archive.remove(years, stay, written)
    with pytest.raises(NotArchivable, match="meanwhile"):
        archive.remove(years, stay, written)
