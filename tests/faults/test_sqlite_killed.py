"""A process that writes to SQLite is killed, or its files are copied as they lie: what was acknowledged is there once.

A copy of the file and its write-ahead log, taken while nobody writes but at any moment of a transaction or checkpoint,
is what a crash leaves. A log cut short is what a power cut may leave of it where the disk was not asked to keep it.
"""

import random
import shutil
import sqlite3
import time
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.faults import clients, history
from tests.faults.forks import forking, kill, stopped
from tests.faults.state import findings_of
from tests.faults.tally import counted, often

KILLS = often(3, 100)
COPIES = often(4, 200)
CUT_SHORT = often(3, 100)
FIRST_ANSWER_S = 30
pytestmark = pytest.mark.slow


@pytest.fixture
def writing(databases, tmp_path):
    """A database, a function that starts a process that writes to it, and the log of that."""
    with databases.fresh("sqlite") as url, forking(tmp_path / "forks.log") as start:
        key, log = clients.stock_up(url), tmp_path / "history"

        def begin(seed):
            known = len(log.read_text()) if log.exists() else 0
            worker = start("writer", url=url, key=key, log=str(log), seed=seed)
            end = time.monotonic() + FIRST_ANSWER_S
            while not log.exists() or '"ok"' not in log.read_text()[known:]:
                assert time.monotonic() < end, "the writer gets no answer"
                time.sleep(0.01)
            return worker

        yield url, begin, log


def test_what_was_acknowledged_survives_the_writer(writing):
    url, begin, log = writing
    drawn = random.Random(4)
    with counted("SQLite killed while writing", "sqlite") as tally:
        for number in range(KILLS):
            worker = begin(f"kill-{number}")
            time.sleep(drawn.uniform(0.05, 0.5))
            kill(worker)
            began_at = time.monotonic()
            assert integrity(make_url(url).database) == "ok"
            tally.recoveries_s.append(time.monotonic() - began_at)
            tally.injected += 1
        history.judge(log, url, tally)


def test_a_copy_taken_at_any_moment_holds_all_that_was_acknowledged(writing, tmp_path):
    url, begin, log = writing
    drawn, copy = random.Random(5), tmp_path / "copy"
    with counted("SQLite copied while writing", "sqlite") as tally:
        worker = begin("copied")
        for _ in range(COPIES):
            time.sleep(drawn.uniform(0.02, 0.2))
            with stopped(worker):
                copied = take(url, copy)
                known = shutil.copyfile(log, copy / "history")
            assert integrity(copied) == "ok"
            history.judge(whole_lines(known), f"sqlite:///{copied}", tally)
            tally.injected += 1
        kill(worker)


def test_a_log_cut_short_holds_whole_transactions(writing, tmp_path):
    url, begin, _ = writing
    drawn, copy = random.Random(6), tmp_path / "copy"
    with counted("write-ahead log cut short", "sqlite") as tally:
        for number in range(3 * CUT_SHORT):
            folded = fold(url)
            worker = begin(f"cut-{number}")
            time.sleep(drawn.uniform(0.0, 0.2))
            kill(worker)
            copied = take(url, copy)
            # Where the log has been folded into the file since, the disk was asked to keep it, and it cannot be short.
            whole = log_of(copied)
            if not whole or sha256(copied.read_bytes()).digest() != folded:
                continue
            for _ in range(3):
                copied = take(url, copy)
                Path(f"{copied}-wal").write_bytes(whole[: drawn.randrange(len(whole))])
                assert integrity(copied) == "ok"
                tally.findings += len(findings_of(f"sqlite:///{copied}"))
                tally.injected += 1
            if tally.injected >= CUT_SHORT:
                break


def take(url, folder):
    """Copy the file and its log as they lie; return the copy."""
    original = make_url(url).database
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for suffix in ("", "-wal"):
        if Path(original + suffix).exists():
            shutil.copyfile(original + suffix, folder / f"house.sqlite{suffix}")
    return folder / "house.sqlite"


def log_of(path):
    log = Path(f"{path}-wal")
    return log.read_bytes() if log.exists() else b""


def fold(url):
    """Bring the log into the file, and return what the file then holds, as a hash."""
    path = make_url(url).database
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return sha256(Path(path).read_bytes()).digest()


def integrity(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchone()[0]


def whole_lines(path):
    """Drop the line that the client had not written to its end."""
    text = path.read_text()
    path.write_text(text[: text.rfind("\n") + 1])
    return path
