"""Keep what a solver prints by itself out of standard output.

Owns the redirection of file descriptor 1 while C++ code runs; mip.py uses it. HiGHS prints a line of its own from
inside some searches, whatever its settings say, and standard output may be where somebody asked for a plan. Invariant:
nothing is lost: what is printed meanwhile, by any thread, goes to standard error.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Final

_STDOUT, _STDERR = 1, 2
_lock: Final = Lock()
_nested: list[int] = []
"""The kept descriptor of standard output, once for each solver that runs."""


@contextmanager
def silenced() -> Iterator[None]:
    """Send standard output to standard error until the last of the solvers that run at once is done."""
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    with _lock:
        if _nested:
            _nested.append(_nested[-1])
            return
        kept = -1
        # A process may have closed either of the two; then there is nothing to keep clean.
        with suppress(OSError):
            os.fstat(_STDERR)
            kept = os.dup(_STDOUT)
        _nested.append(kept)
        if kept >= 0:
            _flush()
            os.dup2(_STDERR, _STDOUT)


def _leave() -> None:
    with _lock:
        kept = _nested.pop()
        if _nested or kept < 0:
            return
        _flush()
        os.dup2(kept, _STDOUT)
        os.close(kept)


def _flush() -> None:
    """Write out what C code has buffered."""
    if os.name == "posix":
        ctypes.CDLL(None).fflush(None)
