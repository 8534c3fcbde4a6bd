"""Repair: what the proof finds brought to agreement by postings that are added; nothing that was posted is touched.

Called by the doors (`ledger repair`). Which side is believed depends on what can be known:

- **What lies on a shelf** is known by nobody without looking. The balance's counter is what everything since was
  decided by, each time guarded by its constraints; so it stays, and an entry against the account `adjustment` tells
  the difference, where reports of adjustments show it. No unit comes or goes without an entry; a count settles it.
- **What is claimed, and what is on the way,** is only what the ledger says of it. There the entries are believed, for
  they are append-only and sealed: the counters of the balance and of its reservations are brought to them, in the
  transaction of a posting that says so.
- **A posting that nobody was told of** is told again if it has a position, for it was told once and placed. One without
  was slipped in by hand, or its news was lost before it was placed; to tell it would give it a position and a seal, and
  so make what was forged look honest. It is left to a person who has read what the seals find.
- **A hole in the versions of a balance** is evidence of a row that is gone or was written twice. Nothing added later
  can stand in its place, so that such balances are left alone and named.

Invariant: a mend is worked out again under the lock of its balance when it is written; done twice, it writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from sqlalchemy import ColumnElement, Select, case, func, insert, literal, select, text, union_all, update
from sqlalchemy.orm import InstrumentedAttribute

from kernel.db import table
from kernel.events import OutboxEvent, record
from kernel.ids import new_id
from kernel.proofs import Finding, Stretch
from stock.events import StockPosted
from stock.models import Account, Posting, Reservation, StockBalance, StockEntry
from stock.past import history
from stock.past.chronicle import PostingPosition
from stock.postings import COUNTERS, Header, Key
from stock.proof import checks, verify

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

KIND = REASON = "repair"
ALL = 10**9
SHELVED = (Account.ON_HAND, Account.DAMAGED, Account.QUARANTINE)
FOLLOWING = ("reserved", "picked", "in_transit")
"""Counters that are brought to the entries; those of `SHELVED` are told by an entry."""

Row: TypeAlias = tuple[str, str]
"""A table, and the key by which findings name its row."""


class Writes(Protocol):
    """Works a mend out again and writes it, in the transaction of a write session."""

    def __call__(self, session: Session, /, *, actor: str, now: datetime) -> bool:
        """Write the posting."""


@dataclass(frozen=True)
class Mend:
    """A posting to be written: the rows whose findings it ends, line by line what it says, and how it is written."""

    rows: frozenset[Row]
    lines: tuple[str, ...]
    write: Writes
    """Tells whether there was anything left to write."""


@dataclass(frozen=True)
class Progress:
    """How far a reservation is by its entries."""

    id: str
    before: Mapping[str, int]
    after: Mapping[str, int]


@dataclass(frozen=True)
class Draft:
    """What brings one balance to agreement: units told to `adjustment`, counters, reservations."""

    balance: StockBalance
    missing: bool
    adjusted: Mapping[Account, int]
    counters: Mapping[str, int]
    reservations: Sequence[Progress]

    @property
    def lines(self) -> tuple[str, ...]:
        """The posting in words, a line for each entry and each number that follows."""
        key = f"{self.balance.sku} at {self.balance.node}"
        told = [f"posting {KIND} for {key}"]
        if self.missing:
            told.append(f"  balance {key} is made from its {self.balance.version} entries")
        for account, units in self.adjusted.items():
            ends = (Account.ADJUSTMENT, account) if units > 0 else (account, Account.ADJUSTMENT)
            told.append(f"  entry of {abs(units)} {key} from {ends[0]} to {ends[1]}")
        for name, units in self.counters.items():
            before = getattr(self.balance, name)
            told.append(f"  balance {key}: {name} {before} becomes {before + units}")
        for each in self.reservations:
            changed = [f"{name} {each.before[name]} becomes {units}" for name, units in each.after.items()]
            told.append(f"  reservation {each.id}: {', '.join(changed)}")
        return tuple(told)


def by_sku(session: Session, stretch: Stretch) -> Iterator[Mend]:
    """Yield a mend for each balance in a stretch of SKUs that can be brought to agreement."""
    for key in _suspects(session, list(verify.by_sku(session, stretch, limit=ALL))):
        draft = _draft(session, key)
        if draft is not None:
            yield Mend(_rows(draft), draft.lines, partial(_mend, key=key))


def by_posting(session: Session, stretch: Stretch) -> Iterator[Mend]:
    """Yield a mend for each posting that has a position, and whose news is gone."""
    for posting_id in _untold(session, stretch):
        lines = (f"event stock.posted of posting {posting_id}",)
        yield Mend(frozenset({("posting", posting_id)}), lines, partial(_tell_again, posting_id=posting_id))


def advice(finding: Finding) -> str:
    """Return what a person should do about a finding of the stock room that no posting can end."""
    return ADVICE.get((finding.invariant, finding.table), RESTORE)


RESTORE = "Restore the row as it was from a backup, then prove again."
ADVICE = {
    ("I8", "posting"): "It has no position: see what the seals find first. It was slipped in by hand, or its event was "
    "lost before it was placed. If callers' logs or a backup show that it is honest, restore its rows of outbox and "
    "outbox_queue from the backup; it is placed then. If not, post what takes it back.",
    ("I1", "stock_balance"): "Count the article at the node: the count posts what is there and displaces what cannot "
    "be kept.",
    ("I2", "stock_balance"): "Its versions have a hole or its claims do not fit into what is there: see its other "
    "findings first.",
    ("I3", "stock_balance"): "A row of its history is gone or was written twice. Find it in a backup, by the versions; "
    "nothing posted now can stand in its place.",
    ("I3", "stock_entry"): "What it names is gone, or it was slipped in by hand: see what the seals find, and what a "
    "backup has of it.",
    ("I4", "stock_balance"): "See the findings of its reservations and versions first.",
    ("I4", "open_demand"): "Cancel or edit the order line that it belongs to.",
    ("I6", "stock_entry"): "See the findings of its balances first; a row with sides that do not go together was "
    "changed, and its like from before is in a backup.",
    ("I6", "transfer"): "Close the transfer short, or receive what came of it.",
    (
        "I8",
        "outbox",
    ): "Whoever reads the feed recognises what is told twice by the posting's id; if the posting is gone, "
    "find it in a backup.",
}


def _suspects(session: Session, found: Sequence[Finding]) -> list[Key]:
    """Return the balances that findings are about, in key order."""
    reservations = [finding.key for finding in found if finding.table == "reservation"]
    at = select(Reservation.sku, Reservation.node).where(
        Reservation.sku.in_({finding.place for finding in found}), Reservation.id.in_(reservations)
    )
    keys: set[Key] = {(sku, node) for sku, node in session.execute(at)} if reservations else set()
    for finding in found:
        named, _, node = finding.key.partition(f"{finding.place} at ")
        if node and not named and finding.table in {"stock_balance", "stock_entry"}:
            keys.add((finding.place, node))
    return sorted(keys)


def _draft(session: Session, key: Key, *, lock: bool = False) -> Draft | None:
    """Work out what brings a balance to agreement; None when nothing is wrong, or nothing added can mend it."""
    balance = session.get(StockBalance, key, populate_existing=True, with_for_update=lock)
    told, whole = _fold(session, key)
    missing = balance is None
    if balance is None:
        balance = StockBalance(sku=key[0], node=key[1], safety_stock=0, backorder_limit=0, **told)
    if not whole or balance.version != told["version"]:
        return None
    adjusted = {account: getattr(balance, account) - told[account] for account in SHELVED}
    following = {name: told[name] - getattr(balance, name) for name in FOLLOWING}
    draft = Draft(
        balance, missing,
        {account: units for account, units in adjusted.items() if units},
        {name: units for name, units in following.items() if units},
        list(_progress(session, key)),
    )  # fmt: skip
    nothing = not (missing or draft.adjusted or draft.counters or draft.reservations)
    return None if nothing or not _fits(draft) else draft


def _fits(draft: Draft) -> bool:
    """Tell whether the constraints let the balance and the reservations be what the draft makes of them."""
    balance = draft.balance
    reserved, picked, in_transit = (getattr(balance, name) + draft.counters.get(name, 0) for name in FOLLOWING)
    held = 0 <= picked <= min(balance.on_hand, reserved) and in_transit >= 0
    covered: bool = reserved <= balance.on_hand + balance.backorder_limit
    return held and covered and all(map(_ends_once, draft.reservations))


def _ends_once(progress: Progress) -> bool:
    after = {**progress.before, **progress.after}
    counted = [after[name] for name in ("picked", "consumed", "released")]
    return min(counted) >= 0 and sum(counted) <= after["units"]


def _fold(session: Session, key: Key) -> tuple[dict[str, int], bool]:
    """Return what the entries make of a balance, its version included, and whether there is one entry for each."""
    sku, node = key
    into = select(StockEntry.to_account, StockEntry.units, StockEntry.to_version, literal(1))
    out = select(StockEntry.from_account, -StockEntry.units, StockEntry.from_version, literal(0))
    # An entry within the node is seen from both sides, and touches the balance once.
    touching = case((StockEntry.to_node == node, 0), else_=1)
    sides = union_all(
        into.where(StockEntry.sku == sku, StockEntry.to_node == node),
        out.with_only_columns(*list(out.selected_columns)[:3], touching).where(
            StockEntry.sku == sku, StockEntry.from_node == node
        ),
    ).subquery()
    account, units, version, touches = sides.c
    opening = session.scalars(history.opening(sku, node)).first()
    told = {name: getattr(opening, name) if opening else 0 for name in COUNTERS}
    for name, total in session.execute(select(account, func.sum(units)).group_by(account)):
        if name in told:
            told[name] += int(total)
    once = select(func.count(), func.count(version.distinct()), func.min(version), func.max(version))
    entries, versions, first, last = session.execute(once.where(touches == 1)).one()
    begins = opening.version if opening else 0
    told["version"] = last or begins
    return told, entries == versions == told["version"] - begins and (first or begins + 1) == begins + 1


def _progress(session: Session, key: Key) -> Iterator[Progress]:
    """Yield the reservations at a balance that are not as far as their entries say."""
    article = Stretch(only=key[0])
    unlike = text(checks.CLAIMS_UNLIKE_ENTRIES.format(sku=article.written("sku")))
    ids = {row[1]: row for row in session.execute(unlike, article.parameters)}
    rows = select(Reservation).where(Reservation.sku == key[0], Reservation.node == key[1], Reservation.id.in_(ids))
    for row in session.scalars(rows.order_by(Reservation.id)) if ids else ():
        _place, _id, _open, still, _picked, picked, _consumed, consumed = ids[row.id]
        before = {name: getattr(row, name) for name in ("units", "picked", "consumed", "released")}
        after = {"picked": int(picked), "consumed": int(consumed), "released": row.units - int(consumed) - int(still)}
        yield Progress(row.id, before, {name: units for name, units in after.items() if units != before[name]})


def _rows(draft: Draft) -> frozenset[Row]:
    sku, key = draft.balance.sku, f"{draft.balance.sku} at {draft.balance.node}"
    rows = {("stock_balance", key), ("stock_entry", key), ("stock_entry", sku)}
    return frozenset(rows | {("reservation", each.id) for each in draft.reservations})


def _mend(session: Session, *, actor: str, now: datetime, key: Key) -> bool:
    draft = _draft(session, key, lock=True)
    if draft is None:
        return False
    header = Header(kind=KIND, reason=REASON, actor=actor, occurred_at=now)
    posting_id = _post(session, header)
    balance = draft.balance
    if draft.missing:
        session.add(balance)
        session.flush()
    if draft.adjusted:
        session.execute(insert(table(StockEntry)), list(_entries(draft, posting_id)))
    moved = {name: table(StockBalance).c[name] + units for name, units in draft.counters.items()}
    moved["version"] = table(StockBalance).c.version + len(draft.adjusted)
    session.execute(update(StockBalance).where(StockBalance.sku == key[0], StockBalance.node == key[1]).values(moved))
    for each in draft.reservations:
        of_one = (Reservation.sku == key[0]) & (Reservation.id == each.id)
        session.execute(update(Reservation).where(of_one).values(dict(each.after)))
    session.expire_all()
    return _tell(session, posting_id, [key])


def _post(session: Session, header: Header) -> str:
    posting_id = new_id()
    values = {name: getattr(header, name) for name in ("kind", "reason", "actor", "reference", "occurred_at")}
    session.execute(insert(Posting).values(id=posting_id, **values))
    return posting_id


def _entries(draft: Draft, posting_id: str) -> Iterator[dict[str, Any]]:
    balance = draft.balance
    for line, (account, units) in enumerate(draft.adjusted.items(), start=1):
        here = {"node": balance.node, "account": account.value, "version": balance.version + line}
        outside = {"node": None, "account": Account.ADJUSTMENT.value, "version": None}
        source, target = (outside, here) if units > 0 else (here, outside)
        yield {
            "sku": balance.sku, "posting_id": posting_id, "line": line, "units": abs(units), "reservation_id": None,
            **{f"from_{name}": value for name, value in source.items()},
            **{f"to_{name}": value for name, value in target.items()},
        }  # fmt: skip


def _untold(session: Session, stretch: Stretch) -> list[str]:
    placed = select(Posting.id).join(PostingPosition, PostingPosition.posting_id == Posting.id)
    postings = placed.where(stretch.over(Posting.id), ~_told(Posting.id).exists())
    return list(session.scalars(postings.order_by(Posting.id)))


def _tell_again(session: Session, *, posting_id: str, **_: object) -> bool:
    if session.scalar(_told(posting_id)):
        return False
    entries = select(StockEntry.sku, StockEntry.from_node, StockEntry.to_node)
    rows = session.execute(entries.where(StockEntry.posting_id == posting_id)).all()
    return _tell(session, posting_id, [(row.sku, node) for row in rows for node in row[1:] if node])


def _told(posting_id: ColumnElement[str] | InstrumentedAttribute[str] | str) -> Select[str]:
    return select(OutboxEvent.id).where(
        OutboxEvent.aggregate == StockPosted.aggregate, OutboxEvent.aggregate_id == posting_id,
        OutboxEvent.type == f"{StockPosted.aggregate}.{StockPosted.verb}",
    )  # fmt: skip


def _tell(session: Session, posting_id: str, keys: Sequence[Key]) -> bool:
    posting = session.get_one(Posting, posting_id)
    record(
        session,
        StockPosted(
            aggregate_id=posting_id, kind=posting.kind, reason=posting.reason, reference=posting.reference,
            skus=tuple(sorted({sku for sku, _ in keys})), nodes=tuple(sorted({node for _, node in keys})),
        ),
    )  # fmt: skip
    return True
