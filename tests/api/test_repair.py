"""`oms ledger repair` across the rooms: says what it would post, posts it, and has nothing to do the second time."""

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from api import proof
from api.cli import oms
from tests import factories


@pytest.fixture(scope="module")
def order(house):
    """An order of one coat that is reserved in the warehouse, and of boots that wait."""
    factories.wire(house.doors.database)

    def lay_out(session):
        factories.lay_out(session)
        factories.stock(session, coat=3)
        return factories.place(session, factories.line("coat"), factories.line("boots", 2)).id

    return house.doors.write(lay_out)


@pytest.fixture
def repair(house, order, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*options, code=0):
        command = ["ledger", "repair", *options]
        result = CliRunner().invoke(oms, command, env={"OMS__DATABASE__URL": house.config.database.url})
        assert result.exit_code == code, result.output
        return result

    return run


def findings(house):
    return house.doors.read(lambda session: [each.table for each in proof.findings(session)])


@pytest.mark.parametrize(
    ("deeds", "told"),
    [
        (["UPDATE stock_balance SET on_hand = on_hand + 2"], "entry of 2 coat at WH from adjustment to on_hand"),
        (["UPDATE open_demand SET units = 1"], "opens 1 of open demand of boots"),
        (["DELETE FROM open_demand"], "opens 2 of open demand of boots"),
        (["UPDATE open_demand SET units = 7"], "closes 5 of open demand of boots"),
        (["INSERT INTO open_demand (sku, reference, units) VALUES ('hat', 'nobody', 4)"], "closes 4"),
    ],
)  # fmt: skip
def test_the_dry_run_tells_what_the_run_then_posts(house, repair, deeds, told):
    house.doors.write(lambda session: [session.execute(text(deed)) for deed in deeds])
    assert findings(house) != []
    planned = repair("--dry-run")
    assert told in planned.stdout
    assert "would be mended; nothing was written" in planned.stdout
    assert findings(house) != []
    assert told in repair().stdout
    assert findings(house) == []
    assert repair().stdout == "0 mended.\n"


def test_units_that_nobody_holds_are_released(house, repair, order):
    deed = "UPDATE fulfillment_order SET status = 'superseded' WHERE reference = :order"
    freed = "UPDATE demand_line SET allocated = 0 WHERE sku = 'coat'"
    house.doors.write(lambda session: (session.execute(text(deed), {"order": order}), session.execute(text(freed))))
    assert "releases 1 coat at WH" in repair().stdout
    assert findings(house) == []
    kept = "SELECT reserved FROM stock_balance WHERE sku = 'coat' AND node = 'WH'"
    assert house.doors.read(lambda session: session.scalar(text(kept))) == 0


def test_what_is_left_is_named_with_what_to_do(house, repair):
    house.doors.write(lambda session: session.execute(text("UPDATE stock_balance SET version = version + 1")))
    result = repair(code=1)
    assert "Find it in a backup" in result.stderr
    assert "findings are left for a person" in result.stderr
    house.doors.write(lambda session: session.execute(text("UPDATE stock_balance SET version = version - 1")))
