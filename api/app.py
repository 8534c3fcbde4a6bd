"""The application: a house with its REST operations and pages becomes one WSGI application.

Called by servers and by tests. What is added here to every answer and asked of every request is decided nowhere else.
"""

from __future__ import annotations

from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version

import structlog
from flask import Flask, Response
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from api import access, errors, health, log, metrics, openapi, pages
from api.access import SignedIn
from api.config import Config
from api.house import EXTENSION, House, build_house
from api.rest import RESOURCES
from api.schemas.promises import show_refused
from oms.errors import OutOfStock

CONTENT_SECURITY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
}


def version_of_house() -> str:
    """Return the version installed, or that of a checkout."""
    try:
        return version("oms")
    except PackageNotFoundError:
        return "0.1.0"


def create_app(config: Config, house: House | None = None) -> Flask:
    """Return the application of `house`, or of a new one."""
    present = house or build_house(config)
    app = Flask("api")
    app.extensions[EXTENSION] = present
    app.secret_key = config.security.session_key
    app.config.update(
        MAX_CONTENT_LENGTH=config.server.max_body_bytes,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=config.security.session_hours),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.security.secure_cookies,
        # REST requests check the token themselves when they come with a cookie; forms are checked here.
        WTF_CSRF_TIME_LIMIT=None,
    )
    if config.server.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=config.server.proxies, x_proto=config.server.proxies)  # type: ignore[method-assign]
    log.follow_requests(app)
    metrics.follow_requests(app)
    errors.register(app, {OutOfStock: show_refused})
    _guard(app, present)
    health.register(app, version_of_house())
    _add_resources(app)
    pages.register(app, present)
    structlog.get_logger(__name__).debug("application_ready", database=app.name)
    return app


def _guard(app: Flask, house: House) -> None:
    """Let people log in, limit those who guess, and tell browsers to be strict."""
    app.extensions["oms_limiter"] = Limiter(get_remote_address, app=app, storage_uri="memory://", headers_enabled=True)
    app.extensions["oms_csrf"] = CSRFProtect(app)
    manager = LoginManager(app)
    # Not "strong": a phone changes its address between the shop floor and the stock room.
    manager.session_protection = "basic"

    @manager.user_loader
    def load(user_id: str) -> SignedIn | None:
        return house.doors.read(lambda session: access.signed_in(session, user_id))

    @app.after_request
    def be_strict(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if house.config.security.secure_cookies:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        return response


def _add_resources(app: Flask) -> None:
    specification = openapi.describe(app, version_of_house())
    app.extensions["oms_specification"] = specification
    for resource in RESOURCES:
        app.extensions["oms_csrf"].exempt(resource)
        specification.register_blueprint(resource)
