"""How pages travel: static files under versioned addresses, compressed once, and the headers that fence a page in.

Wired by `api/pages`. Invariant: nothing runs or is styled on a page but what this server serves as a file (no inline
script, no inline style), and no other site may frame it.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, request

POLICY = "; ".join((
    "default-src 'self'", "img-src 'self' data:", "object-src 'none'", "base-uri 'none'", "form-action 'self'",
    "frame-ancestors 'none'",
))  # fmt: skip
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
FOREVER = "public, max-age=31536000, immutable"
COMPRESSED = (".css", ".js", ".svg", ".json", ".geojson")
FRESH_FOR_PEOPLE = "no-store"


def init(app: Flask) -> None:
    """Version and compress the static files of `app`."""
    app.url_defaults(_version)
    app.after_request(_travel_light)


def fence(response: Response) -> Response:
    """Add the headers of a page: what may run on it, and that no cache keeps what one person saw."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", FRESH_FOR_PEOPLE)
    return response


def _version(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == "static" and "v" not in values:
        values["v"] = _fingerprint(Path(current_app.static_folder or "") / values["filename"])


def _travel_light(response: Response) -> Response:
    """Compress static files only: a compressed page that mixes secrets with echoed input would leak them by its size."""
    if request.endpoint != "static" or response.status_code != 200:
        return response
    response.headers["X-Content-Type-Options"] = "nosniff"
    if "v" in request.args:
        response.headers["Cache-Control"] = FOREVER
    path = Path(current_app.static_folder or "") / (request.view_args or {})["filename"]
    if path.suffix in COMPRESSED and "gzip" in request.accept_encodings:
        response.direct_passthrough = False
        response.set_data(_compressed(path, _fingerprint(path)))
        response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    return response


@cache
def _fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else "none"


@cache
def _compressed(path: Path, _fingerprint_of_it: str) -> bytes:
    return gzip.compress(path.read_bytes(), mtime=0)
