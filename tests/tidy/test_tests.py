"""The tests lie where a reader looks for them."""

from collections.abc import Collection
from pathlib import PurePosixPath

import pytest

from tests.tidy.source import tracked_paths

# Tests of more than one room. All others lie in the folder that mirrors what they test.
KINDS = {"journeys", "properties", "concurrency", "faults", "bugs", "browser", "tidy"}


def misplaced(paths: Collection[str]) -> list[str]:
    folders = {str(parent) for path in paths if not path.startswith("tests/") for parent in PurePosixPath(path).parents}
    return [f"{path}: mirrors nothing" for path in paths if is_test(path) and not has_place(path, folders, paths)]


def is_test(path: str) -> bool:
    return path.startswith("tests/") and PurePosixPath(path).name.startswith("test_")


def has_place(path: str, folders: Collection[str], paths: Collection[str]) -> bool:
    """Tell whether the test mirrors a folder, is of a kind of its own, or tests a module of the tests beside it."""
    place = PurePosixPath(path).relative_to("tests")
    if len(place.parts) == 1:
        return f"tests/{place.name.removeprefix('test_')}" in paths
    return place.parts[0] in KINDS or str(place.parent) in folders


def test_every_test_has_its_place():
    assert misplaced(tracked_paths()) == []


@pytest.mark.parametrize(
    "path", ["tests/stock/test_ledger.py", "tests/journeys/test_split.py", "tests/test_network.py"]
)
def test_a_test_in_its_place_is_left_alone(path):
    assert misplaced([path, "stock/ledger.py", "tests/network.py"]) == []


@pytest.mark.parametrize("path", ["tests/warehouse/test_ledger.py", "tests/test_everything.py"])
def test_a_misplaced_test_is_found(path):
    assert misplaced([path, "stock/ledger.py"]) == [f"{path}: mirrors nothing"]
