"""What machines ask before they send traffic: alive, ready, which version, which figures.

Outside /api/v1 and without a key. Invariant: nothing here tells more than whether to send traffic.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic.script import ScriptDirectory
from flask import Blueprint, Flask, Response, current_app, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

import migrations
from api import metrics
from api.house import house

health = Blueprint("health", __name__)


def register(app: Flask, version: str) -> None:
    """Add the four addresses."""
    app.config["OMS_VERSION"] = version
    app.register_blueprint(health)


@health.get("/healthz")
def alive() -> Response:
    """Tell that this process answers."""
    return jsonify(status="ok")


@health.get("/readyz")
def ready() -> tuple[Response, int]:
    """Tell whether the database answers and its schema is the one this code was written for."""
    try:
        found = house().doors.read(schema_version)
    except SQLAlchemyError:
        return jsonify(status="unavailable", database="does not answer"), 503
    if found != newest_migration():
        return jsonify(
            status="unavailable", database="needs `oms migrate`", found=found, needed=newest_migration()
        ), 503
    return jsonify(status="ready", migration=found), 200


@health.get("/version")
def version() -> Response:
    """Tell which version this is."""
    return jsonify(version=current_app.config["OMS_VERSION"], migration=newest_migration())


@health.get("/metrics")
def figures() -> Response:
    """Return the figures that operators watch."""
    return metrics.exposition()


def schema_version(session: Session) -> str | None:
    """Return the migration the database is at. Raises when it has none."""
    found: str | None = session.scalar(text("SELECT version_num FROM alembic_version"))
    return found


@cache
def newest_migration() -> str | None:
    """Return the migration this code needs."""
    return ScriptDirectory(str(Path(migrations.__file__).parent)).get_current_head()
