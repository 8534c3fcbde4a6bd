"""A PostgreSQL of one's own, for tests that end it."""

import shutil
from uuid import uuid4

import pytest

from migrations import upgrade
from tests.faults.postgres import Postgres


@pytest.fixture(scope="module")
def own_postgres(databases):
    """A running server with a migrated database, `house`; whoever kills it starts it again."""
    # Not in pytest's own folder, into which the server's user may not look.
    folder = databases.scratch / f"own-{uuid4().hex[:8]}"
    server = Postgres(folder)
    server.start()
    server.execute("CREATE DATABASE house")
    upgrade(server.url("house"))
    yield server
    server.stop()
    shutil.rmtree(folder)
