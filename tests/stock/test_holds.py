"""Holds: counted until the database's clock says otherwise, extended within bounds, taken over without a gap."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from kernel.db import connect, database_now
from stock import holds
from stock.errors import ClaimsChanged, InsufficientStock
from stock.holds import HoldUnits, Term
from stock.models import Reservation
from stock.proof import verify
from tests.stock.shelf import NOW, claim, counters, header, reservation, stock
from tests.stock.test_reservations import reserve

TERM = Term(minutes=10, most_minutes=60)
CART = "cart-1"


def hold(session, *wanted, reference=CART, term=TERM):
    """Hold (SKU, node, units) instead of whatever the reference claims."""
    units = [HoldUnits(*each) for each in wanted]
    given = holds.claimed_by(session, reference)
    return holds.hold(session, header("hold"), reference, units, term=term, instead_of=given)


def clock(session):
    return session.scalar(select(database_now()))


def pass_minutes(session, minutes, reference=CART):
    """Let time pass for the holds of a reference."""
    for row in session.scalars(select(Reservation).where(Reservation.reference == reference)):
        row.expires_at -= timedelta(minutes=minutes)
        row.extendable_until -= timedelta(minutes=minutes)
    session.flush()


def minutes_left(session, reference=CART):
    """The minutes until the holds of a reference end, by the database's clock."""
    now = clock(session)
    return {round((held.expires_at - now) / timedelta(minutes=1)) for held in holds.claimed_by(session, reference)}


def held(session, reference=CART):
    return [(each.sku, each.node, each.units) for each in holds.open_of(session, reference)]


def test_a_hold_reserves_units_until_the_database_clock_says_otherwise(session):
    stock(session, coat_MAD=3, hat_BCN=1)
    before = clock(session)
    ends = hold(session, ("coat", "MAD", 2), ("hat", "BCN", 1))
    assert before + timedelta(minutes=10) <= ends <= clock(session) + timedelta(minutes=10)
    assert held(session) == [("coat", "MAD", 2), ("hat", "BCN", 1)]
    assert counters(session, "coat", "MAD") == {"on_hand": 3, "reserved": 2}


def test_what_is_held_cannot_be_had_by_others_and_every_shortage_is_named(session):
    stock(session, coat_MAD=1, hat_MAD=1)
    hold(session, ("coat", "MAD", 1), ("hat", "MAD", 1))
    with pytest.raises(InsufficientStock) as refused:
        hold(session, ("coat", "MAD", 1), ("hat", "MAD", 1), reference="cart-2")
    assert [short.sku for short in refused.value.shortages] == ["coat", "hat"]
    assert held(session, "cart-2") == []


def test_what_has_run_out_does_not_count_before_it_is_swept(session):
    stock(session, coat_MAD=1)
    hold(session, ("coat", "MAD", 1))
    pass_minutes(session, 11)
    assert (held(session), len(holds.claimed_by(session, CART))) == ([], 1)
    assert holds.extend(session, CART, minutes=10) is None
    assert minutes_left(session) == {-1}
    assert holds.was_held(session, CART)
    assert not holds.was_held(session, "cart-2")


def test_activity_extends_all_holds_of_a_reference_and_shortens_none(session):
    stock(session, coat_MAD=1, hat_MAD=1)
    hold(session, ("coat", "MAD", 1), ("hat", "MAD", 1))
    pass_minutes(session, 5)
    holds.extend(session, CART, minutes=15)
    assert minutes_left(session) == {15}
    holds.extend(session, CART, minutes=3)
    hold(session, ("coat", "MAD", 1), ("hat", "MAD", 1), term=Term(2, 60))
    assert minutes_left(session) == {15}


def test_nobody_holds_longer_than_the_most_without_a_break(session):
    stock(session, coat_MAD=2)
    hold(session, ("coat", "MAD", 1))
    for _ in range(7):
        pass_minutes(session, 8)
        holds.extend(session, CART, minutes=10)
        hold(session, ("coat", "MAD", 1 + bool(held(session))))
    assert minutes_left(session) == {4}
    pass_minutes(session, 5)
    assert holds.extend(session, CART, minutes=10) is None
    hold(session, ("coat", "MAD", 2))
    assert minutes_left(session) == {10}


def test_a_hold_that_has_run_out_is_held_again_in_its_place(session):
    stock(session, coat_MAD=1)
    hold(session, ("coat", "MAD", 1))
    pass_minutes(session, 11)
    hold(session, ("coat", "MAD", 1))
    assert held(session) == [("coat", "MAD", 1)]
    assert counters(session, "coat", "MAD") == {"on_hand": 1, "reserved": 1}


def test_what_a_reference_goes_on_wanting_is_kept_and_the_rest_exchanged(session):
    stock(session, coat_MAD=2, hat_BCN=1)
    hold(session, ("coat", "MAD", 2))
    (kept,) = holds.open_of(session, CART)
    hold(session, ("coat", "MAD", 1), ("hat", "BCN", 1))
    assert held(session) == [("coat", "MAD", 1), ("hat", "BCN", 1)]
    assert reservation(session, kept.reservation_id) == (2, 0, 0, 1)


def test_a_refused_exchange_leaves_what_was_held(session):
    stock(session, coat_MAD=1)
    hold(session, ("coat", "MAD", 1))
    with pytest.raises(InsufficientStock):
        hold(session, ("coat", "LIS", 1))
    assert held(session) == [("coat", "MAD", 1)]


def test_a_hold_that_ended_meanwhile_is_not_taken_for_held(session):
    stock(session, coat_MAD=1)
    hold(session, ("coat", "MAD", 1))
    given = holds.claimed_by(session, CART)
    holds.release(session, header("release"), CART)
    with pytest.raises(ClaimsChanged):
        holds.hold(session, header("hold"), CART, [HoldUnits("coat", "MAD", 1)], term=TERM, instead_of=given)


def test_two_that_hold_for_one_reference_without_knowing_of_each_other_do_not_hold_twice(session):
    stock(session, coat_MAD=2)
    hold(session, ("coat", "MAD", 1))
    with pytest.raises(ClaimsChanged):
        holds.hold(session, header("hold"), CART, [HoldUnits("coat", "MAD", 1)], term=TERM)


def test_holds_are_released_but_for_what_may_be_kept(session):
    stock(session, coat_MAD=2, coat_BCN=2, hat_MAD=1)
    hold(session, ("coat", "MAD", 2), ("coat", "BCN", 2), ("hat", "MAD", 1))
    assert holds.release(session, header("release"), CART, keep={"coat": 3}) == 2
    assert sum(units for _, _, units in held(session)) == 3
    assert {sku for sku, _, _ in held(session)} == {"coat"}
    assert holds.release(session, header("release"), CART) == 3
    assert holds.release(session, header("release"), CART) == 0
    assert counters(session, "coat", "MAD") == {"on_hand": 2}


def test_holds_expire_by_the_database_clock(session):
    stock(session, coat_MAD=3)
    long_ago, far_off = NOW - timedelta(days=9999), NOW + timedelta(days=9999)
    over = reserve(session, reference="cart-1", purpose="hold", expires_at=long_ago)
    running = reserve(session, reference="cart-2", purpose="hold", expires_at=far_off)
    assert holds.expire(session, limit=10) == 1
    assert holds.expire(session, limit=10) == 0
    assert (reservation(session, over), reservation(session, running)) == ((1, 0, 0, 1), (1, 0, 0, 0))


def test_expiring_is_bounded_and_starts_with_the_oldest(session):
    stock(session, coat_MAD=3)
    ids = [
        reserve(session, reference=f"cart-{n}", purpose="hold", expires_at=NOW - timedelta(days=9000 + n))
        for n in range(3)
    ]
    assert holds.expire(session, limit=2) == 2
    assert [reservation(session, id_)[3] for id_ in ids] == [0, 1, 1]


def test_a_hold_gives_way_before_an_order(session):
    assert claim().rank > holds.RANK


def test_holds_that_are_extended_while_they_are_swept_are_either_valid_or_gone(database_url, database):
    """Sixteen carts whose time is just over or not, extended and swept by two at once; nobody is lied to."""
    carts = [f"sweep-{n}" for n in range(16)]
    with database.write() as session:
        stock(session, coat_LIS=len(carts))
        for cart in carts:
            hold(session, ("coat", "LIS", 1), reference=cart)
        soon = clock(session) + timedelta(milliseconds=150)
        session.execute(update(Reservation).where(Reservation.reference.in_(carts)).values(expires_at=soon))
        session.commit()
    other = connect(database_url)

    def extend(cart):
        with database.turn(), database.write() as session:
            ends = holds.extend(session, cart, minutes=10)
            session.commit()
            return ends is not None

    def sweep():
        while not done.is_set():
            with other.write() as session:
                holds.expire(session, limit=100)
                session.commit()

    done = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        sweeping = pool.submit(sweep)
        remaining = list(pool.map(extend, carts))
        done.set()
        sweeping.result()
    other.dispose()
    with database.read() as session:
        assert [bool(holds.open_of(session, cart)) for cart in carts] == remaining
        assert list(verify.findings(session)) == []
