"""Candidates are kept by column, and read as rows whichever way they were stored."""

import json

from fulfillment.work.candidates import rows

KEPT = {
    "lines": ["l-1", "l-2"],
    "node": ["MAD-W", "SEV-1"],
    "carrier_service": ["STD", None],
    "transfer": [0, 1],
    "work_on": [739_572, 739_573],
    "arrives_s": [1_763_380_800, 1_763_467_200],
    "pick_success": [0.9801, 1.0],
    "cost": {"carrier": [395, 0], "handling": [100, 260]},
    "excluded": [{}, {1: "no_stock"}],
    "units": [{0: 2, 1: 1}, {}],
    "gaps": [[1, 70]],
    "fences": [{"excluded_by": "does_not_ship", "nodes": ["BCN-1"]}],
}
ROWS = [
    {
        "node": "MAD-W", "carrier_service": "STD", "transfer": False, "work_on": "2025-11-17",
        "arrives_at": "2025-11-17T12:00:00+00:00", "pick_success": 0.9801, "cost": {"carrier": 395, "handling": 100},
        "total": 495, "excluded": {}, "units": {"l-1": 2, "l-2": 1},
    },
    {
        "node": "SEV-1", "carrier_service": None, "transfer": True, "work_on": "2025-11-18",
        "arrives_at": "2025-11-18T12:00:00+00:00", "pick_success": 1.0, "cost": {"handling": 260},
        "total": 260, "excluded": {"l-2": "no_stock"}, "units": {}, "gap": 70,
    },
    {"excluded_by": "does_not_ship", "nodes": ["BCN-1"]},
]  # fmt: skip


def test_columns_are_read_as_rows():
    assert rows(KEPT) == ROWS


def test_columns_are_read_as_rows_once_they_were_stored():
    assert rows(json.loads(json.dumps(KEPT))) == ROWS


def test_rows_of_before_there_were_columns_are_read_as_they_are():
    assert rows(ROWS) == ROWS
