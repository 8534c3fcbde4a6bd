"""Random sourcing problems of every shape, and small ones written out by hand."""

from dataclasses import replace

import numpy as np

from fulfillment.optimizer.problem import UNLIMITED, Line, OrderProblem, Problem

EXACT = 6
"""Costs are multiples of this, which every number of units drawn here divides, so that shares are whole."""


def problem(
    lines,
    *,
    line_cost,
    package_cost,
    stock=None,
    capacities=(),
    option_node=None,
    option_capacity=None,
    work=0,
    line_work=0,
    eligible=True,
    open_cost=0,
    skus=None,
    nodes=None,
    **order,
):
    """State a problem of one order; scalars are spread over lines and options."""
    options = np.shape(line_cost)[-1]
    skus = skus or max(line.sku for line in lines) + 1
    option_node = np.arange(options) if option_node is None else np.array(option_node)
    nodes = nodes or (int(option_node.max()) + 1 if options else 1)
    shape = (len(lines), options)
    return Problem(
        nodes=tuple(f"N{node}" for node in range(nodes)),
        open_cost=np.broadcast_to(open_cost, nodes),
        capacity_ids=tuple(f"C{capacity}" for capacity in range(len(capacities))),
        capacities=np.array(capacities, dtype=np.int64),
        skus=tuple(f"S{sku}" for sku in range(skus)),
        stock=np.full((skus, nodes), UNLIMITED) if stock is None else np.array(stock),
        orders=(
            OrderProblem(
                id="O1",
                lines=tuple(lines),
                option_ids=tuple(f"P{option}" for option in range(options)),
                option_node=option_node,
                option_capacity=np.full(options, -1) if option_capacity is None else np.array(option_capacity),
                terms=("package", "line"),
                package_terms=np.stack([np.broadcast_to(package_cost, options), np.zeros(options, dtype=np.int64)]),
                line_terms=np.stack([np.zeros(shape, dtype=np.int64), np.broadcast_to(line_cost, shape)]),
                eligible=np.broadcast_to(eligible, shape),
                work=np.broadcast_to(work, options),
                line_work=np.broadcast_to(line_work, shape),
                **order,
            ),
        ),
    )


def drawn_shape(seed):
    """Draw a problem of any shape: mostly one order, some several, long ones, and assignments."""
    kind = seed % 20
    if kind < 3:
        return drawn_problem(seed, orders=2 + seed % 3)
    if kind < 5:
        return drawn_assignment(seed)
    if kind < 6:
        return drawn_long(seed)
    if kind < 8:
        return with_worth(drawn_long(seed) if kind == 6 and seed % 3 == 0 else drawn_problem(seed), seed)
    return drawn_problem(seed)


def with_worth(given, seed):
    """Give the lines of a problem values, and ask for some least worth of each part of its orders."""
    rng = np.random.default_rng([seed, 1])
    return replace(given, orders=tuple(_with_worth(rng, order) for order in given.orders))


def _with_worth(rng, order):
    lines = tuple(replace(line, unit_value=int(rng.integers(0, 12))) for line in order.lines)
    whole = sum(line.units * line.unit_value for line in lines)
    return replace(order, lines=lines, min_part_value=int(rng.integers(0, 2 + whole * 3 // 4)))


def drawn_assignment(seed):
    """Draw up to nine orders of one line each, some of which may stay unfilled, at up to four nodes."""
    rng = np.random.default_rng(seed)
    nodes, orders = int(rng.integers(2, 5)), int(rng.integers(2, 10))
    names = tuple(f"N{node}" for node in range(nodes))
    return Problem(
        nodes=names,
        open_cost=rng.integers(0, 40, nodes) * (rng.random() < 0.6),
        capacity_ids=names,
        capacities=rng.integers(2, 4 * orders, nodes),
        skus=("S",),
        stock=np.full((1, nodes), UNLIMITED),
        orders=tuple(_single(rng, f"O{number}", names, alike=seed % 2 == 0) for number in range(orders)),
    )


def _single(rng, order_id, names, *, alike):
    shape = (1, len(names))
    work, line_work = rng.integers(0, 2, len(names)), rng.integers(1, 9, shape)
    return OrderProblem(
        id=order_id,
        lines=(Line("1", 0, 1, unfilled_cost=None if rng.random() < 0.7 else int(rng.integers(20, 90))),),
        option_ids=names,
        option_node=np.arange(len(names)),
        option_capacity=np.arange(len(names)),
        terms=("cost",),
        package_terms=rng.integers(0, 9, shape),
        line_terms=rng.integers(1, 40, (1, *shape)),
        eligible=rng.random(shape) < 0.9,
        work=0 * work if alike else work,
        line_work=np.full(shape, line_work[0, 0]) if alike else line_work,
    )


def drawn_long(seed):
    """Draw an order of eight to sixteen lines: what the subset tables just hold, and what is too long for them."""
    rng = np.random.default_rng(seed)
    lines, nodes = int(rng.integers(8, 17)), int(rng.integers(3, 9))
    penalties = [None if rng.random() < 0.3 else int(rng.integers(20, 200)) for _ in range(lines)]
    return problem(
        tuple(Line(str(n), n, 1, unfilled_cost=penalty) for n, penalty in enumerate(penalties)),
        line_cost=rng.integers(0, 90, (lines, nodes)),
        package_cost=rng.integers(0, 150, nodes),
        stock=(rng.random((lines, nodes)) < 0.8).astype(np.int64),
        max_packages=int(rng.integers(1, 5)) if rng.random() < 0.4 else None,
        together=((0, 1), (3, 4)) if rng.random() < 0.3 else (),
        open_cost=rng.integers(0, 90, nodes) * (rng.random() < 0.3),
    )


def drawn_problem(seed, *, orders=1):
    """Draw a problem: divided lines, repeated SKUs, package limits, ties, options that share a node, a day or both."""
    rng = np.random.default_rng(seed)
    nodes, skus = int(rng.integers(1, 6)), int(rng.integers(1, 5))
    capacities = nodes * int(rng.choice([0, 1, 2], p=[0.5, 0.3, 0.2]))
    return Problem(
        nodes=tuple(f"N{node}" for node in range(nodes)),
        open_cost=rng.integers(0, 30, nodes) * EXACT * (rng.random() < 0.3),
        capacity_ids=tuple(f"C{capacity}" for capacity in range(capacities)),
        capacities=np.where(rng.random(capacities) < 0.3, UNLIMITED, rng.integers(0, 10, capacities)),
        skus=tuple(f"S{sku}" for sku in range(skus)),
        stock=np.where(rng.random((skus, nodes)) < 0.3, UNLIMITED, rng.integers(0, 5, (skus, nodes))),
        orders=tuple(_drawn_order(rng, f"O{order}", nodes, skus, capacities) for order in range(orders)),
    )


def _drawn_order(rng, order_id, nodes, skus, capacities):
    lines = tuple(_drawn_line(rng, str(line), skus) for line in range(int(rng.integers(1, 6))))
    options = int(rng.integers(0, 3 * nodes))
    shape = (len(lines), options)
    option_node = rng.integers(0, nodes, options) if rng.random() < 0.5 else np.arange(options) % nodes
    taken = rng.random(options) < 0.5 if capacities else np.zeros(options, dtype=bool)
    days = rng.integers(0, max(1, capacities // nodes), options)
    shared = capacities and rng.random() < 0.1
    capacity = rng.integers(0, capacities, options) if shared else option_node + nodes * days
    whole = [line for line in range(len(lines)) if not lines[line].divisible]
    return OrderProblem(
        id=order_id,
        lines=lines,
        option_ids=tuple(f"P{option}" for option in range(options)),
        option_node=option_node,
        option_capacity=np.where(taken, capacity, -1),
        terms=("a", "b"),
        package_terms=rng.integers(0, 20, (2, options)) * EXACT * (rng.random() < 0.8),
        line_terms=rng.integers(-3, 20, (2, *shape)) * EXACT,
        eligible=rng.random(shape) < 0.8,
        work=rng.integers(0, 4, options),
        line_work=rng.integers(0, 3, shape),
        max_packages=int(rng.integers(0, 4)) if rng.random() < 0.4 else None,
        together=(tuple(whole[:2]),) if len(whole) >= 2 and rng.random() < 0.2 else (),
    )


def _drawn_line(rng, line_id, skus):
    return Line(
        id=line_id,
        sku=int(rng.integers(skus)),
        units=int(rng.integers(1, 4)),
        divisible=bool(rng.random() < 0.25),
        unfilled_cost=None if rng.random() < 0.1 else int(rng.integers(0, 120)) * EXACT,
    )
