"""The schema's history: linear, one idea each; `upgrade` is what `oms migrate` and the tests call.

Stands above the kernel alone: which tables the models want is handed in by whoever compares them with the schema.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData


def config(url: str, wanted: MetaData | None = None) -> Config:
    """Return alembic's configuration for the database at `url`; `wanted` are the tables that models describe."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent))
    settings.attributes["url"] = url
    settings.attributes["wanted"] = wanted
    return settings


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at `url` up to `revision`."""
    command.upgrade(config(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Take the database at `url` down to `revision`."""
    command.downgrade(config(url), revision)


def check(url: str, wanted: MetaData) -> None:
    """Raise alembic's CommandError when the models and the schema at `url` disagree."""
    command.check(config(url, wanted))
