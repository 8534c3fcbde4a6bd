"""Only those who still wait are served: a request whose sender has left the queue is dropped before any work is done.

`oms serve` puts it in front of the application. Under overload clients give up and ask again; a server that works off
what nobody waits for is then busy with that alone, and serves nobody in time. Invariant: a request is dropped before
its first statement, so that nothing of it has happened; who asks again with the same key loses nothing.
"""

from __future__ import annotations

import select
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from api.errors import RETRY_AFTER_S

# Not every system tells that the other side has closed; where it does not, everybody is served.
_LEFT = getattr(select, "POLLRDHUP", 0)
_ANSWER = [("Content-Length", "0"), ("Retry-After", str(RETRY_AFTER_S))]


class Attended:
    """A WSGI application that serves those who still wait for an answer."""

    def __init__(self, served: WSGIApplication) -> None:
        self.served = served

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve the request, unless its connection was closed from the other side meanwhile."""
        if _has_left(environ.get("gunicorn.socket")):
            start_response("503 Service Unavailable", _ANSWER)
            return []
        return self.served(environ, start_response)


def _has_left(connection: object) -> bool:
    if connection is None or not _LEFT:
        return False
    poll = select.poll()
    poll.register(connection, _LEFT)  # type: ignore[arg-type]
    return bool(poll.poll(0))
