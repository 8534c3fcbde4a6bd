"""From the tote to the customer's door: packed, shipped once, delivered."""

import pytest

from fulfillment.work import packing, shipping
from fulfillment.work.errors import AlreadyShipped, InvalidUnits, NotPossibleNow, TrackingNumberTaken, WrongMethod
from fulfillment.work.models import Method, Status
from kernel.states import IllegalTransition
from tests.fulfillment.work.floor import (
    BY,
    NOW,
    balance,
    bring,
    counters,
    in_order,
    news,
    ordered,
    statuses,
)


def test_a_package_weighs_what_its_articles_weigh_unless_it_was_weighed(session):
    fo = bring(session, ordered(session, coat=2, boots=1), Status.PICKED)
    packing.pack(session, fo.id, **BY)
    assert (fo.status, fo.weight_g, fo.packages) == (Status.PACKED, 1500, 1)
    packing.unpack(session, fo.id, **BY)
    packing.pack(session, fo.id, weight_g=1720, packages=2, **BY)
    assert (fo.weight_g, fo.packages) == (1720, 2)


@pytest.mark.parametrize("wrong", [{"weight_g": -1}, {"weight_g": 10_000_000}, {"packages": 0}, {"packages": 100}])
def test_impossible_packages_are_refused(session, wrong):
    fo = bring(session, ordered(session, coat=1), Status.PICKED)
    with pytest.raises(InvalidUnits):
        packing.pack(session, fo.id, **wrong, **BY)


def test_only_what_is_picked_is_packed(session):
    with pytest.raises(NotPossibleNow, match="pick all its units first"):
        packing.pack(session, bring(session, ordered(session, coat=1), Status.PICKING).id, **BY)


def test_unpacking_takes_the_order_back_to_picked(session):
    fo = packing.unpack(session, bring(session, ordered(session, coat=1), Status.PACKED).id, **BY)
    assert (fo.status, fo.weight_g) == (Status.PICKED, None)
    assert statuses(session, fo)[-2:] == [Status.PACKED, Status.PICKED]
    assert balance(session, "coat") == (1, 1, 1)


def test_shipping_lets_the_units_go_once(session):
    fo = bring(session, ordered(session, coat=2), Status.PACKED)
    shipment = shipping.ship(session, fo.id, tracking_number="MRW-1", carrier_service="mrw-24", **BY)
    assert (shipment.tracking_number, shipment.carrier_service, shipment.weight_g) == ("MRW-1", "mrw-24", 1000)
    assert (fo.status, fo.ended_at, shipment.shipped_at) == (Status.SHIPPED, NOW, NOW)
    assert balance(session, "coat") == (0, 0, 0)
    assert counters(session, fo, "coat") == (2, 0, 0, 2)
    assert news(session, fo.id)[-1] == "fulfillment_order.shipped"
    in_order(session)


def test_without_a_carriers_number_a_package_gets_one_of_ours(session):
    numbers = {
        shipping.ship(session, bring(session, ordered(session, coat=1), Status.PACKED).id, **BY).tracking_number
        for _ in range(3)
    }
    assert len(numbers) == 3


def test_shipping_twice_says_what_to_do_instead(session):
    fo = bring(session, ordered(session, coat=1), Status.SHIPPED)
    with pytest.raises(AlreadyShipped, match="it has left: what comes back is a return") as refused:
        shipping.ship(session, fo.id, **BY)
    assert refused.value.code == "already_shipped"


def test_a_tracking_number_stands_for_one_package(session):
    first, second = (bring(session, ordered(session, coat=1), Status.PACKED) for _ in range(2))
    shipping.ship(session, first.id, tracking_number="T", **BY)
    with pytest.raises(TrackingNumberTaken):
        shipping.ship(session, second.id, tracking_number="T", **BY)


def test_only_what_is_packed_is_shipped(session):
    with pytest.raises(NotPossibleNow, match="pack it first"):
        shipping.ship(session, bring(session, ordered(session, coat=1), Status.PICKED).id, **BY)


def test_what_is_collected_is_not_shipped(session):
    fo = bring(session, ordered(session, method=Method.COLLECT, coat=1), Status.PACKED)
    with pytest.raises(WrongMethod, match="set it ready"):
        shipping.ship(session, fo.id, **BY)


def test_delivery_is_kept_with_the_shipment_and_may_be_told_twice(session):
    fo = bring(session, ordered(session, coat=1), Status.SHIPPED)
    for _ in range(2):
        assert shipping.deliver(session, fo.id, **BY).status == Status.DELIVERED
    assert shipping.shipment_of(session, fo.id).delivered_at == NOW
    assert statuses(session, fo)[-2:] == [Status.SHIPPED, Status.DELIVERED]
    in_order(session)


def test_a_package_comes_back_to_the_sender(session):
    fo = bring(session, ordered(session, coat=1), Status.SHIPPED)
    shipping.return_to_sender(session, fo.id, reason="unknown_address", **BY)
    assert fo.status == Status.RETURNED_TO_SENDER
    with pytest.raises(IllegalTransition):
        shipping.deliver(session, fo.id, **BY)
    in_order(session)


def test_what_has_not_left_does_not_arrive(session):
    with pytest.raises(IllegalTransition):
        shipping.deliver(session, ordered(session, coat=1).id, **BY)
