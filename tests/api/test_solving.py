"""`oms solve`: what each sentence of the file format means, and that every failure is one sentence."""

import copy
import json

import pytest
from click.testing import CliRunner

from api.cli import oms
from bench.formats import instances_in
from bench.published import generated_assignment
from fulfillment.optimizer import solve as solving
from fulfillment.optimizer.exact import NoPlanInTimeError

FILE = {
    "format": "sourcing-problem/1",
    "nodes": [{"id": "N1", "open_cost": 0, "capacity": None}, {"id": "N2"}],
    "orders": [
        {
            "id": "O1",
            "lines": [{"id": "1", "sku": "A", "units": 4, "unfilled_cost": 100}],
            "options": [
                {"node": "N1", "package_cost": 10, "line_costs": {"1": 40}},
                {"node": "N2", "package_cost": 10, "line_costs": {"1": 80}},
            ],
        }
    ],
}
LINE, FIRST, SECOND = "orders.0.lines.0", "orders.0.options.0", "orders.0.options.1"
TWICE = {**FILE["orders"][0], "id": "O2"}
TWO_LINES = {
    "orders.0.lines": [{"id": "1", "sku": "A", "units": 1, "unfilled_cost": 100}, {"id": "2", "sku": "B", "units": 1}],
    f"{FIRST}.line_costs": {"1": 3, "2": 4},
    f"{SECOND}.line_costs": {"1": 5, "2": 6},
}
APART = {**TWO_LINES, f"{FIRST}.line_costs": {"1": 3}, f"{SECOND}.line_costs": {"2": 6}}
THREE_EACH = [{"node": node, "sku": "A", "units": 3} for node in ("N1", "N2")]
DIVISIBLE = {f"{LINE}.divisible": True}


@pytest.fixture
def solve(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def invoke(content, *options, code=0):
        text = content if isinstance(content, str | bytes) else json.dumps(content, default=float)
        (tmp_path / "problem.json").write_bytes(text if isinstance(text, bytes) else text.encode())
        result = CliRunner().invoke(oms, ["solve", "problem.json", *options])
        assert result.exit_code == code, result.output
        return result

    return invoke


def changed(changes):
    """Return the file with other values at some places; a new list entry is written one past the last."""
    content = copy.deepcopy(FILE)
    for path, value in changes.items():
        *steps, last = [int(step) if step.isdecimal() else step for step in path.split(".")]
        place = content
        for step in steps:
            place = place[step]
        if isinstance(place, list) and last == len(place):
            place.append(value)
        else:
            place[last] = value
    return content


@pytest.mark.parametrize(
    ("changes", "objective"),
    [
        pytest.param({}, 50, id="a package and its line"),
        pytest.param({"orders.1": TWICE}, 100, id="package_cost is paid by each order"),
        pytest.param(TWO_LINES, 17, id="package_cost is paid once for two lines"),
        pytest.param({"nodes.0.open_cost": 35, "orders.1": TWICE}, 135, id="open_cost is paid once for two orders"),
        pytest.param({"nodes.0.open_cost": 500}, 90, id="a node that serves nothing is not opened"),
        pytest.param(APART, 29, id="a package from each node used"),
        pytest.param({**APART, "orders.0.max_packages": 1}, 116, id="max_packages limits the nodes of an order"),
        pytest.param({"orders.0.max_packages": 0}, 100, id="no package at all"),
        pytest.param({"stock": [{"node": "N1", "sku": "A", "units": 3}]}, 100, id="a line is served whole or not"),
        pytest.param({**DIVISIBLE, "stock": [{"node": "N1", "sku": "A", "units": 3}]}, 65, id="or in proportion"),
        pytest.param({**DIVISIBLE, f"{LINE}.unfilled_cost": 200, "stock": THREE_EACH}, 70, id="and by two nodes"),
        pytest.param(
            {"orders.1": TWICE, "stock": [{"node": "N1", "sku": "A", "units": 7}]}, 150, id="orders share stock"
        ),
        pytest.param({"stock": [{"node": "N1", "sku": "A", "units": None}]}, 50, id="units null are unlimited"),
        pytest.param({"stock": None}, 50, id="stock null is unlimited"),
        pytest.param({"stock": []}, 100, id="stock that is not listed is none"),
        pytest.param({"nodes.0.capacity": 2, f"{FIRST}.work": 3}, 90, id="work of a package takes capacity"),
        pytest.param({"nodes.0.capacity": 2, f"{FIRST}.line_work": {"1": 2.5}}, 90, id="so does work of a line"),
        pytest.param({"nodes.0.capacity": 2.5, f"{FIRST}.line_work": {"1": 2.5}}, 50, id="which may be just enough"),
        pytest.param(
            {**DIVISIBLE, "nodes.0.capacity": 2.5, f"{FIRST}.work": 0.5, f"{FIRST}.line_work": {"1": 4}}, 80,
            id="work of a part is in proportion",
        ),
        pytest.param(
            {"nodes.0.capacity": 3, f"{FIRST}.work": 2, "orders.1": TWICE | {"options": [
                {"node": "N1", "package_cost": 10, "work": 2, "line_costs": {"1": 40}}]}},
            140,
            id="orders share capacity",
        ),
        pytest.param({f"{FIRST}.line_costs": {}}, 90, id="a line that line_costs lacks is not served there"),
        pytest.param({f"{FIRST}.line_costs": {"1": -3}}, 7, id="a line may be worth something"),
        pytest.param({f"{LINE}.unfilled_cost": 49.999999}, 49.999999, id="unfilled_cost is for the whole line"),
        pytest.param({f"{LINE}.unfilled_cost": None, f"{FIRST}.line_costs": {"1": 9e8}, "orders.0.options": [
            {"node": "N1", "package_cost": 0.000001, "line_costs": {"1": 900000000.1}}]}, 900000000.100001,
            id="what must be served is, at any cost",
        ),
        pytest.param({"orders": []}, 0, id="no orders"),
        pytest.param({"orders.0.options": []}, 100, id="no options"),
    ],
)  # fmt: skip
def test_a_plan_costs_what_the_format_says(solve, changes, objective):
    plan = json.loads(solve(changed(changes)).stdout)
    assert (plan["format"], plan["status"], plan["gap"]) == ("sourcing-plan/1", "optimal", 0)
    assert (plan["objective"], plan["bound"]) == (objective, objective)


def test_a_plan_names_what_is_served_and_what_is_not(solve):
    plan = json.loads(solve(changed({**DIVISIBLE, "stock": [{"node": "N1", "sku": "A", "units": 3}]})).stdout)
    assert plan["assignments"] == [{"order": "O1", "line": "1", "node": "N1", "units": 3}]
    assert plan["unfilled"] == [{"order": "O1", "line": "1", "units": 1, "reason": "no_stock"}]
    assert plan["seconds"] >= 0


def test_a_plan_goes_to_a_file(solve, tmp_path):
    told = solve(FILE, "--out", "plan.json", "--time-limit", "5", "--seed", "3").stdout
    assert "optimal: objective 50" in told
    assert json.loads((tmp_path / "plan.json").read_text())["objective"] == 50


def test_an_infeasible_problem_ends_with_status_2_and_names_the_lines(solve, tmp_path):
    stuck = changed({**TWO_LINES, "stock": [{"node": "N1", "sku": "A", "units": 1}]})
    result = solve(stuck, "--out", "plan.json", code=2)
    assert "O1/2" in result.stderr
    assert "O1/1" not in result.stderr
    plan = json.loads((tmp_path / "plan.json").read_text())
    assert (plan["status"], plan["assignments"]) == ("infeasible", [])
    assert plan["unfilled"] == [{"order": "O1", "line": "2", "units": 1, "reason": "must_serve"}]


def test_when_time_runs_out_the_gap_says_how_far_the_plan_may_be(solve):
    plan = json.loads(solve(generated_assignment("D", 10, 100, seed=1).content, "--time-limit", "0.5").stdout)
    assert plan["status"] == "feasible"
    assert plan["bound"] < plan["objective"]
    assert plan["gap"] == pytest.approx(1 - plan["bound"] / plan["objective"])
    assert plan["seconds"] < 30, "a proof would take hours"


def test_time_that_is_too_short_for_any_plan_is_said(solve, monkeypatch):
    def out_of_time(*_, **__):
        raise NoPlanInTimeError("no plan was found in 1 s; allow more time, or let lines stay unfilled")

    monkeypatch.setattr(solving, "decide", out_of_time)
    assert "No plan was found in 1 s" in solve(FILE, code=1).stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("[" * 100_000, "nested too deeply"),
        (b"\xff\xfe{}", "is not text in UTF-8"),
        ("[]", "must hold an object"),
        ('{"format": "other/1"}', "format must be"),
        ('{"format": "sourcing-problem/1"}', "lacks the key 'nodes'"),
        ('{"format": "sourcing-problem/1", "nodes": [], "nodes": []}', "the key 'nodes' twice"),
        (json.dumps(changed({LINE: 5})), "orders[0].lines[0] must be an object"),
        (json.dumps(FILE).replace("40", "1e999999"), "must lie within"),
        (json.dumps(FILE).replace("40", "1e-999999999"), "up to 6 decimals"),
        (json.dumps(FILE).replace("40", "NaN"), "must be a number"),
        (json.dumps(FILE).replace(": 4,", ": 1e999999999,"), "must be a whole number"),
        (json.dumps(FILE).replace("40", "1" * 5000), "is not JSON"),
    ],
)
def test_a_malformed_problem_gets_one_sentence(solve, content, told):
    result = solve(content, code=1)
    assert (result.stdout, len(result.stderr.strip().splitlines())) == ("", 1)
    assert told in result.stderr
    assert len(result.stderr) < 300 or "1111" in result.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--time-limit", "0"), "--time-limit must be above 0"),
        (("--time-limit", "nan"), "--time-limit must be above 0"),
        (("--time-limit", "inf"), "--time-limit must be above 0"),
        (("--seed", "-1"), "--seed must lie between"),
        (("--out", "nowhere/plan.json"), "nowhere is no folder"),
    ],
)
def test_an_option_that_cannot_be_is_said_before_anything_is_solved(solve, options, told):
    assert told in solve(FILE, *options, code=1).stderr


def test_a_file_that_is_not_there_is_named(solve, tmp_path):
    solve(FILE)
    (tmp_path / "problem.json").unlink()
    result = CliRunner().invoke(oms, ["solve", "problem.json"])
    assert (result.exit_code, "problem.json" in result.stderr) == (1, True)


# Three sites with openings 30, 10 and 90 and four customers, as each family writes them. Without capacities the second
# site serves all, at 37. With capacities 9, 8 and 20, and demands 4, 5, 3 and 2, the first serves two of them, at 53.
LOCATION = "3 4\n99 30\n99 10\n99 90\n1\n1 9 5\n1\n2 8 5\n1\n6 7 5\n1\n4 3 5\n"
SIMPLE = "FILE: simple\n3 4 0\n1 30 1 2 6 4\n2 10 9 8 7 3\n3 90 5 5 5 5\n"
BY_SITE = "3 4\n9 30\n8 10\n20 90\n4 5 3 2\n1 2 6 4\n9 8 7 3\n5 5 5 5\n"
BY_CUSTOMER = "4 3\n1 9 5\n2 8 5\n6 7 5\n4 3 5\n4 5 3 2\n30 10 90\n9 8 20\n"
ASSIGNMENT = "3 4\n1 2 6 4\n9 8 7 3\n5 5 5 5\n" + 3 * "4 5 3 2\n" + "9 8 20\n"


@pytest.mark.parametrize(
    ("name", "text", "objective"),
    [
        ("cap1", LOCATION, 37),
        ("simple.txt", SIMPLE, 37),
        ("holmberg.plc", BY_SITE, 53),
        ("known", BY_SITE + "53\n", 53),
        ("delmaire", BY_CUSTOMER, 53),
        ("d0203", ASSIGNMENT, 11),
        ("gapa", "1\n" + ASSIGNMENT, 11),
        ("gap1", "1\n" + ASSIGNMENT, -26),
    ],
)
def test_published_instances_of_every_family_are_solved(solve, tmp_path, name, text, objective):
    (tmp_path / name).write_text(text)
    (instance,) = instances_in(tmp_path / name)
    plan = json.loads(solve(instance.content).stdout)
    assert (plan["status"], plan["objective"]) == ("optimal", objective)
    assert instance.known in {None, objective}
