"""The session's databases are fresh, apart, and prepared once."""

from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import create_engine, text

from tests.databases import KINDS, Databases


class Preparation:
    """Stands in for the migrations, and counts."""

    def __init__(self) -> None:
        self.urls: list[str] = []

    def __call__(self, url: str) -> None:
        self.urls.append(url)
        run(url, "CREATE TABLE shelf (units INTEGER)")


def run(url: str, statement: str):
    engine = create_engine(url)
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        rows = result.all() if result.returns_rows else None
    engine.dispose()
    return rows


@pytest.fixture
def preparation() -> Preparation:
    return Preparation()


@pytest.fixture(scope="module")
def server_url(tmp_path_factory: pytest.TempPathFactory, databases: Databases):
    """A PostgreSQL to share: the session's own, but without its migrated template."""
    bare = Databases(databases.scratch / f"bare-{uuid4().hex[:8]}", databases.external_url, prepare=lambda url: None)
    bare.scratch.mkdir()
    with bare.fresh("postgresql") as url:
        yield url
    bare.close()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def prepared(preparation: Preparation, tmp_path: Path, server_url: str):
    scratch = tmp_path / uuid4().hex
    scratch.mkdir()
    databases = Databases(scratch, external_url=server_url, prepare=preparation)
    yield databases
    databases.close()


def test_a_fresh_database_has_the_prepared_tables(prepared, kind):
    with prepared.fresh(kind) as url:
        assert run(url, "SELECT count(*) FROM shelf") == [(0,)]


def test_what_one_holder_writes_no_other_sees(prepared, kind):
    with ExitStack() as held:
        mine, yours = (held.enter_context(prepared.fresh(kind)) for _ in range(2))
        run(mine, "INSERT INTO shelf VALUES (7)")
        assert run(yours, "SELECT count(*) FROM shelf") == [(0,)]


def test_the_template_is_prepared_once(prepared, preparation, kind):
    for _ in range(3):
        with prepared.fresh(kind):
            pass
    assert len(preparation.urls) == 1


def test_a_fresh_database_is_removed_with_its_holder(prepared, server_url):
    with prepared.fresh("postgresql") as postgresql, prepared.fresh("sqlite") as sqlite:
        run(postgresql, "SELECT 1")
        run(sqlite, "PRAGMA journal_mode = WAL")
    assert [path.name for path in prepared.scratch.glob("*.sqlite*")] == ["template.sqlite"]
    with psycopg.connect(server_url.replace("+psycopg", "")) as connection:
        names = connection.execute("SELECT datname FROM pg_database").fetchall()
    assert not any(name in postgresql for (name,) in names if name.startswith("oms_test_"))


def test_the_server_keeps_what_it_acknowledges(server_url):
    assert run(server_url, "SHOW fsync") == [("on",)]
    assert run(server_url, "SHOW synchronous_commit") == [("on",)]
