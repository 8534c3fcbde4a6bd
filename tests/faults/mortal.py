"""A process that does verbs in forks of itself, each of which dies at the statement it is told to.

Started as `python -m tests.faults.mortal` by the tests of kill points; reads one order a line on its standard input and
answers each with a line. The application is made once, before any fork and without a database, so that a death costs
no start. Invariant: who is told to die at a step ends by SIGKILL before that step happens; nothing is cleaned up.
"""

import json
import os
import signal
import sys
import tempfile
from dataclasses import replace
from datetime import timedelta

from holidays import country_holidays
from sqlalchemy import Engine, event

from api import jobs
from api.access import KeyRing
from api.clock import Clock
from api.house import EXTENSION
from kernel.db import CACHES
from tests.journeys.opening import application, house_for
from tests.journeys.retailer import API


class Steps:
    """Counts the statements and commits of this process, and ends it before the chosen one."""

    def __init__(self):
        self.die_at, self.count = None, 0
        event.listen(Engine, "before_cursor_execute", self)

    def __call__(self, *_):
        self.count += 1
        if self.count == self.die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def begin(self, die_at):
        self.die_at, self.count = die_at, 0

    def watch_commits(self, database):
        """Count each commit before it is sent and after it is done."""
        for dialect in {id(engine.dialect): engine.dialect for engine in (database.reader, database.writer)}.values():
            dialect.do_commit = self._around(dialect.do_commit)

    def _around(self, commit):
        def step_commit_step(connection):
            self()
            commit(connection)
            self()

        return step_commit_step


class Mortal:
    """The application, and the houses it was in; it does a verb itself, or lets a fork die of it."""

    def __init__(self, folder):
        self.app, self.houses, self.steps = application(folder), {}, Steps()
        # Loads all countries, which would take most of the time of every fork.
        country_holidays("ES")

    def obey(self, order):
        """Do what was ordered; return the answer, or None when a fork died as it should."""
        house = self._house(order["url"])
        if order["die_at"] is None:
            return self._do(house, order)
        # A fork may not share connections; the statements that are compiled by now, it may.
        house.doors.database.dispose()
        return self._let_a_fork_do(house, order)

    def _house(self, url):
        if url not in self.houses:
            self.houses[url] = house_for(url)
            self.steps.watch_commits(self.houses[url].doors.database)
        return self.houses[url]

    def _do(self, house, order):
        # As if just started: what a process has read and remembers would make some steps fewer the next time.
        house.doors.database.info[CACHES].clear()
        clock = Clock(house.clock.now() + timedelta(days=order["days"]))
        present = replace(house, clock=clock, keys=KeyRing())
        self.app.extensions[EXTENSION] = present
        self.steps.begin(order["die_at"])
        try:
            status, body = _run(present, order) if order["job"] else _send(self.app, order)
        finally:
            house.doors.database.dispose()
        return {"status": status, "body": body, "steps": self.steps.count}

    def _let_a_fork_do(self, house, order):
        pid = os.fork()
        if pid == 0:
            self._do(house, order)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status), f"the fork lived, with status {status}"
        assert os.WTERMSIG(status) == signal.SIGKILL


def _send(app, order):
    headers = {"Authorization": f"Bearer {order['key']}", "Idempotency-Key": order["name"]}
    answer = app.test_client().open(
        API + order["path"], method=order["method"], json=order["body"], headers=headers
    )  # fmt: skip
    return answer.status_code, answer.get_json(silent=True)


def _run(house, order):
    (job,) = [job for job in jobs.JOBS if job.name == order["job"]]
    return 200, jobs.attempt(house, job)


def main():
    """Obey each line, until there are no more."""
    with tempfile.TemporaryDirectory() as folder:
        mortal = Mortal(folder)
        for line in sys.stdin:
            answer = mortal.obey(json.loads(line))
            print(json.dumps(answer), flush=True)  # noqa: T201 (the tests read it)


if __name__ == "__main__":
    main()
