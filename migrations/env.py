"""How alembic runs here: one transaction a migration, with time limits, against the url it was handed."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, text


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
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
