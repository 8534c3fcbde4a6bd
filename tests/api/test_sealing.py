"""Postings get their positions and seals by jobs; whoever keeps a root elsewhere can check it."""

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from api import jobs, proof
from api.cli import oms
from stock.past import positions, seals
from tests import factories


@pytest.fixture(scope="module", autouse=True)
def stocked(house):
    """A small ledger, placed and sealed by the jobs."""

    def lay_out(session):
        factories.lay_out(session)
        for node in ("WH", "MAD", "BCN"):
            factories.stock(session, node, boots=3, coat=4)

    factories.wire(house.doors.database)
    house.doors.write(lay_out)


@pytest.fixture
def sealing(house, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*options):
        environment = {"OMS__DATABASE__URL": house.config.database.url}
        return CliRunner().invoke(oms, ["ledger", "seal", *options], env=environment)

    return run


def do(house, *names):
    return [jobs.run_slot(house, next(job for job in jobs.JOBS if job.name == name)) for name in names]


def test_nothing_is_sealed_before_it_has_a_position(house, sealing):
    result = sealing()
    assert result.exit_code == 1
    assert "nothing to seal yet" in result.stderr


def test_the_jobs_place_and_seal_what_was_posted(house):
    assert do(house, "place_events", "place_postings", "seal_ledger", "seal_ledger") == [3, 3, 3, 0]
    root = house.doors.read(seals.newest_root)
    assert root.position == house.doors.read(positions.newest) == 3


def test_the_command_seals_the_rest_and_prints_the_root(house, sealing):
    house.doors.write(lambda session: factories.stock(session, "MAD", hat=1))
    do(house, "place_events", "place_postings")
    result = sealing()
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(house.doors.read(seals.newest_root))
    assert "Sealed 1 postings" in result.stderr
    assert sealing().stdout == result.stdout


def test_a_root_that_was_kept_is_checked(house, sealing):
    root = sealing().stdout.strip()
    assert sealing("--check", root).exit_code == 0
    result = sealing("--check", root[:-1] + ("0" if root[-1] != "0" else "1"))
    assert result.exit_code == 1
    assert "rewritten" in result.stderr
    assert "Traceback" not in result.output


def test_the_proof_of_the_ledger_finds_what_was_changed(house):
    assert house.doors.read(lambda session: list(proof.findings(session))) == []
    if house.doors.database.is_sqlite:
        guards = ["DROP TRIGGER posting_no_update"]
    else:
        guards = ["ALTER TABLE posting DISABLE TRIGGER USER"]
    for deed in (*guards, "UPDATE posting SET actor = 'nobody' WHERE id = (SELECT min(id) FROM posting)"):
        house.doors.write(lambda session, deed=deed: session.execute(text(deed)))
    (finding,) = (each for piece in proof.slices(house.doors, rows=2) for each in piece.findings)
    assert (finding.invariant, finding.key.split(",")[0]) == ("seal", "1")
