"""The Chromium that browser tests drive: where it is found, and how it is started.

`tests/conftest.py` offers it as fixtures. Invariant: the browser talks to this machine only, and starts from an empty
profile.
"""

import os
import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW_TO_GET_ONE = "No Chromium found: install your system's package 'chromium', or set OMS_TEST_CHROMIUM to its path."
# A container's root has no sandbox; the rest keeps the browser from calling its maker's hosts.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> Path | None:
    """Return the browser that OMS_TEST_CHROMIUM names, else the system's, else None."""
    named = os.environ.get("OMS_TEST_CHROMIUM")
    found = [named] if named else [path for name in NAMES if (path := shutil.which(name))]
    return Path(found[0]) if found else None
