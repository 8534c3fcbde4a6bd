"""In which order postings count that built on one another: by the versions of the balances that they touched.

Called by the placing of postings. News may come in another order than the postings were written in, because the
database's clock jumped back, or because several came within its resolution. Invariant: a posting follows every posting
whose version of some balance it built on, even where the news tell of that one later.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from sqlalchemy.orm import Session

from stock.past import states
from stock.past.asking import SPAN, ask
from stock.past.recorded import Effect, Recorded, read
from stock.past.states import State
from stock.postings import Key

Span: TypeAlias = tuple[str, str, int, int]
# The postings that reached one of these versions.
REACHED = """
SELECT e.posting_id FROM span AS s CROSS JOIN stock_entry AS e
WHERE e.sku = s.sku AND e.to_node = s.node AND e.to_version > s.start AND e.to_version <= s.stop
UNION
SELECT e.posting_id FROM span AS s CROSS JOIN stock_entry AS e
WHERE e.sku = s.sku AND e.from_node = s.node AND e.from_version > s.start AND e.from_version <= s.stop"""


@dataclass
class Succession:
    """Postings that have no position, the states of the balances that they touch, and what is known of their order."""

    session: Session
    limit: int
    postings: dict[str, Recorded] = field(default_factory=dict)
    states: dict[Key, State] = field(default_factory=dict)
    effects: dict[str, dict[Key, Effect]] = field(default_factory=dict)
    _asked: set[Span] = field(default_factory=set)

    def add(self, postings: Mapping[str, Recorded]) -> None:
        """Take postings in; of two that did not build on one another, the one added first goes first."""
        self.postings |= postings
        self.effects |= {id_: posting.effects() for id_, posting in postings.items()}
        keys = {key for id_ in postings for key in self.effects[id_]} - self.states.keys()
        self.states |= states.load(self.session, keys)

    def add_predecessors(self) -> None:
        """Add what the postings built on until nothing is missing, or until there is enough to go on with.

        A version that no entry reached has no predecessor to wait for: proving the ledger finds such a gap.
        """
        while spans := self._missing():
            if len(self.postings) > self.limit and self.in_order():
                return
            self._asked |= spans
            found = {row.posting_id for row in ask(self.session, REACHED, SPAN, sorted(spans))}
            self.add(read(self.session, sorted(found - self.postings.keys())))

    def in_order(self) -> list[Recorded]:
        """Return the postings that can be placed now, each after those that it built on."""
        ordinals = {id_: ordinal for ordinal, id_ in enumerate(self.postings)}
        followers: dict[str, set[str]] = defaultdict(set)
        awaited = dict.fromkeys(self.postings, 0)
        blocked = {(sku, node, stop) for sku, node, _, stop in self._missing()}
        for key, line in self._lines().items():
            for number, (first, id_) in enumerate(line):
                # What comes after versions that are still missing awaits a posting that is not among these.
                if (*key, first - 1) in blocked:
                    awaited[id_] += 1
                elif number and id_ not in followers[line[number - 1][1]]:
                    followers[line[number - 1][1]].add(id_)
                    awaited[id_] += 1
        ready = [ordinals[id_] for id_, count in awaited.items() if not count]
        return self._released(ready, ordinals, followers, awaited)

    def _released(
        self, ready: list[int], ordinals: dict[str, int], followers: dict[str, set[str]], awaited: dict[str, int]
    ) -> list[Recorded]:
        ids, order = list(self.postings), []
        heapq.heapify(ready)
        while ready:
            id_ = ids[heapq.heappop(ready)]
            order.append(self.postings[id_])
            for follower in followers[id_]:
                awaited[follower] -= 1
                if not awaited[follower]:
                    heapq.heappush(ready, ordinals[follower])
        return order

    def _lines(self) -> dict[Key, list[tuple[int, str]]]:
        """Return the postings of each balance with the version at which each begins, in the order of versions."""
        lines: dict[Key, list[tuple[int, str]]] = defaultdict(list)
        for id_, effects in self.effects.items():
            for key, effect in effects.items():
                lines[key].append((effect.first, id_))
        return {key: sorted(line) for key, line in lines.items()}

    def _missing(self) -> set[Span]:
        """Return the versions between those placed and those here that have not been asked for."""
        spans = set()
        for key, line in self._lines().items():
            reached = self.states[key].version
            for first, id_ in line:
                if first - 1 > reached:
                    spans.add((*key, reached, first - 1))
                reached = max(reached, self.effects[id_][key].last)
        return spans - self._asked
