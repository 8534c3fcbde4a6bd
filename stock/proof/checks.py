"""The queries by which the ledger proves itself: each asks all rows of a stretch, and an empty answer is the proof.

Run by `verify.py`. Invariant: a query reads one stretch of one key, named in braces, begins at the openings where
history is archived, and returns first its place along that key, then the key of the finding, then the values told.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """A query whose rows are findings: where along the walk, the key, then the values that the message shows."""

    invariant: str
    table: str
    message: str
    query: str


# Each entry seen from each balance that it touches.
TOUCHES = """WITH touches AS (
  SELECT sku, to_node AS node, to_version AS version FROM stock_entry
  WHERE to_node IS NOT NULL AND {sku}
  UNION ALL
  SELECT sku, from_node, from_version FROM stock_entry
  WHERE from_node IS NOT NULL AND from_node IS DISTINCT FROM to_node AND {sku}
)"""

# What the balances were when what is archived left: the proof begins there. No row, where nothing is archived.
OPENING = """opening AS (
  SELECT s.* FROM balance_snapshot AS s JOIN (
    SELECT sku, node, max(position) AS position FROM balance_snapshot
    WHERE position <= (SELECT position FROM ledger_mark WHERE name = 'archived') AND {sku} GROUP BY sku, node
  ) AS last ON last.sku = s.sku AND last.node = s.node AND last.position = s.position
)"""

NEGATIVE_COUNTER = """
SELECT sku, sku || ' at ' || node, on_hand, reserved, picked, damaged, quarantine, in_transit, backorder_limit
FROM stock_balance
WHERE {sku} AND (on_hand < 0 OR reserved < 0 OR picked < 0 OR damaged < 0 OR quarantine < 0 OR in_transit < 0
  OR picked > on_hand OR picked > reserved OR reserved > on_hand + backorder_limit)
ORDER BY sku, node"""

# Entries counted up, balances counted down: what is left is the difference.
NOT_THE_FOLD = f"""
WITH {OPENING}, sides AS (
  SELECT sku, to_node AS node, to_account AS account, units FROM stock_entry WHERE to_node IS NOT NULL AND {{sku}}
  UNION ALL
  SELECT sku, from_node, from_account, -units FROM stock_entry WHERE from_node IS NOT NULL AND {{sku}}
), differences AS (
  SELECT sku, node,
    CASE WHEN account = 'on_hand' THEN units ELSE 0 END AS on_hand,
    CASE WHEN account = 'reserved' THEN units ELSE 0 END AS reserved,
    CASE WHEN account = 'picked' THEN units ELSE 0 END AS picked,
    CASE WHEN account = 'damaged' THEN units ELSE 0 END AS damaged,
    CASE WHEN account = 'quarantine' THEN units ELSE 0 END AS quarantine,
    CASE WHEN account = 'in_transit' THEN units ELSE 0 END AS in_transit
  FROM sides
  UNION ALL
  SELECT sku, node, -on_hand, -reserved, -picked, -damaged, -quarantine, -in_transit FROM stock_balance
  WHERE {{sku}}
  UNION ALL SELECT sku, node, on_hand, reserved, picked, damaged, quarantine, in_transit FROM opening
)
SELECT sku, sku || ' at ' || node,
  sum(on_hand), sum(reserved), sum(picked), sum(damaged), sum(quarantine), sum(in_transit)
FROM differences GROUP BY sku, node
HAVING sum(on_hand) <> 0 OR sum(reserved) <> 0 OR sum(picked) <> 0
  OR sum(damaged) <> 0 OR sum(quarantine) <> 0 OR sum(in_transit) <> 0
ORDER BY sku, node"""  # noqa: S608 (constants only)

BROKEN_VERSIONS = f""", {OPENING}, histories AS (
  SELECT sku, node, count(*) AS entries, count(DISTINCT version) AS versions, min(version) AS first,
    max(version) AS last
  FROM touches GROUP BY sku, node
), known AS (
  SELECT b.sku, b.node, b.version, coalesce(o.version, 0) AS opening, coalesce(h.entries, 0) AS entries,
    coalesce(h.versions, 0) AS versions, h.first, h.last
  FROM (SELECT * FROM stock_balance WHERE {{sku}}) AS b
  LEFT JOIN opening AS o ON o.sku = b.sku AND o.node = b.node
  LEFT JOIN histories AS h ON h.sku = b.sku AND h.node = b.node
)
SELECT sku, sku || ' at ' || node, version, entries, versions, first, last FROM known
WHERE version <> opening + entries OR version <> opening + versions OR version <> coalesce(last, opening)
  OR coalesce(first, opening + 1) <> opening + 1
ORDER BY sku, node"""  # noqa: S608 (constants only)

NO_BALANCE = """
SELECT t.sku, t.sku || ' at ' || t.node, count(*) FROM touches AS t
LEFT JOIN stock_balance AS b ON b.sku = t.sku AND b.node = t.node
WHERE b.sku IS NULL GROUP BY t.sku, t.node ORDER BY t.sku, t.node"""

NO_POSTING = """
SELECT e.sku, e.sku || ' in ' || e.posting_id || ' line ' || e.line
FROM (SELECT sku, posting_id, line FROM stock_entry WHERE {sku}) AS e LEFT JOIN posting AS p ON p.id = e.posting_id
WHERE p.id IS NULL ORDER BY e.sku, e.posting_id, e.line"""

TWO_VERSIONS = """
SELECT sku, sku || ' in ' || posting_id || ' line ' || line, from_version, to_version FROM stock_entry
WHERE {sku} AND from_node = to_node AND from_version <> to_version ORDER BY sku, posting_id, line"""

ENDED_TWICE = """
SELECT sku, id, units, picked, consumed, released FROM reservation
WHERE {sku}
  AND (units <= 0 OR picked < 0 OR consumed < 0 OR released < 0 OR picked + consumed + released > units)
ORDER BY sku, id"""

# A reservation that had ended when its entries left has nothing that tells of it.
CLAIMS_UNLIKE_ENTRIES = """
WITH parts AS (
  SELECT reservation_id AS id, sku,
    sum(CASE WHEN to_account = 'reserved' THEN units WHEN from_account = 'reserved' THEN -units ELSE 0 END) AS still,
    sum(CASE WHEN to_account = 'picked' THEN units WHEN from_account = 'picked' THEN -units ELSE 0 END) AS picked,
    sum(CASE WHEN from_account = 'on_hand' THEN units ELSE 0 END) AS consumed
  FROM stock_entry WHERE reservation_id IS NOT NULL AND {sku} GROUP BY reservation_id, sku
  UNION ALL SELECT id, sku, still, picked, consumed FROM reservation_opening WHERE {sku}
), told AS (
  SELECT id, sku, sum(still) AS still, sum(picked) AS picked, sum(consumed) AS consumed FROM parts GROUP BY id, sku
)
SELECT r.sku, r.id, r.units - r.consumed - r.released, coalesce(t.still, 0), r.picked, coalesce(t.picked, 0),
  r.consumed, coalesce(t.consumed, 0)
FROM (SELECT * FROM reservation WHERE {sku}) AS r LEFT JOIN told AS t ON t.sku = r.sku AND t.id = r.id
WHERE (r.units - r.consumed - r.released <> coalesce(t.still, 0) OR r.picked <> coalesce(t.picked, 0)
    OR r.consumed <> coalesce(t.consumed, 0))
  AND NOT (t.id IS NULL AND r.units = r.consumed + r.released AND r.picked = 0
    AND r.id < coalesce((SELECT max(before_id) FROM ledger_archive), ''))
ORDER BY r.sku, r.id"""

ENTRIES_OF_NO_CLAIM = """
SELECT e.sku, e.reservation_id, count(*)
FROM (SELECT sku, reservation_id FROM stock_entry WHERE reservation_id IS NOT NULL AND {sku}) AS e
LEFT JOIN reservation AS r ON r.sku = e.sku AND r.id = e.reservation_id
WHERE r.id IS NULL GROUP BY e.sku, e.reservation_id ORDER BY e.sku, e.reservation_id"""

CLAIMS_UNLIKE_BALANCES = """
WITH differences AS (
  SELECT sku, node, units - consumed - released AS reserved, picked FROM reservation WHERE {sku}
  UNION ALL SELECT sku, node, -reserved, -picked FROM stock_balance WHERE {sku}
)
SELECT sku, sku || ' at ' || node, sum(reserved), sum(picked) FROM differences
GROUP BY sku, node HAVING sum(reserved) <> 0 OR sum(picked) <> 0 ORDER BY sku, node"""

NO_DEMAND = """
SELECT sku, sku || ' for ' || reference, units FROM open_demand WHERE {sku} AND units <= 0 ORDER BY sku, reference"""

MIXED_SIDES = """
SELECT sku, sku || ' in ' || posting_id || ' line ' || line, from_account, to_account, units FROM stock_entry
WHERE {sku} AND (units <= 0
  OR (from_account IN ('available', 'reserved', 'unpicked', 'picked'))
    <> (to_account IN ('available', 'reserved', 'unpicked', 'picked'))
  OR (from_account IN ('supplier', 'customer', 'shrink', 'adjustment', 'conversion')) <> (from_node IS NULL)
  OR (to_account IN ('supplier', 'customer', 'shrink', 'adjustment', 'conversion')) <> (to_node IS NULL))
ORDER BY sku, posting_id, line"""

NOT_CONSERVED = f"""
WITH {OPENING}, flows AS (
  SELECT sku, units FROM stock_entry
  WHERE {{sku}} AND from_account IN ('supplier', 'customer', 'shrink', 'adjustment', 'conversion')
  UNION ALL SELECT sku, -units FROM stock_entry
  WHERE {{sku}} AND to_account IN ('supplier', 'customer', 'shrink', 'adjustment', 'conversion')
  UNION ALL SELECT sku, -(on_hand + damaged + quarantine + in_transit) FROM stock_balance WHERE {{sku}}
  UNION ALL SELECT sku, on_hand + damaged + quarantine + in_transit FROM opening
)
SELECT sku, sku, sum(units) FROM flows GROUP BY sku HAVING sum(units) <> 0 ORDER BY sku"""  # noqa: S608 (constants only)

NOT_TOLD_ONCE = """
SELECT p.id, p.id, count(o.id) FROM (SELECT id FROM posting WHERE {id}) AS p
LEFT JOIN outbox AS o ON o.aggregate = 'stock' AND o.aggregate_id = p.id AND o.type = 'stock.posted'
GROUP BY p.id HAVING count(o.id) <> 1 ORDER BY p.id"""

NOTHING_TO_TELL = """
SELECT o.aggregate_id, o.id, o.aggregate_id
FROM (SELECT id, aggregate_id FROM outbox WHERE aggregate = 'stock' AND type = 'stock.posted' AND {aggregate_id}) AS o
LEFT JOIN posting AS p ON p.id = o.aggregate_id
WHERE p.id IS NULL AND NOT EXISTS (
  SELECT 1 FROM posting_position AS a JOIN ledger_mark AS m ON m.name = 'archived' AND a.position <= m.position
  WHERE a.posting_id = o.aggregate_id)
ORDER BY o.aggregate_id"""

# The lines of transfers that are under way; what is on the way is dispatched less what became of it.
UNDER_WAY = """WITH under_way AS (
  SELECT t.id, t.destination, l.sku, l.dispatched - l.received - l.written_off AS units
  FROM transfer AS t JOIN transfer_line AS l ON l.transfer_id = t.id
  WHERE t.status IN ('in_transit', 'partly_received') AND {sku}
)"""

UNLIKE_TRANSFERS = """, differences AS (
  SELECT sku, node, in_transit AS units FROM stock_balance WHERE {sku}
  UNION ALL SELECT sku, destination, -units FROM under_way
)
SELECT sku, sku || ' at ' || node, sum(units) FROM differences
GROUP BY sku, node HAVING sum(units) <> 0 ORDER BY sku, node"""

# What went into the account in transit for a transfer has come out of it when the transfer is closed.
NOT_CLEARED = """, differences AS (
  SELECT p.reference AS id, e.sku, CASE WHEN e.to_account = 'in_transit' THEN e.units ELSE -e.units END AS units
  FROM (SELECT * FROM stock_entry WHERE {sku}) AS e JOIN posting AS p ON p.id = e.posting_id
  WHERE (e.to_account = 'in_transit') <> (e.from_account = 'in_transit')
  UNION ALL SELECT reference, sku, units FROM transit_opening WHERE {sku}
  UNION ALL SELECT id, sku, -units FROM under_way
)
SELECT sku, sku || ' of ' || id, sum(units) FROM differences
GROUP BY id, sku HAVING sum(units) <> 0 ORDER BY sku, id"""

# What purchase orders count as received is what was posted for them.
UNLIKE_RECEIPTS = """
WITH differences AS (
  SELECT purchase_order_id AS id, sku, received AS units FROM purchase_order_line WHERE {sku}
  UNION ALL
  SELECT p.reference, e.sku, -e.units
  FROM (SELECT * FROM stock_entry WHERE {sku}) AS e JOIN posting AS p ON p.id = e.posting_id
  WHERE p.kind = 'receipt' AND p.reference IN (SELECT id FROM purchase_order)
)
SELECT sku, sku || ' of ' || id, sum(units) FROM differences
GROUP BY id, sku HAVING sum(units) <> 0 ORDER BY sku, id"""

CHECKS = (
    Check(
        "I1", "stock_balance",
        "on hand {}, reserved {}, picked {}, damaged {}, quarantine {}, in transit {}, backorder limit {} cannot be",
        NEGATIVE_COUNTER,
    ),
    Check(
        "I2", "stock_balance",
        "its entries differ by on hand {}, reserved {}, picked {}, damaged {}, quarantine {}, in transit {}",
        NOT_THE_FOLD,
    ),
    Check(
        "I3", "stock_balance",
        "version {} against {} entries with {} versions, from {} to {}: one is missing or written twice",
        TOUCHES + BROKEN_VERSIONS,
    ),
    Check("I3", "stock_entry", "{} entries touch a balance that is not there", TOUCHES + NO_BALANCE),
    Check("I3", "stock_entry", "is of a posting that is not there", NO_POSTING),
    Check("I3", "stock_entry", "touches one balance as version {} and as version {}", TWO_VERSIONS),
    Check("I4", "reservation", "{} units, yet {} picked, {} consumed, {} released", ENDED_TWICE),
    Check(
        "I4", "reservation",
        "{} units open against {} by its entries, {} picked against {}, {} consumed against {}",
        CLAIMS_UNLIKE_ENTRIES,
    ),
    Check("I4", "stock_entry", "{} entries are of a reservation that is not there", ENTRIES_OF_NO_CLAIM),
    Check(
        "I4", "stock_balance", "open reservations exceed reserved by {} and picked by {}", CLAIMS_UNLIKE_BALANCES
    ),
    Check("I4", "open_demand", "{} units are open", NO_DEMAND),
    Check("I6", "stock_entry", "moves from {} to {} {} units: sides that do not go together", MIXED_SIDES),
    Check("I6", "stock_entry", "{} more units came in than went out and are there", NOT_CONSERVED),
    Check(
        "I6", "stock_balance", "{} more units are in transit than transfers have on their way",
        UNDER_WAY + UNLIKE_TRANSFERS,
    ),
    Check("I6", "purchase_order_line", "counts {} more units as received than were posted", UNLIKE_RECEIPTS),
    Check("I6", "transfer", "its postings leave {} units in transit beyond its lines", UNDER_WAY + NOT_CLEARED),
)  # fmt: skip


MARK_MOVED = """
SELECT 'archived', 'archived', m.position, coalesce((SELECT max(through_position) FROM ledger_archive), 0)
FROM ledger_mark AS m
WHERE m.name = 'archived' AND m.position <> coalesce((SELECT max(through_position) FROM ledger_archive), 0)"""

TOLD = (
    Check("I3", "ledger_mark", "stands at position {}, though what was archived ends at {}", MARK_MOVED),
    Check("I8", "posting", "is told {} times to the outside, not once", NOT_TOLD_ONCE),
    Check("I8", "outbox", "tells of posting {}, which is not there", NOTHING_TO_TELL),
)
