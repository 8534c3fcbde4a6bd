"""Two people at the same moment: one of them gets it, the other is told, and nothing is counted twice."""

import threading

import pytest

from fulfillment.work import cancelling, collecting, picking, shipping
from fulfillment.work.models import DemandLine, FulfillmentOrder, Method, Status
from kernel.db import connect
from kernel.errors import Conflict
from kernel.ids import new_id
from tests.fulfillment.work.floor import BY, bring, in_order, lay_out, line, ordered

ROUNDS = 5


@pytest.fixture(scope="module")
def database(postgresql_url):
    opened = connect(postgresql_url)
    with opened.write() as session:
        lay_out(session)
        session.commit()
    yield opened
    opened.dispose()


def prepare(database, status, method=Method.SHIP, **units):
    """Return the ids of a committed order at a status, of its line and of its demand line."""
    with database.write() as session:
        fo = bring(session, ordered(session, method=method, **units), status)
        (sku,) = units
        ids = fo.id, line(fo, sku).id, line(fo, sku).demand_line_id
        session.commit()
    return ids


def together(database, *verbs):
    """Run each verb in a transaction of its own, all at once; return what each gave, an error's name if it refused."""
    barrier, answers = threading.Barrier(len(verbs)), [None] * len(verbs)

    def run(place, verb):
        with database.write() as session:
            barrier.wait()
            try:
                answers[place] = verb(session)
                session.commit()
            except Conflict as refusal:
                session.rollback()
                answers[place] = type(refusal).__name__

    threads = [threading.Thread(target=run, args=(place, verb)) for place, verb in enumerate(verbs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    with database.write() as session:
        in_order(session)
    return answers


@pytest.mark.parametrize("_", range(ROUNDS))
@pytest.mark.postgres
def test_the_same_scan_sent_twice_at_once_counts_once(database, _):
    fo_id, _line_id, _demand_line_id = prepare(database, Status.PICKING, coat=2)
    scan_id = new_id()

    def scan(session):
        return picking.scan(session, fo_id, scan_id=scan_id, code="coat", **BY).counted

    assert sorted(together(database, scan, scan)) == [False, True]


@pytest.mark.parametrize("_", range(ROUNDS))
@pytest.mark.postgres
def test_an_order_is_shipped_or_cancelled_but_never_both(database, _):
    fo_id, _line_id, demand_line_id = prepare(database, Status.PACKED, coat=1)
    answers = together(
        database,
        lambda session: shipping.ship(session, fo_id, **BY).tracking_number,
        lambda session: cancelling.cancel_units(session, lines={demand_line_id: 1}, reason="late", **BY).units,
    )
    with database.read() as session:
        status, left = session.get(FulfillmentOrder, fo_id).status, session.get(DemandLine, demand_line_id)
        assert (status, left.units, left.fulfilled) in {(Status.SHIPPED, 1, 1), (Status.CANCELLED, 0, 0)}
    assert (
        sum(answer in {"NotPossibleNow", "LinesAlreadyShipped"} for answer in answers if isinstance(answer, str)) == 1
    )


@pytest.mark.parametrize("_", range(ROUNDS))
@pytest.mark.postgres
def test_an_order_is_handed_over_once(database, _):
    fo_id, *_ids = prepare(database, Status.READY, Method.COLLECT, coat=1)

    def hand_over(session):
        return collecting.hand_over(session, fo_id, identified_by="passport", **BY).status

    assert sorted(together(database, hand_over, hand_over)) == ["AlreadyShipped", Status.HANDED_OVER]


@pytest.mark.parametrize("_", range(ROUNDS))
@pytest.mark.postgres
def test_two_people_who_start_picking_share_the_work(database, _):
    orders = {prepare(database, Status.ALLOCATED, coat=1)[0] for _ in range(2)}

    def propose(session):
        return picking.propose(session, "MAD", max_orders=1, **BY).id

    answers = together(database, propose, propose)
    with database.read() as session:
        lists = {session.get(FulfillmentOrder, fo_id).pick_list_id for fo_id in orders}
    assert lists == set(answers)
    assert len(lists) == 2
