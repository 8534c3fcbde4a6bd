"""Carts: incomplete but never wrong, used by one at a time, and forgotten when they close."""

import itertools
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from fulfillment.sourcing.commit import StalePlan
from kernel.states import IllegalTransition, advance
from kernel.vault import Subject
from oms import baskets, cart_holds, carts, customers, orders, verify, view
from oms.commands import Basket, PlaceOrder
from oms.errors import CartChanged, CartClosed, InvalidCart, UnknownCart
from oms.models import CART_TRANSITIONS, Cart, CartStatus
from stock import holds, recipes, sales
from stock.holds import HoldUnits, Term
from stock.postings import Header
from stock.recipes import Component, RecipeRow
from tests.factories import (
    BY,
    NOW,
    VAULT,
    counters,
    customer,
    euro,
    fulfillment_orders,
    in_order,
    line,
    news,
    place,
    reread,
    ship_to,
    stock,
)

TERM = Term(minutes=10, most_minutes=60)
MINUTES = {"hold_minutes": 10}
external_ids = (f"FROM-CART-{number}" for number in itertools.count(1))


def basket(*lines, **fields):
    """What a shopper of the web shop puts into a cart: a coat to Madrid, but for what is said otherwise."""
    usual = {"channel": "web", "currency": "EUR", "customer": customer(), "ship_to": ship_to()}
    return Basket(lines=lines or (line(),), **(usual | fields))


def start(session, *lines, **fields):
    return carts.start(session, basket(*lines, **fields), vault=VAULT, actor="web")


def hold(session, cart):
    prepared = cart_holds.prepare(session, cart.id, vault=VAULT, now=NOW)
    return cart_holds.hold(session, prepared, term=TERM, **BY)


def change(session, cart, wanted):
    return carts.change(session, cart.id, wanted, vault=VAULT, **MINUTES, **BY)


def decided(session, cart, **fields):
    said = {
        "channel": "web",
        "external_id": next(external_ids),
        "currency": "",
        "lines": (),
        "method": "",
        "service": "",
    }
    wanted = PlaceOrder(cart=cart.id, **(said | fields))
    return orders.prepare(session, wanted, vault=VAULT, now=NOW)


def confirm(session, cart, **fields):
    return orders.place(session, decided(session, cart, **fields), vault=VAULT, **BY).order


def held(session, cart):
    return [(each.sku, each.node, each.units) for each in holds.open_of(session, cart.id)]


def known_of(session, subject_id):
    return session.scalar(select(Subject.wrapped_key).where(Subject.id == subject_id)) is not None


@pytest.mark.parametrize("current", CartStatus)
@pytest.mark.parametrize("target", CartStatus)
def test_a_cart_goes_only_where_its_table_says(current, target):
    if current is CartStatus.OPEN and target is not CartStatus.OPEN:
        assert advance(CART_TRANSITIONS, current, target, what="a cart") == target
    else:
        with pytest.raises(IllegalTransition):
            advance(CART_TRANSITIONS, current, target, what="a cart")


def test_a_cart_gives_back_what_was_put_into_it(session):
    wanted = basket(
        line(quantity=2, discount=euro("1.00"), tax=euro("3.00")), line("hat", method="collect", collect_node="MAD"),
        service="express", requested_by=NOW + timedelta(days=2), shipping_price=euro("4.00"),
    )  # fmt: skip
    cart = carts.start(session, wanted, vault=VAULT, actor="web")
    session.expire_all()
    assert baskets.basket_of(session, carts.get(session, cart.id), VAULT) == wanted
    assert news(session, cart.id) == ["cart.open"]


def test_who_shops_stands_in_the_vault_alone(session):
    start(session, customer=customer(name="Xoana Quintela"), ship_to=ship_to(line1="Rua das Camelias 17"))
    rows = session.execute(text("SELECT * FROM cart")).all(), session.execute(text("SELECT * FROM cart_line")).all()
    assert not any(trace in str(rows) for trace in ("Quintela", "Camelias", "example.org", "28001"))


def test_a_cart_may_miss_everything_but_a_channel(session):
    cart = start(session, customer=None, ship_to=None)
    change(session, cart, Basket(channel="web", currency="EUR", lines=()))
    assert (cart.lines, cart.subject_id) == ([], None)


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"channel": "old"}, "/channel"),
        ({"currency": "XXX"}, "/currency"),
        ({"method": "fly"}, "/method"),
        ({"ship_to": ship_to(country="Spain")}, "/ship_to/country"),
        ({"customer": customer(email="nobody")}, "/customer/email"),
        ({"lines": (line("nothing"),)}, "/lines/0/sku"),
        ({"lines": (line(quantity=0),)}, "/lines/0/quantity"),
    ],
)
def test_nothing_in_a_cart_is_wrong(session, wrong, pointer):
    said = {"channel": "web", "currency": "EUR", "lines": ()}
    with pytest.raises(InvalidCart) as refused:
        carts.start(session, Basket(**(said | wrong)), vault=VAULT, actor="web")
    assert [fault.pointer for fault in refused.value.faults] == [pointer]


def test_an_unknown_cart_is_said_to_be(session):
    for verb in (carts.get, carts.lock, carts.lock_open):
        with pytest.raises(UnknownCart):
            verb(session, "nothing")
    assert carts.by_code(session, "nothing") == []


def test_what_is_no_longer_said_is_forgotten(session):
    cart = start(session)
    before = cart.subject_id
    change(session, cart, basket(ship_to=None))
    assert not known_of(session, before)
    assert baskets.shopper(session, cart, VAULT) == customer()
    assert baskets.address(session, cart, VAULT) is None


def test_a_cart_that_became_an_order_forgets_its_shopper_whom_the_order_knows(session):
    stock(session, "MAD", coat=1)
    cart = start(session)
    hold(session, cart)
    subject = cart.subject_id
    order = confirm(session, cart)
    assert not known_of(session, subject)
    assert customers.contact(session, VAULT, order.customer_id)["email"] == "ana@example.org"
    assert customers.address(session, VAULT, order)["line1"] == ship_to().line1
    assert news(session, cart.id) == ["cart.open", "cart.ordered"]
    in_order(session)


def test_an_order_takes_over_what_is_held_under_a_reference_alone(session):
    stock(session, "MAD", coat=1)
    units = [HoldUnits("coat", "MAD", 1)]
    holds.hold(session, Header(kind="hold", actor="web", occurred_at=NOW), "promise-1", units, term=TERM)
    order = place(session, hold_reference="promise-1", channel="market")
    assert counters(session, order, "coat") == (1, 0, 1, 0)
    assert holds.claimed_by(session, "promise-1") == []
    assert [row.what for row in view.timeline(session, order.id) if row.fulfillment_order is None] == [
        "placed",
        "hold_taken",
    ]
    in_order(session)


def test_an_order_takes_what_it_says_itself_before_what_its_cart_says(session):
    cart = start(session, line("hat"), collect_node="MAD", method="collect", ship_to=ship_to(name="", city=""))
    order = confirm(session, cart, lines=(line("coat", 2),), customer=customer(email="bea@example.org"))
    assert [(each.sku, each.ordered, each.collect_node) for each in order.lines] == [("coat", 2, "MAD")]
    assert customers.contact(session, VAULT, order.customer_id)["email"] == "bea@example.org"


def test_erasing_a_customer_gives_up_their_carts(session):
    stock(session, "MAD", coat=2)
    order = place(session)
    cart = start(session, customer=customer(id=order.customer_id))
    hold(session, cart)
    subject = cart.subject_id
    assert [each["code"] for each in customers.export(session, VAULT, order.customer_id)["carts"]] == [cart.code]
    customers.erase(session, order.customer_id, now=NOW)
    assert (cart.status, known_of(session, subject), held(session, cart)) == ("abandoned", False, [])


def test_only_carts_that_lie_idle_are_given_up_the_longest_first(session):
    stock(session, "MAD", coat=3)
    idle = [start(session) for _ in range(3)]
    for days, cart in enumerate(idle):
        hold(session, cart)
        session.execute(
            update(Cart).where(Cart.id == cart.id).values(touched_at=cart.touched_at - timedelta(days=days))
        )
    give_up = {"idle": timedelta(hours=36), "limit": 1, **BY}
    assert carts.abandon_idle(session, **give_up) == 1
    assert [reread(session, each).status for each in idle] == ["open", "open", "abandoned"]
    assert carts.abandon_idle(session, **(give_up | {"limit": 9})) == 0
    assert carts.abandon_idle(session, **(give_up | {"limit": 9, "idle": timedelta(hours=12)})) == 1
    assert [len(held(session, each)) for each in idle] == [1, 0, 0]
    in_order(session)


def test_a_closed_cart_is_used_by_nobody(session):
    cart = start(session)
    carts.abandon(session, cart.id, **BY)
    deeds = [
        lambda: change(session, cart, basket()),
        lambda: carts.go_on(session, cart.id, "till", **MINUTES),
        lambda: carts.release(session, cart.id, **BY),
        lambda: carts.abandon(session, cart.id, **BY),
        lambda: cart_holds.prepare(session, cart.id, vault=VAULT, now=NOW),
        lambda: decided(session, cart),
    ]
    for deed in deeds:
        with pytest.raises(CartClosed, match="was given up"):
            deed()


def test_what_was_decided_for_a_cart_that_changed_meanwhile_is_refused(session):
    stock(session, "MAD", coat=2)
    cart = start(session)
    to_hold = cart_holds.prepare(session, cart.id, vault=VAULT, now=NOW)
    to_place = decided(session, cart)
    change(session, cart, basket(line(quantity=2)))
    with pytest.raises(CartChanged):
        cart_holds.hold(session, to_hold, term=TERM, **BY)
    with pytest.raises(CartChanged):
        orders.place(session, to_place, vault=VAULT, **BY)


def test_what_others_took_meanwhile_is_not_held(session):
    stock(session, "MAD", coat=1)
    cart = start(session)
    to_hold = cart_holds.prepare(session, cart.id, vault=VAULT, now=NOW)
    place(session)
    with pytest.raises(StalePlan):
        cart_holds.hold(session, to_hold, term=TERM, **BY)


def test_a_cart_is_held_where_its_order_would_be_served_from(session):
    stock(session, "WH", coat=1)
    stock(session, "MAD", hat=1)
    cart = start(session, line("coat"), line("hat"))
    assert hold(session, cart).missing == ()
    assert held(session, cart) == [("coat", "WH", 1), ("hat", "MAD", 1)]
    assert baskets.held_by_line(session, cart) == [1, 1]


def test_an_empty_cart_holds_nothing_any_more(session):
    stock(session, "MAD", coat=1)
    cart = start(session)
    hold(session, cart)
    change(session, cart, Basket(channel="web", currency="EUR", lines=()))
    assert (hold(session, cart).missing, held(session, cart)) == ((), [])


def test_a_bundle_is_held_as_its_components(session):
    recipes.put(
        session, [RecipeRow(sku="boots", kind="bundle", components=(Component("coat", 1), Component("hat", 2)))]
    )
    stock(session, "MAD", coat=2, hat=3)
    cart = start(session, line("boots", 2))
    (missing,) = hold(session, cart).missing
    assert (missing.position, missing.sku, missing.units) == (1, "hat", 1)
    assert baskets.held_by_line(session, cart) == [1]
    change(session, cart, basket(line("boots", 1)))
    assert (held(session, cart), baskets.held_by_line(session, cart)) == ([("coat", "MAD", 1), ("hat", "MAD", 2)], [1])


def test_two_lines_of_one_article_share_what_is_held(session):
    stock(session, "MAD", coat=3)
    cart = start(session, line(quantity=2), line(quantity=2, price="10.00"))
    (missing,) = hold(session, cart).missing
    assert (missing.sku, missing.units) == ("coat", 1)
    assert sum(baskets.held_by_line(session, cart)) == 3


def test_the_truth_takes_held_units_before_those_of_orders(session):
    stock(session, "MAD", coat=2)
    order, cart = place(session), start(session)
    hold(session, cart)
    sales.sell(session, node="MAD", lines=[("coat", 1)], reference="T-1", actor="till", occurred_at=NOW)
    assert (held(session, cart), baskets.held_by_line(session, cart)) == ([], [0])
    assert {part.node for part in fulfillment_orders(session, order)} == {"MAD"}
    in_order(session)


def test_a_closed_cart_that_holds_or_names_somebody_is_found(session):
    stock(session, "MAD", coat=1)
    cart = start(session)
    hold(session, cart)
    session.execute(update(Cart).values(status="abandoned"))
    assert [(finding.table, finding.key) for finding in verify.findings(session)] == [("cart", cart.id)] * 2
