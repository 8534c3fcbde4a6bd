"""Channels are written in bulk, and the same rows twice change nothing."""

from dataclasses import replace

import pytest

from fulfillment.network import policies
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


def test_a_channel_names_only_policies_that_there_are(session):
    policies.put(session, "fast", {})
    express = replace(APP, policy="default", service_policies={"express": "fast"})
    assert channels.put(session, [express]) == ["created"]
    with pytest.raises(InvalidRequest) as refused:
        channels.put(session, [replace(APP, policy="fats", service_policies={"a/b": "slow"})])
    faults = {fault.pointer: fault for fault in refused.value.faults}
    assert set(faults) == {"/0/policy", "/0/service_policies/a~1b"}
    assert faults["/0/policy"].code == "unknown_policy"
    assert "default, fast" in faults["/0/policy"].message
