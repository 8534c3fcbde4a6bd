"""Two independent judges of the optimum: a CP-SAT model, and complete enumeration for the tiniest orders.

Both are written from the statement of the problem, in terms of units, and share nothing with the solvers.
"""

from itertools import product

from ortools.sat.python import cp_model

from fulfillment.optimizer.check import check
from fulfillment.optimizer.problem import UNLIMITED
from fulfillment.optimizer.solve import SolveParams, solve
from tests.fulfillment.optimizer.drawn import EXACT


def agrees(problem, expected):
    """Solve a problem; fail unless the judge is content and the plan is proven to cost what is expected."""
    plan = solve(problem, SolveParams(time_limit_s=30))
    assert check(problem, plan) == ()
    if expected is None:
        assert plan.status == "infeasible"
    else:
        assert (plan.status, plan.objective, plan.bound) == ("optimal", expected, expected)


def optimum(problem):
    """Return the least cost of a problem whose shares are whole, None if it has no plan."""
    model = cp_model.CpModel()
    cost, stock, work = [], {}, {}
    opened = [model.new_bool_var("") for _ in problem.nodes]
    cost += [int(price) * node for price, node in zip(problem.open_cost, opened, strict=True)]
    for order in problem.orders:
        _state_order(model, problem, order, opened, cost, stock, work)
    for (sku, node), units in stock.items():
        if problem.stock[sku, node] < UNLIMITED:
            model.add(sum(units) <= int(problem.stock[sku, node]))
    for capacity, amounts in work.items():
        if capacity >= 0 and problem.capacities[capacity] < UNLIMITED:
            model.add(sum(amounts) <= EXACT * int(problem.capacities[capacity]))
    model.minimize(sum(cost))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    solver.parameters.max_time_in_seconds = 60
    status = solver.solve(model)
    assert status in {cp_model.OPTIMAL, cp_model.INFEASIBLE}
    return round(solver.objective_value) if status == cp_model.OPTIMAL else None


def _state_order(model, problem, order, opened, cost, stock, work):
    options = range(len(order.option_ids))
    used = [model.new_bool_var("") for _ in options]
    whole, units_of = {}, []
    for number, line in enumerate(order.lines):
        units = [model.new_int_var(0, line.units if order.eligible[number, k] else 0, "") for k in options]
        missing = model.new_int_var(0, 0 if line.unfilled_cost is None else line.units, "")
        model.add(sum(units) + missing == line.units)
        units_of.append([*units, missing])
        cost.append((line.unfilled_cost or 0) // line.units * missing)
        for k in options:
            node, capacity = int(order.option_node[k]), int(order.option_capacity[k])
            model.add(units[k] == 0).only_enforce_if(used[k].Not())
            if not line.divisible:
                whole[number, k] = model.new_bool_var("")
                model.add(units[k] == line.units * whole[number, k])
            cost.append(int(order.line_terms[:, number, k].sum()) // line.units * units[k])
            stock.setdefault((line.sku, node), []).append(units[k])
            work.setdefault(capacity, []).append(EXACT // line.units * int(order.line_work[number, k]) * units[k])
    for k in options:
        cost.append(int(order.package_terms[:, k].sum()) * used[k])
        work.setdefault(int(order.option_capacity[k]), []).append(EXACT * int(order.work[k]) * used[k])
        model.add_implication(used[k], opened[int(order.option_node[k])])
    if order.max_packages is not None:
        model.add(sum(used) <= order.max_packages)
    _state_parts(model, order, used, units_of)
    for group in order.together:
        for line in group[1:]:
            for k in options:
                model.add(whole[line, k] == whole[group[0], k])


def _state_parts(model, order, used, units_of):
    if not order.min_part_value:
        return
    parts = [*used, model.new_bool_var("")]
    split = model.new_bool_var("")
    model.add(sum(parts) <= 1).only_enforce_if(split.Not())
    for row in units_of:
        model.add(row[-1] == 0).only_enforce_if(parts[-1].Not())
    for column, part in enumerate(parts):
        worth = sum(line.unit_value * row[column] for line, row in zip(order.lines, units_of, strict=True))
        model.add(worth >= order.min_part_value).only_enforce_if(part, split)


def enumerated_optimum(problem):
    """Return the least cost of a one-order problem by trying every way to serve every line; None if there is none."""
    (order,) = problem.orders
    ways = [_ways(order, number) for number in range(len(order.lines))]
    costs = [_cost(problem, order, choice) for choice in product(*ways)]
    return min((cost for cost in costs if cost is not None), default=None)


def _ways(order, number):
    """List the units of a line by option, in every allowed way."""
    line, options = order.lines[number], len(order.option_ids)
    counts = range(line.units + 1) if line.divisible else (0, line.units)
    ways = product(*(counts if order.eligible[number, k] else (0,) for k in range(options)))
    return [
        way for way in ways if sum(way) <= line.units and (line.unfilled_cost is not None or sum(way) == line.units)
    ]


def _cost(problem, order, choice):
    packed = {k for way in choice for k, units in enumerate(way) if units}
    if order.max_packages is not None and len(packed) > order.max_packages:
        return None
    if any([bool(u) for u in choice[a]] != [bool(u) for u in choice[b]] for a, *rest in order.together for b in rest):
        return None
    left = [line.units - sum(way) for line, way in zip(order.lines, choice, strict=True)]
    parts = [[way[k] for way in choice] for k in sorted(packed)] + ([left] if any(left) else [])
    worths = [sum(u * line.unit_value for u, line in zip(part, order.lines, strict=True)) for part in parts]
    if len(parts) > 1 and min(worths) < order.min_part_value:
        return None
    stock, work = problem.stock.astype(object), dict(enumerate(problem.capacities.tolist()))
    cost = sum(int(problem.open_cost[node]) for node in {int(order.option_node[k]) for k in packed})
    for k in packed:
        cost += int(order.package_terms[:, k].sum())
        work[int(order.option_capacity[k])] = work.get(int(order.option_capacity[k]), UNLIMITED) - int(order.work[k])
    for number, (line, way) in enumerate(zip(order.lines, choice, strict=True)):
        cost += (line.unfilled_cost or 0) * (line.units - sum(way)) // line.units
        for k, units in enumerate(way):
            cost += int(order.line_terms[:, number, k].sum()) * units // line.units
            stock[line.sku, order.option_node[k]] -= units
            capacity = int(order.option_capacity[k])
            work[capacity] = work.get(capacity, UNLIMITED) - int(order.line_work[number, k]) * units / line.units
    limits = [value for value in (*stock.flat, *(w for c, w in work.items() if c >= 0)) if value < UNLIMITED // 2]
    return cost if min(limits, default=0) >= 0 else None
