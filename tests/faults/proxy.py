"""A proxy before PostgreSQL, on the loopback, that cuts or delays a connection just when it commits.

Started by tests, in threads of their process. Invariant: a connection is left alone but at a COMMIT, and there only
when a fault is asked for; each fault asked for happens once.
"""

import contextlib
import queue
import socket
import threading
import time

from sqlalchemy.engine import make_url

COMMIT = b"COMMIT"
CHUNK = 65_536
# The commit never arrives; it arrives, and maybe nobody waits for it to be done; it is done, and nobody is told.
BEFORE, DURING, AFTER = "before", "during", "after"


class Proxy:
    """Listens on a port of its own and passes on what comes, to the server of a database."""

    def __init__(self, url):
        self._server = make_url(url)
        self._faults = queue.SimpleQueue()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.done = []

    @property
    def url(self):
        """The address of the same database by way of the proxy."""
        port = self._listener.getsockname()[1]
        through = self._server.set(host="127.0.0.1", port=port, query={})
        return through.render_as_string(hide_password=False)

    def __enter__(self):
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_):
        # Closing alone does not wake who waits for a connection.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def at_next_commit(self, fault):
        """Cut the connection of the next commit: before, during or after it; or delay it by so many seconds."""
        self._faults.put(fault)

    def _listen(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = self._connect()
                threading.Thread(target=self._ask, args=(client, server), daemon=True).start()
                threading.Thread(target=_pass_on, args=(server, client), daemon=True).start()

    def _connect(self):
        place, port = self._server.query.get("host") or self._server.host, self._server.port or 5432
        if not str(place).startswith("/"):
            return socket.create_connection((place, port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{place}/.s.PGSQL.{port}")
        return server

    def _ask(self, client, server):
        """Pass on what the client asks; at a commit, do to it what is asked for."""
        with contextlib.suppress(OSError):
            while chunk := client.recv(CHUNK):
                fault = self._fault(chunk)
                if fault is None:
                    server.sendall(chunk)
                elif isinstance(fault, str):
                    self._cut(fault, client, server, chunk)
                else:
                    time.sleep(fault)
                    server.sendall(chunk)
        _close(client, server)

    def _fault(self, chunk):
        if COMMIT not in chunk:
            return None
        with contextlib.suppress(queue.Empty):
            fault = self._faults.get_nowait()
            self.done.append(fault)
            return fault
        return None

    @staticmethod
    def _cut(fault, client, server, chunk):
        # The client is cut off first, so that no answer can slip through to it.
        _close(client)
        if fault == BEFORE:
            return
        server.sendall(chunk)
        if fault == AFTER:
            # The other thread reads the answer, and finds nobody to give it to.
            time.sleep(0.02)


def _pass_on(server, client):
    with contextlib.suppress(OSError):
        while chunk := server.recv(CHUNK):
            client.sendall(chunk)
    _close(client, server)


def _close(*sockets):
    for each in sockets:
        # Shut down as well, which wakes a thread that waits to receive from it.
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
