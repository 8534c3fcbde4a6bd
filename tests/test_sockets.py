"""The network is closed to the tests, this machine is not."""

import socket

import pytest

from tests.sockets import NetworkClosed


@pytest.mark.parametrize("host", ["192.0.2.1", "shop.example", "2001:db8::1"])
def test_another_host_cannot_be_reached(host):
    with pytest.raises(NetworkClosed, match=host):
        socket.create_connection((host, 443), timeout=1)


def test_a_datagram_cannot_leave():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, pytest.raises(NetworkClosed):
        sender.sendto(b"units", ("192.0.2.1", 9))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_can_be_reached(host):
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection((host, server.getsockname()[1]), timeout=1).close()
