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
from api import metrics, proof
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
    """Tell whether the database answers, its schema is the one this code was written for, and the ledger adds up.

    Findings of the proof degrade and do not refuse: they are the same for every server, and a load balancer that sent
    traffic to none of them would turn one wrong row into an outage.
    """
    try:
        found = house().doors.read(schema_version)
    except SQLAlchemyError:
        return jsonify(status="unavailable", database="does not answer"), 503
    if found != newest_migration():
        return jsonify(
            status="unavailable", database="needs `oms migrate`", found=found, needed=newest_migration()
        ), 503
    findings = house().doors.read(proof.still_there)
    if findings:
        return jsonify(status="degraded", migration=found, findings=findings), 200
    return jsonify(status="ready", migration=found), 200


@health.get("/version")
def version() -> Response:
    """Tell which version this is."""
    return jsonify(version=current_app.config["OMS_VERSION"], migration=newest_migration())


@health.get("/metrics")
def figures() -> Response:
    """Return the figures that operators watch; those of the ledger while the database answers."""
    try:
        ledger = house().doors.read(proof.standing)
    except SQLAlchemyError:
        return metrics.exposition()
    return metrics.exposition(metrics.ledger(ledger.findings, ledger.at))


def schema_version(session: Session) -> str | None:
    """Return the migration the database is at. Raises when it has none."""
    found: str | None = session.scalar(text("SELECT version_num FROM alembic_version"))
    return found


@cache
def newest_migration() -> str | None:
    """Return the migration this code needs."""
    return ScriptDirectory(str(Path(migrations.__file__).parent)).get_current_head()
