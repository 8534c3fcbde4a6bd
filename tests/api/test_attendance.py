"""Who has left the queue is not served; who waits is, and so is everybody where nobody can tell."""

import socket

import pytest

from api.attendance import Attended


@pytest.fixture
def connection():
    """Both ends of a connection, the server's first."""
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


def served(environ):
    told = []

    def application(_environ, start_response):
        start_response("200 OK", [])
        return [b"served"]

    Attended(application)(environ, lambda status, headers: told.append((status, dict(headers))))
    return told[0]


def test_who_waits_is_served(connection):
    ours, theirs = connection
    theirs.sendall(b"GET / HTTP/1.1\r\n\r\n")
    assert served({"gunicorn.socket": ours}) == ("200 OK", {})


def test_who_has_left_is_not(connection):
    ours, theirs = connection
    theirs.sendall(b"GET / HTTP/1.1\r\n\r\n")
    theirs.close()
    status, headers = served({"gunicorn.socket": ours})
    assert (status, headers["Retry-After"]) == ("503 Service Unavailable", "2")


def test_where_there_is_no_connection_everybody_is_served():
    assert served({}) == ("200 OK", {})
