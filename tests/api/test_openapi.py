"""The OpenAPI document: valid, the same as the snapshot, and true of every operation."""

import json
from pathlib import Path

from openapi_spec_validator import OpenAPIV31SpecValidator

from api import openapi
from oms.checks import MOST_UNITS

SNAPSHOT = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"


def operations(document):
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    ]


def test_the_document_is_valid(app):
    assert list(OpenAPIV31SpecValidator(openapi.document(app)).iter_errors()) == []


def test_the_snapshot_is_up_to_date(app):
    """`make openapi` writes it anew; look at the difference before you commit it."""
    assert json.loads(SNAPSHOT.read_text()) == json.loads(openapi.text(app))


def test_it_says_how_many_units_a_line_has_at_most(app):
    schemas = openapi.document(app)["components"]["schemas"]
    for name, field in (("WantedUnits", "quantity"), ("LineUnits", "units"), ("WantedLine", "units")):
        assert schemas[name]["properties"][field]["maximum"] == MOST_UNITS, name


def test_every_operation_says_what_it_does_and_needs(app):
    document = openapi.document(app)
    for name, operation in operations(document):
        assert operation["summary"].endswith("."), name
        assert operation["x-scope"], name
        assert operation["responses"]["default"], name


def test_every_body_has_an_example(app):
    without = [
        name
        for name, operation in operations(openapi.document(app))
        for content in operation.get("requestBody", {}).get("content", {}).values()
        if "example" not in content
    ]
    assert without == []


def test_refusals_are_described_as_problems(app):
    default = openapi.document(app)["components"]["responses"]["DEFAULT_ERROR"]
    assert set(default["content"]) == {"application/problem+json"}


def test_money_is_described_as_strings(app):
    price = openapi.document(app)["components"]["schemas"]["ArticleRow"]["properties"]["price"]
    assert price["properties"]["amount"]["type"] == "string"


def test_the_document_and_its_page_are_served(nobody):
    assert nobody.get("/api/v1/openapi.json")["openapi"].startswith("3.1")
    page = nobody.send("GET", "/api/v1/docs").get_data(as_text=True)
    assert "/api/v1/openapi.json" in page
    assert "<script>" not in page
