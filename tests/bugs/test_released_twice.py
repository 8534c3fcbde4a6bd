"""Something was given back twice, not at all, or in another place."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from fulfillment.network import catalog as network
from oms import orders as order_service
from stock import catalog, recipes, reservations
from stock.errors import ClaimsChanged
from stock.models import Reservation, StockEntry
from stock.recipes import Component, RecipeRow
from stock.reservations import ReservedUnits, rebind
from stock.rows import LimitRow
from tests import factories
from tests.bugs.conftest import numbers
from tests.bugs.crowd import DONE, fates, together
from tests.journeys.order import Refused, refused
from tests.journeys.retailer import MADRID
from tests.stock.shelf import claim, counters, header, reservation


def ship(retailer, part):
    retailer.picks_and_packs(part)
    retailer.ships(part)


def still_claimed(retailer, sku):
    """Units of an article that somebody claims, put-backs included."""
    left = func.coalesce(func.sum(Reservation.units - Reservation.consumed - Reservation.released), 0)
    return retailer.house.doors.read(lambda session: session.scalar(select(left).where(Reservation.sku == sku)))


def test_cancelling_a_shipped_order_gave_the_stock_back_again(retailer, sku):
    """https://github.com/magento/inventory/issues/1849, https://github.com/magento/inventory/issues/1878"""
    retailer.gets("WH", **{sku: 3})
    order = retailer.sells(**{sku: 2})
    ship(retailer, order.part)
    with refused("nothing_to_cancel"):
        retailer.cancels(order)
    assert retailer.stock("WH", sku) == {"on_hand": 1}


def test_cancelling_a_partly_shipped_order_released_all_of_it(retailer, sku):
    """https://github.com/magento/inventory/issues/1881"""
    retailer.gets("WH", **{sku: 2})
    retailer.gets("BCN", **{sku: 1})
    order = retailer.sells(**{sku: 3})
    ship(retailer, order.part_at("WH"))
    retailer.cancels(order)
    assert order.units(sku) == {"ordered": 3, "cancelled": 1, "fulfilled": 2}
    assert (retailer.stock("WH", sku), retailer.stock("BCN", sku)) == ({}, {"on_hand": 1})


def test_cancelling_a_partly_shipped_bundle_released_nothing(retailer, sku):
    """https://github.com/magento/inventory/issues/1887"""
    other, bundle = f"other-{next(numbers)}", f"bundle-{next(numbers)}"

    def put_bundle(session):
        row = factories.article("coat")
        catalog.put_articles(session, [replace(row, sku=code, name=code, gtin=None) for code in (other, bundle)])
        parts = (Component(sku, 1), Component(other, 1))
        recipes.put(session, [RecipeRow(sku=bundle, kind="bundle", components=parts)])

    retailer.house.doors.write(put_bundle)
    retailer.gets("WH", **{sku: 1})
    retailer.gets("BCN", **{other: 1})
    order = retailer.sells(**{bundle: 1})
    ship(retailer, order.part_at("WH"))
    retailer.cancels(order)
    assert order.status == "completed"
    assert (still_claimed(retailer, sku), still_claimed(retailer, other)) == (0, 0)
    assert retailer.stock("BCN", other) == {"on_hand": 1}


def test_a_return_of_ten_put_twenty_back(retailer, sku):
    """https://github.com/magento/inventory/issues/1888"""
    retailer.gets("WH", **{sku: 10})
    order = retailer.sells(**{sku: 10})
    ship(retailer, order.part)
    retailer.takes_back(order, "BCN", **{sku: 10})
    assert retailer.stock("BCN", sku) == {"on_hand": 10}
    with refused("not_returnable"):
        retailer.takes_back(order, "BCN", **{sku: 1})
    assert retailer.stock("BCN", sku) == {"on_hand": 10}


def test_a_release_was_booked_where_the_channel_pointed_by_then(session):
    """https://github.com/magento/inventory/issues/695"""
    factories.stock(session, "WH", coat=2)
    order = factories.place(session, factories.line("coat", 2))
    factories.stock(session, "MAD", coat=2)
    network.put_profiles(session, [replace(factories.profile("WH"), ships=False)])
    order_service.cancel(session, order.id, None, reason="customer", **factories.BY)
    assert counters(session, "coat", "WH") == {"on_hand": 2}
    assert counters(session, "coat", "MAD") == {"on_hand": 2}
    factories.in_order(session)


def test_a_counter_of_reserved_units_fell_below_zero(session):
    """https://github.com/medusajs/medusa/issues/12401"""
    factories.stock(session, "WH", coat=2)
    (id_,) = rebind(session, header(), claims=[claim(node="WH", units=2)])
    release = [ReservedUnits("coat", id_, 2)]
    rebind(session, header(), release=release)
    for again in (lambda: rebind(session, header(), release=release),
                  lambda: reservations.consume(session, header(), release)):  # fmt: skip
        with pytest.raises(ClaimsChanged):
            again()
    assert reservation(session, id_) == (2, 0, 0, 2)
    for statement in (
        "UPDATE stock_balance SET reserved = -1 WHERE sku = 'coat'",
        "UPDATE reservation SET released = 3 WHERE sku = 'coat'",
    ):
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(text(statement))


def test_an_edit_that_changed_no_quantity_reserved_everything_again(retailer, sku):
    """https://github.com/medusajs/medusa/issues/16406"""
    retailer.gets("WH", **{sku: 3})
    order = retailer.sells(**{sku: 2})
    before = written(retailer, sku)
    retailer.post(f"/orders/{order.id}/edits", {"ship_to": MADRID | {"line1": "Calle del Pez 9"}})
    assert retailer.stock("WH", sku) == {"on_hand": 3, "reserved": 2}
    assert written(retailer, sku) == before
    ship(retailer, order.part)
    with refused("address_fixed"):
        retailer.post(f"/orders/{order.id}/edits", {"ship_to": MADRID})
    assert (retailer.stock("WH", sku), still_claimed(retailer, sku)) == ({"on_hand": 1}, 0)


def written(retailer, sku):
    return retailer.house.doors.read(lambda s: s.scalar(select(func.count()).where(StockEntry.sku == sku)))


def test_a_checkout_that_failed_half_way_left_stock_held(retailer, app, sku, monkeypatch):
    """https://github.com/medusajs/medusa/issues/13625"""
    retailer.gets("WH", **{sku: 1})
    basket = retailer.basket("market", **{sku: 1})
    headers = {"Authorization": f"Bearer {retailer.key}", "Idempotency-Key": basket["external_id"]}
    with monkeypatch.context() as broken:
        broken.setattr(order_service, "_finish", None)
        assert app.test_client().post("/api/v1/orders", json=basket, headers=headers).status_code == 500
    assert retailer.stock("WH", sku) == {"on_hand": 1}
    cart = retailer.starts_cart("market", **{sku: 1})
    cart.holds()
    cart.runs_out()
    retailer.runs("expire_holds")
    assert retailer.stock("WH", sku) == {"on_hand": 1}
    assert retailer.takes(basket).units(sku) == {"ordered": 1, "allocated": 1}


def test_an_order_was_cancelled_thousands_of_times(retailer, sku):
    """https://github.com/medusajs/medusa/issues/5158"""
    retailer.gets("WH", **{sku: 4})
    order = retailer.sells(**{sku: 3})
    outcomes = together(*[lambda: retailer.cancels(order)] * 8)
    assert fates(outcomes) == {DONE: 1, "nothing_to_cancel": 7}
    assert retailer.stock("WH", sku) == {"on_hand": 4}


def test_nothing_could_be_cancelled_because_the_stock_was_negative(session):
    """https://github.com/medusajs/medusa/issues/12796"""
    limits = LimitRow(sku="coat", node="WH", safety_stock=0, backorder_limit=5)
    catalog.put_limits(session, [limits])
    (id_,) = rebind(session, header(), claims=[claim(node="WH", units=4)])
    catalog.put_limits(session, [replace(limits, safety_stock=50, backorder_limit=4)])
    rebind(session, header(), release=[ReservedUnits("coat", id_, 1)])
    assert counters(session, "coat", "WH") == {"reserved": 3}
    rebind(session, header(), release=[ReservedUnits("coat", id_, 3)])
    assert counters(session, "coat", "WH") == {}


def test_a_cancelled_fulfilment_gave_back_the_units_and_kept_the_claim(retailer, sku):
    """https://github.com/vendurehq/vendure/issues/1250"""
    retailer.gets("WH", **{sku: 2})
    before = retailer.stock("WH", sku)
    order = retailer.sells(**{sku: 2})
    retailer.picks_and_packs(order.part)
    retailer.cancels(order)
    retailer.puts_back("WH")
    assert (retailer.stock("WH", sku), still_claimed(retailer, sku)) == (before, 0)


def test_a_cancellation_added_a_claim(retailer, sku):
    """https://github.com/vendurehq/vendure/issues/2874"""
    retailer.gets("WH", **{sku: 5})
    order = retailer.sells(**{sku: 3})
    retailer.cancels(order, **{sku: 1})
    assert (retailer.stock("WH", sku)["reserved"], still_claimed(retailer, sku)) == (2, 2)
    retailer.cancels(order)
    assert (retailer.stock("WH", sku), still_claimed(retailer, sku)) == ({"on_hand": 5}, 0)
    with pytest.raises(Refused):
        retailer.cancels(order)
