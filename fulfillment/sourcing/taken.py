"""What plans take that were decided a moment ago and are not committed yet.

Filled by the doors that decide many orders before they commit them, read by `gather`. Invariant: who is decided with it
sees what would be there had those before been committed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from fulfillment.sourcing.proposal import Proposal
from stock.postings import Key


@dataclass
class Taken:
    """Units by SKU and node, and minutes by node and day."""

    units: Counter[Key] = field(default_factory=Counter)
    minutes: Counter[tuple[str, date]] = field(default_factory=Counter)

    def add(self, proposal: Proposal) -> None:
        """Take what a proposal of new demands would; what was held for it is given up for it."""
        for package in (package for change in proposal.changes for package in change.packages):
            self.minutes[package.node, package.work_on] += package.work_minutes
            for line in package.lines:
                self.units[line.sku, package.node] += line.units
        for held in proposal.held.units:
            self.units[held.sku, held.node] -= held.units
        for node, on, count in proposal.held.minutes:
            self.minutes[node, on] -= count
