"""Whether the database has the schema of this code.

Asked before a process stays, and where the database refused a command. Invariant: what is refused names `oms migrate`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernel.errors import Conflict

if TYPE_CHECKING:
    from api.house import House


class NotMigrated(Conflict):
    """The database's schema is not the one this code needs."""

    code = "not_migrated"


def check_migrated(house: House) -> None:
    """Refuse a schema that this code was not written for."""
    from api.health import newest_migration, schema_version

    found = house.doors.read(_schema_version_or_none(schema_version))
    if found != newest_migration():
        raise NotMigrated(
            f"The database is at migration {found or 'none'}, and {newest_migration()} is needed: run `oms migrate`."
        )


def _schema_version_or_none(read: Any) -> Any:
    """Return a reader that answers None where there is no schema at all."""
    from sqlalchemy import inspect

    return lambda session: read(session) if inspect(session.connection()).has_table("alembic_version") else None
