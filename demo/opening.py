"""Opening the demo's house: a fresh database, people and a key, the real server, and the network imported.

Everything is done as an operator would, by the commands of `oms`. The server is a process of its own; the short
commands run in this one, since starting a process a dozen times would be most of the wait.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
from click.testing import CliRunner

from api.cli import oms
from demo import BUSINESS_CLOCK, network, stock

LONGEST_START_S = 60
PASSWORD = "brisa-y-barro"  # noqa: S105 (of a demonstration, and printed)
STORE = "MAD-GRANVIA"
PEOPLE = (
    ("clerk", "store", STORE, "es"),
    ("planner", "planner", None, "en"),
    ("agent", "agent", None, "en"),
    ("admin", "admin", None, "en"),
)
SCOPES = (
    "orders:read", "orders:write", "stock:read", "stock:write", "work:read", "work:write", "plan:read", "plan:write",
    "catalog:write", "events:read",
)  # fmt: skip
IMPORTS = (("nodes", "nodes"), ("articles", "articles"), ("carriers", "carriers"), ("postal-codes", "postal_codes"))


class CannotOpen(RuntimeError):
    """A command or the server did not do what the demo needs; the sentence is theirs."""


@dataclass(frozen=True)
class Place:
    """Where the demo lives: its folder, the settings of its processes, and the port of its server."""

    folder: Path
    environment: Mapping[str, str]
    port: int

    @property
    def address(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> Path:
        """The database file."""
        return self.folder / "oms.db"

    @property
    def morning(self) -> Path:
        """A copy of the database before the first order."""
        return self.folder / "morning.db"


def choose(folder: Path, port: int) -> Place:
    """Empty the folder and name what the processes need; a port that is taken gives way to a free one."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    free = _free(port)
    settings = {
        "OMS__DATABASE__URL": f"sqlite:///{folder.resolve() / 'oms.db'}",
        "OMS__CLOCK__FIXED_AT": BUSINESS_CLOCK.isoformat(),
        "OMS__SERVER__PORT": str(free),
        "OMS__LOG__LEVEL": "warning",
        # What waits is decided when goods arrive; a clock of its own would make every telling a little different.
        "OMS__JOBS__DECIDE_WAITING_S": "600",
    }
    return Place(folder, {**os.environ, **settings}, free)


def run(place: Place, *arguments: str) -> str:
    """Run an `oms` command and return what it prints. Raises CannotOpen with its sentence."""
    done = CliRunner(env=place.environment).invoke(oms, arguments, catch_exceptions=False)
    if done.exit_code:
        raise CannotOpen(f"oms {' '.join(arguments[:2])}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def people_and_key(place: Place) -> str:
    """Let the people of the demo log in, and return a key for the retailer's systems."""
    for username, role, node, language in PEOPLE:
        at = () if node is None else ("--node", node)
        run(place, "user", "add", username, "--role", role, "--language", language, "--password", PASSWORD, *at)
    made = run(place, "key", "add", "demo", *(part for scope in SCOPES for part in ("--scope", scope)))
    found = re.search(r"\S{20,}", made)
    assert found, f"`oms key add` printed no key: {made!r}"
    return found[0]


def load_network(place: Place, *, seed: int) -> None:
    """Import nodes, articles, carriers, postal codes and the morning's stock from files."""
    for what, name in IMPORTS:
        run(place, "import", what, str(network.FILES[name]))
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "stock.csv"
        stock.write(rows, seed)
        run(place, "import", "stock", str(rows))


@contextlib.contextmanager
def serving(place: Place) -> Iterator[subprocess.Popen[bytes]]:
    """Run the real server until the block ends. Raises CannotOpen when it does not get ready."""
    with (place.folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "serve"], env=place.environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _wait_until_ready(place, server)
            yield server
        finally:
            server.terminate()
            try:
                server.wait(timeout=30)
            except subprocess.TimeoutExpired:
                server.kill()


def _wait_until_ready(place: Place, server: subprocess.Popen[bytes]) -> None:
    give_up_at = time.monotonic() + LONGEST_START_S
    while time.monotonic() < give_up_at:
        if server.poll() is not None:
            break
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{place.address}/readyz", timeout=5).status_code == 200:
                return
        time.sleep(0.2)
    log = (place.folder / "server.log").read_text(encoding="utf-8", errors="replace").strip()
    raise CannotOpen(f"The server did not get ready: {log[-400:] or 'it said nothing'}")


def _free(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                chosen: int = probe.getsockname()[1]
                return chosen
    raise CannotOpen("No port is free on 127.0.0.1.")
