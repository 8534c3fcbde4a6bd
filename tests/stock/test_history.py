"""What was known at a position, also about a business time, never changes and is what a slow reader would say."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import text

from stock import reservations
from stock.errors import HistoryArchived, UnknownPosition
from stock.ledger import post
from stock.models import Account
from stock.past import history, positions, states
from stock.past.chronicle import MarkName, go_on
from stock.postings import Movement, Side
from stock.reservations import ReservedUnits, rebind
from tests.stock import past
from tests.stock.shelf import NOW, SKUS, SUPPLIER, claim, header

PLACES = ("MAD", "BCN", "LIS")


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """Keep states so often that short histories have many."""
    monkeypatch.setattr(states, "EVERY", 4)


def minutes(count):
    return NOW + timedelta(minutes=count)


def receive(session, units=1, *, at=0, sku="coat", node="MAD"):
    happened = header("receipt", occurred_at=minutes(at))
    return post(session, happened, [Movement(sku, units, SUPPLIER, Side(Account.ON_HAND, node))])


def on_hand(session, position, at=None):
    found = history.as_of(session, ["coat"], position=position, at=None if at is None else minutes(at))
    return {balance.node: balance.on_hand for balance in found}


def test_each_position_has_its_own_balances(session):
    for units in (5, 3, 2):
        receive(session, units)
    receive(session, 1, node="BCN")
    past.place(session)
    known = [on_hand(session, position) for position in range(5)]
    assert known == [{}, {"MAD": 5}, {"MAD": 8}, {"MAD": 10}, {"MAD": 10, "BCN": 1}]


def test_a_business_time_counts_what_had_happened_by_then(session):
    for at in (0, 10, 20, 30, 40, 50):
        receive(session, 1, at=at)
    past.place(session)
    assert [on_hand(session, 6, at)["MAD"] for at in (-1, 0, 15, 40, 99)] == [0, 1, 2, 5, 6]


def test_what_is_posted_late_changes_what_is_known_and_not_what_was(session):
    for at in range(0, 60, 5):
        receive(session, 1, at=at)
    past.place(session)
    before = positions.newest(session)
    first = [on_hand(session, before, at)["MAD"] for at in range(0, 60, 7)]
    receive(session, 100, at=21)
    for at in range(60, 90, 5):
        receive(session, 1, at=at)
    past.place(session)
    assert [on_hand(session, before, at)["MAD"] for at in range(0, 60, 7)] == first
    now = positions.newest(session)
    assert [on_hand(session, now, at)["MAD"] for at in (20, 21, 59)] == [5, 105, 112]


@pytest.mark.parametrize("late_by", [timedelta(minutes=30), timedelta(hours=5), timedelta(days=9), timedelta(days=900)])
def test_however_late_it_is_found(session, late_by):
    ends = NOW + timedelta(days=1000)
    for day in range(0, 1000, 100):
        receive(session, 1, at=day * 24 * 60)
    receive(session, 1, at=1000 * 24 * 60)
    post(session, header(occurred_at=ends - late_by), [Movement("coat", 50, SUPPLIER, Side(Account.ON_HAND, "MAD"))])
    for _ in range(9):
        receive(session, 1, at=1000 * 24 * 60 + 1)
    past.place(session)
    position = positions.newest(session)
    changes = list(past.history(session))
    for at in (ends - late_by, ends - late_by - timedelta(seconds=1), ends - timedelta(seconds=1), ends):
        known = history.as_of(session, ["coat"], position=position, at=at)
        assert past.told(known) == past.naive(changes, position, at)


def test_the_version_is_that_of_the_position_and_limits_have_no_history(session):
    for _ in range(7):
        receive(session)
    past.place(session)
    (balance,) = history.as_of(session, ["coat"], position=6)
    assert (balance.version, balance.safety_stock, balance.backorder_limit) == (6, None, None)
    (balance,) = history.as_of(session, ["coat"], position=6, at=NOW)
    assert balance.version is None


def test_a_position_to_come_is_refused(session):
    receive(session)
    past.place(session)
    assert history.position_to_read(session, None) == history.position_to_read(session, 1) == 1
    with pytest.raises(UnknownPosition) as refused:
        history.position_to_read(session, 2)
    assert refused.value.faults[0].pointer == "/position"


def test_pages_go_on_where_the_last_one_ended(session):
    for sku in SKUS:
        for node in PLACES:
            receive(session, 2, sku=sku, node=node)
    past.place(session)
    position = positions.newest(session)
    receive(session, 7)
    past.place(session)
    asked = {"sku": None, "node": None, "limit": 5, "position": position, "at": None}
    seen, after = [], None
    while True:
        page = history.page(session, after=after, **asked)
        seen += [(row.sku, row.node, row.on_hand) for row in page.rows]
        after = page.last
        if after is None:
            break
    assert seen == [(sku, node, 2) for sku in sorted(SKUS) for node in sorted(PLACES)]
    only = history.page(session, after=None, **(asked | {"sku": "hat", "node": "LIS"}))
    assert [(row.sku, row.node) for row in only.rows] == [("hat", "LIS")]


def live(session, draw):
    """Post something, early or late."""
    kind, sku, at = draw.random(), draw.choice(("coat", "hat")), draw.choice((0, 0, 0, -3, -90, -3000, -60000))
    happened = header(occurred_at=minutes(draw.clock + at))
    draw.clock += draw.choice((0, 1, 7))
    source, target = draw.sample(PLACES, 2)
    if kind < 0.4:
        post(session, happened, [Movement(sku, draw.randint(5, 9), SUPPLIER, Side(Account.ON_HAND, source))] * 2)
    elif kind < 0.6:
        shelf = Side(Account.ON_HAND, source)
        moves = [Movement(sku, 1, SUPPLIER, shelf), Movement(sku, 1, shelf, Side(Account.IN_TRANSIT, target))]
        post(session, happened, moves)
    elif kind < 0.8:
        post(session, happened, [Movement(sku, 1, SUPPLIER, Side(Account.ON_HAND, source))])
        made = rebind(session, happened, claims=[claim(sku, source, 1, f"line-{draw.random()}")])
        draw.claims.append((sku, made[0]))
    elif draw.claims:
        sku, id_ = draw.claims.pop(draw.randrange(len(draw.claims)))
        deed = draw.choice((reservations.pick, reservations.consume))
        deed(session, happened, [ReservedUnits(sku, id_, 1)])


@pytest.mark.parametrize("seed", range(6))
def test_random_histories_are_told_as_a_slow_reader_would(session, seed):
    draw = random.Random(seed)
    draw.clock, draw.claims = 0, []
    told_before = {}
    for _ in range(8):
        for _ in range(draw.randint(1, 12)):
            live(session, draw)
        past.place(session, limit=draw.choice((3, 100)))
        changes = list(past.history(session))
        position, newest = draw.randint(0, positions.newest(session)), positions.newest(session)
        times = [None, *(minutes(draw.randint(-60000, draw.clock)) for _ in range(2)), minutes(draw.clock - 5)]
        for asked in [(position, at) for at in times] + [(newest, at) for at in times]:
            told = past.told(history.as_of(session, ["coat", "hat"], position=asked[0], at=asked[1]))
            assert told == past.naive(changes, *asked)
            told_before[asked] = told
        for position_before, at in draw.sample(sorted(told_before, key=str), min(8, len(told_before))):
            again = history.as_of(session, ["coat", "hat"], position=position_before, at=at)
            assert past.told(again) == told_before[position_before, at]


def archive(session, position):
    """Do as the archive does: keep the states at a position, raise the mark, and let the entries go."""
    after = None
    while True:
        after = history.keep_states(session, position, after=after, limit=2)
        if after is None:
            break
    go_on(session, MarkName.ARCHIVED).position = position
    session.flush()
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("DROP TRIGGER stock_entry_no_delete"))
    else:
        session.execute(text("ALTER TABLE stock_entry DISABLE TRIGGER USER"))
    gone = "SELECT posting_id FROM posting_position WHERE position <= :position"
    session.execute(text(f"DELETE FROM stock_entry WHERE posting_id IN ({gone})"), {"position": position})


@pytest.mark.parametrize("seed", range(4))
def test_history_goes_on_from_where_it_was_archived(session, seed):
    draw = random.Random(seed)
    draw.clock, draw.claims = 0, []
    for _ in range(60):
        live(session, draw)
    past.place(session)
    changes = list(past.history(session))
    frontier = draw.randint(10, 50)
    archive(session, frontier)
    latest = max(occurred_at for position, occurred_at, *_ in changes if position <= frontier)
    for position in range(frontier, positions.newest(session) + 1):
        for at in (None, latest, latest + timedelta(minutes=3), minutes(draw.clock)):
            told = past.told(history.as_of(session, ["coat", "hat"], position=position, at=at))
            assert told == past.naive(changes, position, at)


def test_what_was_archived_is_refused_and_not_made_up(session):
    for at in range(10):
        receive(session, 1, at=at)
    past.place(session)
    archive(session, 6)
    with pytest.raises(HistoryArchived):
        history.as_of(session, ["coat"], position=5)
    with pytest.raises(HistoryArchived):
        history.as_of(session, ["coat"], position=9, at=minutes(4))
    assert on_hand(session, 6) == {"MAD": 6}
