"""`oms`: the command line. Each command reads the settings, calls one verb and prints what came of it.

Invariant: a failure is one sentence on standard error and exit status 1, never a traceback.
"""

from __future__ import annotations

from collections.abc import Sequence

from api.cli.root import oms

__all__ = ["main", "oms"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line with `arguments`, or with those of the process."""
    oms(args=arguments, prog_name="oms", standalone_mode=True)
