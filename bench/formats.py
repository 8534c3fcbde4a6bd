"""Published instances read from their own formats: `python -m bench.formats FILE` prints one as a problem file.

Owns the formats; bench/instances.py reads whole folders with it. What a file holds is told by the count of its numbers
and, where two formats have the same, by how they are laid out in lines. Invariant: what is read is stated by
published.py, so that it reaches the solver as it would from `oms solve`.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from pathlib import Path
from typing import TypeAlias

import numpy as np

from bench.published import Instance, assignment, location, opened

SUFFIXES = {"", ".txt", ".dat", ".plc"}
MAXIMISED = re.compile(r"gap\d+$")
"""OR-Library's gap1 to gap12 ask for the largest profit, all other assignments for the least cost."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file: its name, its words, how many of them each line has, and where the best known cost may be written."""

    name: str
    words: Sequence[str]
    widths: Sequence[int]
    path: Path

    @property
    def size(self) -> tuple[int, int]:
        """The two numbers that the file begins with."""
        return int(self.words[0]), int(self.words[1])

    def numbers(self, start: int, count: int) -> list[Decimal]:
        """Return so many numbers from a place on."""
        return [Decimal(word) for word in self.words[start : start + count]]

    def table(self, start: int, rows: int, columns: int) -> list[list[Decimal]]:
        """Return rows of numbers from a place on."""
        return [self.numbers(start + row * columns, columns) for row in range(rows)]

    def known(self, name: str | None = None) -> float | None:
        """Return the best known cost: the last number of a solution beside the file, or as a note near by names it."""
        for suffix in (".opt", ".bub"):
            beside = self.path.with_name(self.path.name + suffix)
            if beside.exists():
                return float(beside.read_text(encoding="utf-8").split()[-1])
        named = re.compile(rf"\b{re.escape(name or self.name)}\b[\s,;:|=]+(\d+(?:\.\d+)?)")
        for note in sorted(self.path.parent.iterdir()):
            found = named.search(note.read_text(encoding="utf-8")) if note.suffix in {".csv", ".md"} else None
            if found:
                return float(found.group(1))
        return None


Reader: TypeAlias = Callable[[Source], Iterator[Instance]]


def instances_in(place: Path) -> Iterator[Instance]:
    """Read every instance of a file, or of all files below a folder; what is none is passed over."""
    paths = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
    for path in (path for path in paths if path.suffix in SUFFIXES):
        lines = [line.split() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
        source = Source(path.stem, [word for line in lines for word in line], [len(line) for line in lines], path)
        reader = _reader(source)
        if reader:
            yield from reader(source)


def _reader(source: Source) -> Reader | None:
    """Tell what a file holds."""
    words = source.words
    if words[:1] == ["FILE:"]:
        return _simple
    if len(words) < 2 or not (words[0].isdigit() and words[1].isdigit()):
        return None
    first, second = source.size
    by_count: dict[int, Reader] = {
        2 + first * second + first + 2 * second: _opening_by_customer,
        2 + 2 * first + second * (1 + first): _location if _demands_stand_alone(source) else _opening_by_site,
        2 + 2 * first + second * (1 + first) + 1: _opening_by_site,
        2 + 2 * first * second + first: _single_assignment,
    }
    found = by_count.get(len(words))
    return found or (_many_assignments if len(words) == _assignments_end(source) else None)


def _demands_stand_alone(source: Source) -> bool:
    """Tell whether the line after those of the sites holds one number: a demand, with the customer's costs below it."""
    after_sites = 2 + 2 * source.size[0]
    starts = [0, *accumulate(source.widths)]
    return after_sites in starts and source.widths[starts.index(after_sites)] == 1


def _simple(source: Source) -> Iterator[Instance]:
    """Read UflLib's simple format: its name, sites, customers and a zero; each site's number, opening and costs."""
    nodes, lines = int(source.words[2]), int(source.words[3])
    rows = source.table(5, nodes, 2 + lines)
    yield location(source.name, [row[1] for row in rows], [row[2:] for row in rows], source.known())


def _location(source: Source) -> Iterator[Instance]:
    """Read OR-Library's format without its capacities: a site's cost, and what it costs to serve each customer."""
    nodes, lines = source.size
    opening = [Decimal(word) for word in source.words[3 : 2 + 2 * nodes : 2]]
    served = [source.numbers(3 + 2 * nodes + line * (1 + nodes), nodes) for line in range(lines)]
    yield location(source.name, opening, [list(costs) for costs in zip(*served, strict=True)], source.known())


def _opening_by_site(source: Source) -> Iterator[Instance]:
    """Read single-source location site by site: capacities and openings, demands, costs, perhaps the best known.

    Holmberg, Rönnqvist and Yuan, 1999 (DOI 10.1016/S0377-2217(98)00008-3), and those that were written in their format.
    """
    nodes, lines = source.size
    sites, demand = source.numbers(2, 2 * nodes), source.numbers(2 + 2 * nodes, lines)
    costs = source.table(2 + 2 * nodes + lines, nodes, lines)
    rest = source.words[2 + 2 * nodes + lines * (1 + nodes) :]
    known = source.known() or (float(rest[0]) if rest else None)
    yield opened(source.name, sites[1::2], sites[::2], costs, demand, known=known)


def _opening_by_customer(source: Source) -> Iterator[Instance]:
    """Read single-source location customer by customer: costs, then demands, openings and capacities.

    Díaz and Fernández, 2002 (DOI 10.1057/palgrave.jors.2601353).
    """
    lines, nodes = source.size
    served = source.table(2, lines, nodes)
    after = 2 + lines * nodes
    demand, opening = source.numbers(after, lines), source.numbers(after + lines, nodes)
    capacities = source.numbers(after + lines + nodes, nodes)
    costs = [list(row) for row in zip(*served, strict=True)]
    yield opened(source.name, opening, capacities, costs, demand, known=source.known())


def _single_assignment(source: Source) -> Iterator[Instance]:
    """Read one generalised assignment: costs and weights agent by agent, then capacities."""
    yield _assignment_at(source, 0, source.name)


def _many_assignments(source: Source) -> Iterator[Instance]:
    """Read OR-Library's generalised assignments: their number, then one after the other."""
    start = 1
    for number in range(1, int(source.words[0]) + 1):
        yield _assignment_at(source, start, f"{source.name}-{number}")
        start = _assignment_end(source, start)


def _assignment_at(source: Source, start: int, name: str) -> Instance:
    agents, jobs = int(source.words[start]), int(source.words[start + 1])
    numbers = [int(word) for word in source.words[start + 2 : _assignment_end(source, start)]]
    costs, weights = np.array(numbers[: 2 * agents * jobs]).reshape(2, agents, jobs)
    known, capacities = source.known(name), numbers[2 * agents * jobs :]
    if MAXIMISED.match(source.name):
        costs, known = -costs, None if known is None else -known
    return assignment(name, costs.tolist(), weights.tolist(), capacities, known=known)


def _assignment_end(source: Source, start: int) -> int:
    agents, jobs = (int(word) for word in source.words[start : start + 2])
    return start + 2 + 2 * agents * jobs + agents


def _assignments_end(source: Source) -> int:
    """Return where the last of so many assignments would end, beyond the file where it does not hold them."""
    end = 1
    for _ in range(int(source.words[0])):
        if not all(word.isdigit() for word in source.words[end : end + 2]) or end + 2 > len(source.words):
            return len(source.words) + 1
        end = _assignment_end(source, end)
    return end


def main() -> None:
    """Print the first instance of a file as a problem file."""
    parser = argparse.ArgumentParser(description="Print a published instance as a problem file for `oms solve`.")
    parser.add_argument("file", type=Path)
    place: Path = parser.parse_args().file
    found = next(instances_in(place), None)
    if found is None:
        parser.error(f"{place} is in none of the formats known here")
    print(json.dumps(found.content, default=float))


if __name__ == "__main__":
    main()
