"""An opened database of either kind for the tests of the ground floor."""

from collections.abc import Iterator

import pytest

from kernel.db import Database, connect


@pytest.fixture(scope="module")
def database(database_url: str) -> Iterator[Database]:
    opened = connect(database_url)
    yield opened
    opened.dispose()
