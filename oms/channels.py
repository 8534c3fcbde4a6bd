"""Channels: where orders come from. Written by imports and administrators, read for every order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from fulfillment.network import policies
from kernel.errors import step
from kernel.money import CURRENCIES
from oms.checks import Faults
from oms.commands import ChannelRow
from oms.errors import InvalidRequest
from oms.models import Channel

KINDS = ("web", "app", "store", "marketplace", "contact_centre")
SHORTAGES = ("wait", "refuse")


def put(session: Session, rows: Sequence[ChannelRow]) -> list[str]:
    """Make the channels as the rows say; return "created", "updated" or "unchanged" for each.

    Raises InvalidRequest with every fault of every row, under /0, /1 and so on.
    """
    faults, names = Faults(), policies.names(session)
    for number, row in enumerate(rows):
        _check(faults, f"/{number}", row)
        _check_policies(faults, f"/{number}", row, names)
    if faults.found:
        raise InvalidRequest(faults.found)
    return [_put(session, row) for row in rows]


def known(session: Session) -> list[Channel]:
    """Return all channels by id."""
    return list(session.scalars(select(Channel).order_by(Channel.id)))


def _check(faults: Faults, pointer: str, row: ChannelRow) -> None:
    faults.code(f"{pointer}/id", row.id)
    faults.text(f"{pointer}/name", row.name, needed=True)
    if row.kind not in KINDS:
        faults.add(f"{pointer}/kind", "unknown_kind", f"use one of {', '.join(KINDS)}")
    if row.currency not in CURRENCIES:
        faults.add(f"{pointer}/currency", "unknown_currency", "use an ISO 4217 code such as EUR")
    if row.low_stock < 0:
        faults.add(f"{pointer}/low_stock", "negative", "write 0 or more")
    if row.shortage not in SHORTAGES:
        faults.add(f"{pointer}/shortage", "unknown_shortage", f"use one of {', '.join(SHORTAGES)}")


def _check_policies(faults: Faults, pointer: str, row: ChannelRow, names: Sequence[str]) -> None:
    """Note policies that there are not, by which orders would be decided as if nothing had been set."""
    named = {f"{pointer}/policy": row.policy}
    for service, policy in row.service_policies.items():
        if faults.code(f"{pointer}/service_policies", service):
            named[f"{pointer}/service_policies/{step(service)}"] = policy
    for place, policy in named.items():
        if policy not in names:
            faults.add(place, "unknown_policy", f"write that policy first, or use one of {', '.join(names)}")


def _put(session: Session, row: ChannelRow) -> str:
    wanted = asdict(row)
    channel = session.get(Channel, row.id)
    if channel is None:
        session.add(Channel(**wanted))
        outcome = "created"
    elif all(getattr(channel, name) == value for name, value in wanted.items()):
        return "unchanged"
    else:
        for name, value in wanted.items():
            setattr(channel, name, value)
        channel.version += 1
        outcome = "updated"
    session.flush()
    return outcome
