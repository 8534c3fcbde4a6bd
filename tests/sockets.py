"""A guard that closes the network to the tests: loopback and unix sockets only.

`tests/conftest.py` closes it once in each process. Invariant: a test that reaches for another host fails at once and
names it, instead of passing where there happens to be a network.
"""

import ipaddress
import sys
from typing import Any

_LOOPBACK_NAMES = {"", "localhost", "localhost.localdomain", "ip6-localhost"}
_opened: set[str] = set()
_closed = False


class NetworkClosed(RuntimeError):
    """A test reached for a host that is not this one."""


def close_network(*, except_hosts: set[str] = frozenset()) -> None:
    """Refuse connections to, and look-ups of, any host but this one and `except_hosts`, until the process ends."""
    global _closed  # noqa: PLW0603 - an audit hook cannot be removed, so a second one must not be added
    _opened.update(except_hosts)
    if not _closed:
        sys.addaudithook(_audit)
        _closed = True


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto"):
        _refuse_unless_local(_host_of(args[1]))
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        _refuse_unless_local(args[0])


def _host_of(address: Any) -> Any:
    # An internet address is a tuple that starts with the host; a unix socket's is a path.
    return address[0] if isinstance(address, tuple) else None


def _refuse_unless_local(host: Any) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if isinstance(name, str) and name not in _opened and not _is_local(name):
        message = f"The tests may not reach {name}: only loopback and unix sockets are open."
        raise NetworkClosed(message)


def _is_local(name: str) -> bool:
    if name.lower() in _LOOPBACK_NAMES:
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
