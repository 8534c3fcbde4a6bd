"""The application is killed before a statement, before a commit or right after one, in every verb that writes.

Whatever the moment: the ledger proves itself, and the request repeated with its key has one effect, the one it has
without any fault. As a rule some verbs are killed at one of their last moments, where they commit and answer; the
soak tries every moment on SQLite, and every few on PostgreSQL, where a fresh copy of a database takes longer.
"""

import json
import subprocess
import sys
import time
from dataclasses import asdict

import pytest
from sqlalchemy import update

from api.models import JobSlot
from kernel.db import connect
from tests.faults import scene
from tests.faults.scene import LONG_AGO, Verb
from tests.faults.state import state_of
from tests.faults.tally import SOAK, counted
from tests.journeys.opening import application, open_retailer

# Every how many moments of a verb the soak kills, and without it, every how many verbs are killed once.
EVERY_MOMENTS = {"sqlite": 1, "postgresql": 8}
EVERY_VERBS = {"sqlite": 2, "postgresql": 9}
LAST_MOMENTS = 3
SETTLE = Verb("settle", job="decide_waiting")
pytestmark = pytest.mark.slow


class Theatre:
    """The scene, a stage on which it is set up anew for each verb, and a process that does verbs and dies in them."""

    def __init__(self, databases, scene_url, stage_url, key, log):
        self.databases, self.scene_url, self.url, self.key = databases, scene_url, stage_url, key
        command, pipe = [sys.executable, "-m", "tests.faults.mortal"], subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, text=True)

    def set_up(self):
        """Bring the stage back to where the scene begins."""
        self.databases.overwrite(self.url, self.scene_url)

    def does(self, verb, die_at=None):
        """Do a verb and return the answer; None when it died."""
        order = asdict(verb) | {"url": self.url, "key": self.key, "die_at": die_at}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def settles(self):
        """Do what jobs would do soon, for a verb that died after its commit, and return what the database says."""
        self.leaves_leases()
        self.does(SETTLE)
        return state_of(self.url)

    def leaves_leases(self):
        """Let the time pass after which the slot of a dead holder is free."""
        database = connect(self.url)
        with database.write() as session:
            session.execute(update(JobSlot).values(lease_until=LONG_AGO))
            session.commit()
        database.dispose()

    def closes(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(30)


@pytest.fixture(scope="module")
def verbs_and_theatre(databases, database_url, tmp_path_factory):
    folder = tmp_path_factory.mktemp("theatre")
    retailer = open_retailer(application(folder), database_url)
    verbs = scene.build(retailer)
    assert retailer.findings() == []
    retailer.house.doors.database.dispose()
    with databases.fresh(kind_of(database_url)) as stage, (folder / "log").open("w") as log:
        theatre = Theatre(databases, database_url, stage, retailer.key, log)
        yield verbs, theatre
        theatre.closes()


def kind_of(url):
    return url.partition(":")[0].partition("+")[0]


def undisturbed(theatre, verb):
    """Do a verb; return its status, how many steps it took and the state it leads to."""
    theatre.set_up()
    answer = theatre.does(verb)
    assert answer["status"] < 300, (verb.name, answer)
    state, findings = theatre.settles()
    assert findings == []
    return answer["status"], answer["steps"], state


def killed_and_repeated(theatre, verb, moment):
    """Kill a verb at a moment and repeat it; return its status, the state it leads to, findings and seconds."""
    theatre.set_up()
    assert theatre.does(verb, die_at=moment) is None, f"{verb.name} did not die at {moment}"
    _, findings = state_of(theatre.url)
    if verb.job:
        theatre.leaves_leases()
    began_at = time.perf_counter()
    status = theatre.does(verb)["status"]
    seconds = time.perf_counter() - began_at
    state, found_later = theatre.settles()
    return status, state, findings + found_later, seconds


def moments(number, steps, kind):
    """The steps before which the verb of this number is killed."""
    if SOAK:
        return range(steps, 0, -max(1, round(EVERY_MOMENTS[kind] / SOAK)))
    return [steps - number // EVERY_VERBS[kind] % LAST_MOMENTS]


def test_a_killed_verb_has_one_effect_once_it_is_repeated(verbs_and_theatre, database_url):
    verbs, theatre = verbs_and_theatre
    kind = kind_of(database_url)
    with counted("application killed between statements", kind) as tally:
        for number, verb in enumerate(verbs):
            if not SOAK and number % EVERY_VERBS[kind]:
                continue
            expected_status, steps, expected = undisturbed(theatre, verb)
            for moment in moments(number, steps, kind):
                status, state, findings, seconds = killed_and_repeated(theatre, verb, moment)
                tally.injected += 1
                tally.recoveries_s.append(seconds)
                tally.findings += len(findings)
                tally.lost += bool(expected - state)
                tally.doubled += bool(state - expected)
                told = f"{verb.name}, killed at {moment} of {steps}"
                assert findings == [], told
                assert state == expected, f"{told}: lacks {expected - state}, has too much of {state - expected}"
                assert status == expected_status, told
