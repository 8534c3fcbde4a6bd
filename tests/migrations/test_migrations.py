"""The migrations make what the models describe, and can be undone and done again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

import migrations
from api.app import create_app
from fulfillment.network import catalog as network
from kernel import events
from kernel.db import Base, connect
from kernel.ids import least_id, new_id
from stock.counting import counts, opening, sessions
from stock.counting.documents import Count
from stock.proof.partitions import partition_of
from tests import factories

pytestmark = pytest.mark.slow


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
                priced = replace(factories.band("post-express", 100, 300, 1), max_distance_km=0, zone="islands")
                network.put_tariffs(session, [priced])
                session.commit()
            database.dispose()
            migrations.downgrade(url, "0007")
            migrations.upgrade(url)
            migrations.check(url, Base.metadata)


def test_counts_of_one_result_each_keep_it_as_their_first_round(databases):
    for kind in ("sqlite", "postgresql"):
        with databases.fresh(kind) as url:
            database = connect(url)
            by = {"actor": "ana", "now": factories.NOW}
            with database.write() as session:
                factories.lay_out(session)
                factories.stock(session, "WH", coat=5)
                opened = [opening.open_count(session, node="WH", skus=["coat"], **by).id for _ in range(3)]
                for count_id in opened[1:]:
                    counts.record(session, count_id, sku="coat", units=4, **by)
                counts.submit(session, opened[1], **by)
                counts.post(session, opened[1], **by)
                session.commit()
            migrations.downgrade(url, "0016")
            migrations.upgrade(url)
            with database.write() as session:
                (tally,) = counts.tallies_of(session, opened[1])
                assert (tally.counted, tally.expected, tally.difference) == (4, 5, -1)
                own = sessions.begin(session, opened[2], **by)
                assert [(own.counter, result.units) for result in own.results] == [("ana", 4)]
                assert counts.submit(session, opened[2], **by).status == "review"
                assert counts.uncounted(session, session.get_one(Count, opened[0])) == ["coat"]
            database.dispose()


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


def test_history_is_moved_to_its_months_and_back(databases):
    """Rows of three months, one of a far past, survive both ways, and stand where the months say."""
    instants = [datetime.now(UTC) - timedelta(days=days) for days in (0, 35, 70, 9000)]
    with databases.fresh("postgresql") as url:
        database = connect(url)
        with database.write() as session:
            factories.lay_out(session)
            session.commit()
        migrations.downgrade(url, "0015")
        with database.write() as session:
            for instant in instants:
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr("stock.batches.new_id", lambda instant=instant: id_of(instant))
                    factories.stock(session, "WH", coat=5)
            session.commit()
        before = content(database)
        migrations.upgrade(url)
        assert content(database) == before
        with database.read() as session:
            placed = session.scalars(text("SELECT tableoid::regclass::text FROM stock_entry ORDER BY posting_id")).all()
        assert placed[0] == "stock_entry_default"
        assert placed[1:] == [partition_of("stock_entry", instant) for instant in reversed(instants[:3])]
        migrations.downgrade(url, "0015")
        assert content(database) == before
        database.dispose()


def id_of(instant):
    return f"{least_id(instant)[:14]}7{new_id()[15:]}"


def content(database):
    tables = ("posting", "stock_entry", "stock_balance")
    with database.read() as session:
        return [session.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2")).all() for table in tables]
