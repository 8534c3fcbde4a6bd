"""The SQL that writes a posting: one statement on PostgreSQL, the same steps one by one on SQLite.

Only `stock/ledger.py` runs it. How it works, on PostgreSQL:
- `held` locks the balances in key order and so reads their newest state, whatever the statement's snapshot was. All
  verdicts are passed on what was read under lock, reservations after balances, open demand after reservations; since
  everybody locks in this order, postings never wait for one another in a circle.
- `refused`, `ended` and `unmet` list what does not fit; `go` has its one row only when they are all empty, and every
  write joins `go`. A refusal therefore writes nothing, spoils no transaction, and names everything that was short.
- Counters change relatively, never to a value that was computed from what was read. The CHECK constraints of the
  tables are the second guard.
On SQLite the write transaction has begun with the only write lock there is, and the steps run one after the other.
The texts are put together from this file alone; whatever comes from outside is a parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from kernel.rowsets import RowSet, as_pyformat, with_steps
from stock.postings import COUNTERS

REFUSAL_COLUMNS = ("what", "sku", "key", *COUNTERS, "safety_stock", "backorder_limit", "version")


CHANGE = RowSet(
    "change",
    (
        ("sku", "text"), ("node", "text"),
        *((counter, "int") for counter in COUNTERS),
        ("touches", "int"), ("expected", "int"), ("floor", "int"),
    ),
)  # fmt: skip
LINE = RowSet(
    "line",
    (
        ("number", "int"), ("sku", "text"), ("units", "int"),
        ("from_node", "text"), ("from_account", "text"), ("from_back", "int"),
        ("to_node", "text"), ("to_account", "text"), ("to_back", "int"), ("reservation_id", "text"),
    ),
)  # fmt: skip
RESOLUTION = RowSet(
    "resolution",
    (("sku", "text"), ("id", "text"), ("node", "text"), ("picked", "int"), ("consumed", "int"), ("released", "int")),
)
CLAIM = RowSet(
    "claim",
    (
        ("ordinal", "int"), ("id", "text"), ("sku", "text"), ("node", "text"), ("reference", "text"),
        ("purpose", "text"), ("units", "int"), ("picked", "int"), ("rank", "int"), ("expires_at", "timestamptz"),
    ),
)  # fmt: skip
WISH = RowSet("wish", (("sku", "text"), ("reference", "text"), ("units", "int")))

BALANCES = """held AS MATERIALIZED (
  SELECT b.* FROM stock_balance AS b JOIN change AS c ON b.sku = c.sku AND b.node = c.node
  ORDER BY b.sku, b.node {lock}
)"""

REFUSED = """refused AS MATERIALIZED (
  SELECT c.sku, c.node, h.on_hand, h.reserved, h.picked, h.damaged, h.quarantine, h.in_transit,
    h.safety_stock, h.backorder_limit, h.version
  FROM change AS c LEFT JOIN held AS h ON h.sku = c.sku AND h.node = c.node
  WHERE h.sku IS NULL
    OR h.on_hand + c.on_hand < 0
    OR h.reserved + c.reserved < 0
    OR h.picked + c.picked < 0
    OR h.picked + c.picked > h.on_hand + c.on_hand
    OR h.picked + c.picked > h.reserved + c.reserved
    OR h.reserved + c.reserved > h.on_hand + c.on_hand + h.backorder_limit
    OR (c.floor IS NOT NULL AND c.reserved > c.on_hand
        AND h.reserved + c.reserved > h.on_hand + c.on_hand + h.backorder_limit
          - CASE WHEN c.floor >= 0 THEN c.floor ELSE h.safety_stock END)
    OR h.damaged + c.damaged < 0
    OR h.quarantine + c.quarantine < 0
    OR h.in_transit + c.in_transit < 0
    OR h.version <> c.expected
)"""

# The count of the balances held is asked first, so that reservations are locked after balances.
RESERVATIONS = """claimed AS MATERIALIZED (
  SELECT r.* FROM reservation AS r JOIN resolution AS c ON r.sku = c.sku AND r.id = c.id
  WHERE (SELECT count(*) FROM held) >= 0
  ORDER BY r.sku, r.id {lock}
)"""

ENDED = """ended AS MATERIALIZED (
  SELECT c.sku, c.id, r.units, r.picked, r.consumed, r.released
  FROM resolution AS c LEFT JOIN claimed AS r ON r.sku = c.sku AND r.id = c.id
  WHERE r.id IS NULL
    OR r.node <> c.node
    OR r.picked + c.picked < 0
    OR r.picked + c.picked + r.consumed + c.consumed + r.released + c.released > r.units
)"""

DEMAND = """wanted AS MATERIALIZED (
  SELECT o.sku, o.reference, o.units + w.units AS units
  FROM open_demand AS o JOIN wish AS w ON o.sku = w.sku AND o.reference = w.reference
  WHERE (SELECT count(*) FROM {after}) >= 0
  ORDER BY o.sku, o.reference {lock}
)"""

UNMET = """unmet AS MATERIALIZED (
  SELECT w.sku, w.reference, o.units - w.units AS units
  FROM wish AS w LEFT JOIN wanted AS o ON o.sku = w.sku AND o.reference = w.reference
  WHERE w.units < 0 AND (o.sku IS NULL OR o.units < 0)
)"""

MOVE = """UPDATE stock_balance AS b SET
    on_hand = b.on_hand + c.on_hand, reserved = b.reserved + c.reserved, picked = b.picked + c.picked,
    damaged = b.damaged + c.damaged, quarantine = b.quarantine + c.quarantine,
    in_transit = b.in_transit + c.in_transit, version = b.version + c.touches
  FROM change AS c, go WHERE b.sku = c.sku AND b.node = c.node
  RETURNING b.sku, b.node, b.version"""

POST = """INSERT INTO posting (id, kind, reason, actor, reference, occurred_at)
  SELECT CAST(:posting_id AS text), CAST(:kind AS text), CAST(:reason AS text), CAST(:actor AS text),
    CAST(:reference AS text), :occurred_at FROM go"""

# A posting is an aggregate of one event, which is written with it: no posting without its news.
TELL = """INSERT INTO outbox (id, type, aggregate, aggregate_id, sequence, payload)
  SELECT CAST(:event_id AS text), CAST(:event AS text), CAST(:aggregate AS text), CAST(:posting_id AS text), 1,
    {payload} FROM go"""
QUEUE = "INSERT INTO outbox_queue (event_id) SELECT CAST(:event_id AS text) FROM go"

# The balance's new version, less the entries that touch it after this one.
ENTER = """INSERT INTO stock_entry (sku, posting_id, line, units, from_node, from_account, from_version,
    to_node, to_account, to_version, reservation_id)
  SELECT l.sku, CAST(:posting_id AS text), l.number, l.units, l.from_node, l.from_account, f.version - l.from_back,
    l.to_node, l.to_account, t.version - l.to_back, l.reservation_id
  FROM go CROSS JOIN line AS l
  LEFT JOIN {moved} AS f ON f.sku = l.sku AND f.node = l.from_node
  LEFT JOIN {moved} AS t ON t.sku = l.sku AND t.node = l.to_node"""

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

LOWER = """UPDATE open_demand AS o SET units = n.units
  FROM wanted AS n, wish AS w, go
  WHERE o.sku = n.sku AND o.reference = n.reference AND w.sku = n.sku AND w.reference = n.reference
    AND w.units < 0 AND n.units > 0"""

CLOSE = """DELETE FROM open_demand AS o USING wanted AS n, go
  WHERE o.sku = n.sku AND o.reference = n.reference AND n.units = 0"""

CLOSE_SQLITE = """DELETE FROM open_demand WHERE EXISTS (
    SELECT 1 FROM wanted AS n WHERE n.sku = open_demand.sku AND n.reference = open_demand.reference AND n.units = 0)"""

CREATE_BALANCES = """INSERT INTO stock_balance (sku, node, on_hand, reserved, picked, damaged, quarantine, in_transit,
    safety_stock, backorder_limit, version)
  SELECT a.sku, n.id, 0, 0, 0, 0, 0, 0, 0, 0, 0
  FROM key AS k JOIN article AS a ON a.sku = k.sku JOIN node AS n ON n.id = k.node
  WHERE true ORDER BY a.sku, n.id
  ON CONFLICT (sku, node) DO NOTHING"""
KEY = RowSet("key", (("sku", "text"), ("node", "text")))

REPORT = {
    "balance": """SELECT 'balance', sku, node, on_hand, reserved, picked, damaged, quarantine, in_transit,
    safety_stock, backorder_limit, version FROM refused""",
    "reservation": """SELECT 'reservation', sku, id, units, consumed + released, picked, NULL, NULL, NULL,
    NULL, NULL, NULL FROM ended""",
    "demand": "SELECT 'demand', sku, reference, units, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM unmet",
}
# How many balances moved, so that the ledger can hold it against how many should have.
MOVED = "SELECT 'moved', '', '', count(*), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM moved"


@cache
def postgresql(*, resolutions: bool, claims: bool, wishes: bool) -> str:
    """Return the one statement that writes a posting of these parts; it answers with what it refused and what moved."""
    steps = [CHANGE.unnested, LINE.unnested, BALANCES.format(lock="FOR UPDATE OF b"), REFUSED]
    verdicts, writes = ["refused"], {"moved": MOVE, "posted": POST, "entered": ENTER.format(moved="moved"),
                                     "told": TELL.format(payload=":payload::jsonb"), "queued": QUEUE}  # fmt: skip
    if resolutions:
        steps += [RESOLUTION.unnested, RESERVATIONS.format(lock="FOR UPDATE OF r"), ENDED]
        verdicts.append("ended")
        writes["resolved"] = RESOLVE
    if claims:
        steps.append(CLAIM.unnested)
        writes["reserved"] = RESERVE
    if wishes:
        after = "claimed" if resolutions else "held"
        steps += [WISH.unnested, DEMAND.format(after=after, lock="FOR UPDATE OF o"), UNMET]
        verdicts.append("unmet")
        writes |= {"opened": OPEN, "lowered": LOWER, "closed": CLOSE}
    steps.append(_go(verdicts))
    steps += [f"{name} AS ({write})" for name, write in writes.items()]
    report = _report(resolutions=resolutions, wishes=wishes) + "\nUNION ALL " + MOVED
    return as_pyformat(with_steps(steps, report))


@cache
def sqlite_verdict(*, resolutions: bool, wishes: bool) -> str:
    """Return the query for what must be refused."""
    steps = [CHANGE.from_json, BALANCES.format(lock=""), REFUSED]
    if resolutions:
        steps += [RESOLUTION.from_json, RESERVATIONS.format(lock=""), ENDED]
    if wishes:
        steps += [WISH.from_json, DEMAND.format(after="held", lock=""), UNMET]
    return with_steps(steps, _report(resolutions=resolutions, wishes=wishes))


@cache
def sqlite_writes(*, resolutions: bool, claims: bool, wishes: bool) -> tuple[str, ...]:
    """Return the writes in order, to be run when nothing was refused; the first returns the balances moved."""
    go = "go AS (SELECT 1 AS yes)"
    wanted = DEMAND.format(after="wish", lock="")
    writes = [
        with_steps([CHANGE.from_json, go], MOVE.replace("b.sku, b.node, b.version", "sku, node, version")),
        with_steps([go], POST),
        with_steps([LINE.from_json, go], ENTER.format(moved="stock_balance")),
        with_steps([go], TELL.format(payload=":payload")),
        with_steps([go], QUEUE),
    ]
    if resolutions:
        writes.append(with_steps([RESOLUTION.from_json, go], RESOLVE))
    if claims:
        writes.append(with_steps([CLAIM.from_json, go], RESERVE))
    if wishes:
        # Closing comes before opening, since each reads the demand that is there; no row is both.
        writes += [
            with_steps([WISH.from_json, wanted], CLOSE_SQLITE),
            with_steps([WISH.from_json, wanted, go], LOWER),
            with_steps([WISH.from_json, go], OPEN),
        ]
    return tuple(writes)


@cache
def create_balances(dialect: str) -> str:
    """Return the statement that makes empty balances for those of the given keys that name an article and a node."""
    if dialect == "postgresql":
        return as_pyformat(with_steps([KEY.unnested], CREATE_BALANCES))
    return with_steps([KEY.from_json], CREATE_BALANCES)


def _go(verdicts: Sequence[str]) -> str:
    clear = " AND ".join(f"NOT EXISTS (TABLE {verdict})" for verdict in verdicts)
    return f"go AS MATERIALIZED (SELECT 1 AS yes WHERE {clear})"


def _report(*, resolutions: bool, wishes: bool) -> str:
    parts = ["balance"] + ["reservation"] * resolutions + ["demand"] * wishes
    return "\nUNION ALL ".join(REPORT[part] for part in parts)
