"""What a fault did: how often it was injected, what was lost, doubled or oversold, and how long service was away.

Used by every test of a fault. OMS_SOAK makes the tests long: 1 is the whole of `make soak`, 0.1 a tenth of it; without
it each is a matter of seconds. Invariant: a fault counted here has zeros where zero is due, or its test fails; what was
counted is written for the report in either case.
"""

import json
import os
import statistics
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from uuid import uuid4

SOAK = float(os.environ.get("OMS_SOAK") or 0)
FIGURES = os.environ.get("OMS_SOAK_FIGURES")
DUE_ZERO = ("lost", "doubled", "oversold", "findings")


@dataclass
class Tally:
    """The figures of one fault on one database."""

    fault: str
    database: str
    injected: int = 0
    lost: int = 0
    doubled: int = 0
    oversold: int = 0
    findings: int = 0
    recoveries_s: list[float] = field(default_factory=list)
    passed: bool = False

    @property
    def faults_found(self):
        """What should be zero and is not."""
        return {name: getattr(self, name) for name in DUE_ZERO if getattr(self, name)}

    @property
    def line(self):
        """The figures for whoever runs this."""
        counted = ", ".join(f"{name} {getattr(self, name)}" for name in DUE_ZERO)
        away = f"; back after {statistics.median(self.recoveries_s):.2f} s" if self.recoveries_s else ""
        return f"{self.fault} ({self.database}): {self.injected} times, {counted}{away}"


def often(short, long):
    """How often to inject a fault: `short` times as a rule, `long` times in the whole of the soak."""
    return max(short, round(long * SOAK))


@contextmanager
def counted(fault, database):
    """Yield a tally to count with; write it down however the test ends, and fail if a zero is not there."""
    tally = Tally(fault, database)
    try:
        yield tally
        assert tally.injected > 0, f"{fault} was never injected"
        assert tally.faults_found == {}, tally.line
        tally.passed = True
    finally:
        if FIGURES:
            (Path(FIGURES) / f"{uuid4().hex}.json").write_text(json.dumps(asdict(tally)))
