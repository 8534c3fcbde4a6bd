"""The pages: what store staff, planners and agents see. `register` wires them, called once by `api/app.py`.

A page calls the same verbs through the same door as REST, and never commits by itself. Invariant: every page but the
log-in needs a signed-in person whose role opens it; every form carries a token against forgery.
"""

from __future__ import annotations

from flask import Blueprint, Flask
from flask_limiter import Limiter
from flask_login import LoginManager
from flask_wtf.csrf import CSRFProtect

from api import access
from api.house import House
from api.pages import account, assets, bar, errors, i18n, links, words
from api.pages.gate import admit

# The rooms of the pages, each with views and templates of its own.
ROOMS: tuple[Blueprint, ...] = ()


def register(app: Flask, house: House, limiter: Limiter) -> None:
    """Add every page to `app`."""
    # Machines prove themselves with keys; only the pages below ask for the token.
    app.config.setdefault("WTF_CSRF_CHECK_DEFAULT", False)
    app.config.setdefault("WTF_CSRF_TIME_LIMIT", None)
    i18n.init(app)
    assets.init(app)
    _templates_speak(app)
    pages = _pages(app, CSRFProtect(app))
    app.register_blueprint(pages)
    guarded = app.view_functions["pages.sign_in"]
    app.view_functions["pages.sign_in"] = limiter.limit(house.config.security.login_limit, methods=["POST"])(guarded)
    _sessions(app, house)


def _pages(app: Flask, forgery: CSRFProtect) -> Blueprint:
    pages = Blueprint("pages", __name__)
    pages.add_url_rule("/", "first", account.first)
    pages.add_url_rule("/login", "sign_in", account.sign_in, methods=["GET", "POST"])
    pages.add_url_rule("/logout", "sign_out", account.sign_out, methods=["POST"])
    pages.before_request(admit)
    pages.before_request(forgery.protect)
    pages.after_request(assets.fence)
    errors.init(app, pages)
    for room in ROOMS:
        pages.register_blueprint(room)
    return pages


def _templates_speak(app: Flask) -> None:
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(bar_links=bar.links, first_page=bar.first_page, here=links.here, column=links.column)
    app.jinja_env.filters.update(state=words.state, method=words.method, reason=words.reason, role=words.role, spelled=words.spelled)


def _sessions(app: Flask, house: House) -> None:
    manager = LoginManager(app)
    manager.session_protection = "basic"
    manager.unauthorized_handler(account.ask_to_sign_in)
    manager.user_loader(lambda user_id: house.doors.read(lambda session: access.signed_in(session, user_id)))
