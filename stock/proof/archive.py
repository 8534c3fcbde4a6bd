"""The archive: closed months of postings and entries leave the ledger for files, and what they came to stays.

Called by the doors (`ledger archive`). A month is exported in the order of positions, the file is read back and held
against the digests that the seals cover, and only then do the rows leave, in one transaction with the openings from
which the proof and past balances go on. Invariants: what leaves is a prefix of the positions, so that of each balance
it is a prefix of the versions; what has no position or no seal stays; positions, seals, snapshots and events stay.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, text

from kernel.db import database_now, table
from kernel.errors import Rejected
from kernel.ids import least_id, made_at
from stock.models import Posting
from stock.past import history
from stock.past.chronicle import LedgerArchive, MarkName, PostingPosition, go_on, reached
from stock.past.recorded import Recorded, read
from stock.proof import partitions

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

STEP = 1000
FIELDS = ("id", "kind", "reason", "actor", "reference", "occurred_at", "recorded_at")
ENTRY_FIELDS = (
    "line", "sku", "units", "from_node", "from_account", "from_version", "to_node", "to_account", "to_version",
    "reservation_id",
)  # fmt: skip
INSTANTS = (5, 6)
# One month leaves in one transaction; it may take longer than requests may.
PATIENCE = "SET LOCAL statement_timeout = '30min'"


class NotArchivable(Rejected):
    """A month cannot leave yet."""

    code = "not_archivable"


class ArchiveUnlike(Rejected):
    """What was read back from the file is not what the ledger holds; nothing was removed."""

    code = "archive_unlike"


@dataclass(frozen=True)
class Stay:
    """A closed month that may leave: its positions, and the id before which its postings lie."""

    month: datetime
    first: int
    through: int
    before_id: str


@dataclass(frozen=True)
class Written:
    """A file of the archive: its name, its hash and how many entries it holds."""

    path: Path
    sha256: str
    postings: int
    entries: int


def next_month(session: Session, before: datetime, *, after: int | None = None) -> Stay | None:
    """Return the oldest month that has not left and ended by `before`; None when there is none.

    `after` is the position from which to look on, if it is not the last that has left. Raises NotArchivable when some
    of its postings have no position or no seal yet.
    """
    archived = reached(session, MarkName.ARCHIVED) if after is None else after
    oldest = session.scalar(select(PostingPosition.posting_id).where(PostingPosition.position == archived + 1))
    if oldest is None:
        return None
    month = next(partitions.following_months(made_at(oldest), 1))
    beyond = partitions.month_after(month)
    now = session.scalar(select(database_now()))
    assert now is not None, "the database has a clock"
    if beyond > min(before, now):
        return None
    before_id = least_id(beyond)
    later = select(func.min(PostingPosition.position)).where(
        PostingPosition.posting_id >= before_id, PostingPosition.position > archived
    )
    newest = select(func.max(PostingPosition.position))
    first_later = session.scalar(later)
    through = first_later - 1 if first_later is not None else session.scalar(newest) or 0
    _check_sealed(session, month, through, before_id)
    return Stay(month, archived + 1, through, before_id)


def export(session: Session, stay: Stay, folder: Path) -> Written:
    """Write a month to a file of JSON lines in `folder`, compressed, a line for each posting in order of positions."""
    path = folder / f"ledger-{stay.month:%Y-%m}-{stay.first}-{stay.through}.jsonl.gz"
    draft = path.with_suffix(".part")
    postings = entries = 0
    # No time and no name in the header: the same month gives the same file.
    with draft.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
        for position, posting in _recorded(session, stay):
            packed.write(_line(position, posting).encode())
            postings, entries = postings + 1, entries + len(posting.entries)
    draft.replace(path)
    return Written(path, _sha256(path), postings, entries)


def check(session: Session, stay: Stay, written: Written) -> None:
    """Read a file back and hold each posting against the digest it was placed with. Raises ArchiveUnlike."""
    wanted = _digests(session, stay)
    position = stay.first - 1
    for position, posting in _lines(written.path):
        if next(wanted, None) != (position, posting.id, posting.digest):
            raise ArchiveUnlike(f"{written.path.name}: position {position} is not what the ledger holds.")
    if position != stay.through or next(wanted, None) is not None or _sha256(written.path) != written.sha256:
        raise ArchiveUnlike(f"{written.path.name} does not hold all positions from {stay.first} to {stay.through}.")


def remove(session: Session, stay: Stay, written: Written) -> None:
    """Let a month leave: keep what it came to, raise the mark, and remove its rows. Raises NotArchivable.

    The states of the balances must have been kept before (`history.keep_states`).
    """
    mark = go_on(session, MarkName.ARCHIVED)
    if mark.position != stay.first - 1:
        raise NotArchivable(f"Positions up to {mark.position} have left meanwhile; begin again.")
    within = {"first": stay.first, "through": stay.through}
    for statement in (CLAIMED, SENT):
        session.execute(text(statement), within)
    for statement in (ENDED, ARRIVED):
        session.execute(text(statement))
    mark.position = stay.through
    session.execute(
        insert(table(LedgerArchive)).values(
            through_position=stay.through, first_position=stay.first, before_id=stay.before_id,
            entries=written.entries, file=written.path.name, sha256=written.sha256,
        )
    )  # fmt: skip
    session.flush()
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(PATIENCE))
        partitions.drop_before(session, stay.before_id)
    else:
        for table_name, key in reversed(partitions.KEYS.items()):
            session.execute(text(LEAVE.format(table=table_name, key=key)), within)


def keep_states(session: Session, stay: Stay, after: tuple[str, str] | None) -> tuple[str, str] | None:
    """Keep the next balances as they were when a month ends; returns the last key, None when all are kept."""
    return history.keep_states(session, stay.through, after=after, limit=STEP)


# Entries go before the postings that they name.
LEAVE = """DELETE FROM {table} WHERE {key} IN (
  SELECT posting_id FROM posting_position WHERE position BETWEEN :first AND :through)"""

_LEAVING = """SELECT {columns} FROM posting_position AS a JOIN stock_entry AS e ON e.posting_id = a.posting_id
  {more} WHERE a.position BETWEEN :first AND :through AND {condition}"""
_CLAIMED = _LEAVING.format(
    columns="""e.sku, e.reservation_id AS id,
    CASE WHEN to_account = 'reserved' THEN units WHEN from_account = 'reserved' THEN -units ELSE 0 END AS still,
    CASE WHEN to_account = 'picked' THEN units WHEN from_account = 'picked' THEN -units ELSE 0 END AS picked,
    CASE WHEN from_account = 'on_hand' THEN units ELSE 0 END AS consumed""",
    more="", condition="e.reservation_id IS NOT NULL",
)  # fmt: skip
_SENT = _LEAVING.format(
    columns="e.sku, p.reference, CASE WHEN e.to_account = 'in_transit' THEN e.units ELSE -e.units END AS units",
    more="JOIN posting AS p ON p.id = e.posting_id",
    condition="(e.to_account = 'in_transit') <> (e.from_account = 'in_transit')",
)
CLAIMED = f"""INSERT INTO reservation_opening (sku, id, still, picked, consumed)
SELECT sku, id, sum(still), sum(picked), sum(consumed) FROM ({_CLAIMED}) AS c WHERE true GROUP BY sku, id
ON CONFLICT (sku, id) DO UPDATE SET still = reservation_opening.still + excluded.still,
  picked = reservation_opening.picked + excluded.picked,
  consumed = reservation_opening.consumed + excluded.consumed"""  # noqa: S608 (constants only)
SENT = f"""INSERT INTO transit_opening (sku, reference, units)
SELECT sku, reference, sum(units) FROM ({_SENT}) AS c WHERE true GROUP BY sku, reference
ON CONFLICT (sku, reference) DO UPDATE SET units = transit_opening.units + excluded.units"""  # noqa: S608 (as above)
# What has ended is not asked about again.
ENDED = "DELETE FROM reservation_opening WHERE still = 0 AND picked = 0"
ARRIVED = "DELETE FROM transit_opening WHERE units = 0"


def _check_sealed(session: Session, month: datetime, through: int, before_id: str) -> None:
    sealed = reached(session, MarkName.SEALED)
    if sealed < through:
        raise NotArchivable(f"{month:%Y-%m} is sealed through position {sealed} only, of {through}: `oms ledger seal`.")
    unplaced = (
        select(func.count())
        .select_from(Posting)
        .outerjoin(PostingPosition, PostingPosition.posting_id == Posting.id)
        .where(Posting.id < before_id, PostingPosition.position.is_(None))
    )
    if count := session.scalar(unplaced):
        until = f"{month:%Y-%m} or before"
        raise NotArchivable(f"{count} postings of {until} have no position yet; a running server gives them one.")


def _recorded(session: Session, stay: Stay) -> Iterator[tuple[int, Recorded]]:
    for first in range(stay.first, stay.through + 1, STEP):
        within = PostingPosition.position.between(first, min(first + STEP - 1, stay.through))
        places = session.execute(
            select(PostingPosition.position, PostingPosition.posting_id)
            .where(within)
            .order_by(PostingPosition.position)
        ).all()
        postings = read(session, [id_ for _, id_ in places])
        for position, id_ in places:
            if id_ not in postings:
                raise NotArchivable(f"Posting {id_} at position {position} is not there; prove the ledger first.")
            yield position, postings[id_]


def _digests(session: Session, stay: Stay) -> Iterator[tuple[int, str, bytes]]:
    for first in range(stay.first, stay.through + 1, STEP):
        within = PostingPosition.position.between(first, min(first + STEP - 1, stay.through))
        rows = session.scalars(select(PostingPosition).where(within).order_by(PostingPosition.position)).all()
        yield from ((row.position, row.posting_id, row.digest) for row in rows)
        session.expunge_all()


def _line(position: int, posting: Recorded) -> str:
    assert posting.header is not None, f"posting {posting.id} is there"
    header = [value.isoformat() if isinstance(value, datetime) else value for value in posting.header]
    entries = [dict(zip(ENTRY_FIELDS, row[1:], strict=True)) for row in posting.entries]
    told = {"position": position, **dict(zip(FIELDS, header, strict=True)), "entries": entries}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")) + "\n"


def _lines(path: Path) -> Iterator[tuple[int, Recorded]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            told: dict[str, Any] = json.loads(line)
            header = [
                datetime.fromisoformat(told[name]).astimezone(UTC) if place in INSTANTS else told[name]
                for place, name in enumerate(FIELDS)
            ]
            entries = [(told["id"], *(entry[name] for name in ENTRY_FIELDS)) for entry in told["entries"]]
            yield told["position"], Recorded(told["id"], header, entries)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
