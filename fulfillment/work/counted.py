"""What a count says about finding an article: the share of what should have been there that was.

`api/` wires the handler for `CountPosted`; it runs in the transaction that posts the count.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from fulfillment.network import pick_success
from fulfillment.network.pick_success import Looked
from stock.counting.documents import CountLine, CountTally
from stock.events import CountPosted


def on_count_posted(session: Session, event: CountPosted) -> None:
    """Remember each article that was counted: found where the ledger was right or had too few, missed where too many.

    Whoever looks for one of ten units of which two are missing finds it eight times in ten. Where nothing was to be
    expected, nothing could be missed.
    """
    accepted = (CountLine.count_id == CountTally.count_id) & (CountLine.sku == CountTally.sku)
    tallies = select(CountTally).join(CountLine, accepted & (CountLine.accepted_round == CountTally.round))
    counted = session.scalars(tallies.where(CountTally.count_id == event.aggregate_id)).all()
    looks = [_look(tally, event.node) for tally in counted if tally.expected > 0]
    latest = max((tally.counted_at for tally in counted), default=None)
    if latest is not None:
        pick_success.record(session, looks, now=latest)


def _look(tally: CountTally, node: str) -> Looked:
    missed = min(max(0, -tally.difference) / tally.expected, 1.0)
    return Looked(tally.sku, node, found=1.0 - missed, missed=missed)
