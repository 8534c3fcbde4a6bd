"""Sixteen clients of one ledger, for the tests of a file; it proves itself after each."""

import pytest

from stock.proof import verify
from tests.concurrency.clients import Clients
from tests.stock.shelf import lay_out


@pytest.fixture(scope="module")
def clients(database_url):
    clients = Clients(database_url)
    clients.alone(lay_out)
    yield clients
    clients.close()


@pytest.fixture
def proven(clients):
    yield
    assert clients.alone(lambda session: list(verify.findings(session))) == []
