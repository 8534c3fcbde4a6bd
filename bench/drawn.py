"""Batches drawn from a seed, for benchmarks.

Owns the generator: orders of one to five lines with skewed demand, a few warehouses and many stores, stock a little
above demand (below it for one SKU in ten), work capacity of stores that binds. Invariant: the same arguments give the
same problem.
"""

from __future__ import annotations

import numpy as np

from fulfillment.optimizer.problem import UNLIMITED, Line, OrderProblem, Problem

UNFILLED = 4000
_LINES = (0.60, 0.22, 0.10, 0.05, 0.03)
_UNITS = (0.90, 0.08, 0.02)


def drawn_batch(orders: int, nodes: int, seed: int) -> Problem:
    """Draw orders on a network of nodes; costs in cents."""
    rng = np.random.default_rng(seed)
    warehouses = int(np.clip(nodes // 20, 2, 10))
    warehouse = np.arange(nodes) < warehouses
    cities = rng.random((max(10, nodes // 3), 2))
    popularity = np.arange(1, len(cities) + 1) ** -0.7
    city_of_store = rng.choice(len(cities), nodes, p=popularity / popularity.sum())
    sites = np.where(
        warehouse[:, None], rng.random((nodes, 2)), cities[city_of_store] + rng.normal(0, 0.02, (nodes, 2))
    )
    customers = cities[rng.choice(len(cities), orders, p=popularity / popularity.sum())]
    customers = customers + rng.normal(0, 0.03, (orders, 2))
    skus = max(200, orders // 5)
    weight = rng.lognormal(-0.5, 0.7, skus)
    baskets = _baskets(rng, orders, skus)
    stock = _stock(rng, baskets, warehouse, skus)
    shares = rng.uniform(0.5, 1.6, nodes - warehouses) * 0.55 * 1.3 * orders / (nodes - warehouses)
    capacities = np.concatenate([np.full(warehouses, UNLIMITED), shares.astype(np.int64)])
    names = tuple(f"N{node}" for node in range(nodes))
    stated = []
    for index, (chosen, units) in enumerate(baskets):
        distance = np.linalg.norm(sites - customers[index], axis=1)
        package = np.where(warehouse, 350, 400) + 600 * distance
        handling = np.where(warehouse, 30, 90)
        line = units[:, None] * (handling + 80 * weight[chosen][:, None] * distance)
        stated.append(_order(index, (chosen, units), package.astype(np.int64), line.astype(np.int64), names))
    return Problem(
        nodes=names,
        open_cost=np.broadcast_to(np.int64(0), (nodes,)),
        capacity_ids=names,
        capacities=capacities,
        skus=tuple(f"S{sku}" for sku in range(skus)),
        stock=stock,
        orders=tuple(stated),
    )


def _baskets(rng: np.random.Generator, orders: int, skus: int) -> list[tuple[np.ndarray, np.ndarray]]:
    skew = np.cumsum(np.arange(1, skus + 1) ** -0.9)
    baskets = []
    for lines in rng.choice(len(_LINES), orders, p=_LINES) + 1:
        chosen: list[int] = []
        while len(chosen) < lines:
            sku = int(np.searchsorted(skew, rng.random() * skew[-1]))
            if sku not in chosen:
                chosen.append(sku)
        baskets.append((np.array(chosen), rng.choice([1, 2, 3], lines, p=_UNITS)))
    return baskets


def _stock(
    rng: np.random.Generator, baskets: list[tuple[np.ndarray, np.ndarray]], warehouse: np.ndarray, skus: int
) -> np.ndarray:
    demand = np.zeros(skus)
    for chosen, units in baskets:
        demand[chosen] += units
    scarce = rng.random(skus) < 0.1
    total = (demand * np.where(scarce, rng.uniform(0.6, 0.95, skus), rng.uniform(1.1, 1.5, skus))).round()
    stock = np.zeros((skus, len(warehouse)), dtype=np.int64)
    for sku in range(skus):
        carries = rng.random(len(warehouse)) < np.where(warehouse, 0.8, 0.35)
        carries[int(rng.integers(len(warehouse)))] = True
        share = carries * np.where(warehouse, 4.0, 1.0)
        stock[sku] = rng.multinomial(int(total[sku]), share / share.sum())
    return stock


def _order(
    index: int, basket: tuple[np.ndarray, np.ndarray], package: np.ndarray, line: np.ndarray, names: tuple[str, ...]
) -> OrderProblem:
    nodes = len(names)
    return OrderProblem(
        id=f"O{index}",
        lines=tuple(
            Line(str(number), sku, count, unfilled_cost=UNFILLED)
            for number, (sku, count) in enumerate(zip(*(part.tolist() for part in basket), strict=True))
        ),
        option_ids=names,
        option_node=np.arange(nodes),
        option_capacity=np.arange(nodes),
        terms=("cost",),
        package_terms=package[None],
        line_terms=line[None],
        eligible=np.broadcast_to(np.True_, line.shape),
        work=np.broadcast_to(np.int64(1), (nodes,)),
        line_work=np.broadcast_to(np.int64(0), line.shape),
    )
