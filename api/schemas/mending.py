"""Mending a faulty document just enough to look at the rest of it, so that one answer names every fault.

Called by `requests.py` after a schema has refused a document. Invariant: what is mended is never acted upon.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import marshmallow as ma
from marshmallow import fields

STAND_IN = "stand_in"
"""Metadata of a required field: a value that can stand for a faulty one."""


def mended(schema: ma.Schema, document: Any, messages: Any) -> Any:
    """Return a copy in which unknown and faulty fields are left out, or replaced where they are required."""
    copy = deepcopy(document)
    if isinstance(copy, dict) and isinstance(messages, dict):
        _mend(schema, copy, messages)
    return copy


def _mend(schema: ma.Schema, document: dict[str, Any], messages: dict[str, Any]) -> None:
    for name, inner in messages.items():
        field = schema.fields.get(name)
        if field is None:
            document.pop(name, None)
        elif not _mend_inside(field, document.get(name), inner):
            _replace(field, document, name)


def _mend_inside(field: ma.fields.Field[Any], value: Any, messages: Any) -> bool:
    """Mend the parts of a nested value; return whether it has any."""
    if not isinstance(messages, dict):
        return False
    if isinstance(field, fields.Nested) and isinstance(value, dict):
        _mend(field.schema, value, messages)
        return True
    inner = field.inner if isinstance(field, fields.List) else None
    if not isinstance(inner, fields.Nested) or not isinstance(value, list):
        return False
    for place, faults in messages.items():
        if isinstance(value[place], dict):
            _mend(inner.schema, value[place], faults)
    return all(isinstance(value[place], dict) for place in messages)


def _replace(field: ma.fields.Field[Any], document: dict[str, Any], name: str) -> None:
    if not field.required:
        document.pop(name, None)
    elif STAND_IN in field.metadata:
        document[name] = field.metadata[STAND_IN]
