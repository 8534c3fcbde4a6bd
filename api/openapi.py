"""The OpenAPI document: how operations, money and problems are described, and the page that shows them.

Used by the application when it starts. Invariant: the document is made from the code that runs.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Flask, render_template
from flask_smorest import Api

from api.errors import PROBLEM
from api.schemas.base import ProblemSchema, money_properties

PREFIX = "/api/v1"
DESCRIPTION = """\
One order service, one inventory ledger, one optimizer.

**Keys.** Send `Authorization: Bearer oms_...`; each operation names the scope it needs as `x-scope`.
**Repeating.** Send an `Idempotency-Key` with every request that changes something: the same key with the same request
gets the same answer and one effect.
**Editing.** Send the `ETag` you read as `If-Match`. **Lists.** Follow `next_cursor`.
**Refusals.** `application/problem+json` with a stable `code`, and in `errors` every fault with a JSON pointer.
**Money** is `{"amount": "19.90", "currency": "EUR"}`; **moments** are ISO 8601 with an offset."""


class Specification(Api):
    """flask-smorest's document, with refusals described as what they are."""

    ERROR_SCHEMA = ProblemSchema

    def _register_responses(self) -> None:
        content = {PROBLEM: {"schema": ProblemSchema}}
        for status in HTTPStatus:
            self.spec.components.response(status.name, {"description": status.phrase, "content": content}, lazy=True)
        self.spec.components.response("DEFAULT_ERROR", {"description": "Refused.", "content": content}, lazy=True)

    def _register_error_handlers(self) -> None:
        """Leave errors to `api/errors.py`."""


def describe(app: Flask, version: str) -> Specification:
    """Return the document of `app`, to which resources are added."""
    app.config.update(
        API_TITLE="Omnichannel order management",
        API_VERSION=version,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=PREFIX,
        OPENAPI_JSON_PATH="openapi.json",
    )
    scheme = {"type": "http", "scheme": "bearer", "description": "An API key, made with `oms key add`."}
    specification = Specification(app, spec_kwargs={"info": {"description": DESCRIPTION}, "servers": [{"url": "/"}]})
    specification.spec.components.security_scheme("key", scheme)
    specification.ma_plugin.converter.add_attribute_function(money_properties)
    app.register_blueprint(_pages())
    return specification


def document(app: Flask) -> dict[str, Any]:
    """Return the whole document of `app`."""
    described: dict[str, Any] = app.extensions["oms_specification"].spec.to_dict()
    return described


def text(app: Flask) -> str:
    """Return the document as the snapshot holds it."""
    return json.dumps(document(app), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _pages() -> Blueprint:
    pages = Blueprint("documentation", __name__)

    @pages.get(f"{PREFIX}/docs")
    def operations() -> str:
        """Show every operation."""
        return render_template("documentation.html")

    return pages
