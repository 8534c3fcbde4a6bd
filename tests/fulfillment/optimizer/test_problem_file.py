"""Problem files: what they say, and one clear sentence for everything they can get wrong."""

import copy
import json
from decimal import Decimal

import pytest

from fulfillment.optimizer.check import check
from fulfillment.optimizer.problem import UNLIMITED
from fulfillment.optimizer.problem_file import ProblemFileError, plan_content, read_problem
from fulfillment.optimizer.solve import solve

FILE = {
    "format": "sourcing-problem/1",
    "nodes": [{"id": "N1", "open_cost": 0, "capacity": None}, {"id": "N2", "open_cost": 1.5, "capacity": 2.5}],
    "stock": [{"node": "N1", "sku": "A", "units": 5}, {"node": "N2", "sku": "B", "units": None}],
    "orders": [
        {
            "id": "O1",
            "max_packages": None,
            "lines": [
                {"id": "1", "sku": "A", "units": 1, "divisible": False, "unfilled_cost": 5000},
                {"id": "2", "sku": "B", "units": 2, "unfilled_cost": 70.25},
            ],
            "options": [
                {"node": "N1", "package_cost": 350, "work": 1, "line_costs": {"1": 30}, "line_work": {"1": 0}},
                {"node": "N2", "package_cost": 0.000001, "work": 2, "line_costs": {"2": 0.5}, "line_work": {"2": 1}},
            ],
        }
    ],
}


def _with(path, value):
    """Return the file with the value at a path such as orders.0.lines.0.units; `...` removes the key."""
    content = copy.deepcopy(FILE)
    *parents, last = path.split(".")
    place = content
    for step in parents:
        place = place[int(step) if isinstance(place, list) else step]
    last = int(last) if isinstance(place, list) else last
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return content


def test_a_file_becomes_a_problem_and_its_plan_an_answer():
    stated = read_problem(json.loads(json.dumps(FILE), parse_float=Decimal))
    plan = solve(stated)
    assert check(stated, plan) == ()
    answer = plan_content(stated, plan)
    assert answer.pop("seconds") >= 0
    assert answer == {
        "format": "sourcing-plan/1",
        "status": "optimal",
        "objective": 450.25,
        "bound": 450.25,
        "gap": 0,
        "assignments": [{"order": "O1", "line": "1", "node": "N1", "units": 1}],
        "unfilled": [{"order": "O1", "line": "2", "units": 2, "reason": "no_capacity"}],
    }
    json.dumps(answer)


def test_numbers_keep_six_decimals():
    stated = read_problem(_with("nodes.1.capacity", 3))
    answer = plan_content(stated, solve(stated))
    assert answer["objective"] == 382.000001
    assert answer["assignments"][1] == {"order": "O1", "line": "2", "node": "N2", "units": 2}


def test_whole_answers_are_whole_numbers():
    stated = read_problem(_with("orders.0.lines.1.unfilled_cost", 70))
    answer = plan_content(stated, solve(stated))
    assert json.dumps([answer["objective"], answer["bound"]]) == "[450, 450]"


def test_absent_stock_is_unlimited_and_an_unlisted_pair_is_none():
    listed = read_problem(FILE)
    assert listed.stock.tolist() == [[5, 0], [0, UNLIMITED]]
    for absent in (_with("stock", ...), _with("stock", None)):
        assert (read_problem(absent).stock == UNLIMITED).all()


def test_an_infeasible_file_says_which_lines():
    content = _with("orders.0.lines.0.unfilled_cost", ...)
    content["stock"][0]["units"] = 0
    stated = read_problem(content)
    answer = plan_content(stated, solve(stated))
    assert (answer["status"], answer["objective"], answer["bound"], answer["gap"]) == ("infeasible", None, None, None)
    assert answer["unfilled"] == [{"order": "O1", "line": "1", "units": 1, "reason": "must_serve"}]


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("format", ..., "format must be 'sourcing-problem/1'."),
        ("format", "sourcing-problem/2", "format must be 'sourcing-problem/1'."),
        ("nodes", ..., "the file lacks the key 'nodes'."),
        ("orders", ..., "the file lacks the key 'orders'."),
        ("extra", 1, "the file has the unknown key 'extra'."),
        ("nodes", {}, "nodes must be a list, not an object."),
        ("nodes.0", "N1", "nodes[0] must be an object, not a text."),
        ("nodes.0.id", ..., "nodes[0] lacks the key 'id'."),
        ("nodes.0.id", "", "nodes[0].id must be a text that is not empty."),
        ("nodes.0.id", 7, "nodes[0].id must be a text that is not empty."),
        ("nodes.1.id", "N1", "nodes[1].id repeats 'N1'."),
        ("nodes.0.open_cost", -1, "nodes[0].open_cost must not be negative, not -1."),
        ("nodes.0.capacity", "5", "nodes[0].capacity must be a number, not a text."),
        ("nodes.0.capacty", 5, "nodes[0] has the unknown key 'capacty'."),
        ("stock", 5, "stock must be a list, not a number."),
        ("stock.0.node", "N9", "stock[0].node names the unknown node 'N9'."),
        ("stock.0.units", -1, f"stock[0].units must be a whole number between 0 and {UNLIMITED}, not -1."),
        ("stock.0.units", 1.5, f"stock[0].units must be a whole number between 0 and {UNLIMITED}, not 1.5."),
        ("stock.0.units", True, "stock[0].units must be a number, not true or false."),
        ("stock.1", {"node": "N1", "sku": "A", "units": 1}, "stock[1] repeats the stock of 'A' at 'N1'."),
        ("orders.0", None, "orders[0] must be an object, not null."),
        ("<order>.lines", [], "<order>.lines must not be empty."),
        ("<order>.lines.1.id", "1", "<order>.lines[1].id repeats '1'."),
        ("<line>.sku", ..., "<line> lacks the key 'sku'."),
        ("<line>.units", ..., "<line> lacks the key 'units'."),
        ("<line>.units", None, "<line>.units must be a whole number, not null."),
        ("<line>.units", 0, "<line>.units must be a whole number between 1 and 1000000000, not 0."),
        ("<line>.units", [1], "<line>.units must be a number, not a list."),
        ("<line>.divisible", "yes", "<line>.divisible must be true or false."),
        ("<line>.unfilled_cost", -0.5, "<line>.unfilled_cost must not be negative, not -0.5."),
        ("<order>.max_packages", 1.5, "<order>.max_packages must be a whole number between 0 and 1000000000, not 1.5."),
        ("<order>.options", ..., "<order> lacks the key 'options'."),
        ("<option>.node", "N7", "<option>.node names the unknown node 'N7'."),
        ("<order>.options.1.node", "N1", "<order>.options[1].node repeats 'N1'."),
        ("<option>.package_cost", -1, "<option>.package_cost must not be negative, not -1."),
        ("<option>.package_cost", float("nan"), "<option>.package_cost must be a number, not nan."),
        ("<option>.package_cost", 1e10, "<option>.package_cost must lie within 1000000000, not 10000000000.0."),
        ("<option>.work", 1e-7, "<option>.work may have up to 6 decimals, not 1e-07."),
        ("<option>.line_costs", ..., "<option> lacks the key 'line_costs'."),
        ("<option>.line_costs", [30], "<option>.line_costs must be an object, not a list."),
        ("<option>.line_costs", {"3": 1}, "<option>.line_costs names the line '3', which the order does not have."),
        ("<option>.line_costs.1", None, "<option>.line_costs.1 must be a number, not null."),
        ("<option>.line_work.1", -1, "<option>.line_work.1 must not be negative, not -1."),
    ],
)  # fmt: skip
def test_a_fault_gets_one_sentence(path, value, sentence):
    with pytest.raises(ProblemFileError) as refused:
        read_problem(_with(_written_out(path, "."), value))
    assert str(refused.value) == _written_out(sentence, "[]")


def _written_out(text, style):
    for name, keys in {"order": ("orders",), "line": ("orders", "lines"), "option": ("orders", "options")}.items():
        text = text.replace(f"<{name}>", ".".join(f"{key}.0" if style == "." else f"{key}[0]" for key in keys))
    return text


@pytest.mark.parametrize(("content", "kind"), [([], "a list"), ("x", "a text"), (None, "null"), (7, "a number")])
def test_a_file_must_hold_an_object(content, kind):
    with pytest.raises(ProblemFileError, match=rf"^the file must hold an object, not {kind}\.$"):
        read_problem(content)


def test_two_orders_of_one_name_are_refused():
    content = copy.deepcopy(FILE)
    content["orders"].append(content["orders"][0])
    with pytest.raises(ProblemFileError, match=r"^orders\[1\]\.id repeats 'O1'\.$"):
        read_problem(content)


def test_a_cost_that_only_its_sum_makes_too_large_is_refused():
    content = _with("orders.0.options.0.line_costs.1", -(10**9))
    assert read_problem(content).orders[0].line_cost.min() == -(10**15)
    with pytest.raises(ProblemFileError, match="must lie within"):
        read_problem(_with("orders.0.options.0.line_costs.1", -(10**9) - 1))
