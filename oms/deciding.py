"""The demands of an order, decided: what was promised is kept if it can be, and what is short is told with what else
there is.

Called by `orders.prepare`. Invariant: nothing is written here; another store than the one chosen is only ever offered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from fulfillment.sourcing import decide, promises
from fulfillment.sourcing.promises import Alternative
from fulfillment.sourcing.proposal import Missing, Proposal, Wanted
from fulfillment.sourcing.taken import Taken
from fulfillment.work.models import Method
from oms import addresses, finishing, quotes
from oms.commands import PlaceOrder
from oms.quotes import Quoted

NO_ADDRESS = "no_address"


@dataclass(frozen=True)
class Decided:
    """A proposal for an order, what of it is short, whether a hold had run out, and what else could be had."""

    proposal: Proposal
    short: tuple[Missing, ...]
    late: bool
    alternatives: tuple[Alternative, ...]


def decided(
    session: Session, command: PlaceOrder, wanted: Sequence[Wanted], *, now: datetime, taken: Taken | None
) -> Decided:
    """Decide the demands of an order, to which what is held for it is available. Raises CannotCollect."""
    held, late = finishing.held_for(session, command)
    promised = quotes.find(session, command.promise) if command.promise else None
    kept = [_bound(one, promised) for one in wanted] if promised and promised.promised_by > now else list(wanted)
    proposal = decide.decide(session, kept, now=now, cause="order", held=held, taken=taken)
    if proposal.unfilled and any(one.arrive_by for one in kept):
        # The promise cannot be kept, as minutes or units are gone: as near to it as can be.
        near = [replace(one, arrive_by=None, promised_by=one.arrive_by) for one in kept]
        proposal = decide.decide(session, near, now=now, cause="order", held=held, taken=taken)
    short = tuple(missing for missing in proposal.unfilled if missing.reason != NO_ADDRESS)
    offered = tuple(_alternatives(session, command, proposal, now=now)) if short else ()
    return Decided(proposal, short, late, offered)


def _bound(wanted: Wanted, promised: Quoted) -> Wanted:
    """Let a demand that is served as was promised arrive by then."""
    same = promised.collect_node if promised.method == Method.COLLECT else promised.service
    own = wanted.collect_node if wanted.method == Method.COLLECT else wanted.service
    return (
        replace(wanted, arrive_by=promised.promised_by) if (wanted.method, own) == (promised.method, same) else wanted
    )


def _alternatives(session: Session, command: PlaceOrder, proposal: Proposal, *, now: datetime) -> Iterator[Alternative]:
    """Yield the other ways to have each collection that is short, all of it."""
    home = addresses.destination_of(session, command.ship_to) if command.ship_to else None
    for change in proposal.changes:
        wanted = change.wanted
        if change.missing and wanted.method == Method.COLLECT:
            yield from promises.instead_of(session, wanted, home, now=now)
