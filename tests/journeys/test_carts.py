"""A cart that is begun in one channel and finished in another, with what is held for it, in time or too late."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.journeys.order import Refused, refused
from tests.journeys.retailer import MADRID

SHOPPERS = 6


def price(amount):
    return {"amount": amount, "currency": "EUR"}


def test_a_web_cart_is_finished_by_the_staff_of_a_store(retailer):
    retailer.gets("WH", coat=1, hat=1)
    cart = retailer.starts_cart(coat=1, hat=1)
    assert cart.holds(minutes=30) == {}
    assert cart.held == {"coat": 1, "hat": 1}

    # In the store the shopper shows the code; the clerk types it as people do.
    (found,) = retailer.get("/carts", code=f"{cart.code[:4]} {cart.code[4:]}".lower())["items"]
    assert (found["id"], "Ana" in str(found)) == (cart.id, False)
    cart.does("continue", {"channel": "till"})
    assert cart.held == {"coat": 1, "hat": 1}
    order = cart.is_ordered(method="collect", collect_node="MAD")

    whole = order.whole
    assert (whole["channel"], whole["method"], whole["contact"]["email"]) == ("till", "collect", "ana@example.org")
    assert [line["unit_price"]["amount"] for line in whole["lines"]] == ["20.00", "20.00"]
    assert order.units("coat") == {"ordered": 1, "allocated": 1}
    assert (cart.status, cart.whole["order_id"]) == ("ordered", order.id)
    assert retailer.stock("WH", "coat") == {"on_hand": 1, "reserved": 1}


def test_prices_stay_and_tell_which_channel_gave_them(retailer):
    cart = retailer.starts_cart(coat=1)
    cart.does("continue", {"channel": "till"})
    lines = [*cart.basket["lines"], {"sku": "hat", "quantity": 1, "unit_price": price("9.00")}]
    shown = cart.changes(channel="till", lines=lines)
    assert [(line["sku"], line["priced_in"]) for line in shown["lines"]] == [("coat", "web"), ("hat", "till")]
    assert (shown["started_in"], shown["channel"], shown["total"]["amount"]) == ("web", "till", "29.00")


def test_what_is_held_nobody_else_can_buy(retailer):
    retailer.gets("MAD", coat=1)
    cart = retailer.starts_cart(coat=1)
    cart.holds()
    with refused("out_of_stock"):
        retailer.sells(channel="market", coat=1)
    assert retailer.starts_cart(coat=1).holds() == {"coat": (1, "no_stock")}
    assert cart.is_ordered().nodes == ["MAD"]


def test_what_cannot_be_held_is_named_and_the_rest_held(retailer):
    retailer.gets("WH", coat=1, hat=1)
    cart = retailer.starts_cart(coat=3, hat=1)
    assert cart.holds() == {"coat": (2, "no_stock")}
    assert cart.held == {"coat": 1, "hat": 1}


def test_a_hold_runs_out_and_somebody_else_buys(retailer):
    retailer.gets("MAD", coat=1)
    cart = retailer.starts_cart(channel="market", coat=1)
    cart.holds()
    cart.runs_out()
    assert (cart.held, cart.whole["held_until"]) == ({"coat": 0}, None)
    assert retailer.runs("expire_holds") == 1
    other = retailer.sells(channel="market", coat=1)
    assert other.units("coat") == {"ordered": 1, "allocated": 1}

    with refused("hold_expired") as late:
        cart.is_ordered()
    assert "Of 1 units of coat 1 cannot be served" in late.value.detail
    assert (cart.status, retailer.stock("MAD", "coat")) == ("open", {"on_hand": 1, "reserved": 1})


def test_a_late_confirmation_waits_openly_where_its_channel_waits(retailer):
    retailer.gets("MAD", coat=1)
    cart = retailer.starts_cart(coat=1)
    cart.holds()
    cart.runs_out()
    retailer.runs("expire_holds")
    retailer.sells(coat=1)
    order = cart.is_ordered(paid=True)
    assert order.units("coat") == {"ordered": 1, "waiting": 1}
    assert "hold_expired" in [moment["reason"] for moment in retailer.get(f"/orders/{order.id}/history")["history"]]
    retailer.gets("MAD", coat=1)
    assert order.units("coat") == {"ordered": 1, "allocated": 1}


@pytest.mark.parametrize("swept", [False, True])
def test_a_late_confirmation_takes_what_is_still_there(retailer, swept):
    retailer.gets("MAD", coat=1)
    cart = retailer.starts_cart(channel="market", coat=1)
    cart.holds()
    cart.runs_out()
    if swept:
        retailer.runs("expire_holds")
    assert cart.is_ordered().units("coat") == {"ordered": 1, "allocated": 1}
    assert retailer.stock("MAD", "coat") == {"on_hand": 1, "reserved": 1}


def test_what_has_run_out_is_held_again_as_far_as_it_is_there(retailer):
    retailer.gets("WH", coat=2)
    cart = retailer.starts_cart(coat=2)
    cart.holds()
    cart.runs_out()
    retailer.runs("expire_holds")
    retailer.sells(coat=1)
    assert cart.holds() == {"coat": (1, "no_stock")}
    assert cart.held == {"coat": 1}


def test_changing_a_cart_extends_what_stays_and_frees_what_goes(retailer):
    retailer.gets("WH", coat=2, hat=1)
    cart = retailer.starts_cart(coat=2, hat=1)
    cart.holds(minutes=5)
    before = cart.whole["held_until"]
    one_coat = [{**cart.basket["lines"][0], "quantity": 1}]
    assert cart.changes(lines=one_coat)["held_until"] > before
    assert cart.held == {"coat": 1}
    assert retailer.stock("WH", "hat") == {"on_hand": 1}
    assert retailer.stock("WH", "coat") == {"on_hand": 2, "reserved": 1}
    cart.does("release")
    assert (cart.held, cart.status) == ({"coat": 0}, "open")


def test_two_who_change_a_cart_do_not_overwrite_each_other(retailer):
    cart = retailer.starts_cart(coat=1)
    version = cart.whole["version"]
    cart.changes(service="express")
    with refused("precondition_failed", 412):
        retailer.put(f"/carts/{cart.id}", cart.basket, version)


def test_a_cart_becomes_one_order(retailer):
    retailer.gets("WH", coat=5)
    cart = retailer.starts_cart(coat=1)
    cart.holds()
    order = cart.is_ordered()
    assert cart.is_ordered(channel="web").id == order.id
    with refused("cart_closed") as again:
        cart.is_ordered(channel="web", external_id="another")
    assert order.whole["number"] in again.value.detail
    for verb in ("hold", "release", "abandon"):
        with refused("cart_closed"):
            cart.does(verb, {} if verb == "hold" else None)
    assert retailer.stock("WH", "coat") == {"on_hand": 5, "reserved": 1}


@pytest.mark.parametrize("same_order", [True, False])
def test_a_cart_that_is_confirmed_many_times_at_once_becomes_one_order(retailer, same_order):
    retailer.gets("WH", coat=SHOPPERS)
    cart = retailer.starts_cart(coat=1)
    cart.holds()
    barrier = threading.Barrier(SHOPPERS)

    def confirm(number):
        barrier.wait()
        try:
            return cart.is_ordered(channel="web", external_id="once" if same_order else f"once-{number}").id
        except Refused as refusal:
            return refusal.code

    with ThreadPoolExecutor(SHOPPERS) as pool:
        answers = list(pool.map(confirm, range(SHOPPERS)))
    ids = {answer for answer in answers if answer != "cart_closed"}
    assert len(ids) == 1
    assert answers.count("cart_closed") == (0 if same_order else SHOPPERS - 1)
    assert retailer.stock("WH", "coat") == {"on_hand": SHOPPERS, "reserved": 1}
    retailer.orders = retailer.orders[:1]


def test_the_last_unit_that_is_held_is_never_bought_by_others_while_the_cart_becomes_an_order(retailer):
    rounds = 4
    for number in range(rounds):
        sku = ("coat", "hat", "boots", "scarf")[number]
        retailer.gets("WH", **{sku: 1})
        cart = retailer.starts_cart(channel="market", **{sku: 1})
        cart.holds()
        barrier = threading.Barrier(SHOPPERS + 1)

        def buy(_, sku=sku, barrier=barrier):
            barrier.wait()
            with refused("out_of_stock"):
                retailer.sells(channel="market", **{sku: 1})

        def confirm(cart=cart, barrier=barrier):
            barrier.wait()
            return cart.is_ordered(channel="market")

        with ThreadPoolExecutor(SHOPPERS + 1) as pool:
            order = pool.submit(confirm)
            list(pool.map(buy, range(SHOPPERS)))
            assert order.result().units(sku) == {"ordered": 1, "allocated": 1}


def test_what_was_held_is_carried_out_by_its_own_shopper(retailer):
    retailer.gets("MAD", coat=1)
    cart = retailer.starts_cart(channel="web", collect_at="MAD", coat=1)
    cart.holds()
    order = cart.is_ordered(channel="till", method="carry_out")
    assert order.units("coat") == {"ordered": 1, "fulfilled": 1}
    assert retailer.stock("MAD", "coat") == {}


def test_a_cart_may_miss_much_and_says_what_it_needs_to_be_held_and_ordered(retailer):
    retailer.gets("WH", coat=1)
    cart = retailer.starts_cart(coat=1)
    del cart.basket["ship_to"], cart.basket["customer"]
    cart.changes()
    assert cart.holds() == {"coat": (1, "no_address")}
    cart.changes(ship_to={"postal_code": "28001", "country": "ES"})
    assert cart.holds() == {}
    with refused("invalid_order", 422):
        cart.is_ordered()
    assert cart.is_ordered(ship_to=MADRID, customer={"name": "Ana"}).units("coat") == {"ordered": 1, "allocated": 1}
    with refused("invalid_cart", 422):
        retailer.starts_cart(nothing=1)
    with refused("invalid_cart", 422):
        cart.retailer.post("/carts", {"channel": "nowhere", "currency": "EUR"})


def test_a_cart_nobody_came_back_to_is_given_up_and_forgets_its_shopper(retailer):
    retailer.gets("WH", coat=1)
    cart = retailer.starts_cart(coat=1)
    cart.holds()
    cart.lies_idle(days=31)
    assert retailer.runs("abandon_carts") == 1
    whole = cart.whole
    assert (whole["status"], whole["customer"], whole["ship_to"]) == ("abandoned", None, None)
    assert retailer.stock("WH", "coat") == {"on_hand": 1}
    with refused("cart_closed"):
        cart.is_ordered(channel="web")
    assert retailer.get("/carts", code=cart.code)["items"] == []
