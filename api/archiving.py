"""Old months leave the ledger for files, one after the other, each exported, checked, and only then removed.

Called by the command line. Invariant: a month whose file does not hold what the ledger holds stays; an interruption
leaves a file too many at most, which the next run writes anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy.orm import Session

from api.transaction import Doors
from kernel.proofs import snapshot
from stock.proof import archive
from stock.proof.archive import Stay, Written


def months(doors: Doors, before: datetime) -> Iterator[Stay]:
    """Yield the closed months that could leave, oldest first; nothing is written."""
    after = None
    while (stay := doors.read(partial(archive.next_month, before=before, after=after))) is not None:
        yield stay
        after = stay.through


def leave(doors: Doors, before: datetime, folder: Path) -> Iterator[Written]:
    """Let the closed months leave, oldest first; yield the file of each when it has left."""
    while (stay := doors.read(partial(archive.next_month, before=before))) is not None:
        yield _leave(doors, stay, folder)


def _leave(doors: Doors, stay: Stay, folder: Path) -> Written:
    written = doors.read(lambda session: _exported(session, stay, folder))
    after = doors.write(partial(archive.keep_states, stay=stay, after=None))
    while after is not None:
        after = doors.write(partial(archive.keep_states, stay=stay, after=after))
    doors.write(partial(archive.remove, stay=stay, written=written))
    return written


def _exported(session: Session, stay: Stay, folder: Path) -> Written:
    snapshot(session)
    written = archive.export(session, stay, folder)
    archive.check(session, stay, written)
    return written
