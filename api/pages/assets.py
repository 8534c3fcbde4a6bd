"""How pages travel: static files under versioned addresses, compressed once; pages are kept by no cache.

Wired by `api/pages`. Invariant: a static file under its versioned address never changes.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, request

FOREVER = "public, max-age=31536000, immutable"
COMPRESSED = (".css", ".js", ".svg", ".json", ".geojson")


def init(app: Flask) -> None:
    """Version and compress the static files of `app`."""
    app.url_defaults(_version)
    app.after_request(_travel_light)


def keep_private(response: Response) -> Response:
    """Let no cache keep what one person saw."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _version(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == "static" and "v" not in values:
        values["v"] = _fingerprint(Path(current_app.static_folder or "") / values["filename"])


def _travel_light(response: Response) -> Response:
    """Compress static files only: a page that mixes secrets with echoed input would leak them by its size."""
    if request.endpoint != "static" or response.status_code != 200:
        return response
    if "v" in request.args:
        response.headers["Cache-Control"] = FOREVER
    path = Path(current_app.static_folder or "") / (request.view_args or {})["filename"]
    if path.suffix in COMPRESSED and request.accept_encodings["gzip"] > 0:
        response.close()
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
