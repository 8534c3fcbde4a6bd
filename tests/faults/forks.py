"""A process that forks workers on demand, so that a test can kill or stop one without paying for its start.

Started as `python -m tests.faults.forks`; reads one order a line and answers each with the worker's pid. The other half
of this module is how tests speak to it. Invariant: a worker ends when it is killed, or has done what it was asked.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import psutil
from holidays import country_holidays
from sqlalchemy import exists, select

from api import jobs
from api.house import EXTENSION
from api.jobs import Job
from api.models import JobSlot
from stock import receipts
from stock.models import Posting
from stock.postings import Header
from tests.faults import clients, history
from tests.journeys.opening import application, house_for

LEASE_S = 1
LONGEST_LOOK_AWAY_S = 0.02
# So many slots are looked at again and again until they are finished; the others come after.
DUE_TOGETHER = 5
# How often a scheduler sleeps for longer than its lease.
ASLEEP = 0.04
# What the job of the schedulers receives one unit of, for each slot.
WHERE, WHAT = "BCN", "scarf"


@contextlib.contextmanager
def forking(log_path):
    """Yield a function that starts a worker: `start("writer", url=...)` returns its process."""
    pipe = subprocess.PIPE
    with log_path.open("w") as log:
        command = [sys.executable, "-m", "tests.faults.forks"]
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, text=True) as parent:

            def start(body, **asked):
                parent.stdin.write(json.dumps({"body": body, **asked}) + "\n")
                parent.stdin.flush()
                return psutil.Process(int(parent.stdout.readline()))

            yield start
            parent.stdin.close()


def kill(worker):
    """Kill a worker and wait until it is gone."""
    with contextlib.suppress(psutil.NoSuchProcess):
        worker.kill()
    psutil.wait_procs([worker], timeout=10)


@contextlib.contextmanager
def stopped(worker):
    """Keep a worker from going on, wherever it is."""
    worker.suspend()
    while worker.status() != psutil.STATUS_STOPPED:
        time.sleep(0.001)
    yield
    worker.resume()


def write_until_killed(app, *, url, key, log, seed):
    """Send one request after the other, and write down what was asked and answered."""
    app.extensions[EXTENSION] = house_for(url)
    client = clients.InsideClient(app, key, history.Log(Path(log)))
    for request in clients.requests(seed):
        client.asks(request)


def run_slots(app, *, url, slots, seed):
    """Run a job for each slot, as a scheduler would that fires at the same instants as others, until all are done."""
    house = house_for(url)
    settings = replace(house.config.jobs, lease_s=LEASE_S)
    house = replace(house, config=replace(house.config, jobs=settings))
    drawn = random.Random(seed)
    left = list(range(slots))
    while left:
        due, later = left[:DUE_TOGETHER], left[DUE_TOGETHER:]
        left = [slot for slot in due if not _finished(house, slot, drawn)] + later


def receive_once(turn, drawn):
    """Receive one unit for a slot, unless a scheduler that died right after it did so."""
    asleep = drawn.random() < ASLEEP
    time.sleep(LEASE_S + 1 if asleep else drawn.uniform(0, LONGEST_LOOK_AWAY_S))
    reference = f"slot-{turn.lease.slot}"

    def once(session):
        if session.scalar(select(exists().where(Posting.reference == reference))):
            return
        header = Header(kind="receipt", actor=turn.actor, occurred_at=turn.now, reference=reference)
        receipts.receive(session, header, [(WHERE, WHAT, 1)])

    turn.write(once)
    # Here a scheduler may die as well, with the slot still its own.
    time.sleep(drawn.uniform(0, LONGEST_LOOK_AWAY_S))
    return 1


def _finished(house, slot, drawn):
    job = Job("receive_once", "One unit comes in for each slot.", lambda turn: receive_once(turn, drawn), None)
    if jobs.run_slot(house, job, str(slot)) is not None:
        return True
    time.sleep(drawn.uniform(0, LONGEST_LOOK_AWAY_S))
    return house.doors.read(lambda session: _is_finished(session, slot))


def _is_finished(session, slot):
    done = exists().where(JobSlot.slot == str(slot), JobSlot.finished_at.is_not(None))
    return bool(session.scalar(select(done)))


BODIES = {"writer": write_until_killed, "scheduler": run_slots}


def main():
    """Fork a worker for each line, until there are no more; then end those that still work."""
    # Nobody asks the dead how they died.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    country_holidays("ES")
    workers = []
    with tempfile.TemporaryDirectory() as folder:
        app = application(folder)
        for line in sys.stdin:
            asked = json.loads(line)
            pid = os.fork()
            if pid == 0:
                BODIES[asked.pop("body")](app, **asked)
                os._exit(0)
            workers.append(pid)
            print(pid, flush=True)  # noqa: T201 (the tests read it)
    for pid in workers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
