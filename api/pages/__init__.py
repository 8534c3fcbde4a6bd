"""The pages: what store staff, planners and agents see. `register` wires them, called once by `api/app.py`.

A page calls the same verbs through the same door as REST, and never commits by itself. Invariant: every page but the
log-in needs a signed-in person whose role opens it; every form carries a token against forgery.
"""

from __future__ import annotations

from flask import Blueprint, Flask

from api.house import House
from api.pages import account, assets, bar, errors, gate, i18n, links, words
from api.pages.orders import room as orders
from api.pages.planner import room as planner
from api.pages.store import store
from kernel.ids import new_id

# The rooms of the pages, each with views and templates of its own.
ROOMS: tuple[Blueprint, ...] = (store, planner, orders)


def register(app: Flask, house: House) -> None:
    """Add every page to `app`, which has its limiter, its log-in and its guard against forgery already."""
    i18n.init(app)
    assets.init(app)
    _templates_speak(app)
    pages = _front()
    errors.init(app, pages)
    for room in ROOMS:
        pages.register_blueprint(room)
    app.register_blueprint(pages)
    app.login_manager.unauthorized_handler(account.ask_to_sign_in)  # type: ignore[attr-defined]
    guessed = app.view_functions["pages.sign_in"]
    limit = app.extensions["oms_limiter"].limit(house.config.security.login_limit, methods=["POST"])
    app.view_functions["pages.sign_in"] = limit(guessed)


def _front() -> Blueprint:
    pages = Blueprint("pages", __name__)
    pages.add_url_rule("/", "first", account.first)
    pages.add_url_rule("/login", "sign_in", account.sign_in, methods=["GET", "POST"])
    pages.add_url_rule("/logout", "sign_out", account.sign_out, methods=["POST"])
    pages.before_request(gate.admit)
    pages.after_request(assets.keep_private)
    return pages


def _templates_speak(app: Flask) -> None:
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        bar_links=bar.links, first_page=bar.first_page, scan_id=new_id, here=links.here, column=links.column
    )
    app.jinja_env.filters.update(
        state=words.state,
        method=words.method,
        reason=words.reason,
        role=words.role,
        grade=words.grade,
        count_state=words.count_state,
        count_cause=words.count_cause,
        spelled=words.spelled,
    )
