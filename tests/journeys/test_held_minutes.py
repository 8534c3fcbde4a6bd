"""A promise that is held has its minutes of work: days fill up around it, and what it held comes back when it ends."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from fulfillment.network import catalog, held_minutes
from fulfillment.network.models import HeldMinutes, NodeDay
from stock.models import Reservation
from tests.journeys.order import refused

TODAY, TOMORROW = date(2026, 3, 10), date(2026, 3, 11)
ORDER = 7
"""Minutes that an order of one line takes."""


@pytest.fixture
def narrow(retailer):
    """The retailer, whose warehouse has plenty of coats, and hands for two orders today and two tomorrow."""
    retailer.gets("WH", coat=9, hat=9)
    has_minutes(retailer, {TODAY: 2 * ORDER, TOMORROW: 2 * ORDER})
    return retailer


def has_minutes(retailer, days):
    def change(session):
        for on, count in days.items():
            catalog.set_capacity(session, "WH", on, count)

    retailer.house.doors.write(change)


def quoted(retailer, **units):
    """The way in which units are shipped to Madrid soonest."""
    lines = [{"sku": sku, "quantity": count} for sku, count in (units or {"coat": 1}).items()]
    place = {"postal_code": "28001", "country": "ES"}
    question = {"channel": "web", "lines": lines, "place": place, "methods": ["ship"], "services": ["standard"]}
    return retailer.post("/promises", question)["ways"][0]


def held(retailer, minutes=10):
    way = quoted(retailer)
    retailer.post(f"/promises/{way['id']}/hold", {"minutes": minutes})
    return way


def buys(retailer, way, **basket):
    return retailer.takes(retailer.basket(**(basket or {"coat": 1})) | {"promise": way["id"]})


def day_of(order):
    """The date on which an order of Madrid is worked on, by when it arrives: a working day later."""
    return date.fromisoformat(order.part["promised_by"][:10]) - timedelta(days=1)


def claimed(retailer):
    """Minutes claimed of the warehouse's days, and those of them that are held."""
    in_all = select(NodeDay.on_date, NodeDay.claimed_minutes).where(NodeDay.node == "WH", NodeDay.claimed_minutes > 0)
    rows = select(HeldMinutes.on_date, HeldMinutes.minutes).where(HeldMinutes.node == "WH")
    read = retailer.house.doors.read
    return tuple(read(lambda session, each=each: dict(session.execute(each).all())) for each in (in_all, rows))


def runs_out(retailer, way):
    """Let the time of a promise's hold be over, by the clock of the database."""

    def let_pass(session):
        for row in session.scalars(select(Reservation).where(Reservation.reference == way["id"])):
            row.expires_at -= timedelta(hours=12)
            row.extendable_until -= timedelta(hours=12)

    retailer.house.doors.write(let_pass)


def test_a_promise_keeps_its_date_though_its_day_fills_up(narrow):
    way = held(narrow)
    assert claimed(narrow) == ({TODAY: ORDER}, {TODAY: ORDER})
    today = narrow.get("/nodes/WH/days")["days"][0]
    assert (today["claimed_minutes"], today["held_minutes"]) == (ORDER, ORDER)
    assert [day_of(narrow.sells(coat=1)) for _ in range(2)] == [TODAY, TOMORROW]
    order = buys(narrow, way)
    assert order.part["promised_by"] == way["arrives_at"]
    assert claimed(narrow) == ({TODAY: 2 * ORDER, TOMORROW: ORDER}, {})


def test_what_others_hold_cannot_be_held(narrow):
    first, second, third = (quoted(narrow) for _ in range(3))
    for way in first, second:
        narrow.post(f"/promises/{way['id']}/hold", {})
    with refused("promise_gone") as refusal:
        narrow.post(f"/promises/{third['id']}/hold", {})
    assert "WH has not 7 minutes of work left on 2026-03-10" in refusal.value.detail
    assert narrow.stock("WH", "coat") == {"on_hand": 9, "reserved": 2}
    # Whoever asks now is told another date.
    assert quoted(narrow)["arrives_at"] > first["arrives_at"]


def test_held_again_it_is_not_claimed_again_and_released_it_is_free(narrow):
    way = held(narrow)
    narrow.sells(coat=1)
    narrow.post(f"/promises/{way['id']}/hold", {"minutes": 20})
    assert claimed(narrow) == ({TODAY: 2 * ORDER}, {TODAY: ORDER})
    for _ in range(2):
        narrow.post(f"/promises/{way['id']}/release")
        assert claimed(narrow) == ({TODAY: ORDER}, {})
    assert day_of(narrow.sells(coat=1)) == TODAY


def test_what_has_run_out_is_given_back_once(narrow):
    lapsed, kept = held(narrow), held(narrow)
    runs_out(narrow, lapsed)
    assert day_of(narrow.sells(coat=1)) == TOMORROW
    assert narrow.runs("expire_holds") == 1
    assert narrow.runs("expire_holds") == 0
    assert claimed(narrow) == ({TODAY: ORDER, TOMORROW: ORDER}, {TODAY: ORDER})
    assert day_of(narrow.sells(coat=1)) == TODAY
    assert buys(narrow, kept).part["promised_by"] == kept["arrives_at"]


def test_minutes_are_swept_though_a_process_died_after_their_units(narrow, monkeypatch):
    way = held(narrow)
    runs_out(narrow, way)
    with monkeypatch.context() as dying:
        dying.setattr(held_minutes, "sweep", lambda _session, *, limit: limit / 0)
        assert narrow.runs("expire_holds") is None
    assert narrow.stock("WH", "coat") == {"on_hand": 9}
    assert claimed(narrow) == ({TODAY: ORDER}, {TODAY: ORDER})
    assert narrow.runs("expire_holds") == 0
    assert claimed(narrow) == ({}, {})


@pytest.mark.parametrize(("swept", "worked_on"), [(False, TODAY), (True, TOMORROW)])
def test_a_late_confirmation_has_its_minutes_until_they_are_swept(narrow, swept, worked_on):
    way = held(narrow)
    narrow.sells(coat=1)
    runs_out(narrow, way)
    if swept:
        narrow.runs("expire_holds")
        narrow.sells(coat=1)
    assert day_of(buys(narrow, way)) == worked_on
    assert claimed(narrow)[1] == {}


def test_what_an_order_does_not_use_of_its_minutes_is_free(narrow):
    way = quoted(narrow, coat=1, hat=1)
    narrow.post(f"/promises/{way['id']}/hold", {})
    assert claimed(narrow)[1] == {TODAY: ORDER + 2}
    buys(narrow, way, coat=1)
    assert claimed(narrow) == ({TODAY: ORDER}, {})

    # Collected from the store's own shelf, it takes nothing of the warehouse at all.
    narrow.gets("MAD", scarf=1)
    buys(narrow, held(narrow), collect_at="MAD", scarf=1)
    assert claimed(narrow) == ({TODAY: ORDER}, {})


def test_orders_in_bulk_see_their_own_minutes_and_nobody_elses(narrow):
    way = held(narrow)
    others = [narrow.basket(coat=1) for _ in range(2)]
    answers = narrow.post("/orders/bulk", [*others, narrow.basket(coat=1) | {"promise": way["id"]}])["results"]
    arrive = [each["order"]["fulfillment_orders"][0]["promised_by"] for each in answers]
    assert arrive[0] == arrive[2] == way["arrives_at"] < arrive[1]
    assert claimed(narrow) == ({TODAY: 2 * ORDER, TOMORROW: ORDER}, {})


def test_a_cart_has_the_minutes_of_its_promise_until_it_is_given_up(narrow):
    cart = narrow.starts_cart(coat=1)
    question = {"cart": cart.id, "methods": ["ship"], "services": ["standard"]}
    way = narrow.post("/promises", question)["ways"][0]
    narrow.post(f"/promises/{way['id']}/hold", {})
    narrow.sells(coat=1)
    # Asked or held again, it is served from the minutes that it holds.
    assert narrow.post("/promises", question)["ways"][0]["arrives_at"] == way["arrives_at"]
    cart.holds(20)
    assert claimed(narrow) == ({TODAY: 2 * ORDER}, {TODAY: ORDER})
    assert cart.is_ordered(promise=way["id"]).part["promised_by"] == way["arrives_at"]

    has_minutes(narrow, {TODAY: 4 * ORDER})
    for end in ("release", "abandon"):
        other = narrow.starts_cart(coat=1)
        promised = narrow.post("/promises", question | {"cart": other.id})["ways"][0]
        narrow.post(f"/promises/{promised['id']}/hold", {})
        other.does(end)
        assert claimed(narrow) == ({TODAY: 2 * ORDER}, {})
