"""The ledger is proven again and again: nothing is left out between two stretches, and what is found is kept."""

import threading
from dataclasses import replace

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, select, text

from api import jobs, proof
from api.cli import oms
from api.models import LedgerFinding, ProofPass
from kernel.proofs import Stretch, following
from stock.models import StockBalance
from tests import factories


@pytest.fixture(scope="module", autouse=True)
def stocked(house):
    """A small ledger that adds up."""

    def lay_out(session):
        factories.lay_out(session)
        for node in ("WH", "MAD", "BCN"):
            factories.stock(session, node, boots=3, coat=4, hat=5, scarf=6)

    factories.wire(house.doors.database)
    house.doors.write(lay_out)


@pytest.fixture
def crooked(house):
    """Two balances that do not add up, until the test ends."""
    shift(house, 1)
    yield house
    shift(house, -1)
    house.doors.write(lambda session: (session.execute(delete(LedgerFinding)), session.execute(delete(ProofPass))))


def shift(house, units):
    deed = f"UPDATE stock_balance SET on_hand = on_hand + {units} WHERE node = 'WH' AND sku IN ('coat', 'scarf')"
    house.doors.write(lambda session: session.execute(text(deed)))


def whole_pass(house, rows=2):
    house.doors.write(proof.begin)
    while not proof.advance(house.doors, rows=rows):
        pass


def found(slices):
    return sorted((each.invariant, each.key) for piece in slices for each in piece.findings)


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 1000])
def test_stretches_find_what_the_whole_finds(crooked, rows):
    whole = crooked.doors.read(lambda session: sorted((each.invariant, each.key) for each in proof.findings(session)))
    assert len(whole) == 4, "each balance breaks I2, each article I6"
    assert found(proof.slices(crooked.doors, rows=rows)) == whole


def test_stretches_follow_one_another_without_a_gap(house):
    skus = proof.PARTS[0]

    def walk(session):
        stretch = following(session, skus, None, rows=1)
        walked = [stretch]
        while stretch.upto is not None:
            stretch = following(session, skus, stretch.upto, rows=1)
            walked.append(stretch)
        return walked

    walked = house.doors.read(walk)
    assert walked[0].after is None
    assert walked[-1].upto is None
    assert [piece.upto for piece in walked[:-1]] == [piece.after for piece in walked[1:]]
    assert len(walked) == 5, "four articles, and what may lie after the last"


def test_a_finding_is_kept_with_its_first_sight_and_goes_when_it_is_gone(crooked):
    whole_pass(crooked)
    first = crooked.doors.read(lambda session: proof.kept(session, limit=10))
    assert [(row.invariant, row.key) for row in first if row.invariant == "I2"] == [
        ("I2", "coat at WH"), ("I2", "scarf at WH"),
    ]  # fmt: skip
    whole_pass(crooked)
    again = crooked.doors.read(lambda session: proof.kept(session, limit=10))
    assert [row.first_seen_at for row in again] == [row.first_seen_at for row in first]
    assert again[0].last_seen_at > first[0].last_seen_at
    shift(crooked, -1)
    whole_pass(crooked)
    assert crooked.doors.read(proof.still_there) == 0
    gone = crooked.doors.read(lambda session: session.scalars(select(LedgerFinding.gone_at)).all())
    assert len(gone) == 4
    assert None not in gone
    shift(crooked, 1)


def test_the_job_goes_on_where_it_was_and_proves_the_whole(crooked, monkeypatch):
    monkeypatch.setattr(jobs, "PROVING_S", 0.0)
    job = next(each for each in jobs.JOBS if each.name == "prove_ledger")
    crooked.doors.write(proof.begin)
    counts = [jobs.run_slot(crooked, job) for _ in proof.PARTS]
    assert counts[0] == 4
    standing = crooked.doors.read(proof.standing)
    assert standing.at is not None
    assert standing.findings == 4
    assert standing.begun_at is None


def test_of_two_that_prove_the_same_stretch_one_is_remembered(crooked):
    crooked.doors.write(proof.begin)
    pass_id, place = crooked.doors.read(proof._present)
    proven = crooked.doors.read(lambda session: proof._prove(session, place, rows=1000))
    for _ in range(2):
        crooked.doors.write(lambda session: proof._remember(session, pass_id, place, proven))
    counted = crooked.doors.read(lambda session: session.get(ProofPass, pass_id).findings)
    assert counted == len(proven.findings) == 4


def test_findings_degrade_readiness_and_are_counted(crooked, nobody):
    whole_pass(crooked)
    answer = nobody.get("/readyz", 200)
    assert (answer["status"], answer["findings"]) == ("degraded", 4)
    figures = nobody.send("GET", "/metrics").get_data(as_text=True)
    assert "oms_ledger_findings 4.0" in figures
    assert "oms_ledger_proven_timestamp_seconds" in figures


def test_writing_meanwhile_is_not_a_finding(house):
    """Stock is received as fast as it goes while everything is proven, stretch by stretch and as a whole."""
    stop = threading.Event()

    def receive():
        while not stop.is_set():
            house.doors.write(lambda session: factories.stock(session, "BCN", boots=1, coat=2, hat=1))

    writer = threading.Thread(target=receive)
    writer.start()
    try:
        for _ in range(10):
            # Longer stretches than what is written meanwhile, or the walk would never catch up with the writer.
            assert found(proof.slices(house.doors, rows=50)) == []
    finally:
        stop.set()
        writer.join()
    assert house.doors.read(lambda session: session.get(StockBalance, ("coat", "BCN")).on_hand) > 4


def test_the_command_names_the_first_broken_row_and_fails(crooked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    url = crooked.config.database.url
    result = CliRunner().invoke(oms, ["ledger", "verify"], env={"OMS__DATABASE__URL": url})
    assert result.exit_code == 1
    assert "I2 stock_balance coat at WH" in result.stderr
    assert "4 findings" in result.stderr
    assert "The first broken row: stock_balance coat at WH" in result.stderr


def test_the_command_says_what_it_proved(house, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(oms, ["ledger", "verify"], env={"OMS__DATABASE__URL": house.config.database.url})
    assert result.exit_code == 0, result.output
    assert "I1 to I6 and I8 hold" in result.stdout
    assert "entries" not in result.stderr


def test_a_stretch_is_written_as_it_is_built():
    stretch = Stretch("a", "b")
    assert stretch.written("sku") == "sku > :after AND sku <= :upto"
    assert stretch.parameters == {"after": "a", "upto": "b"}
    assert Stretch().written("sku") == "sku IS NOT NULL"


def test_old_months_leave_by_a_command_and_not_in_a_dry_run(house, tmp_path, monkeypatch):
    """Everything was posted just now, so that a month ends only after it: nothing leaves, and the command says so."""
    monkeypatch.chdir(tmp_path)
    command = ["ledger", "archive", "--before", "2100-01-01", "--to", "old"]
    for options in (["--dry-run"], []):
        result = CliRunner().invoke(oms, [*command, *options], env={"OMS__DATABASE__URL": house.config.database.url})
        assert result.exit_code == 0, result.output
        assert result.stdout == "No closed month is left to archive.\n"


def test_a_part_whose_rows_cost_more_has_shorter_stretches(house):
    heavy = replace(proof.PARTS[0], weight=10**6)
    ends = [
        house.doors.read(lambda session, part=part: following(session, part, None, rows=10**6).upto)
        for part in (heavy, proof.PARTS[0])
    ]
    assert ends == ["boots", None]
