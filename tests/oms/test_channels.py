"""Channels are written in bulk, and the same rows twice change nothing."""

import pytest

from oms import channels
from oms.commands import ChannelRow
from oms.errors import InvalidRequest

APP = ChannelRow(id="app", name="App", kind="app", currency="EUR")


def test_a_channel_is_created_updated_and_left_alone(session):
    assert channels.put(session, [APP]) == ["created"]
    assert channels.put(session, [APP]) == ["unchanged"]
    assert channels.put(session, [ChannelRow(id="app", name="App", kind="app", currency="EUR", shortage="refuse")]) == [
        "updated"
    ]
    (app,) = [channel for channel in channels.known(session) if channel.id == "app"]
    assert (app.shortage, app.version) == ("refuse", 2)


def test_every_fault_of_every_row_is_named_and_nothing_is_written(session):
    wrong = ChannelRow(id="", name=" ", kind="pigeon", currency="XXX", shortage="cry")
    with pytest.raises(InvalidRequest) as refused:
        channels.put(session, [ChannelRow(id="new", name="New", kind="app", currency="EUR"), wrong])
    assert [fault.pointer for fault in refused.value.faults] == [
        "/1/id",
        "/1/name",
        "/1/kind",
        "/1/currency",
        "/1/shortage",
    ]
    assert "new" not in {channel.id for channel in channels.known(session)}
