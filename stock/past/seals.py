"""Seals: a chain of hashes over the positions, so that nobody changes what was posted without being found.

Called by a job, by `oms ledger seal` and by the proof of the ledger. Invariant: a seal's hash depends on every column
of every posting and entry of its block, on their order, and on the seal before it. Who can write to the database can
also write the whole chain anew: only a root that is kept elsewhere shows that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from kernel.db import table
from kernel.errors import Rejected
from kernel.events import OutboxEvent, OutboxPosition
from kernel.proofs import Finding, Part, Stretch, everything
from stock.events import StockPosted
from stock.models import Posting
from stock.past import positions, recorded
from stock.past.chronicle import MarkName, PostingPosition, Seal, go_on, reached
from stock.upsert import chunks

BLOCK = 1000
GENESIS = bytes(32)
INVARIANT = "seal"
LIMIT = 100


class WrongRoot(Rejected):
    """A root that was kept elsewhere is not one of this ledger."""

    code = "wrong_root"


@dataclass(frozen=True)
class Root:
    """The newest seal: through which position, and the hash that stands for everything until there."""

    position: int
    hash: str

    def __str__(self) -> str:
        """Return the root as people keep it: position and hash."""
        return f"{self.position}:{self.hash}"


def seal(session: Session) -> int:
    """Seal the next block of positions, if there are any; returns how many. One at a time: a second caller waits."""
    mark = go_on(session, MarkName.SEALED)
    rows = _placed(session, mark.position, mark.position + BLOCK)
    if not rows:
        return 0
    previous = session.scalar(select(Seal.hash).where(Seal.through_position == mark.position)) or GENESIS
    first, through = mark.position + 1, rows[-1].position
    made = {
        "block": _block(through), "first_position": first, "through_position": through,
        "entries": sum(row.entries for row in rows), "previous_hash": previous, "hash": _hash(previous, first, rows),
    }  # fmt: skip
    session.execute(insert(table(Seal)), made)
    mark.position = through
    return len(rows)


def newest_root(session: Session) -> Root | None:
    """Return the newest seal's position and hash; None before the first seal."""
    found = session.scalar(select(Seal).order_by(Seal.block.desc()).limit(1))
    return Root(found.through_position, found.hash.hex()) if found else None


def check_root(session: Session, kept: str) -> None:
    """Check that a root kept elsewhere, as `position:hash`, is one of this ledger. Raises WrongRoot."""
    position, _, digest = kept.strip().partition(":")
    number = int(position) if position.isdecimal() and len(position) <= 10 else 0
    found = session.scalar(select(Seal.hash).where(Seal.block == _block(number)))
    if found is None:
        raise WrongRoot(f"{kept!r} is no root of this ledger: no seal ends at that position.")
    if found.hex() != digest.lower():
        raise WrongRoot(f"The ledger was rewritten: its seal at position {number} is {found.hex()}, not the one kept.")


def findings(session: Session) -> Iterator[Finding]:
    """Yield what was changed, deleted or slipped in since it was placed: broken blocks first, then postings by id."""
    return everything(session, PARTS)


def broken_blocks(session: Session, stretch: Stretch, *, limit: int = LIMIT) -> Iterator[Finding]:
    """Yield the seals in a stretch of blocks that their positions, or the seal before them, do not give."""
    return islice(_broken_blocks(session, stretch), limit)


def changed_postings(session: Session, stretch: Stretch, *, limit: int = LIMIT) -> Iterator[Finding]:
    """Yield the postings in a stretch of ids that are not as they were placed, or have no position."""
    return islice(_changed_postings(session, stretch), limit)


PARTS = (
    # A seal stands for a block of positions; a posting is read whole and hashed again.
    Part("seals", (Seal.block,), broken_blocks, weight=BLOCK),
    Part("positions", (Posting.id, PostingPosition.posting_id), changed_postings, weight=10),
)


def _broken_blocks(session: Session, stretch: Stretch) -> Iterator[Finding]:
    last = 0 if stretch.after is None else int(stretch.after)
    previous = session.scalar(select(Seal.hash).where(Seal.block == stretch.after)) or GENESIS
    for found in session.scalars(select(Seal).where(stretch.over(Seal.block)).order_by(Seal.block)):
        fault = _fault(session, found, last, previous)
        if fault:
            blocks = f"{found.first_position} to {found.through_position}"
            yield Finding(INVARIANT, "seal", blocks, fault, found.block)
        last, previous = found.through_position, found.hash
    if stretch.upto is None:
        yield from _broken_end(session, last)


def _changed_postings(session: Session, stretch: Stretch) -> Iterator[Finding]:
    archived = reached(session, MarkName.ARCHIVED)
    placed = select(PostingPosition).where(stretch.over(PostingPosition.posting_id))
    there = recorded.read_where(session, stretch.over)
    for row in session.scalars(placed.order_by(PostingPosition.position)):
        posting = there.pop(row.posting_id, None)
        if posting is None and row.position > archived:
            yield _finding(row, "is gone")
        elif posting is not None and posting.digest != row.digest:
            yield _finding(row, f"is not as it was placed, with {row.entries} entries: it has {len(posting.entries)}")
    for id_ in sorted(there.keys() - _awaited(session, list(there))):
        lost = "has no position, nor will it get one: it was slipped in, or its position was taken away"
        yield Finding(INVARIANT, "posting", id_, lost, id_)


def _placed(session: Session, after: int, upto: int) -> Sequence[PostingPosition]:
    """Return what has these positions, as far as they are dense."""
    within = PostingPosition.position.between(after + 1, upto)
    rows = session.scalars(select(PostingPosition).where(within).order_by(PostingPosition.position)).all()
    return [row for place, row in enumerate(rows, start=after + 1) if row.position == place]


def _hash(previous: bytes, first: int, rows: Sequence[PostingPosition]) -> bytes:
    """Return the hash of a block: of the one before it, and of the place, name and digest of each posting."""
    text = "".join(f"{row.position} {row.posting_id} {row.entries} {row.digest.hex()}\n" for row in rows)
    return hashlib.sha256(f"{previous.hex()} {first}\n{text}".encode()).digest()


def _fault(session: Session, found: Seal, last: int, previous: bytes) -> str | None:
    """Say what is wrong with a seal, if anything is."""
    if found.first_position != last + 1:
        return f"begins at {found.first_position}, though the seal before ends at {last}: one is missing"
    if found.previous_hash != previous:
        return "does not follow from the seal before it: that one was changed"
    rows = _placed(session, last, found.through_position)
    if not rows and found.through_position <= reached(session, MarkName.ARCHIVED):
        return None
    if last + len(rows) < found.through_position:
        return f"position {last + len(rows) + 1} is gone"
    if found.hash != _hash(previous, found.first_position, rows):
        return (
            "its positions do not give its hash: one was given to another posting, or posting and digest were changed"
        )
    return None


def _broken_end(session: Session, last: int) -> Iterator[Finding]:
    """Yield it when seals or positions are missing at the end."""
    sealed = reached(session, MarkName.SEALED)
    if sealed != last:
        ends = f"was the last position sealed, yet the seals end at {last}"
        yield Finding(INVARIANT, "seal", str(sealed), ends, _block(last))
    end = positions.newest(session)
    rows = session.scalar(select(func.count()).where(PostingPosition.position > last)) or 0
    if last + rows != end:
        fewer = f"is the newest, yet only {rows} follow {last}"
        yield Finding(INVARIANT, "posting_position", str(end), fewer, _block(last))


def _block(through: int) -> str:
    """Return the name of the block that ends at a position."""
    return f"{through:010}"


def _finding(row: PostingPosition, fault: str) -> Finding:
    key = f"{row.position}, posting {row.posting_id}"
    return Finding(INVARIANT, "posting_position", key, fault, row.posting_id)


def _awaited(session: Session, ids: Sequence[str]) -> set[str]:
    """Return those of these postings whose news is still to be read, so that they get their positions then."""
    news = select(OutboxEvent.aggregate_id).outerjoin(OutboxPosition, OutboxPosition.event_id == OutboxEvent.id)
    place = OutboxPosition.position
    unread = news.where(
        OutboxEvent.aggregate == StockPosted.aggregate,
        place.is_(None) | (place > reached(session, MarkName.EVENTS)),
    )
    found: set[str] = set()
    for some in chunks(ids):
        found.update(session.scalars(unread.where(OutboxEvent.aggregate_id.in_(some))))
    return found
