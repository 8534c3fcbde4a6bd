"""The same as on SQLite, from the same seeds: in a file of its own, so that each of two workers takes one of them."""

import pytest

from tests.properties.ledger_whole import follow


@pytest.mark.slow
@pytest.mark.postgres
def test_the_ledger_follows_its_model(postgresql_url):
    follow(postgresql_url)
