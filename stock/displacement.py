"""The truth wins: what a count, a feed, a sale or damage shows is posted even when more units are reserved.

Called by the verbs that tell what is physically there. The reservations that no longer fit lose units in the same
posting: the lowest rank first, among equals the youngest, picked units last. Units of orders and transfers become open
demand; holds and put-back tasks are only released. Invariant: what was worked out from balances as they were read is
written only if they have not moved since.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from kernel.errors import DomainError
from kernel.events import record_many
from stock import availability, reservations
from stock.availability import Level
from stock.errors import BalancesMoved, ClaimsChanged
from stock.events import Displaced, ReservationsDisplaced
from stock.ledger import post_many
from stock.models import Purpose
from stock.postings import ON_HAND, DemandChange, Draft, Header, Key, Movement, ReservationChange, net_movements
from stock.reservations import Reserved

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

BEFORE_DISPLACEMENT = "before_displacement"
"""Under this name a session's `info` may carry a function that locks what the rooms above keep about references."""

# A refused attempt leaves the balances locked, so that the second sees what nobody else can change any more; the third
# is for balances that the second attempt touched for the first time.
ATTEMPTS = 3
WAITS_AGAIN = frozenset({Purpose.ORDER, Purpose.TRANSFER})

Levels: TypeAlias = Mapping[Key, Level]
Plan: TypeAlias = Callable[[Levels], Sequence[Movement]]
Lock: TypeAlias = "Callable[[Session, Collection[str]], None]"


@dataclass(frozen=True)
class Truth:
    """What is physically there, as `plan` makes movements of the present levels of `keys`."""

    header: Header
    keys: Sequence[Key]
    plan: Plan


@dataclass(slots=True)
class Loss:
    """Units that one reservation must give up, by whether they are in a tote."""

    reservation: Reserved
    unpicked: int = 0
    picked: int = 0

    @property
    def units(self) -> int:
        """All units given up."""
        return self.unpicked + self.picked


def settle(session: Session, header: Header, keys: Iterable[Key], plan: Plan) -> str | None:
    """Post the movements that `plan` makes of the present levels, and displace the reservations they leave no room for.

    Args:
        session: a write session.
        header: of the posting.
        keys: the balances that `plan` looks at, as (SKU, node); all that it moves must be among them.
        plan: given the level of every key, returns the movements; called again when balances moved meanwhile.

    Returns the posting's id, or None when the plan moves nothing. Records ReservationsDisplaced.
    """
    return settle_many(session, [Truth(header, tuple(sorted(set(keys))), plan)])[0]


def settle_many(session: Session, truths: Sequence[Truth]) -> list[str | None]:
    """Post several truths about different balances in one statement; return what `settle` would for each."""
    outcomes: list[str | None] = [None] * len(truths)
    left = dict(enumerate(truths))
    for attempt in range(ATTEMPTS):
        posted = _attempt(session, list(left.values()))
        moved = {}
        for (place, truth), outcome in zip(list(left.items()), posted, strict=True):
            if not isinstance(outcome, DomainError):
                outcomes[place] = outcome
            elif isinstance(outcome, BalancesMoved | ClaimsChanged) and attempt < ATTEMPTS - 1:
                moved[place] = truth
            else:
                raise outcome
        left = moved
        if not left:
            break
    return outcomes


def losses(open_reservations: Sequence[Reserved], *, lacking: int, lacking_picked: int) -> list[Loss]:
    """Return which reservations lose units, given in the order in which they lose.

    Args:
        open_reservations: of one balance.
        lacking: units by which all of them exceed what may be reserved.
        lacking_picked: units by which picked ones exceed what is on hand; they are among `lacking` or beyond it.
    """
    all_of_them = [Loss(reservation) for reservation in open_reservations]
    for loss in all_of_them:
        loss.picked = min(loss.reservation.picked, lacking_picked)
        lacking_picked -= loss.picked
        lacking -= loss.picked
    # What is picked now fits on hand, and so within what may be reserved: the rest is found among units on the shelf.
    for loss in all_of_them:
        loss.unpicked = min(loss.reservation.open_units - loss.reservation.picked, max(0, lacking))
        lacking -= loss.unpicked
    return [loss for loss in all_of_them if loss.units]


def _attempt(session: Session, truths: Sequence[Truth]) -> list[str | DomainError | None]:
    levels = _levels(session, [key for truth in truths for key in truth.keys])
    drafts: dict[int, Draft] = {}
    lost: dict[int, list[Loss]] = {}
    for place, truth in enumerate(truths):
        movements = truth.plan(levels)
        if movements:
            lost[place] = list(_displaced(session, levels, movements))
            drafts[place] = _draft(truth, movements, lost[place], levels)
    _lock_above(session, [loss for losses_ in lost.values() for loss in losses_])
    posted = dict(zip(drafts, post_many(session, list(drafts.values())), strict=True))
    record_many(
        session,
        [
            ReservationsDisplaced(
                aggregate_id=posting_id, kind=truths[place].header.kind, displaced=tuple(map(_told, lost[place]))
            )
            for place, posting_id in posted.items()
            if isinstance(posting_id, str) and lost[place]
        ],
    )
    return [posted.get(place) for place in range(len(truths))]


def _draft(truth: Truth, movements: Sequence[Movement], lost: Sequence[Loss], levels: Levels) -> Draft:
    return Draft(
        header=truth.header,
        movements=movements,
        changes=[_change(loss) for loss in lost],
        demand=[_reopened(loss) for loss in lost if _waits_again(loss)],
        expected={key: levels[key].version for key in truth.keys},
    )


def _levels(session: Session, keys: Sequence[Key]) -> dict[Key, Level]:
    nodes = sorted({node for _, node in keys})
    found = availability.levels(session, {sku for sku, _ in keys}, nodes=nodes)
    return {key: found.get(key, Level()) for key in keys}


def _displaced(session: Session, seen: Levels, movements: Sequence[Movement]) -> Iterator[Loss]:
    lacking = {}
    for key, change in net_movements(movements).items():
        level, on_hand = seen[key], seen[key].on_hand + change.counters[ON_HAND]
        short = level.reserved - (on_hand + level.backorder_limit), level.picked - on_hand
        if change.counters[ON_HAND] < 0 and max(short) > 0:
            lacking[key] = short
    if lacking:
        claims = reservations.on_balances(session, lacking)
        for key, (reserved, picked) in lacking.items():
            yield from losses(claims[key], lacking=max(0, reserved), lacking_picked=max(0, picked))


def _lock_above(session: Session, lost: Sequence[Loss]) -> None:
    lock: Lock | None = session.info.get(BEFORE_DISPLACEMENT)
    references = sorted({loss.reservation.reference for loss in lost if _waits_again(loss)})
    if lock is not None and references:
        lock(session, references)


def _waits_again(loss: Loss) -> bool:
    return loss.reservation.purpose in WAITS_AGAIN and loss.reservation.reference != ""


def _change(loss: Loss) -> ReservationChange:
    of = loss.reservation
    return ReservationChange(sku=of.sku, id=of.id, node=of.node, picked=-loss.picked, released=loss.units)


def _reopened(loss: Loss) -> DemandChange:
    return DemandChange(loss.reservation.sku, loss.reservation.reference, loss.units)


def _told(loss: Loss) -> Displaced:
    of = loss.reservation
    return Displaced(
        reservation_id=of.id, sku=of.sku, node=of.node, reference=of.reference, purpose=of.purpose,
        units=loss.units, picked=loss.picked,
    )  # fmt: skip
