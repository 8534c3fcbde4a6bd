"""What is physically there is posted whatever the ledger believed, and reservations give way in their order."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from kernel.events import HANDLERS
from stock import adjustments, feeds, receipts, reservations, returns, sales, shorts
from stock.displacement import BEFORE_DISPLACEMENT
from stock.errors import InsufficientStock, InvalidUnits, UnknownReason, UnknownStock
from stock.events import ReservationsDisplaced
from stock.models import OpenDemand, StockBalance, StockEntry
from stock.reservations import ReservedUnits, rebind
from tests.stock.shelf import NOW, claim, counters, header, reservation, stock

BY = {"actor": "till", "now": NOW}


@pytest.fixture
def news(session):
    """The displacements that handlers inside the house are told of."""
    told = []
    session.info[HANDLERS] = {ReservationsDisplaced: (lambda _session, event: told.append(event),)}
    yield told
    session.info.clear()


def reserve(session, **fields):
    (id_,) = rebind(session, header(), claims=[claim(**fields)], floors=None)
    return id_


def sell(session, units, *, sku="coat", at=NOW):
    return sales.sell(session, node="MAD", lines=[(sku, units)], reference="ticket", actor="till", occurred_at=at)


def waiting(session):
    return {row.reference: row.units for row in session.scalars(select(OpenDemand))}


def accounts(session, posting_id):
    columns = (StockEntry.from_account, StockEntry.to_account, StockEntry.units)
    return [tuple(row) for row in session.execute(
        select(*columns).where(StockEntry.posting_id == posting_id).order_by(StockEntry.line)
    )]  # fmt: skip


def test_a_receipt_takes_several_nodes_and_names_every_bad_line(session):
    receipts.receive(session, header("receipt"), [("MAD", "coat", 3), ("BCN", "coat", 2), ("MAD", "coat", 1)])
    assert counters(session, "coat", "MAD") == {"on_hand": 4}
    with pytest.raises(InvalidUnits) as refused:
        receipts.receive(session, header("receipt"), [("MAD", "coat", 0), ("MAD", "coat", 1), ("MAD", "coat", 10**9)])
    assert [fault.pointer for fault in refused.value.faults] == ["/lines/0/units", "/lines/2/units"]


def test_a_sale_takes_from_the_shelf(session):
    stock(session, coat_MAD=5)
    assert accounts(session, sell(session, 2)) == [("on_hand", "customer", 2)]


def test_a_sale_of_what_the_ledger_lacks_posts_the_difference_first(session):
    stock(session, coat_MAD=1)
    assert accounts(session, sell(session, 3)) == [("adjustment", "on_hand", 2), ("on_hand", "customer", 3)]
    assert counters(session, "coat", "MAD") == {}


def test_a_sale_never_takes_what_is_in_a_tote(session, news):
    stock(session, coat_MAD=2)
    id_ = reserve(session, units=2)
    reservations.pick(session, header(), [ReservedUnits("coat", id_, 2)])
    sell(session, 1)
    assert counters(session, "coat", "MAD") == {"on_hand": 2, "reserved": 2, "picked": 2}
    assert news == []


def test_a_sale_of_the_last_unit_displaces_its_reservation(session, news):
    stock(session, coat_MAD=1)
    id_ = reserve(session, reference="line-1")
    sell(session, 1)
    assert reservation(session, id_) == (1, 0, 0, 1)
    assert waiting(session) == {"line-1": 1}
    (event,) = news
    (lost,) = event.displaced
    assert (event.kind, lost.reservation_id, lost.units, lost.picked, lost.purpose) == ("sale", id_, 1, 0, "order")


def test_the_lowest_rank_loses_first_then_the_youngest(session, news):
    stock(session, coat_MAD=4)
    ids = [reserve(session, reference=f"line-{n}", rank=rank) for n, rank in enumerate((1, 0, 0, 1))]
    sell(session, 3)
    assert [reservation(session, id_)[3] for id_ in ids] == [0, 1, 1, 1]
    assert [lost.reservation_id for lost in news[0].displaced] == [ids[2], ids[1], ids[3]]


def test_a_reservation_loses_only_what_it_must(session):
    stock(session, coat_MAD=4)
    id_ = reserve(session, units=4)
    sell(session, 1)
    assert reservation(session, id_) == (4, 0, 0, 1)
    assert waiting(session) == {"line-1": 1}


def test_picked_units_lose_last_whatever_their_rank(session):
    stock(session, coat_MAD=3)
    picked = reserve(session, reference="a", units=2, rank=0)
    kept = reserve(session, reference="b", units=1, rank=9)
    reservations.pick(session, header(), [ReservedUnits("coat", picked, 2)])
    adjustments.adjust(session, node="MAD", sku="coat", units=-1, reason="damage", **BY)
    assert (reservation(session, picked), reservation(session, kept)) == ((2, 2, 0, 0), (1, 0, 0, 1))
    adjustments.adjust(session, node="MAD", sku="coat", units=-1, reason="damage", **BY)
    assert reservation(session, picked) == (2, 1, 0, 1)


def test_holds_and_put_back_tasks_are_released_and_wait_for_nothing(session, news):
    stock(session, coat_MAD=2)
    reserve(session, reference="cart", purpose="hold")
    put_back = reserve(session, reference="task", purpose="put_back", rank=5)
    reservations.pick(session, header(), [ReservedUnits("coat", put_back, 1)])
    feeds.absolute(session, node="MAD", rows=[("coat", 0)], as_of=NOW, reference="f", **BY)
    assert waiting(session) == {}
    assert {lost.purpose for lost in news[0].displaced} == {"hold", "put_back"}
    assert counters(session, "coat", "MAD") == {}


def test_transfers_wait_again_only_for_somebody(session):
    stock(session, coat_MAD=2)
    reserve(session, reference="line-1", purpose="transfer")
    reserve(session, reference="", purpose="transfer")
    feeds.absolute(session, node="MAD", rows=[("coat", 0)], as_of=NOW, reference="f", **BY)
    assert waiting(session) == {"line-1": 1}


def test_backordered_claims_stay_until_the_limit(session):
    stock(session, coat_MAD=3)
    session.execute(update(StockBalance).where(StockBalance.sku == "coat").values(backorder_limit=1))
    id_ = reserve(session, units=3)
    sell(session, 1)
    assert reservation(session, id_) == (3, 0, 0, 0)
    sell(session, 1)
    assert reservation(session, id_) == (3, 0, 0, 1)


def test_what_is_kept_about_references_is_locked_before_they_lose(session):
    stock(session, coat_MAD=1)
    reserve(session, reference="line-1")
    locked = []
    session.info[BEFORE_DISPLACEMENT] = lambda _session, references: locked.append((references, waiting(session)))
    sell(session, 1)
    session.info.clear()
    assert locked == [(["line-1"], {})]


def test_an_adjustment_is_signed_as_seen_from_the_shelf(session):
    stock(session, coat_MAD=5)
    for units, reason in ((-2, "damage"), (-1, "theft"), (3, "found"), (1, "damage"), (-1, "quarantine")):
        adjustments.adjust(session, node="MAD", sku="coat", units=units, reason=reason, **BY)
    assert counters(session, "coat", "MAD") == {"on_hand": 5, "damaged": 1, "quarantine": 1}


def test_an_adjustment_beyond_the_shelf_is_refused(session):
    stock(session, coat_MAD=1)
    with pytest.raises(InsufficientStock):
        adjustments.adjust(session, node="MAD", sku="coat", units=-2, reason="theft", **BY)


def test_an_adjustment_names_a_reason_that_is_known(session):
    with pytest.raises(UnknownReason, match="use one of: correction, damage"):
        adjustments.adjust(session, node="MAD", sku="coat", units=1, reason="mood", **BY)
    with pytest.raises(InvalidUnits):
        adjustments.adjust(session, node="MAD", sku="coat", units=0, reason="found", **BY)
    with pytest.raises(UnknownStock):
        adjustments.adjust(session, node="MAD", sku="unicorn", units=1, reason="found", **BY)


def feed(session, units, *, as_of=NOW, sku="coat"):
    return feeds.absolute(session, node="MAD", rows=[(sku, units)], as_of=as_of, reference="feed", **BY)


def test_an_absolute_feed_is_right_in_both_directions_and_twice(session):
    stock(session, coat_MAD=5)
    assert feed(session, 7, as_of=NOW) is not None
    assert feed(session, 7, as_of=NOW) is None
    assert feed(session, 4, as_of=NOW) is not None
    assert counters(session, "coat", "MAD") == {"on_hand": 4}


def test_feeds_of_several_nodes_are_posted_together_each_by_itself(session, news):
    stock(session, coat_MAD=2, coat_BCN=2, hat_BCN=1)
    reserve(session, reference="line-1", units=2)
    told = {"MAD": [("coat", 1)], "BCN": [("coat", 5), ("hat", 1)], "LIS": [("coat", 0)]}
    posted = feeds.absolute_many(session, told, as_of=NOW, reference="feed", **BY)
    assert (len({posted["MAD"], posted["BCN"]}), posted["LIS"]) == (2, None)
    assert counters(session, "coat", "MAD") == {"on_hand": 1, "reserved": 1}
    assert counters(session, "coat", "BCN") == {"on_hand": 5}
    assert waiting(session) == {"line-1": 1}
    assert [event.aggregate_id for event in news] == [posted["MAD"]]


def test_what_happened_after_a_feed_was_taken_is_kept(session):
    receipts.receive(session, header(occurred_at=NOW - timedelta(hours=2)), [("MAD", "coat", 5)])
    sell(session, 1, at=NOW - timedelta(minutes=5))
    feed(session, 6, as_of=NOW - timedelta(hours=1))
    assert counters(session, "coat", "MAD") == {"on_hand": 5}


def test_a_feed_older_than_one_already_posted_changes_nothing(session):
    receipts.receive(session, header(occurred_at=NOW - timedelta(hours=9)), [("MAD", "coat", 5)])
    feed(session, 3, as_of=NOW - timedelta(hours=1))
    assert feed(session, 3, as_of=NOW - timedelta(hours=2)) is None
    assert counters(session, "coat", "MAD") == {"on_hand": 3}


def test_a_feed_below_what_is_picked_takes_from_the_totes(session, news):
    stock(session, coat_MAD=3)
    id_ = reserve(session, units=3)
    reservations.pick(session, header(), [ReservedUnits("coat", id_, 3)])
    feed(session, 1)
    assert reservation(session, id_) == (3, 1, 0, 2)
    assert news[0].displaced[0].picked == 2


def test_a_feed_with_unknown_or_repeated_articles_is_refused_whole(session):
    with pytest.raises(UnknownStock) as refused:
        feeds.absolute(
            session, node="MAD", rows=[("unicorn", 0), ("coat", 1), ("yeti", 1)], as_of=NOW, reference="", **BY
        )  # fmt: skip
    assert [sku for sku, _ in refused.value.keys] == ["unicorn", "yeti"]
    with pytest.raises(InvalidUnits):
        feeds.absolute(session, node="MAD", rows=[("coat", 1), ("coat", 2)], as_of=NOW, reference="", **BY)
    assert counters(session, "coat", "MAD") == {}


def test_a_relative_feed_adds_and_takes_what_is_there(session):
    stock(session, coat_MAD=5, hat_MAD=1)
    feeds.relative(session, node="MAD", rows=[("coat", 2), ("hat", -3)], reference="", **BY)
    assert (counters(session, "coat", "MAD"), counters(session, "hat", "MAD")) == ({"on_hand": 7}, {})


def test_returns_go_where_their_grade_says(session):
    lines = [("coat", 1, "resell"), ("coat", 2, "damaged"), ("hat", 1, "quarantine")]
    returns.receive(session, node="BCN", lines=lines, reference="return-1", **BY)
    assert counters(session, "coat", "BCN") == {"on_hand": 1, "damaged": 2}
    assert counters(session, "hat", "BCN") == {"quarantine": 1}
    with pytest.raises(UnknownReason):
        returns.receive(session, node="BCN", lines=[("coat", 1, "loved")], reference="return-1", **BY)


def test_a_short_pick_corrects_stock_as_its_reason_says(session):
    stock(session, coat_MAD=5)

    def short(units, reason, **use):
        return shorts.short(session, header("short"), sku="coat", node="MAD", units=units, reason=reason, **use)

    assert accounts(session, short(1, "not_found")) == [("on_hand", "shrink", 1)]
    assert accounts(session, short(1, "wrong_label")) == [("on_hand", "quarantine", 1)]
    assert short(1, "no_staff", use="reject") is None
    assert accounts(session, short(9, "damaged")) == [("on_hand", "damaged", 3)]
    assert short(1, "not_found") is None
    with pytest.raises(UnknownReason):
        short(1, "no_staff")
