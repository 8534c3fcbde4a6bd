"""Whatever happens in whatever order, the ledger says what a person with paper would say, and proves itself.

The steps are drawn from one seed, the same on both databases. OMS_SOAK makes the test long, as it does with the faults.
"""

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from kernel.db import connect
from tests.faults.tally import often
from tests.properties.ledger_claims import ClaimSteps
from tests.properties.ledger_goods import JourneySteps
from tests.properties.ledger_holds import HoldSteps
from tests.properties.ledger_machine import open_network
from tests.properties.ledger_truth import TruthSteps

# PostgreSQL, a process away, takes several times as long for each step.
EXAMPLES = {"sqlite": often(40, 5_000), "postgresql": often(40, 1_000)}
STEPS = 50


class LedgerMachine(ClaimSteps, HoldSteps, JourneySteps, TruthSteps):
    """All the ways in which units and claims on them move."""


@pytest.mark.slow
def test_the_ledger_follows_its_model(database_url):
    database = connect(database_url)
    with database.write() as session:
        open_network(session)
        session.commit()
    machine = type("LedgerMachine", (LedgerMachine,), {"database": database})
    examples = EXAMPLES["sqlite" if database.is_sqlite else "postgresql"]
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=STEPS))
    database.dispose()
