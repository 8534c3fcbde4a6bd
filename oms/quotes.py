"""What was quoted, as rows: every way with what it would hold, until when it is valid and what it promised.

Written and read by `promises`, read when an order names one. Invariant: a quote never changes; it holds ids and values
and no person, and is forgotten when nobody can hold or order by it any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.orm import Session

from fulfillment.network.minutes import NodeMinutes
from kernel.db import database_now
from oms.models import Quote

KEPT: Final = timedelta(days=1)
"""How long a quote is kept; longer than any hold."""


@dataclass(frozen=True, kw_only=True)
class Quoted:
    """A way as it was quoted: `units` are (SKU, node, count), `minutes` what they take of the days of nodes.

    An order placed until `order_by` arrives by `promised_by`.
    It may be held until `valid_until`. One that was quoted for a cart holds under the cart's id.
    """

    id: str
    channel: str
    method: str
    service: str
    collect_node: str | None
    units: tuple[tuple[str, str, int], ...]
    minutes: tuple[NodeMinutes, ...]
    promised_by: datetime
    order_by: datetime
    valid_until: datetime
    cart_id: str | None = None
    cart_version: int | None = None

    @property
    def reference(self) -> str:
        """What its units and minutes are held under."""
        return self.cart_id or self.id


def way_id(quote_id: str, number: int) -> str:
    """Return the id of a way of a quote; ways are numbered from 1."""
    return f"{quote_id}-{number}"


def write(session: Session, quote_id: str, ways: Sequence[Quoted], *, now: datetime) -> None:
    """Keep ways that were quoted for one basket, numbered in this order."""
    if not ways:
        return
    session.add(
        Quote(
            id=quote_id, channel=ways[0].channel, cart_id=ways[0].cart_id, cart_version=ways[0].cart_version,
            ways=[_document(way) for way in ways], quoted_at=now,
        )
    )  # fmt: skip
    session.flush()


def find(session: Session, id_: str) -> Quoted | None:
    """Return a way by its id; None when it was never quoted, or was forgotten."""
    quote_id, _, number = id_.rpartition("-")
    if not (number.isascii() and number.isdigit() and len(number) < 3 and quote_id.isprintable()):
        return None
    quote = session.get(Quote, quote_id)
    if quote is None or not 1 <= int(number) <= len(quote.ways):
        return None
    return _way(quote, int(number))


def forget(session: Session, *, limit: int) -> int:
    """Forget up to `limit` quotes of a day ago, by the database's clock; return how many."""
    old = select(Quote.id).where(Quote.recorded_at < _day_ago(session)).order_by(Quote.recorded_at).limit(limit)
    ids = session.scalars(old).all()
    result = session.execute(delete(Quote).where(Quote.id.in_(ids)))
    return cast("CursorResult[Any]", result).rowcount


def _day_ago(session: Session) -> datetime:
    clock: datetime | None = session.scalar(select(database_now()))
    assert clock is not None, "the database has a clock"
    return clock - KEPT


def _document(way: Quoted) -> dict[str, Any]:
    return {
        "method": way.method,
        "service": way.service,
        "collect_node": way.collect_node,
        "units": [list(part) for part in way.units],
        "minutes": [[node, on.isoformat(), count] for node, on, count in way.minutes],
        "promised_by": way.promised_by.isoformat(),
        "order_by": way.order_by.isoformat(),
        "valid_until": way.valid_until.isoformat(),
    }


def _way(quote: Quote, number: int) -> Quoted:
    kept: dict[str, Any] = dict(quote.ways[number - 1])
    for name in ("promised_by", "order_by", "valid_until"):
        kept[name] = datetime.fromisoformat(kept[name])
    kept["units"] = tuple((sku, node, count) for sku, node, count in kept["units"])
    # Quotes of before minutes were held have none.
    days = ((node, date.fromisoformat(on), count) for node, on, count in kept.get("minutes", ()))
    kept["minutes"] = tuple(days)
    return Quoted(
        id=way_id(quote.id, number), channel=quote.channel, cart_id=quote.cart_id, cart_version=quote.cart_version,
        **kept,
    )  # fmt: skip
