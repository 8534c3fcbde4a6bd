"""More was sold than there was."""

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from fulfillment.sourcing.commit import StalePlan
from oms import orders as order_service
from oms.models import Order, Payment
from stock import ledger
from stock.models import Reservation, StockBalance
from stock.postings import NewReservation
from tests import factories
from tests.bugs.crowd import DONE, fates, once, orders, together
from tests.journeys.order import refused
from tests.stock.shelf import header

OUT_OF_STOCK = "out_of_stock"


def buyers(retailer, count, channel="market", units=1, **basket):
    """So many shoppers with a basket each, of one article."""
    (sku,) = basket
    baskets = [retailer.basket(channel, **{sku: units}) for _ in range(count)]
    return [lambda basket=basket: retailer.takes(basket) for basket in baskets]


def counted(retailer, query):
    return retailer.house.doors.read(lambda session: session.scalar(query))


def test_two_checkouts_of_the_last_unit_both_succeeded(retailer, sku):
    """https://github.com/magento/inventory/issues/2722, https://github.com/magento/magento2/issues/25653"""
    retailer.gets("WH", **{sku: 1})
    outcomes = together(*buyers(retailer, 2, **{sku: 1}))
    assert fates(outcomes) == {DONE: 1, OUT_OF_STOCK: 1}
    assert retailer.stock("WH", sku) == {"on_hand": 1, "reserved": 1}


def test_ten_shoppers_at_once_made_several_orders_of_one_unit(retailer, sku):
    """https://github.com/magento/inventory/issues/3072"""
    for units in (1, 2, 3):
        retailer.gets("WH", **{sku: 1})
        assert fates(together(*buyers(retailer, 10, **{sku: 1}))) == {DONE: 1, OUT_OF_STOCK: 9}
        assert retailer.stock("WH", sku) == {"on_hand": units, "reserved": units}


def test_two_channels_that_share_a_warehouse_both_sold_its_unit(retailer, sku):
    """https://github.com/magento/inventory/issues/2727"""
    retailer.gets("WH", **{sku: 1})
    both = buyers(retailer, 1, "market", **{sku: 1}) + buyers(retailer, 1, "web", **{sku: 1})
    together(*both)
    assert retailer.stock("WH", sku) == {"on_hand": 1, "reserved": 1}
    assert not Reservation.__table__.c.node.nullable
    claimed = select(func.sum(Reservation.units)).where(Reservation.sku == sku, Reservation.node == "WH")
    assert counted(retailer, claimed) == 1


def test_a_call_beside_the_lock_reserved_too_much(retailer, sku):
    """https://github.com/medusajs/medusa/issues/16569

    There is no lock to forget here: the balance guards itself, whoever calls, whatever a caller believes it has read.
    """
    retailer.gets("WH", **{sku: 3})
    database = retailer.house.doors.database

    def claim(number):
        made = NewReservation(
            id=f"claim-{sku}-{number}", sku=sku, node="WH", reference=f"cart-{number}", purpose="hold", units=1
        )
        return lambda: once(database, lambda session: ledger.post(session, header(), (), claims=[made]))

    assert fates(together(*map(claim, range(6)))) == {DONE: 3, "insufficient_stock": 3}
    beyond = text(f"UPDATE stock_balance SET reserved = 4 WHERE sku = '{sku}'")
    with pytest.raises(IntegrityError):
        once(database, lambda session: session.execute(beyond))


def test_the_loser_of_a_race_kept_an_order_without_reservation_or_payment(retailer, sku):
    """https://github.com/medusajs/medusa/issues/16825"""
    retailer.gets("WH", **{sku: 1})
    baskets = [retailer.basket("market", paid=True, **{sku: 1}) for _ in range(4)]
    outcomes = together(*[lambda basket=basket: retailer.takes(basket) for basket in baskets])
    (winner,) = orders(outcomes)
    ids = [basket["external_id"] for basket in baskets]
    assert counted(retailer, select(func.count()).where(Order.external_id.in_(ids))) == 1
    assert counted(retailer, select(func.count()).where(Payment.order_id == winner.id)) == 1
    assert counted(retailer, select(func.count()).where(Reservation.sku == sku)) == 1


def test_two_checkouts_that_had_both_looked_before_either_wrote_got_one_unit_twice(retailer, sku):
    """https://github.com/saleor/saleor/issues/543

    It was shown there with a proxy that delays packets; here both decide before either commits.
    """
    retailer.gets("WH", **{sku: 1})
    database, vault, now = retailer.house.doors.database, retailer.house.vault, factories.NOW
    wanted = [factories.command(factories.line(sku), external_id=f"{sku}-{number}") for number in range(2)]
    with database.read() as session:
        first, second = (order_service.prepare(session, each, vault=vault, now=now) for each in wanted)
    assert not first.proposal.unfilled
    assert not second.proposal.unfilled
    once(database, lambda session: order_service.place(session, first, vault=vault, now=now, actor="web"))
    with pytest.raises(StalePlan):
        once(database, lambda session: order_service.place(session, second, vault=vault, now=now, actor="web"))


def test_units_were_only_allocated_when_the_order_was_paid(retailer, sku):
    """https://github.com/vendurehq/vendure/issues/3508, https://github.com/vendurehq/vendure/issues/1738,
    https://github.com/vendurehq/vendure/pull/4930
    """
    retailer.gets("WH", **{sku: 1})
    unpaid = retailer.sells("web", paid=False, **{sku: 1})
    assert unpaid.units(sku) == {"ordered": 1, "allocated": 1}
    with refused(OUT_OF_STOCK):
        retailer.sells("market", paid=True, **{sku: 1})


def test_a_card_was_charged_and_the_stock_was_gone_in_between(retailer, sku):
    """https://github.com/vendurehq/vendure/issues/3065"""
    retailer.gets("WH", **{sku: 1})
    cart = retailer.starts_cart("market", **{sku: 1})
    assert cart.holds() == {}
    with refused(OUT_OF_STOCK):
        retailer.sells("market", **{sku: 1})
    cart.runs_out()
    retailer.runs("expire_holds")
    retailer.sells("market", **{sku: 1})
    with refused("hold_expired"):
        cart.is_ordered(paid=True)
    assert cart.status == "open"
    assert counted(retailer, select(func.count()).where(Order.external_id == cart.external_id)) == 0
    retailer.gets("WH", **{sku: 1})
    assert cart.is_ordered(paid=True).units(sku) == {"ordered": 1, "allocated": 1}


def test_who_found_a_counter_locked_made_a_second_one(retailer, sku):
    """https://github.com/odoo/odoo/pull/272560"""
    came_in = [lambda: retailer.gets("SVQ", **{sku: 1})] * 4
    assert fates(together(*came_in)) == {DONE: 4}
    rows = select(StockBalance.on_hand).where(StockBalance.sku == sku)
    assert retailer.house.doors.read(lambda session: session.scalars(rows).all()) == [4]
    assert fates(together(*buyers(retailer, 6, **{sku: 1}))) == {DONE: 4, OUT_OF_STOCK: 2}


def test_stock_went_negative_over_http_with_backorders_off(retailer, sku):
    """https://github.com/woocommerce/woocommerce/issues/12467, https://github.com/woocommerce/woocommerce/issues/27953"""
    retailer.gets("WH", **{sku: 5})
    outcomes = together(*buyers(retailer, 6, units=2, **{sku: 1}))
    assert fates(outcomes) == {DONE: 2, OUT_OF_STOCK: 4}
    assert retailer.stock("WH", sku) == {"on_hand": 5, "reserved": 4}
