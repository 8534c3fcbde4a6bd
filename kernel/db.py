"""The database as every package sees it: one declarative base, the column types, and engines for SQLite and PostgreSQL.

Owned by the kernel; `api/` opens databases with it, packages below map their tables onto `Base`.
Invariant: instants are stored in UTC and come back aware; a write transaction on SQLite begins with BEGIN IMMEDIATE,
so that it never fails half-way for want of the write lock.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from sqlalchemy import JSON, DateTime, MetaData, String, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session, make_transient_to_detached, mapped_column
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Engine
    from sqlalchemy.engine import Dialect

SQLITE_BUSY_MS = 10_000
# Of each connection. The house runs a few hundred statements again and again; psycopg would keep a hundred of them.
MOST_PREPARED = 500
CACHES = "caches"
RETRYABLE_SQLSTATES = frozenset({"40001", "40P01", "55P03", "57P01", "57P02", "57P03"})


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware in Python, UTC in the database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive instants, since nobody can say which moment they mean."""
        if value is None:
            return None
        assert value.tzinfo is not None, f"naive instant {value!r}: pass an aware datetime"
        instant = value.astimezone(UTC)
        return instant.replace(tzinfo=None) if dialect.name == "sqlite" else instant

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant in UTC whatever the driver gave."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


Document = JSON().with_variant(JSONB(), "postgresql")

Id = Annotated[str, mapped_column(String(40))]
Code = Annotated[str, mapped_column(String(64))]
Name = Annotated[str, mapped_column(String(200))]


class Base(DeclarativeBase):
    """Every table of the house, with names for all constraints so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime(), dict[str, Any]: Document, list[Any]: Document}  # noqa: RUF012


Row = TypeVar("Row", bound=Base)


def table(model: type[Base]) -> Table:
    """Return the table of a mapped class, for statements that are built once and need nothing of the ORM."""
    found = model.__table__
    assert isinstance(found, Table), f"{model.__name__} is mapped to a table"
    return found


def insert_into(session: Session, target: Table | type[Base]) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT that can say what to do about rows that are there, as the session's database writes it."""
    on_postgresql = session.get_bind().dialect.name == "postgresql"
    return postgresql.insert(target) if on_postgresql else sqlite.insert(target)


class database_now(FunctionElement[datetime]):  # noqa: N801 (reads as an SQL function)
    """The database's own clock at this statement, not at the start of its transaction."""

    type = UtcDateTime()
    inherit_cache = True


@compiles(database_now, "postgresql")
def _now_postgresql(_element: database_now, _compiler: Any, **_: Any) -> str:
    return "clock_timestamp()"


@compiles(database_now, "sqlite")
def _now_sqlite(_element: database_now, _compiler: Any, **_: Any) -> str:
    return "(strftime('%Y-%m-%d %H:%M:%f', 'now') || '000')"


@dataclass(frozen=True)
class Database:
    """An opened database: sessions for reading and for writing, and the turn that writers take on SQLite.

    `info` is given to every session: the caches and the event handlers that the doors wired for this database.
    """

    url: str
    reader: Engine
    writer: Engine
    info: dict[str, Any] = field(default_factory=lambda: {CACHES: {}})
    _turn: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_sqlite(self) -> bool:
        """Tell whether this is SQLite, where one process writes at a time."""
        return self.writer.dialect.name == "sqlite"

    def read(self) -> Session:
        """Open a session for reading; close it without commit."""
        return Session(self.reader, autoflush=False, info=self.info)

    def write(self) -> Session:
        """Open a session whose first statement begins a write transaction."""
        return Session(self.writer, info=self.info)

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for this process's turn to write; on PostgreSQL every writer has its own."""
        if not self.is_sqlite:
            yield
            return
        with self._turn:
            yield

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.reader.dispose()
        self.writer.dispose()


def connect(url: str, *, pool_size: int = 10) -> Database:
    """Open the database at `url` (sqlite:///path or postgresql://...)."""
    if make_url(url).get_backend_name() == "sqlite":
        return Database(
            url, reader=_sqlite_engine(url, begin="BEGIN"), writer=_sqlite_engine(url, begin="BEGIN IMMEDIATE")
        )
    engine = create_engine(
        url,
        # Parameters may be personal data, and error messages end in logs.
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=pool_size,
        connect_args={
            "options": "-c lock_timeout=5s -c statement_timeout=30s -c idle_in_transaction_session_timeout=30s "
            "-c timezone=UTC -c plan_cache_mode=force_generic_plan"
        },
    )
    event.listen(engine, "connect", _keep_prepared)
    return Database(url, reader=engine, writer=engine)


def _keep_prepared(connection: Any, _record: Any) -> None:
    connection.prepared_max = MOST_PREPARED


def caches(session: Session) -> dict[str, Any]:
    """Return what this process remembers of the session's database, shared by all of its sessions."""
    kept: dict[str, Any] = session.info.setdefault(CACHES, {})
    return kept


def adopt(
    session: Session, model: type[Row], values: Mapping[str, Any], **children: Sequence[Mapping[str, Any]]
) -> Row:
    """Return a row that was just written by a statement as the session would have read it, without reading it.

    `children` are the values of the rows of its relations, by the relation's name. What is left out is read when it is
    asked for.
    """
    row = _as_read(model, values)
    for name, own in children.items():
        child = model.__mapper__.relationships[name].mapper.class_
        set_committed_value(row, name, [_as_read(child, each) for each in own])
    session.add(row)
    return row


def _as_read(model: type[Row], values: Mapping[str, Any]) -> Row:
    # As a session makes a row that it has read, since a constructor notes a change for each value.
    row: Row = model.__mapper__.class_manager.new_instance()
    vars(row).update(values)
    make_transient_to_detached(row)
    return row


def retryable(error: BaseException) -> bool:
    """Tell whether the same unit of work, tried again whole with the same key, may succeed."""
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    return state in RETRYABLE_SQLSTATES or "database is locked" in str(error.orig)


def _sqlite_engine(url: str, *, begin: str) -> Engine:
    engine = create_engine(
        url, hide_parameters=True, connect_args={"timeout": SQLITE_BUSY_MS / 1000, "check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        # SQLite may have been built without its mathematical functions.
        connection.create_function("power", 2, pow, deterministic=True)
        # The driver's own transactions begin late and only before some statements; ours begin when we say so.
        connection.isolation_level = None
        # What is deleted is overwritten with zeros, so that an erased person is not found in free pages.
        settings = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")
        for pragma in (*settings, f"busy_timeout={SQLITE_BUSY_MS}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


__all__ = [
    "Base", "Code", "Database", "Document", "Id", "Name", "UtcDateTime",
    "adopt", "caches", "connect", "database_now", "retryable", "table",
]  # fmt: skip
