"""Whatever happens in whatever order on SQLite, the ledger says what a person with paper says, and proves itself."""

import pytest

from tests.properties.ledger_whole import follow


@pytest.mark.slow
def test_the_ledger_follows_its_model(sqlite_url):
    follow(sqlite_url)
