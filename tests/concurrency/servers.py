"""Servers as an operator starts them: `python -m api.cli serve`, each a process of its own on one database.

Invariant: whatever a test does, its servers have ended when it ends.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
LONGEST_START_S = 90
LONGEST_STOP_S = 30


@contextlib.contextmanager
def serving(folder, url, *, servers, now, secrets, threads=8):
    """Yield the addresses of so many server processes that share the database at `url`; they log into `folder`."""
    settings = {
        "PYTHONPATH": str(ROOT),
        "OMS__DATABASE__URL": url,
        "OMS__CLOCK__FIXED_AT": now.isoformat(),
        "OMS__SECURITY__MASTER_KEY": secrets.master_key,
        "OMS__SECURITY__SESSION_KEY": secrets.session_key,
        "OMS__SERVER__WORKERS": "1",
        "OMS__SERVER__THREADS": str(threads),
        "OMS__LOG__LEVEL": "warning",
    }
    with contextlib.ExitStack() as running:
        ports = [_free_port() for _ in range(servers)]
        processes = [running.enter_context(_server(folder, port, settings)) for port in ports]
        addresses = [f"http://127.0.0.1:{port}" for port in ports]
        for address, process in zip(addresses, processes, strict=True):
            _wait_until_ready(address, process)
        yield addresses


@contextlib.contextmanager
def _server(folder, port, settings):
    command = [sys.executable, "-m", "api.cli", "serve", "--port", str(port)]
    log = folder / f"server-{port}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=os.environ | settings, stdout=output, stderr=output, start_new_session=True
        )
        try:
            yield process
        finally:
            status = process.poll()
            _end(process)
    assert status is None, f"the server on port {port} ended by itself with status {status}: {log.read_text()[-2000:]}"


def _end(process):
    process.terminate()
    try:
        process.wait(LONGEST_STOP_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_ready(address, process):
    end = time.monotonic() + LONGEST_START_S
    while time.monotonic() < end:
        assert process.poll() is None, f"the server ended with status {process.returncode}"
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{address}/readyz", timeout=5).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"no server answers at {address} after {LONGEST_START_S} s")


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
