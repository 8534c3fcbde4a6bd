"""Bundles are ordered as one and served as their components, for the same money."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.work.models import Status
from oms import orders, returns
from oms.bundles import expand, share
from oms.checks import line_total
from oms.commands import Line, ReturnBrought
from oms.errors import OutOfStock
from stock import recipes
from stock.recipes import Component, RecipeRow
from tests.factories import (
    BY,
    NOW,
    VAULT,
    command,
    counters,
    euro,
    fulfillment_orders,
    in_order,
    line,
    place,
    reread,
    stock,
)
from tests.fulfillment.work.floor import bring

MADE_OF = {"boots": (Component("coat", 1), Component("hat", 2))}


@pytest.fixture
def winter_set(session):
    """Boots stand for a bundle of a coat and two hats."""
    recipes.put(session, [RecipeRow(sku="boots", kind="bundle", components=MADE_OF["boots"])])


@given(
    unit_price=st.integers(0, 10_000), quantity=st.integers(1, 9), off=st.floats(0, 1), taxed=st.floats(0, 1),
    units=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    prices=st.lists(st.integers(0, 500), min_size=4, max_size=4),
)  # fmt: skip
def test_money_is_shared_to_the_last_cent(unit_price, quantity, off, taxed, units, prices):
    discount = int(unit_price * quantity * off)
    tax = int((unit_price * quantity - discount) * taxed)
    sold = Line(sku="set", quantity=quantity, unit_price=cents(unit_price), discount=cents(discount), tax=cents(tax))
    components = [Component(str(number), count) for number, count in enumerate(units)]
    found = expand([sold], {"set": components}, {str(number): price for number, price in enumerate(prices)}).lines
    assert sum(line_total(each) for each in found) == line_total(sold)
    assert sum(each.tax.minor for each in found) == tax
    assert [each.quantity for each in found] == [count * quantity for count in units]
    for each in found:
        assert 0 <= each.tax.minor <= line_total(each)
        assert 0 <= each.discount.minor <= each.unit_price.minor * each.quantity


def cents(minor):
    return euro(f"{minor // 100}.{minor % 100:02}")


def test_shares_follow_the_weights_and_add_up():
    assert share(100, [1, 1, 1]) == [34, 33, 33]
    assert share(10, [0, 0]) == [5, 5]
    assert share(7, [5, 0, 2]) == [5, 0, 2]


def test_lines_keep_their_places_among_bundles():
    sold = [line("scarf"), line("boots", 2, "30.00"), line("hat")]
    found = expand(sold, MADE_OF, {"coat": 2000, "hat": 500})
    assert [(each.sku, each.quantity, each.unit_price.minor) for each in found.lines] == [
        ("scarf", 1, 2000), ("coat", 2, 2000), ("hat", 4, 500), ("hat", 1, 2000),
    ]  # fmt: skip
    assert found.places == (0, 1, 1, 2)
    assert [part and (part.sku, part.line, part.quantity) for part in found.parts] == [
        None, ("boots", 2, 2), ("boots", 2, 2), None,
    ]  # fmt: skip


@pytest.mark.usefixtures("winter_set")
def test_a_bundle_leaves_in_one_package_from_a_node_that_has_all_of_it(session):
    stock(session, "MAD", coat=5)
    stock(session, "BCN", coat=2, hat=4)
    order = place(session, line("boots", 2, "60.00"))
    (part,) = fulfillment_orders(session, order)
    assert (part.node, {each.sku: each.units for each in part.lines}) == ("BCN", {"coat": 2, "hat": 4})
    assert [(each.sku, each.bundle_sku, each.bundle_line, each.bundle_quantity) for each in order.lines] == [
        ("coat", "boots", 1, 2), ("hat", "boots", 1, 2),
    ]  # fmt: skip
    assert order.total_minor == 12_000
    in_order(session)


@pytest.mark.usefixtures("winter_set")
def test_a_bundle_that_no_node_has_whole_comes_in_parts(session):
    stock(session, "MAD", coat=1)
    stock(session, "BCN", hat=2)
    order = place(session, line("boots"))
    assert {part.node for part in fulfillment_orders(session, order)} == {"MAD", "BCN"}
    in_order(session)


@pytest.mark.usefixtures("winter_set")
def test_a_bundle_and_its_component_in_one_order_do_not_share_a_unit(session):
    stock(session, "MAD", coat=1, hat=2)
    order = place(session, line("boots"), line("hat"))
    assert counters(session, order, "hat") == (3, 1, 2, 0)
    in_order(session)


@pytest.mark.usefixtures("winter_set")
def test_components_are_cancelled_and_returned_one_by_one(session):
    stock(session, "MAD", coat=1, hat=2)
    order = place(session, line("boots"))
    coat, hat = order.lines
    orders.cancel(session, order.id, {hat.id: 1}, reason="customer", **BY)
    (part,) = fulfillment_orders(session, order)
    bring(session, part, Status.SHIPPED)
    brought = [ReturnBrought(line_id=coat.id, units=1, reason="too_small", grade="resell")]
    returns.at_counter(session, order.id, node="BCN", brought=brought, **BY)
    assert [(each.cancelled, each.returned) for each in reread(session, order).lines] == [(0, 1), (1, 0)]
    in_order(session)


@pytest.mark.usefixtures("winter_set")
def test_a_shortage_of_a_component_is_told_of_the_line_as_it_was_sent(session):
    stock(session, "MAD", scarf=1, coat=1, hat=1)
    with pytest.raises(OutOfStock) as refused:
        place(session, line("scarf"), line("boots"), channel="market")
    assert [fault.pointer for fault in refused.value.faults] == ["/lines/1"]


@pytest.mark.usefixtures("winter_set")
def test_the_same_order_sent_again_is_the_same_order(session):
    stock(session, "MAD", coat=1, hat=2)
    order = place(session, line("boots"))
    again = orders.prepare(session, command(line("boots")), vault=VAULT, now=NOW)
    assert again.existing_id == order.id
