"""How alembic runs here: one transaction a migration, with time limits, against the url it was handed."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, text

import api.models
import fulfillment.network.models
import fulfillment.planning.models
import fulfillment.work.models
import kernel.events
import kernel.idempotency
import kernel.vault
import oms.models
import stock.documents
import stock.models
from kernel.db import Base

LOADED = (
    kernel.events, kernel.idempotency, kernel.vault, stock.models, stock.documents, fulfillment.network.models,
    fulfillment.work.models, fulfillment.planning.models, oms.models, api.models,
)  # fmt: skip


def run() -> None:
    """Apply the migrations that are due."""
    engine = create_engine(context.config.attributes["url"])
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET lock_timeout = '10s'"))
            connection.execute(text("SET statement_timeout = '10min'"))
            connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            transaction_per_migration=True,
            include_object=context.config.attributes.get("include"),
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
