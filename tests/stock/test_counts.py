"""Counting posts differences, whatever moved while it was counted and until it is posted."""

from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import select

from kernel import states
from kernel.events import OutboxEvent
from kernel.states import IllegalTransition
from stock import adjustments, catalog, feeds, receipts, reservations, sales, shorts
from stock.counting import counts, opening, report, rules, sessions
from stock.counting.documents import (
    COUNT_TRANSITIONS,
    SESSION_TRANSITIONS,
    TASK_TRANSITIONS,
    Count,
    CountHistory,
    CountLine,
    CountStatus,
    CountTally,
    SessionStatus,
    TaskStatus,
)
from stock.counting.errors import (
    CountedBefore,
    CountIncomplete,
    CountUndecided,
    FourEyes,
    NotBeingCounted,
    NothingToCount,
    NotInReview,
    NotYourSession,
    ScanReused,
    SessionEnded,
    SessionsUnderWay,
    ShelfTaken,
    UnknownCode,
    UnknownRound,
)
from stock.counting.rules import Rule
from stock.errors import InvalidUnits, UnknownDocument, UnknownReason, UnknownStock
from stock.models import Article
from stock.reservations import ReservedUnits, rebind
from stock.rows import PlacementRow
from tests.stock.shelf import NOW, claim, counters, header, reservation, stock

BY = {"actor": "counter", "now": NOW}
ANA, BEN = {"actor": "ana", "now": NOW}, {"actor": "ben", "now": NOW}
CHIEF = {"actor": "chief", "now": NOW}


def opened(session, *skus):
    return opening.open_count(session, node="MAD", skus=skus or ("coat",), **CHIEF)


def counted(session, **results):
    """Count the shelf in Madrid and hand the count in."""
    count = opened(session, *results)
    for sku, units in results.items():
        counts.record(session, count.id, sku=sku, units=units, **BY)
    return counts.submit(session, count.id, **BY)


def finds(session, count, who, sku="coat", *, shelf=None, units=1):
    own = sessions.begin(session, count.id, **who)
    return sessions.record(session, own.id, sku=sku, units=units, shelf=shelf, **who)


def hands_in(session, count, who):
    own = sessions.begin(session, count.id, **who)
    return counts.hand_in(session, own.id, **who)


def tally(session, count, sku="coat", round_=1):
    return session.get(CountTally, (count.id, sku, round_), populate_existing=True)


def sell(session, units, sku="coat"):
    sales.sell(session, node="MAD", lines=[(sku, units)], reference="t", actor="till", occurred_at=NOW)


def place(session, **shelves):
    catalog.put_placements(session, [PlacementRow(sku=sku, node="MAD", shelf=shelf) for sku, shelf in shelves.items()])


# What is posted


def test_a_count_posts_the_differences(session):
    stock(session, coat_MAD=5, hat_MAD=2, scarf_MAD=1)
    count = counted(session, coat=4, hat=3, scarf=1)
    assert counts.post(session, count.id, **BY) is not None
    assert counters(session, "coat", "MAD") == {"on_hand": 4}
    assert counters(session, "hat", "MAD") == {"on_hand": 3}
    told = session.scalar(select(OutboxEvent.payload).where(OutboxEvent.type == "count.differences_posted"))
    assert told["differences"] == [["coat", -1], ["hat", 1]]


def test_a_count_that_was_right_posts_nothing(session):
    stock(session, coat_MAD=5)
    count = counted(session, coat=5)
    assert counts.post(session, count.id, **BY) is None
    assert count.status == "posted"


def test_units_in_totes_are_not_expected_on_the_shelf(session):
    stock(session, coat_MAD=5)
    (id_,) = rebind(session, header(), claims=[claim(units=2)])
    reservations.pick(session, header(), [ReservedUnits("coat", id_, 2)])
    count = counted(session, coat=3)
    assert tally(session, count).expected == 3
    counts.post(session, count.id, **BY)
    assert counters(session, "coat", "MAD") == {"on_hand": 5, "reserved": 2, "picked": 2}


def test_what_moves_between_counting_and_posting_stays(session):
    stock(session, coat_MAD=5)
    count = counted(session, coat=4)
    sell(session, 2)
    counts.post(session, count.id, **BY)
    assert counters(session, "coat", "MAD") == {"on_hand": 2}


def test_no_more_goes_than_the_shelf_still_holds(session):
    stock(session, coat_MAD=5)
    count = counted(session, coat=0)
    sell(session, 3)
    counts.post(session, count.id, **BY)
    assert counters(session, "coat", "MAD") == {}


def test_a_count_displaces_reservations(session):
    stock(session, coat_MAD=2)
    (id_,) = rebind(session, header(), claims=[claim(units=2)])
    counts.post(session, counted(session, coat=1).id, **BY)
    assert reservation(session, id_) == (2, 0, 0, 1)


def test_a_count_is_posted_once(session):
    count = counted(session, coat=1)
    counts.post(session, count.id, **BY)
    with pytest.raises(NotInReview):
        counts.post(session, count.id, **BY)
    with pytest.raises(IllegalTransition):
        counts.void(session, count.id, **BY)
    with pytest.raises(NotBeingCounted):
        counts.submit(session, count.id, **BY)


# Several counters, and stock that moves between them


def test_results_of_shelves_and_sessions_add_up(session):
    stock(session, coat_MAD=9)
    count = opened(session)
    finds(session, count, ANA, shelf="A-01", units=4)
    finds(session, count, BEN, shelf="B-01", units=3)
    finds(session, count, BEN, shelf="B-02", units=2)
    assert hands_in(session, count, ANA).status == "counting"
    assert hands_in(session, count, BEN).status == "review"
    assert counts.post(session, count.id, **CHIEF) is None


def test_the_same_counter_on_the_same_shelf_replaces(session):
    stock(session, coat_MAD=5)
    count = opened(session)
    finds(session, count, ANA, shelf="A-01", units=4)
    finds(session, count, BEN, shelf="B-01", units=0)
    hands_in(session, count, ANA)
    finds(session, count, ANA, shelf="A-01", units=5)
    hands_in(session, count, ANA)
    hands_in(session, count, BEN)
    assert tally(session, count).counted == 5


def test_a_named_shelf_is_counted_by_one_person(session):
    count = opened(session)
    finds(session, count, ANA, shelf="A-01", units=4)
    with pytest.raises(ShelfTaken) as refused:
        finds(session, count, BEN, shelf="A-01", units=4)
    assert refused.value.counter == "ana"
    own = sessions.begin(session, count.id, **ANA)
    assert sessions.discard(session, own.id, **CHIEF).ended_by == "chief"
    assert finds(session, count, BEN, shelf="A-01", units=4).units == 4


@pytest.mark.parametrize(
    ("sold_before", "found", "left"),
    [
        (False, 5, 4),  # the sold unit lay on a shelf that had been counted already
        (False, 4, 4),  # or on the one that was counted afterwards
        (False, 3, 3),  # one is missing, whichever it was
        (False, 6, 5),  # one is too many
        (True, 4, 4),
        (True, 3, 3),
    ],
)
def test_a_sale_between_two_sessions_accuses_nobody(session, sold_before, found, left):
    stock(session, coat_MAD=5)
    count = opened(session)
    if sold_before:
        sell(session, 1)
    finds(session, count, ANA, shelf="A-01", units=2)
    if not sold_before:
        sell(session, 1)
    finds(session, count, BEN, shelf="B-01", units=found - 2)
    hands_in(session, count, ANA)
    hands_in(session, count, BEN)
    counts.post(session, count.id, **CHIEF)
    assert counters(session, "coat", "MAD") == {"on_hand": left}


def test_moves_in_both_directions_widen_what_is_right(session):
    stock(session, coat_MAD=10)
    (id_,) = rebind(session, header(), claims=[claim(units=3)])
    count = opened(session)
    finds(session, count, ANA, shelf="A-01", units=5)
    sell(session, 2)
    reservations.pick(session, header(), [ReservedUnits("coat", id_, 3)])
    reservations.consume(session, header("ship"), [ReservedUnits("coat", id_, 1)])
    receipts.receive(session, header("receipt"), [("MAD", "coat", 4)])
    finds(session, count, BEN, shelf="B-01", units=5)
    hands_in(session, count, ANA)
    hands_in(session, count, BEN)
    seen = tally(session, count)
    # A unit that is shipped out of its tote left the shelf when it was picked.
    assert (seen.low, seen.high, seen.difference) == (10 - 2 - 3, 10 + 4, 0)


def test_scans_of_one_shelf_allow_for_what_moved_between_them(session):
    stock(session, coat_MAD=3)
    count = opened(session)
    own = sessions.begin(session, count.id, **ANA)
    sessions.scan(session, own.id, scan_id="m-1", code="coat", **ANA)
    sell(session, 1)
    sessions.scan(session, own.id, scan_id="m-2", code="coat", **ANA)
    counts.hand_in(session, own.id, **ANA)
    assert (tally(session, count).low, tally(session, count).high) == (2, 3)


# What others corrected in between


def test_two_counts_of_the_same_missing_unit_correct_it_once(session):
    stock(session, coat_MAD=5)
    first, second = counted(session, coat=4), counted(session, coat=4)
    counts.post(session, first.id, **BY)
    assert counts.post(session, second.id, **BY) is None
    assert counters(session, "coat", "MAD") == {"on_hand": 4}


def test_an_older_count_does_not_undo_a_newer_one(session):
    stock(session, coat_MAD=5)
    older = counted(session, coat=3)
    count = opened(session)
    counts.record(session, count.id, sku="coat", units=5, actor="ana", now=NOW + timedelta(hours=1))
    counts.submit(session, count.id, **ANA)
    assert counts.post(session, count.id, **CHIEF) is None
    assert counts.post(session, older.id, **CHIEF) is None
    assert counters(session, "coat", "MAD") == {"on_hand": 5}


@pytest.mark.parametrize("found", [3, 4])
def test_a_unit_missed_at_a_pick_is_not_missed_again_by_the_count(session, found):
    stock(session, coat_MAD=5)
    count = counted(session, coat=found)
    shorts.short(session, header("short_pick"), sku="coat", node="MAD", units=1, reason="not_found")
    counts.post(session, count.id, **BY)
    assert counters(session, "coat", "MAD") == {"on_hand": found}


def test_a_unit_that_broke_after_the_count_is_no_correction(session):
    stock(session, coat_MAD=5)
    count = counted(session, coat=4)
    adjustments.adjust(session, node="MAD", sku="coat", units=-1, reason="damage", **BY)
    counts.post(session, count.id, **BY)
    assert counters(session, "coat", "MAD") == {"on_hand": 3, "damaged": 1}


def test_a_unit_found_by_the_till_is_not_found_again_by_the_count(session):
    stock(session, coat_MAD=2)
    count = counted(session, coat=3)
    sell(session, 3)
    counts.post(session, count.id, **BY)
    assert counters(session, "coat", "MAD") == {}


@pytest.mark.parametrize(("minutes", "left"), [(-5, 4), (5, 3)])
def test_an_absolute_feed_counts_as_a_look_of_its_own_moment(session, minutes, left):
    stock(session, coat_MAD=5)
    count = counted(session, coat=4)
    taken_at = NOW + timedelta(minutes=minutes)
    feeds.absolute(
        session, node="MAD", rows=[("coat", 3)], as_of=taken_at, reference="f", actor="erp",
        now=NOW + timedelta(minutes=9),
    )  # fmt: skip
    counts.post(session, count.id, **BY)
    assert counters(session, "coat", "MAD") == {"on_hand": left}


def test_a_back_dated_count_takes_effect_where_it_is_posted(session):
    """A stock-take with a business time of yesterday changes what is there now, by its difference, never below zero."""
    stock(session, coat_MAD=5)
    yesterday = {"actor": "counter", "now": NOW - timedelta(days=1)}
    count = opened(session)
    counts.record(session, count.id, sku="coat", units=2, **yesterday)
    counts.submit(session, count.id, **yesterday)
    sell(session, 4)
    counts.post(session, count.id, **yesterday)
    assert counters(session, "coat", "MAD") == {}


# What is counted


def test_an_article_that_nobody_asked_for_is_counted_too(session):
    count = opened(session)
    counts.record(session, count.id, sku="hat", units=2, **BY)
    with pytest.raises(CountIncomplete) as refused:
        counts.submit(session, count.id, **BY)
    assert [fault.pointer for fault in refused.value.faults] == ["/lines/coat"]
    own = sessions.begin(session, count.id, **BY)
    sessions.record_none(session, own.id, ["coat"], **BY)
    counts.submit(session, count.id, **BY)
    counts.post(session, count.id, **BY)
    assert counters(session, "hat", "MAD") == {"on_hand": 2}
    assert not session.get(CountLine, (count.id, "hat")).asked


def test_confirming_none_leaves_alone_what_was_found(session):
    count = opened(session, "coat", "hat")
    finds(session, count, ANA, "coat", units=2)
    own = sessions.begin(session, count.id, **ANA)
    sessions.record_none(session, own.id, ["coat", "hat"], **ANA)
    counts.hand_in(session, own.id, **ANA)
    assert (tally(session, count).counted, tally(session, count, "hat").counted) == (2, 0)


def test_an_area_has_all_that_lies_there(session):
    place(session, coat="A-01", hat="A-02", scarf="B-01")
    stock(session, boots_MAD=1)
    area = opening.open_area(session, node="MAD", shelf_from="A-01", shelf_to="A-99", **CHIEF)
    assert [(line.sku, line.shelf) for line in area.lines] == [("coat", "A-01"), ("hat", "A-02")]
    whole = opening.open_area(session, node="MAD", **CHIEF)
    assert [(line.sku, line.shelf) for line in whole.lines] == [
        ("boots", None), ("coat", "A-01"), ("hat", "A-02"), ("scarf", "B-01"),
    ]  # fmt: skip
    shelves = opening.open_shelves(session, node="MAD", shelves=["B-01", "Z-99"], **CHIEF)
    assert [line.sku for line in shelves.lines] == ["scarf"]
    with pytest.raises(NothingToCount):
        opening.open_area(session, node="MAD", shelf_from="Z", **CHIEF)
    with pytest.raises(NothingToCount):
        opening.open_shelves(session, node="MAD", shelves=["Z-99"], **CHIEF)


def test_a_count_names_what_exists(session):
    with pytest.raises(UnknownStock):
        opened(session, "unicorn")
    with pytest.raises(UnknownReason):
        opening.open_count(session, node="MAD", skus=["coat"], reason="mood", **BY)
    count = opened(session)
    with pytest.raises(InvalidUnits):
        counts.record(session, count.id, sku="coat", units=-1, **BY)
    with pytest.raises(UnknownStock):
        counts.record(session, count.id, sku="unicorn", units=1, **BY)
    for verb in (counts.void, counts.submit, counts.post):
        with pytest.raises(UnknownDocument):
            verb(session, "none", **BY)
    with pytest.raises(UnknownDocument):
        counts.hand_in(session, "none", **BY)


# Sessions


def test_scans_add_up_and_each_counts_once(session):
    session.get_one(Article, "coat").gtin = "8412345000010"
    place(session, coat="A-01")
    count = opened(session)
    own = sessions.begin(session, count.id, **ANA)
    with_zero = ("s-2", "08412345000010")
    for scan_id, code in (("s-1", "8412345000010"), with_zero, with_zero, ("s-3", "coat")):
        scanned = sessions.scan(session, own.id, scan_id=scan_id, code=code, **ANA)
    assert (scanned.result.units, scanned.result.shelf) == (3, "A-01")
    assert not sessions.scan(session, own.id, scan_id="s-3", code="coat", **ANA).counted
    with pytest.raises(ScanReused):
        sessions.scan(session, own.id, scan_id="s-1", code="hat", **ANA)
    with pytest.raises(UnknownCode):
        sessions.scan(session, own.id, scan_id="s-9", code="4711", **ANA)


def test_a_shelf_is_counted_from_the_beginning(session):
    count = opened(session)
    own = sessions.begin(session, count.id, **ANA)
    sessions.scan(session, own.id, scan_id="n-1", code="coat", shelf="A-01", **ANA)
    assert sessions.forget_shelf(session, own.id, shelf="A-01", actor="ana") == 1
    scanned = sessions.scan(session, own.id, scan_id="n-1", code="coat", shelf="A-01", **ANA)
    assert (scanned.counted, scanned.result.units) == (True, 1)


def test_a_session_is_one_persons_and_ends_once(session):
    count = opened(session, "coat", "hat")
    own = sessions.begin(session, count.id, **ANA)
    assert sessions.begin(session, count.id, **ANA).id == own.id
    with pytest.raises(NotYourSession):
        sessions.record(session, own.id, sku="coat", units=1, **BEN)
    finds(session, count, BEN, units=1)
    with pytest.raises(SessionsUnderWay) as refused:
        counts.submit(session, count.id, **BEN)
    assert refused.value.counters == "ana"
    counts.hand_in(session, own.id, **ANA)
    with pytest.raises(SessionEnded):
        sessions.record(session, own.id, sku="coat", units=1, **ANA)
    with pytest.raises(IllegalTransition):
        counts.hand_in(session, own.id, **ANA)


def test_nothing_is_counted_for_a_count_that_is_over(session):
    count = opened(session)
    own = sessions.begin(session, count.id, **ANA)
    counts.void(session, count.id, **CHIEF)
    for verb in (
        lambda: sessions.begin(session, count.id, **BEN),
        lambda: sessions.record(session, own.id, sku="coat", units=1, **ANA),
        lambda: sessions.discard(session, own.id, **ANA),
        lambda: counts.hand_in(session, own.id, **ANA),
    ):
        with pytest.raises(NotBeingCounted):
            verb()


# Second counts and review


def large_difference(session):
    """A count of which Ana found ten units too few."""
    stock(session, coat_MAD=20, hat_MAD=1)
    count = opened(session, "coat", "hat")
    finds(session, count, ANA, units=10)
    finds(session, count, ANA, "hat", units=1)
    return hands_in(session, count, ANA)


def test_a_large_difference_is_counted_again_by_somebody_else(session):
    count = large_difference(session)
    assert (count.status, count.round, counts.uncounted(session, count)) == ("counting", 2, ["coat"])
    with pytest.raises(CountedBefore):
        sessions.begin(session, count.id, **ANA)
    finds(session, count, BEN, units=10)
    assert hands_in(session, count, BEN).status == "review"
    counts.post(session, count.id, **BEN)
    assert counters(session, "coat", "MAD") == {"on_hand": 10}


def test_rounds_that_disagree_are_decided_by_the_reviewer(session):
    count = large_difference(session)
    finds(session, count, BEN, units=19)
    hands_in(session, count, BEN)
    with pytest.raises(CountUndecided) as refused:
        counts.post(session, count.id, **CHIEF)
    assert [fault.pointer for fault in refused.value.faults] == ["/lines/coat"]
    with pytest.raises(UnknownRound):
        counts.review(session, count.id, accept={"coat": 3}, **CHIEF)
    with pytest.raises(UnknownRound):
        counts.review(session, count.id, recount=["unicorn"], **CHIEF)
    counts.review(session, count.id, accept={"coat": 2}, **CHIEF)
    counts.post(session, count.id, **CHIEF)
    assert counters(session, "coat", "MAD") == {"on_hand": 19}
    assert session.get(CountLine, (count.id, "coat")).accepted_by == "chief"


def test_the_reviewer_has_it_counted_once_more(session):
    count = large_difference(session)
    finds(session, count, BEN, units=19)
    hands_in(session, count, BEN)
    counts.review(session, count.id, recount=["coat"], **CHIEF)
    assert (count.status, count.round) == ("counting", 3)
    finds(session, count, CHIEF, units=19)
    assert hands_in(session, count, CHIEF).status == "review"
    assert session.get(CountLine, (count.id, "coat")).accepted_round == 3


def test_nobody_posts_a_large_difference_that_only_they_have_seen(session):
    count = large_difference(session)
    own = sessions.begin(session, count.id, alone=True, **ANA)
    sessions.record(session, own.id, sku="coat", units=10, **ANA)
    counts.hand_in(session, own.id, **ANA)
    with pytest.raises(FourEyes):
        counts.post(session, count.id, **ANA)
    rules.put(session, "MAD", Rule(four_eyes=False))
    assert counts.post(session, count.id, **ANA) is not None


def test_the_rule_of_a_node_says_what_is_large(session):
    assert rules.rule_of(session, "MAD") == Rule()
    rules.put(session, rules.EVERYWHERE, Rule(recount_units=1))
    rules.put(session, "BCN", Rule(recount_units=50, recount_value_minor=1_000))
    assert rules.rule_of(session, "MAD").recount_units == 1
    assert rules.rule_of(session, "BCN").wants_second(1, -1_001)
    assert not rules.rule_of(session, "BCN").wants_second(-50, 1_000)
    with pytest.raises(UnknownStock):
        rules.put(session, "XXX", Rule())


def test_a_difference_of_great_value_is_large(session):
    session.get_one(Article, "coat").unit_cost_minor = 30_000
    stock(session, coat_MAD=2)
    count = opened(session)
    finds(session, count, ANA, units=1)
    assert hands_in(session, count, ANA).round == 2


# What people see, and states


def test_who_counts_is_told_nothing_of_what_should_be_there(session):
    count = large_difference(session)
    blind = report.view(session, count, blind=True)
    assert [(line.counted, line.tallies, line.standing) for line in blind.lines] == [(False, None, None)] * 2
    assert [own.units for own in blind.sessions] == [None]
    seeing = report.view(session, count, blind=False)
    assert [(line.sku, line.standing.difference) for line in seeing.lines] == [("coat", -10), ("hat", 0)]
    assert seeing.lines[0].tallies[0].counters == ("ana",)
    assert report.progress(session, [count.id])[count.id] == report.Progress(wanted=1, counted=0)


def test_each_step_has_an_author(session):
    count = counted(session, coat=0)
    counts.post(session, count.id, **CHIEF)
    steps = session.scalars(select(CountHistory).where(CountHistory.count_id == count.id).order_by(CountHistory.id))
    assert [(step.to_status, step.actor) for step in steps] == [
        ("open", "chief"), ("counting", "counter"), ("review", "counter"), ("posted", "chief"),
    ]  # fmt: skip
    assert session.get(Count, count.id).version == 4


@pytest.mark.parametrize(
    ("table", "current", "target"),
    [
        (table, current, target)
        for table, members in (
            (COUNT_TRANSITIONS, CountStatus), (SESSION_TRANSITIONS, SessionStatus), (TASK_TRANSITIONS, TaskStatus),
        )
        for current, target in product(members, repeat=2)
    ],
)  # fmt: skip
def test_only_steps_in_the_table_are_taken(table, current, target):
    allowed = target in table[current]
    try:
        states.advance(table, current, target, what="It")
    except IllegalTransition:
        assert not allowed
    else:
        assert allowed
