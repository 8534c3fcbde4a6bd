"""Many who hold, extend, give back and buy at the same moment: a day's minutes are promised once, and never lost."""

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from fulfillment.network import catalog, held_minutes
from fulfillment.network.models import HeldMinutes, NodeDay
from fulfillment.sourcing.commit import StalePlan
from oms import promises
from oms.commands import AskPromises, Place
from oms.errors import PromiseExpired, PromiseGone
from oms.promises import Terms
from stock import holds
from stock.errors import ClaimsChanged
from stock.holds import Term
from stock.models import Reservation
from tests.factories import BY, NOW, VAULT, command, in_order, line, place_through_doors, stock

TERM = Term(minutes=10, most_minutes=60)
TODAY, ORDER, PEOPLE = NOW.date(), 7, 6
MANY = 9000
"""Minutes of work that are no bound, and coats."""


@pytest.fixture(scope="module", autouse=True)
def coats(database):
    with database.write() as session:
        stock(session, coat=MANY)
        session.commit()


@pytest.fixture(autouse=True)
def proven(database):
    yield
    with database.read() as session:
        in_order(session)


def has_room_for(database, orders):
    """Let the warehouse have minutes for so many orders more today, and for any number on other days."""

    def change(session):
        today = (NodeDay.node == "WH") & (NodeDay.on_date == TODAY)
        claimed = session.scalar(select(NodeDay.claimed_minutes).where(today)) or 0
        catalog.set_capacity(session, "WH", TODAY, claimed + orders * ORDER)

    written(database, change)


def written(database, verb, tries=40):
    """Do something in one write transaction, again where somebody else was faster."""
    for _ in range(tries):
        with database.turn(), database.write() as session, suppress(StalePlan, ClaimsChanged, IntegrityError):
            outcome = verb(session)
            session.commit()
            return outcome
    raise AssertionError("it never got through")


def quoted(database):
    """The id of a way to have a coat sent to Madrid."""
    place = Place(country="ES", postal_code="28001")
    ask = AskPromises(channel="web", lines=(("coat", 1),), place=place, methods=("ship",), services=("standard",))
    with database.read() as session:
        answer = promises.prepare(session, ask, terms=Terms(15, 15), country="ES", vault=VAULT, now=NOW)
    written(database, lambda session: promises.write(session, answer))
    return answer.offers[0].quoted.id


def hold(database, id_):
    """Hold a way as the doors do; return the refusal, if it is one."""

    def decided_and_held(session):
        with database.read() as reading:
            prepared = promises.prepare_hold(reading, id_, now=NOW)
        return promises.hold(session, prepared, term=TERM, actor="web", now=NOW)

    try:
        return written(database, decided_and_held)
    except (PromiseGone, PromiseExpired) as refusal:
        return refusal


def bought(database, number, promise=None):
    """Place an order."""
    place_through_doors(database, command(line(), external_id=f"P-{number}", promise=promise), tries=40)


def end(database, id_):
    """Let the time of a hold be over, and sweep as the job does."""
    of_it = update(Reservation).where(Reservation.reference == id_, Reservation.purpose == "hold")
    written(database, lambda session: session.execute(of_it.values(expires_at=NOW - timedelta(days=365))))
    written(database, lambda session: holds.expire(session, limit=100))
    written(database, lambda session: held_minutes.sweep(session, limit=100))


def at_once(deeds):
    with ThreadPoolExecutor(len(deeds)) as pool:
        return [future.result() for future in [pool.submit(*deed) for deed in deeds]]


def held_in_all(database):
    with database.read() as session:
        return session.scalar(select(func.sum(HeldMinutes.minutes))) or 0


def claimed(database):
    with database.read() as session:
        return session.get_one(NodeDay, ("WH", TODAY)).claimed_minutes


def test_as_many_hold_a_day_as_it_has_minutes_for_and_each_of_them_can_buy(database):
    has_room_for(database, PEOPLE)
    ways = [quoted(database) for _ in range(PEOPLE)]
    has_room_for(database, 2)
    before = claimed(database)
    answers = at_once([(hold, database, way) for way in ways])
    refused = [way for way, answer in zip(ways, answers, strict=True) if isinstance(answer, PromiseGone)]
    assert (len(refused), held_in_all(database), claimed(database)) == (PEOPLE - 2, 2 * ORDER, before + 2 * ORDER)

    at_once([(bought, database, way, way) for way in ways])
    assert (held_in_all(database), claimed(database)) == (0, before + 2 * ORDER)


def test_one_promise_held_by_two_at_once_is_held_once(database):
    has_room_for(database, 2)
    way = quoted(database)
    at_once([(hold, database, way)] * 2)
    with database.read() as session:
        assert sum(each.units for each in holds.open_of(session, way)) == 1
    assert held_in_all(database) == ORDER
    written(database, lambda session: promises.release(session, way, **BY))
    assert held_in_all(database) == 0


def test_one_promise_bought_by_two_at_once_serves_one_of_them(database):
    has_room_for(database, 1)
    way, before = quoted(database), claimed(database)
    hold(database, way)
    at_once([(bought, database, f"{way}-{number}", way) for number in range(2)])
    assert (held_in_all(database), claimed(database)) == (0, before + ORDER)


def test_nobody_waits_in_a_circle(database):
    has_room_for(database, 3)
    ways = [quoted(database) for _ in range(4)]

    def anything(number):
        draw = random.Random(number)
        for turn in range(6):
            way = draw.choice(ways)
            deeds = {
                "hold": lambda way=way: hold(database, way),
                "release": lambda way=way: written(database, lambda s: promises.release(s, way, **BY)),
                "end": lambda way=way: end(database, way),
                "buy": lambda way=way, turn=turn: bought(database, f"any-{number}-{turn}", way),
                "order": lambda turn=turn: bought(database, f"own-{number}-{turn}"),
            }
            deeds[draw.choice(sorted(deeds))]()

    at_once([(anything, number) for number in range(PEOPLE)])
    for way in ways:
        end(database, way)
    assert held_in_all(database) == 0
