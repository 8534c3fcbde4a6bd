"""An event is stored with its effect, handed to the handlers of the house, and read by the outside in one order."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

import pytest
from sqlalchemy import func, select

from kernel import events
from kernel.events import Event, OutboxEvent, OutboxPosition, OutboxQueue
from kernel.ids import new_id


@dataclass(frozen=True, kw_only=True)
class ParcelWeighed(Event):
    aggregate: ClassVar[str] = "parcel"
    verb: ClassVar[str] = "weighed"
    grams: int
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ParcelClosed(Event):
    aggregate: ClassVar[str] = "parcel"
    verb: ClassVar[str] = "closed"


@dataclass(frozen=True, kw_only=True)
class ParcelSeen(Event):
    aggregate: ClassVar[str] = "parcel"
    verb: ClassVar[str] = "seen"
    at: tuple[datetime, ...]


@pytest.fixture
def session(database):
    with database.write() as opened:
        yield opened


def stored(session, aggregate_id):
    rows = select(OutboxEvent).where(OutboxEvent.aggregate_id == aggregate_id).order_by(OutboxEvent.sequence)
    return list(session.scalars(rows))


def place_everything(session):
    while events.place(session, limit=100):
        pass


def test_an_event_is_stored_by_its_name_with_its_values(session):
    parcel = new_id()
    events.record(session, ParcelWeighed(aggregate_id=parcel, grams=420, codes=("a", "b")))
    (event,) = stored(session, parcel)
    assert event.type == "parcel.weighed"
    assert event.payload == {"grams": 420, "codes": ["a", "b"]}


def test_instants_inside_an_event_are_written_as_text(session):
    parcel = new_id()
    events.record(session, ParcelSeen(aggregate_id=parcel, at=(datetime(2026, 7, 1, 9, 30, tzinfo=UTC),)))
    assert stored(session, parcel)[0].payload == {"at": ["2026-07-01T09:30:00+00:00"]}


def test_sequences_are_dense_per_aggregate(session):
    one, other = new_id(), new_id()
    for parcel in (one, other, one, one):
        events.record(session, ParcelClosed(aggregate_id=parcel))
    assert [event.sequence for event in stored(session, one)] == [1, 2, 3]
    assert [event.sequence for event in stored(session, other)] == [1]


def test_events_told_together_are_stored_in_their_order_and_handed_over_one_by_one(session):
    one, other = new_id(), new_id()
    events.record(session, ParcelClosed(aggregate_id=one))
    heard = []
    session.info[events.HANDLERS] = {ParcelWeighed: (lambda _, event: heard.append(event.grams),)}
    told = [ParcelWeighed(aggregate_id=parcel, grams=n) for n, parcel in enumerate((one, other, one))]
    events.record_many(session, told)
    assert [event.payload.get("grams") for event in stored(session, one)] == [None, 0, 2]
    assert [event.sequence for event in stored(session, one)] == [1, 2, 3]
    assert [event.sequence for event in stored(session, other)] == [1]
    assert heard == [0, 1, 2]


def test_an_event_waits_in_the_queue_until_it_has_its_position(session):
    place_everything(session)
    events.record_many(session, [ParcelClosed(aggregate_id=new_id()) for _ in range(3)])
    assert events.place(session, limit=2) == 2
    assert session.scalar(select(func.count()).select_from(OutboxQueue)) == 1
    assert events.place(session, limit=2) == 1
    assert session.scalar(select(func.count()).select_from(OutboxQueue)) == 0


def test_events_of_one_type_are_read_by_themselves(session):
    place_everything(session)
    last = session.scalar(select(func.coalesce(func.max(OutboxPosition.position), 0)))
    parcel = new_id()
    events.record_many(
        session, [ParcelClosed(aggregate_id=parcel), ParcelWeighed(aggregate_id=parcel, grams=1)]
    )  # fmt: skip
    place_everything(session)
    read = events.after(session, last, limit=10, type="parcel.weighed")
    assert [(position, event.type) for position, event in read] == [(last + 2, "parcel.weighed")]


def test_what_is_rolled_back_was_never_news(database):
    parcel = new_id()
    with database.write() as session:
        events.record(session, ParcelClosed(aggregate_id=parcel))
        session.rollback()
        assert stored(session, parcel) == []


def test_handlers_of_this_event_run_in_the_same_transaction_in_their_order(session):
    heard = []
    handlers = {
        ParcelWeighed: (lambda _, event: heard.append(("first", event.grams)), lambda *_: heard.append(("second", 0))),
        ParcelClosed: (lambda *_: heard.append(("other", 0)),),
    }
    session.info[events.HANDLERS] = handlers
    events.record(session, ParcelWeighed(aggregate_id=new_id(), grams=7))
    assert heard == [("first", 7), ("second", 0)]


def test_a_handler_that_fails_fails_the_unit(session):
    def refuse(_session, _event):
        raise RuntimeError

    session.info[events.HANDLERS] = {ParcelClosed: (refuse,)}
    with pytest.raises(RuntimeError):
        events.record(session, ParcelClosed(aggregate_id=new_id()))


def test_positions_are_dense_given_once_and_keep_the_order_of_each_aggregate(session):
    place_everything(session)
    last = session.scalar(select(func.coalesce(func.max(OutboxPosition.position), 0)))
    parcels = [new_id(), new_id()]
    for parcel in parcels * 3:
        events.record(session, ParcelClosed(aggregate_id=parcel))
    assert events.place(session, limit=4) == 4
    assert events.place(session, limit=4) == 2
    assert events.place(session, limit=4) == 0
    read = events.after(session, last, limit=10)
    assert [position for position, _ in read] == list(range(last + 1, last + 7))
    for parcel in parcels:
        assert [event.sequence for _, event in read if event.aggregate_id == parcel] == [1, 2, 3]


def test_reading_goes_on_after_a_position(session):
    place_everything(session)
    last = session.scalar(select(func.coalesce(func.max(OutboxPosition.position), 0)))
    for _ in range(3):
        events.record(session, ParcelClosed(aggregate_id=new_id()))
    place_everything(session)
    assert [position for position, _ in events.after(session, last + 1, limit=1)] == [last + 2]
    assert events.after(session, last + 3, limit=10) == []
