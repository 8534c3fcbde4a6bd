"""`oms ledger`: the ledger proven again from its entries, mended by postings, sealed, and archived."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from api import archiving, proof
from api.cli.root import Session, with_session
from api.house import House
from kernel.proofs import Finding
from stock.past import seals
from stock.proof.repair import Mend

SHOWN = 50
INTERRUPTED = 130
ACTOR = "repair"
NOTHING_TO_ARCHIVE = "No closed month is left to archive."


@click.group()
def ledger() -> None:
    """Look after the ledger."""


@ledger.command()
@with_session
def verify(session: Session) -> None:
    """Prove the invariants I1 to I6 and I8 over the whole ledger; exit status 1 when something is found.

    It goes along the ledger in stretches and only reads, so that it may run beside servers and be interrupted.
    """
    sizes = session.house.doors.read(proof.size)
    proven = _proven(session.house, sizes)
    count, first = 0, None
    try:
        for count, finding in enumerate(proven, start=1):
            first = first or finding
            if count <= SHOWN:
                click.echo(_written(finding), err=True)
    except KeyboardInterrupt:
        click.echo(f"Interrupted, with {count} findings so far; nothing was changed.", err=True)
        sys.exit(INTERRUPTED)
    if first:
        raise click.ClickException(
            f"{count} findings; the ledger does not prove itself. The first broken row: {first.table} {first.key}."
        )
    told = ", ".join(f"{rows:,} {part}" for part, rows in sizes.items() if rows)
    click.echo(f"Proven: I1 to I6 and I8 hold over {told or 'an empty ledger'}.")


@ledger.command()
@click.option("--dry-run", is_flag=True, help="Say what would be posted, and write nothing.")
@with_session
def repair(session: Session, *, dry_run: bool) -> None:
    """Mend what postings can mend; name the rest with what a person should do. Nothing posted is ever changed.

    Exit status 1 when something is left. Run `oms ledger verify` afterwards.
    """
    written = left = 0
    for found in proof.repairs(session.house.doors):
        for mend in found.mends:
            if dry_run or _write(session.house, mend):
                click.echo("\n".join(mend.lines))
                written += 1
        for finding, advice in found.left:
            left += 1
            click.echo(f"{_written(finding)}\n  {advice}", err=True)
    deed = "would be mended; nothing was written" if dry_run else "mended"
    click.echo(f"{written} {deed}.")
    if left:
        raise click.ClickException(f"{left} findings are left for a person.")


@ledger.command()
@click.option("--before", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Months that ended by this day leave.")
@click.option("--to", "folder", type=click.Path(path_type=Path, file_okay=False), required=True, help="Where files go.")
@click.option("--dry-run", is_flag=True, help="Say which months would leave, and write nothing.")
@with_session
def archive(session: Session, before: datetime, folder: Path, *, dry_run: bool) -> None:
    """Let closed months leave the ledger for compressed files; keep the files, and their hashes elsewhere."""
    doors, day = session.house.doors, before.replace(tzinfo=UTC)
    if dry_run:
        told = [
            f"{stay.month:%Y-%m}: positions {stay.first:,} to {stay.through:,} would leave"
            for stay in archiving.months(doors, day)
        ]
        click.echo("\n".join(told) or NOTHING_TO_ARCHIVE)
        return
    folder.mkdir(parents=True, exist_ok=True)
    left = 0
    for written in archiving.leave(doors, day, folder):
        left += 1
        deed = f"{written.postings:,} postings with {written.entries:,} entries have left"
        click.echo(f"{written.sha256}  {written.path.name}: {deed}")
    if not left:
        click.echo(NOTHING_TO_ARCHIVE)


def _write(house: House, mend: Mend) -> bool:
    """Write a mend in a transaction of its own; tell whether there was anything left to write."""
    return house.doors.write(lambda session: mend.write(session, actor=ACTOR, now=house.clock.now()))


@ledger.command()
@click.option("--check", "kept", help="A root printed earlier and kept elsewhere: fail unless the ledger still has it.")
@with_session
def seal(session: Session, kept: str | None) -> None:
    """Seal every posting that has a position, and print the newest root to be kept outside the database."""
    doors = session.house.doors
    if kept is not None:
        doors.read(lambda reading: seals.check_root(reading, kept))
        click.echo(f"The ledger still has the root {kept}.", err=True)
    sealed = 0
    while count := doors.write(seals.seal):
        sealed += count
    root = doors.read(seals.newest_root)
    if root is None:
        raise click.ClickException("There is nothing to seal yet: postings get their positions from a running server.")
    click.echo(f"Sealed {sealed:,} postings. Keep this root outside the database:", err=True)
    click.echo(str(root))


def _proven(house: House, sizes: dict[str, int]) -> Iterator[Finding]:
    """Yield what is found, and show how far the proof is."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        tasks = {part: progress.add_task(part, total=rows) for part, rows in sizes.items()}
        for proven in proof.slices(house.doors):
            yield from proven.findings
            task, whole = tasks[proven.part.name], sizes[proven.part.name]
            if proven.stretch.upto is None:
                progress.update(task, completed=whole)
            else:
                progress.advance(task, proven.part.share(proof.ROWS))


def _written(finding: Finding) -> str:
    return f"{finding.invariant} {finding.table} {finding.key}: {finding.message}"
