"""Planners put versions in force while others do the same: one is in force at any moment, and none is lost."""

import threading
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select

from fulfillment.network import policies
from fulfillment.network.models import Policy
from kernel.db import connect

PLANNERS, TURNS = 4, 5


def test_of_versions_put_in_force_at_once_one_is(database_url):
    database = connect(database_url)
    with database.write() as session:
        drafts = [policies.put(session, "default", {"max_packages": number + 1}) for number in range(PLANNERS)]
        session.commit()
    barrier = threading.Barrier(PLANNERS)

    def work(version):
        for _ in range(TURNS):
            barrier.wait()
            with database.write() as session:
                policies.activate(session, "default", version)
                session.commit()

    with ThreadPoolExecutor(PLANNERS) as pool:
        list(pool.map(work, drafts))
    with database.write() as session:
        in_force = select(Policy.version).where(Policy.status == policies.ACTIVE)
        assert len(session.scalars(in_force).all()) == 1
        # Each turn raised the revision of the version that it put in force.
        raised = session.scalar(select(func.sum(Policy.revision - 1)))
        assert raised >= PLANNERS * TURNS
        assert policies.active(session, "default").settings.max_packages in range(1, PLANNERS + 1)
    database.dispose()
