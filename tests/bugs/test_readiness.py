"""A server took orders for which its database had no table."""

import pytest
from sqlalchemy import text

from api.health import newest_migration
from tests.journeys.opening import open_retailer


@pytest.mark.parametrize("database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_checkouts_failed_because_a_table_was_missing(app, databases, database_url):
    """https://github.com/woocommerce/woocommerce/pull/26226"""
    with databases.fresh(database_url) as url:
        retailer = open_retailer(app, url)
        client = app.test_client()
        assert client.get("/readyz").status_code == 200
        older = text("UPDATE alembic_version SET version_num = '0002'")
        retailer.house.doors.write(lambda session: session.execute(older))
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json["needed"]) == (503, newest_migration())
        retailer.house.doors.write(lambda session: session.execute(text("DROP TABLE alembic_version")))
        assert client.get("/readyz").status_code == 503
        retailer.house.doors.database.dispose()
