"""The proof of the ledger: prove it now, and list whatever does not add up."""

from __future__ import annotations

from itertools import islice

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from api import jobs, proof
from api.house import house
from api.pages.export import Columns, csv_file
from api.pages.visit import config, doors
from stock.verify import Finding

MOST_LISTED = 500


def page() -> ResponseReturnValue:
    """List the findings as they are now, or give them as a file."""
    found = doors().read(lambda session: list(islice(proof.findings(session), MOST_LISTED)))
    if request.args.get("format") == "csv":
        return csv_file("findings", COLUMNS, found)
    return render_template("planner/ledger.html", findings=found, zone=config().night.time_zone)


def prove() -> ResponseReturnValue:
    """Prove the ledger now and keep the result."""
    instant = house().clock.real_time().isoformat()
    count = jobs.run_slot(house(), jobs.PROVE_LEDGER, instant)
    if count is None:
        flash(gettext("The proof did not finish; nothing was changed. The log says why."), "bad")
    elif count == 0:
        flash(gettext("The ledger is proven: every unit adds up."), "good")
    else:
        return redirect(url_for("pages.planner.ledger"), code=303)
    return redirect(url_for("pages.planner.network"), code=303)


COLUMNS: Columns[Finding] = {
    "invariant": lambda finding: finding.invariant,
    "table": lambda finding: finding.table,
    "key": lambda finding: finding.key,
    "message": lambda finding: finding.message,
}
