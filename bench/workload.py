"""The postings that the ledger's benchmark writes: orders of three lines, each line claiming one unit of a SKU.

Owns the shelf they are claimed from and the ways to write them through the ledger. Invariant: the shelf is full enough
for every order of a run, and the SKUs of an order are drawn alike for our code and for whatever it is held against.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import insert

from kernel.db import Database
from kernel.ids import new_id
from stock import receipts, reservations
from stock.models import Article, Node, Purpose
from stock.postings import MAX_UNITS, Header
from stock.receipts import Delivered
from stock.reservations import Claim, Rebinding

NODE = "N1"
LINES = 3
SKUS_A_LINE = 3_000
"""Each line of an order draws its SKU from a third of its own, so that no order has one twice."""
FIRST = 10_000
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
CHUNK = 500


@dataclass(frozen=True)
class Pattern:
    """How the SKUs of the first line are drawn: from a third of the shelf, or always the same one."""

    name: str
    hot: bool

    def bounds(self, line: int) -> tuple[int, int]:
        """Return the first and last number of the SKUs that a line draws from."""
        first = FIRST + line * SKUS_A_LINE
        return (first, first if self.hot and line == 0 else first + SKUS_A_LINE - 1)

    def orders(self, seed: int) -> Iterator[list[Claim]]:
        """Yield the claims of one order after the other, without end."""
        draw = random.Random(seed)
        while True:
            reference = new_id()
            yield [claim(sku(draw.randint(*self.bounds(line))), reference) for line in range(LINES)]


UNIFORM, HOT = Pattern("uniform", hot=False), Pattern("one hot SKU", hot=True)


def sku(number: int) -> str:
    """Return the SKU of a number; all have the same length, so that they sort as the numbers do."""
    return f"S{number}"


def claim(sku: str, reference: str) -> Claim:
    """Return the claim of one unit for an order's line."""
    return Claim(sku=sku, node=NODE, units=1, reference=f"{reference}:{sku}", purpose=Purpose.ORDER)


def header(kind: str, reference: str = "") -> Header:
    """Return the header of a posting of this benchmark."""
    return Header(kind=kind, actor="bench", occurred_at=NOW, reference=reference)


def fill(database: Database) -> None:
    """Put every SKU of the benchmark on the shelf, more than a run can claim."""
    skus = [sku(FIRST + number) for number in range(LINES * SKUS_A_LINE)]
    with database.write() as session:
        session.add(Node(id=NODE, name=NODE, kind="warehouse", status="open", time_zone="UTC", version=1))
        session.execute(insert(Article), [{"sku": sku, "name": sku, "currency": "EUR"} for sku in skus])
        session.commit()
    for start in range(0, len(skus), CHUNK):
        with database.write() as session:
            receipts.receive(
                session, header("receipt"), [Delivered(NODE, sku, MAX_UNITS) for sku in skus[start : start + CHUNK]]
            )
            session.commit()


def write(database: Database, orders: Sequence[Sequence[Claim]]) -> None:
    """Write orders as the doors do: a transaction that holds their postings, in one statement on PostgreSQL."""
    wanted = [
        Rebinding(header=header("allocation", claims[0].reference.partition(":")[0]), claims=claims)
        for claims in orders
    ]  # fmt: skip
    with database.write() as session:
        refused = [outcome for outcome in reservations.rebind_many(session, wanted) if isinstance(outcome, Exception)]
        if refused:
            raise refused[0]
        session.commit()
