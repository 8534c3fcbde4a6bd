"""`oms import`: files into the house, with progress; what is wrong goes into a file of its own."""

from __future__ import annotations

import io
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from api.cli.root import Session, with_session
from api.imports import FAILED, KINDS, Result, UnreadableFile, import_file, write_errors


@click.command("import")
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@with_session
def import_(session: Session, kind: str, file: Path) -> None:
    """Import a CSV file, or JSON lines (.jsonl); doing it twice changes nothing. Bad rows go to FILE.errors.csv."""
    try:
        result = _import(session, kind, file)
    except UnreadableFile as error:
        raise click.ClickException(f"{file}: {error}") from error
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file} is not UTF-8 at byte {error.start}; save it as UTF-8.") from error
    target = write_errors(file, result)
    rows = sum(result.counts.values())
    told = ", ".join(f"{count:,} {name}" for name, count in result.counts.most_common()) or "nothing"
    click.echo(f"{kind}: {rows:,} rows, {told}.")
    if target:
        raise click.ClickException(f"{result.counts[FAILED]:,} rows failed; {target} says why.")


def _import(session: Session, kind: str, file: Path) -> Result:
    result = Result()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    shown = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with file.open("rb") as raw, shown as progress:
        task = progress.add_task(f"Importing {kind}", total=max(1, file.stat().st_size))
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
        for so_far in import_file(session.house, kind, text, ending=file.suffix.lower()):
            result = so_far
            progress.update(task, completed=raw.tell())
    return result
