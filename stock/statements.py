"""The SQL that writes postings: one statement on PostgreSQL, the same steps one by one on SQLite.

Only `stock/ledger.py` runs it. How it works, on PostgreSQL:
- It is given a batch: postings in the order in which they came, one after the other or only one. `change` has a row
  for each balance with the net of all postings, and with what the balance must have so that none of them, taken in
  order, finds too little (`needs_...`); `resolution` and `wish` likewise for reservations and open demand.
- `held` locks the balances in key order and so reads their newest state, whatever the statement's snapshot was. All
  verdicts are passed on what was read under lock, reservations after balances, open demand after reservations; since
  everybody locks in this order, postings never wait for one another in a circle.
- `go` has its one row only when nothing falls short, and every write joins `go`. A refusal therefore writes nothing,
  spoils no transaction, and answers with everything that was locked, so that the ledger can say who fits.
- Counters change relatively, never to a value that was computed from what was read. The CHECK constraints of the
  tables are the second guard.
On SQLite the write transaction has begun with the only write lock there is, and the steps run one after the other.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from kernel.rowsets import RowSet, as_pyformat, with_steps
from stock.events import StockPosted
from stock.postings import COUNTERS

CHANGE = RowSet(
    "change",
    (
        ("sku", "text"), ("node", "text"), *((counter, "int") for counter in COUNTERS),
        ("touches", "int"), ("expected", "int"), ("needs_above_safety", "int"),
        ("needs_on_hand", "int"), ("needs_available", "int"), ("needs_reserved", "int"), ("needs_picked", "int"),
        ("needs_on_shelf", "int"), ("needs_unpicked", "int"),
        ("needs_damaged", "int"), ("needs_quarantine", "int"), ("needs_in_transit", "int"),
    ),
)  # fmt: skip
HEAD = RowSet(
    "head",
    (
        ("id", "text"), ("kind", "text"), ("reason", "text"), ("actor", "text"), ("reference", "text"),
        ("occurred_at", "instant"), ("event_id", "text"), ("payload", "json"),
    ),
)  # fmt: skip
LINE = RowSet(
    "line",
    (
        ("posting_id", "text"), ("number", "int"), ("sku", "text"), ("units", "int"),
        ("from_node", "text"), ("from_account", "text"), ("from_nth", "int"),
        ("to_node", "text"), ("to_account", "text"), ("to_nth", "int"), ("reservation_id", "text"),
    ),
)  # fmt: skip
RESOLUTION = RowSet(
    "resolution",
    (
        ("sku", "text"), ("id", "text"), ("node", "text"), ("picked", "int"), ("consumed", "int"), ("released", "int"),
        ("needs_picked", "int"), ("needs_left", "int"),
    ),
)  # fmt: skip
CLAIM = RowSet(
    "claim",
    (
        ("ordinal", "int"), ("id", "text"), ("sku", "text"), ("node", "text"), ("reference", "text"),
        ("purpose", "text"), ("units", "int"), ("picked", "int"), ("rank", "int"), ("expires_at", "instant"),
    ),
)  # fmt: skip
WISH = RowSet("wish", (("sku", "text"), ("reference", "text"), ("units", "int"), ("needs", "int")))
KEY = RowSet("key", (("sku", "text"), ("node", "text")))

HELD = """held AS MATERIALIZED (
  SELECT b.* FROM stock_balance AS b JOIN change AS c ON b.sku = c.sku AND b.node = c.node{read}
  ORDER BY b.sku, b.node {lock}
)"""
# Counting rows reads them, so that nobody waits for a balance while another's document is taken apart.
READ = " AND (SELECT count(*) FROM {rows}) >= 0"

REFUSED = """refused AS MATERIALIZED (
  SELECT 1 FROM change AS c LEFT JOIN held AS h ON h.sku = c.sku AND h.node = c.node
  WHERE h.sku IS NULL
    OR h.on_hand < c.needs_on_hand
    OR h.on_hand + h.backorder_limit - h.reserved < c.needs_available
    OR h.on_hand + h.backorder_limit - h.reserved - h.safety_stock < c.needs_above_safety
    OR h.reserved < c.needs_reserved
    OR h.picked < c.needs_picked
    OR h.on_hand - h.picked < c.needs_on_shelf
    OR h.reserved - h.picked < c.needs_unpicked
    OR h.damaged < c.needs_damaged
    OR h.quarantine < c.needs_quarantine
    OR h.in_transit < c.needs_in_transit
    OR h.version <> c.expected
)"""

# The count of the balances held is asked first, so that reservations are locked after balances.
CLAIMED = """claimed AS MATERIALIZED (
  SELECT r.* FROM reservation AS r JOIN resolution AS c ON r.sku = c.sku AND r.id = c.id
  WHERE (SELECT count(*) FROM held) >= 0
  ORDER BY r.sku, r.id {lock}
)"""

ENDED = """ended AS MATERIALIZED (
  SELECT 1 FROM resolution AS c LEFT JOIN claimed AS r ON r.sku = c.sku AND r.id = c.id
  WHERE r.id IS NULL OR r.node <> c.node OR r.picked < c.needs_picked
    OR r.units - r.picked - r.consumed - r.released < c.needs_left
)"""

WANTED = """wanted AS MATERIALIZED (
  SELECT o.sku, o.reference, o.units, o.units + w.units AS left_over
  FROM open_demand AS o JOIN wish AS w ON o.sku = w.sku AND o.reference = w.reference
  WHERE (SELECT count(*) FROM {after}) >= 0
  ORDER BY o.sku, o.reference {lock}
)"""

UNMET = """unmet AS MATERIALIZED (
  SELECT 1 FROM wish AS w LEFT JOIN wanted AS o ON o.sku = w.sku AND o.reference = w.reference
  WHERE coalesce(o.units, 0) < w.needs
)"""

MOVE = """UPDATE stock_balance AS b SET
    on_hand = b.on_hand + c.on_hand, reserved = b.reserved + c.reserved, picked = b.picked + c.picked,
    damaged = b.damaged + c.damaged, quarantine = b.quarantine + c.quarantine,
    in_transit = b.in_transit + c.in_transit, version = b.version + c.touches
  FROM change AS c, go WHERE b.sku = c.sku AND b.node = c.node
  RETURNING 1"""

POST = """INSERT INTO posting (id, kind, reason, actor, reference, occurred_at)
  SELECT p.id, p.kind, p.reason, p.actor, p.reference, p.occurred_at FROM head AS p, go"""

# A posting is an aggregate of one event, which is written with it: no posting without its news.
TELL = f"""INSERT INTO outbox (id, type, aggregate, aggregate_id, sequence, payload)
  SELECT p.event_id, '{StockPosted.aggregate}.{StockPosted.verb}', '{StockPosted.aggregate}', p.id, 1, p.payload
  FROM head AS p, go"""  # noqa: S608 (names of the code)
QUEUE = "INSERT INTO outbox_queue (event_id) SELECT p.event_id FROM head AS p, go"

# Each entry makes the next version of the balances it touches, from those that they had before.
ENTER = """INSERT INTO stock_entry (sku, posting_id, line, units, from_node, from_account, from_version,
    to_node, to_account, to_version, reservation_id)
  SELECT l.sku, l.posting_id, l.number, l.units, l.from_node, l.from_account, f.version + l.from_nth,
    l.to_node, l.to_account, t.version + l.to_nth, l.reservation_id
  FROM go CROSS JOIN line AS l
  LEFT JOIN {before} AS f ON f.sku = l.sku AND f.node = l.from_node
  LEFT JOIN {before} AS t ON t.sku = l.sku AND t.node = l.to_node"""

RESOLVE = """UPDATE reservation AS r SET
    picked = r.picked + c.picked, consumed = r.consumed + c.consumed, released = r.released + c.released
  FROM resolution AS c, go WHERE r.sku = c.sku AND r.id = c.id"""

RESERVE = """INSERT INTO reservation (sku, id, node, reference, purpose, attempt, units, picked, consumed, released,
    rank, expires_at)
  SELECT n.sku, n.id, n.node, n.reference, n.purpose,
    n.ordinal + coalesce((SELECT max(r.attempt) FROM reservation AS r
      WHERE r.sku = n.sku AND r.reference = n.reference AND r.purpose = n.purpose), 0),
    n.units, n.picked, 0, 0, n.rank, n.expires_at
  FROM claim AS n, go WHERE true"""

OPEN = """INSERT INTO open_demand (sku, reference, units)
  SELECT w.sku, w.reference, w.units FROM wish AS w, go WHERE w.units > 0
  ON CONFLICT (sku, reference) DO UPDATE SET units = open_demand.units + excluded.units"""

LOWER = """UPDATE open_demand AS o SET units = n.left_over
  FROM wanted AS n, wish AS w, go
  WHERE o.sku = n.sku AND o.reference = n.reference AND w.sku = n.sku AND w.reference = n.reference
    AND w.units < 0 AND n.left_over > 0"""

CLOSE = """DELETE FROM open_demand AS o USING wanted AS n, go
  WHERE o.sku = n.sku AND o.reference = n.reference AND n.left_over = 0"""

CLOSE_SQLITE = """DELETE FROM open_demand WHERE EXISTS (SELECT 1 FROM wanted AS n
    WHERE n.sku = open_demand.sku AND n.reference = open_demand.reference AND n.left_over = 0)"""

CREATE_BALANCES = """INSERT INTO stock_balance (sku, node, on_hand, reserved, picked, damaged, quarantine, in_transit,
    safety_stock, backorder_limit, version)
  SELECT a.sku, n.id, 0, 0, 0, 0, 0, 0, 0, 0, 0
  FROM key AS k JOIN article AS a ON a.sku = k.sku JOIN node AS n ON n.id = k.node
  WHERE true ORDER BY a.sku, n.id
  ON CONFLICT (sku, node) DO NOTHING"""

LOCK = """SELECT count(*) FROM (SELECT 1 FROM stock_balance AS b JOIN key AS k ON b.sku = k.sku AND b.node = k.node
  ORDER BY b.sku, b.node FOR UPDATE OF b) AS held"""

# When nothing was written: how everything stands that the batch would have touched. One column of JSON costs the
# client a third of what a column for each value does.
REPORT = {
    "balance": """SELECT {array}('balance', h.sku, h.node, '', h.on_hand, h.reserved, h.picked, h.damaged,
    h.quarantine, h.in_transit, h.safety_stock, h.backorder_limit, h.version)
  FROM held AS h WHERE {refused}""",
    "reservation": """SELECT {array}('reservation', r.sku, r.id, r.node, r.units, r.picked, r.consumed + r.released)
  FROM claimed AS r WHERE {refused}""",
    "demand": "SELECT {array}('demand', o.sku, o.reference, '', o.units) FROM wanted AS o WHERE {refused}",
}
ARRAY = {"postgresql": "json_build_array", "sqlite": "json_array"}
# Whether the batch was written, and how many balances moved, to hold against how many should have.
MOVED = """SELECT json_build_array(CASE WHEN EXISTS (TABLE go) THEN 'written' ELSE 'refused' END, '', '', '', count(*))
  FROM moved"""
VERDICT = "SELECT json_array(CASE WHEN {refused} THEN 'refused' ELSE 'written' END, '', '', '', 0)"


class Parts(NamedTuple):
    """What a batch has besides balances and entries."""

    resolutions: bool
    claims: bool
    wishes: bool


@cache
def postgresql(parts: Parts) -> str:
    """Return the one statement that writes a batch of these parts; it answers what moved, or how everything stands."""
    given = [CHANGE, HEAD, LINE] + [CLAIM] * parts.claims
    read = "".join(READ.format(rows=rows.name) for rows in given[1:])
    steps = [*(rows.postgresql for rows in given), HELD.format(read=read, lock="FOR UPDATE OF b"), REFUSED]
    writes = {"moved": MOVE, "posted": POST, "told": TELL, "queued": QUEUE, "entered": ENTER.format(before="held")}
    if parts.resolutions:
        steps += [RESOLUTION.postgresql, CLAIMED.format(lock="FOR UPDATE OF r"), ENDED]
        writes["resolved"] = RESOLVE
    if parts.claims:
        writes["reserved"] = RESERVE
    if parts.wishes:
        after = "claimed" if parts.resolutions else "held"
        steps += [WISH.postgresql, WANTED.format(after=after, lock="FOR UPDATE OF o"), UNMET]
        writes |= {"opened": OPEN, "lowered": LOWER, "closed": CLOSE}
    steps.append(f"go AS MATERIALIZED (SELECT 1 AS yes WHERE NOT ({_refused(parts)}))")
    steps += [f"{name} AS ({write})" for name, write in writes.items()]
    report = [*_report("NOT EXISTS (TABLE go)", parts, ARRAY["postgresql"]), MOVED]
    return as_pyformat(with_steps(steps, "\nUNION ALL ".join(report)))


@cache
def sqlite_verdict(parts: Parts) -> str:
    """Return the query for whether a batch must be refused, and for how everything stands if so."""
    steps = [CHANGE.sqlite, HELD.format(read="", lock=""), REFUSED]
    if parts.resolutions:
        steps += [RESOLUTION.sqlite, CLAIMED.format(lock=""), ENDED]
    if parts.wishes:
        steps += [WISH.sqlite, WANTED.format(after="held", lock=""), UNMET]
    refused = _refused(parts)
    report = [*_report(refused, parts, ARRAY["sqlite"]), VERDICT.format(refused=refused)]
    return with_steps(steps, "\nUNION ALL ".join(report))


@cache
def sqlite_writes(parts: Parts) -> tuple[str, ...]:
    """Return the writes in order, to be run when nothing was refused; the last returns the balances moved."""
    go = "go AS (SELECT 1 AS yes)"
    wanted = WANTED.format(after="wish", lock="")
    writes = [
        with_steps([HEAD.sqlite, go], POST),
        with_steps([LINE.sqlite, go], ENTER.format(before="stock_balance")),
        with_steps([HEAD.sqlite, go], TELL),
        with_steps([HEAD.sqlite, go], QUEUE),
    ]
    if parts.resolutions:
        writes.append(with_steps([RESOLUTION.sqlite, go], RESOLVE))
    if parts.claims:
        writes.append(with_steps([CLAIM.sqlite, go], RESERVE))
    if parts.wishes:
        # Closing comes before opening, since each reads the demand that is there; no row is both.
        writes += [
            with_steps([WISH.sqlite, wanted], CLOSE_SQLITE),
            with_steps([WISH.sqlite, wanted, go], LOWER),
            with_steps([WISH.sqlite, go], OPEN),
        ]
    return (*writes, with_steps([CHANGE.sqlite, go], MOVE))


@cache
def create_balances(dialect: str) -> str:
    """Return the statement that makes empty balances for those of the given keys that name an article and a node."""
    if dialect == "postgresql":
        return as_pyformat(with_steps([KEY.postgresql], CREATE_BALANCES))
    return with_steps([KEY.sqlite], CREATE_BALANCES)


@cache
def lock_balances() -> str:
    """Return the statement that locks balances in key order on PostgreSQL."""
    return as_pyformat(with_steps([KEY.postgresql], LOCK))


def _refused(parts: Parts) -> str:
    verdicts = ["refused"] + ["ended"] * parts.resolutions + ["unmet"] * parts.wishes
    return " OR ".join(f"EXISTS (SELECT 1 FROM {verdict})" for verdict in verdicts)  # noqa: S608 (names of steps)


def _report(refused: str, parts: Parts, array: str) -> list[str]:
    tables = ["balance"] + ["reservation"] * parts.resolutions + ["demand"] * parts.wishes
    return [REPORT[table].format(refused=refused, array=array) for table in tables]
