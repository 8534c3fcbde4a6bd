"""Runs as planners see them: cost by term, and flows that account for every unit that moves."""

from datetime import UTC, datetime

from fulfillment.planning import report
from fulfillment.planning.models import Movement, Run
from kernel.db import connect


def units(line, node, count, **more):
    return {"line": line, "sku": f"SKU-{line}", "node": node, "units": count} | more


def movement(demand, before, after):
    return Movement(demand_id=demand, before=before, after=after)


def test_a_flow_adds_up_what_moves_between_two_nodes():
    movements = [
        movement("1", [units("l", "A", 2)], [units("l", "B", 2)]),
        movement("2", [units("l", "A", 1), units("m", "C", 1)], [units("l", "B", 1), units("m", "C", 1)]),
    ]
    assert report.flows(movements) == [report.Flow("A", "B", 3, 2)]


def test_units_that_waited_flow_from_nowhere():
    movements = [
        movement("1", [], [units("l", "B", 1)]),
        movement("2", [units("l", "A", 2)], [units("l", "A", 1)]),
    ]
    assert report.flows(movements) == [report.Flow(None, "B", 1, 1), report.Flow("A", None, 1, 1)]


def test_a_line_divided_otherwise_moves_only_the_difference():
    before, after = [units("l", "A", 3)], [units("l", "A", 1), units("l", "B", 1), units("l", "C", 1)]
    assert report.moves(before, after) == {("A", "B"): 1, ("A", "C"): 1}


def test_lines_do_not_swap_with_each_other():
    before = [units("l", "A", 1), units("m", "B", 1)]
    after = [units("l", "B", 1), units("m", "A", 1)]
    assert report.moves(before, after) == {("A", "B"): 1, ("B", "A"): 1}


def test_a_change_says_which_units_go_where():
    before = [units("l", "A", 2), units("m", "A", 1)]
    after = [units("l", "B", 2), units("m", "A", 1)]
    assert report.changes(movement("1", before, after)) == [report.Change("node", "l", "SKU-l", 2, "A", "B")]


def test_a_line_that_stays_is_told_by_what_else_changes():
    before = [units("l", "A", 1, method="ship", carrier_service="slow", work_on="2026-03-17")]
    faster = [units("l", "A", 1, method="ship", carrier_service="fast", work_on="2026-03-18")]
    later = [units("l", "A", 1, method="ship", carrier_service="slow", work_on="2026-03-18")]
    assert report.changes(movement("1", before, faster)) == [report.Change("carrier", "l", "SKU-l", 1, "slow", "fast")]
    assert [(change.kind, change.target) for change in report.changes(movement("1", before, later))] == [
        ("day", "2026-03-18")
    ]


def test_terms_come_largest_first_with_their_saving():
    run = Run(before_by_term={"carrier": 400, "zero": 0}, after_by_term={"carrier": 300, "labour": 50, "zero": 0})
    carrier, labour = report.terms(run)
    assert (carrier.term, carrier.saving_minor, carrier.saving_share) == ("carrier", 100, 0.25)
    assert (labour.term, labour.saving_minor, labour.saving_share) == ("labour", -50, None)


def test_the_gap_is_a_share_of_the_cost():
    assert report.gap(Run(cost_after_minor=1000, bound_minor=990)) == 0.01
    assert report.gap(Run(cost_after_minor=None, bound_minor=None)) is None


def test_the_newest_run_comes_first(sqlite_url):
    database = connect(sqlite_url)
    with database.write() as session:
        for number in ("1", "2"):
            recorded_at = datetime(2026, 3, int(number), tzinfo=UTC)
            session.add(
                Run(id=number, number=number, status="queued", cause="manual", parameters={}, seed=1,
                    planned_at=recorded_at, recorded_at=recorded_at)
            )  # fmt: skip
        session.flush()
        assert [run.id for run in report.latest(session)] == ["2", "1"]
        assert len(report.latest(session, limit=1)) == 1
    database.dispose()
