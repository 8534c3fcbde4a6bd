"""Draws what lies where on the morning the story begins.

Called by whoever loads the demo, through `rows` or as a file through `write`, and by `orders` for what a shopper sees
in a store. Stock is skewed on purpose: warehouses hold most articles in depth, stores a third of them in ones and twos,
and a few articles are nearly gone, so that orders are split, moved between nodes and made to wait. Its invariant: each
node is drawn from a generator of its own, so that a change to one leaves the others as they were.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from random import Random

from demo import popularity
from demo.network import Article, Node, articles, nodes

# One article in twelve is at the end of its season: no warehouse has it, and few stores have a last one or two.
SCARCE_SHARE = 1 / 12
WAREHOUSE_RANGE = 0.87  # of the articles that are not scarce, which makes 80 % of all
WAREHOUSE_UNITS = {"MAD-W": 1600, "BCN-W": 1000}


@dataclass(frozen=True)
class StockRow:
    """Units of one article at one node, the shelf they lie on, and how many of them are not to be promised."""

    sku: str
    node: str
    units: int
    shelf: str
    safety_stock: int


def rows(seed: int) -> Iterator[StockRow]:
    """Yield the opening stock, node by node, along each node's shelves."""
    shares = popularity.weights(seed)
    scarce = scarce_articles(seed)
    last_ones = _last_ones(seed, scarce)
    for node in nodes():
        rng = Random(f"stock {seed} {node.id}")
        units = _warehouse_units(node, shares, rng) if node.kind == "warehouse" else _store_units(node, shares, rng)
        kept = {sku: count for sku, count in units.items() if sku not in scarce}
        yield from _shelve(node, kept | last_ones.get(node.id, {}))


def scarce_articles(seed: int) -> frozenset[str]:
    """Return the SKUs of which the network has next to nothing left."""
    skus = [article.sku for article in articles()]
    return frozenset(Random(f"scarce {seed}").sample(skus, round(len(skus) * SCARCE_SHARE)))


def write(path: Path, seed: int) -> int:
    """Write the opening stock as the CSV file that the stock import reads, and return the number of rows."""
    stock = list(rows(seed))
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow([column.name for column in fields(StockRow)])
        lines.writerows(astuple(row) for row in stock)
    return len(stock)


def _warehouse_units(node: Node, shares: dict[str, float], rng: Random) -> dict[str, int]:
    carried = sorted(rng.sample(sorted(shares), round(len(shares) * WAREHOUSE_RANGE)))
    # The buyer guessed each article's share with an error that is as often twofold up as twofold down.
    return {sku: 1 + round(shares[sku] * WAREHOUSE_UNITS[node.id] * rng.lognormvariate(0, 0.7)) for sku in carried}


def _store_units(node: Node, shares: dict[str, float], rng: Random) -> dict[str, int]:
    # A store with more hands has more room. Sampling without replacement, each with odds by the root of its popularity:
    # every article gets the key u^(1/weight), and the largest keys win (Efraimidis and Spirakis 2006,
    # doi:10.1016/j.ipl.2005.11.003).
    size = round(len(shares) * (0.20 + node.capacity_minutes / 1000))
    keys = {sku: rng.random() ** (1 / share**0.5) for sku, share in shares.items()}
    carried = sorted(keys, key=keys.__getitem__, reverse=True)[:size]
    return {sku: 1 + int(rng.expovariate(1 / (0.6 + 120 * shares[sku]))) for sku in sorted(carried)}


def _last_ones(seed: int, scarce: frozenset[str]) -> dict[str, dict[str, int]]:
    rng = Random(f"last ones {seed}")
    stores = [node.id for node in nodes() if node.kind == "store"]
    left: dict[str, dict[str, int]] = {}
    for sku in sorted(scarce):
        for store in rng.sample(stores, rng.randint(1, 3)):
            left.setdefault(store, {})[sku] = rng.randint(1, 2)
    return left


def _shelve(node: Node, units: dict[str, int]) -> Iterator[StockRow]:
    """Yield the node's rows with shelves in walking order: a family per aisle, then bay by bay, bottom to top."""
    levels = 4 if node.kind == "warehouse" else 3
    aisles = {family: chr(ord("A") + number) for number, family in enumerate(_families())}
    placed: Counter[str] = Counter()
    for article in articles():
        if article.sku not in units:
            continue
        bay, level = divmod(placed[article.family], levels)
        placed[article.family] += 1
        shelf = f"{aisles[article.family]}-{bay + 1:02d}-{level + 1}"
        count = units[article.sku]
        yield StockRow(article.sku, node.id, count, shelf, _safety_stock(node, article, count))


def _safety_stock(node: Node, article: Article, units: int) -> int:
    # A store keeps one for the window; a warehouse keeps a spare of what breaks.
    if node.kind == "store":
        return 1 if units >= 4 else 0
    return 1 if article.family in {"lamps", "kitchen"} and units >= 8 else 0


def _families() -> list[str]:
    return list(dict.fromkeys(article.family for article in articles()))
