"""How alembic runs here: one transaction a migration, with time limits, against the url it was handed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alembic import context
from sqlalchemy import Connection, create_engine, text

INHERITED = """SELECT relname FROM pg_class WHERE relispartition
UNION ALL SELECT conname FROM pg_constraint WHERE conparentid <> 0"""


def run() -> None:
    """Apply the migrations that are due, or compare the schema with the tables that were handed in."""
    engine = create_engine(context.config.attributes["url"])
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET lock_timeout = '10s'"))
            connection.execute(text("SET statement_timeout = '10min'"))
            connection.commit()
        context.configure(
            connection=connection,
            target_metadata=context.config.attributes["wanted"],
            transaction_per_migration=True,
            include_object=_described(connection),
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


def _described(connection: Connection) -> Callable[..., bool]:
    """Return what tells whether models describe an object; they know nothing of partitions and of what these inherit.

    A constraint that says so in its `info` is there on one kind of database only.
    """
    dialect = connection.dialect.name
    inherited: set[str] = set()
    if dialect == "postgresql":
        inherited = set(connection.execute(text(INHERITED)).scalars())
        connection.commit()

    def described(thing: Any, name: str | None, kind: str, *_: Any) -> bool:
        inherits = name in inherited and kind in {"table", "foreign_key_constraint"}
        return not inherits and thing.info.get("only_on", dialect) == dialect

    return described


run()
