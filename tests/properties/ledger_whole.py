"""The whole state machine of the ledger, and how long it runs.

The steps are drawn from one seed, the same on both databases. OMS_SOAK makes it long, as it does with the faults.
Invariant: a history is never committed, so that each begins with the same network.
"""

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import event

from kernel.db import connect
from tests.faults.tally import often
from tests.properties.ledger_claims import ClaimSteps
from tests.properties.ledger_goods import JourneySteps
from tests.properties.ledger_holds import HoldSteps
from tests.properties.ledger_machine import open_network
from tests.properties.ledger_truth import TruthSteps

EXAMPLES, STEPS = often(200, 5_000), 50
MOST_STATEMENTS = 2_000


class LedgerMachine(ClaimSteps, HoldSteps, JourneySteps, TruthSteps):
    """All the ways in which units and claims on them move."""


def follow(url):
    """Let histories happen in the database at `url`, each step on paper too; fails at the first disagreement."""
    database = connect(url)
    if not database.is_sqlite:
        event.listen(database.writer, "connect", _plan_each_statement_once)
    with database.write() as session:
        open_network(session)
        session.commit()
    machine = type("LedgerMachine", (LedgerMachine,), {"database": database})
    run_state_machine_as_test(machine, settings=settings(max_examples=EXAMPLES, stateful_step_count=STEPS))
    database.dispose()


def _plan_each_statement_once(connection, _record):
    """All steps share one connection; its driver would forget what it prepared after a hundred statements."""
    connection.prepare_threshold, connection.prepared_max = 0, MOST_STATEMENTS
