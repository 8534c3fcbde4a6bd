"""The migrations make what the models describe, and can be undone and done again."""

import migrations
from api.app import create_app
from kernel import events
from kernel.db import Base, connect
from tests import factories


def test_models_and_schema_agree(database_url):
    assert create_app is not None, "importing the application loads every model"
    migrations.check(database_url, Base.metadata)


def test_up_down_and_up_again(databases):
    for kind in ("sqlite", "postgresql"):
        with databases.fresh(kind) as url:
            migrations.downgrade(url, "base")
            migrations.upgrade(url)
            migrations.check(url, Base.metadata)


def test_the_last_migrations_can_be_undone_on_a_filled_database(databases):
    for kind in ("sqlite", "postgresql"):
        with databases.fresh(kind) as url:
            database = connect(url)
            with database.write() as session:
                factories.lay_out(session)
                factories.stock(session, "WH", coat=5)
                session.commit()
            database.dispose()
            migrations.downgrade(url, "0007")
            migrations.upgrade(url)
            migrations.check(url, Base.metadata)


def test_what_had_no_position_before_there_was_a_queue_stands_in_it_afterwards(databases):
    for kind in ("sqlite", "postgresql"):
        with databases.fresh(kind) as url:
            database = connect(url)
            with database.write() as session:
                factories.lay_out(session)
                factories.stock(session, "WH", coat=5)
                assert events.place(session, limit=100) == 1
                factories.stock(session, "WH", coat=1)
                session.commit()
            database.dispose()
            migrations.downgrade(url, "0009")
            migrations.upgrade(url)
            with database.write() as session:
                assert events.place(session, limit=100) == 1
            database.dispose()
