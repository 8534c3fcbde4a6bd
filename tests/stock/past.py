"""What was known, worked out the slow way: every entry of the ledger read again, and counted or not."""

from collections import defaultdict

from sqlalchemy import select

from kernel import events
from stock.models import Posting, StockEntry
from stock.past import positions
from stock.past.chronicle import PostingPosition
from stock.postings import COUNTERS


def place(session, *, limit=100):
    """Give every event and every posting its position."""
    while events.place(session, limit=limit) == limit:
        pass
    while positions.place(session, limit=limit) == limit:
        pass


def placed(session):
    """Return the postings in the order of their positions."""
    return list(session.scalars(select(PostingPosition.posting_id).order_by(PostingPosition.position)))


def history(session):
    """Return each change of a balance: position, business time, balance, account and units, in no order."""
    rows = session.execute(
        select(PostingPosition.position, Posting.occurred_at, StockEntry)
        .join(Posting, Posting.id == PostingPosition.posting_id)
        .join(StockEntry, StockEntry.posting_id == Posting.id)
    )
    for position, occurred_at, entry in rows:
        if entry.from_node is not None:
            yield position, occurred_at, (entry.sku, entry.from_node), entry.from_account, -entry.units
        if entry.to_node is not None:
            yield position, occurred_at, (entry.sku, entry.to_node), entry.to_account, entry.units


def naive(changes, position, at=None):
    """Return the counters of each balance of which something was known at a position, about a business time."""
    counted = defaultdict(lambda: dict.fromkeys(COUNTERS, 0))
    for reached, occurred_at, key, account, units in changes:
        if reached <= position:
            counters = counted[key]
            if account in counters and (at is None or occurred_at <= at):
                counters[account] += units
    return dict(counted)


def told(balances):
    """Return what the ledger answers in the terms of `naive`."""
    return {(balance.sku, balance.node): {name: getattr(balance, name) for name in COUNTERS} for balance in balances}
