"""The proof of the ledger: how far it is, what does not add up, and proving it from the beginning now."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from api import proof
from api.models import LedgerFinding
from api.pages.export import Columns, csv_file
from api.pages.visit import config, doors

MOST_LISTED = 500
PATIENCE_S = 10.0
"""How long somebody waits for a proof; a longer one goes on in the background."""


def page() -> ResponseReturnValue:
    """List what the proof has found, or give it as a file."""
    found = doors().read(lambda session: proof.kept(session, limit=MOST_LISTED))
    if request.args.get("format") == "csv":
        return csv_file("findings", COLUMNS, found)
    standing = doors().read(proof.standing)
    return render_template("planner/ledger.html", findings=found, proof=standing, zone=config().night.time_zone)


def prove() -> ResponseReturnValue:
    """Prove the ledger from the beginning."""
    doors().write(proof.begin)
    over = proof.advance_for(doors(), seconds=PATIENCE_S)
    if doors().read(proof.still_there):
        return redirect(url_for("pages.planner.ledger"), code=303)
    if over:
        flash(gettext("The ledger is proven: every unit adds up."), "good")
    else:
        flash(gettext("The ledger is being proven; no finding so far. The page of the ledger shows how far it is."))
    return redirect(url_for("pages.planner.network"), code=303)


COLUMNS: Columns[LedgerFinding] = {
    "invariant": lambda finding: finding.invariant,
    "table": lambda finding: finding.table_name,
    "key": lambda finding: finding.key,
    "message": lambda finding: finding.message,
    "first_seen_at": lambda finding: finding.first_seen_at.isoformat(),
    "last_seen_at": lambda finding: finding.last_seen_at.isoformat(),
}
