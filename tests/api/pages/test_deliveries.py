"""Goods at the store's door: counted by scan or by hand, taken in once, with what is beyond the order asked for."""

import pytest

from api import access
from stock import arrivals, catalog, purchasing, transfers
from stock.models import StockBalance
from stock.purchasing import OrderedRow
from stock.rows import NodeRow
from stock.transfers import TransferWant
from tests import factories
from tests.api.pages.shop import STORE
from tests.api.pages.visitors import PASSWORD, sign_in, token
from tests.factories import BY

HOME = f"/store/{STORE}/"
COAT, SCARF = factories.GTINS["coat"], factories.GTINS["scarf"]


@pytest.fixture
def clerk(signed_in):
    return signed_in("store")


@pytest.fixture
def shop(house):
    return Shop(house.doors)


class Shop:
    def __init__(self, doors):
        self.doors = doors

    def buys(self, number, node=STORE, **units):
        row = OrderedRow(supplier="ACME", node=node, number=number, lines=tuple(units.items()))
        return self.doors.write(lambda session: purchasing.open_order(session, row, **BY).id)

    def sends(self, units):
        def send(session):
            lines = [TransferWant(sku="coat", units=units)]
            sent = transfers.open_transfer(session, source="SVQ", destination=STORE, reference="", lines=lines, **BY)
            return transfers.dispatch(session, sent.id, [units], **BY).id

        return self.doors.write(send)

    def order(self, order_id):
        def read(session):
            found = purchasing.order(session, order_id)
            return found.status, {line.sku: (line.received, line.set_aside) for line in found.lines}

        return self.doors.read(read)

    def holds(self, sku):
        def read(session):
            found = session.get_one(StockBalance, (sku, STORE))
            return found.on_hand, found.damaged, found.quarantine

        return self.doors.read(read)


def send(client, page, **fields):
    return client.post(page, data={"csrf_token": token(client, page), **fields}, follow_redirects=True)


def change(before, after):
    return tuple(now - then for then, now in zip(before, after, strict=True))


def test_a_delivery_is_counted_by_scan_and_by_hand_and_taken_in(clerk, shop):
    order_id, before = shop.buys("D-1", coat=3, hat=2), shop.holds("coat")
    assert "D-1" in clerk.get(f"{HOME}deliveries").get_data(as_text=True)
    page = f"{HOME}deliveries/{order_id}"
    scanned = send(clerk, page, step="count", code=COAT, **{"came-coat": "1"}).get_data(as_text=True)
    assert 'name="came-coat" value="2"' in scanned
    assert "2 counted" in scanned
    assert shop.holds("coat") == before
    done = send(clerk, page, step="receive", **{"came-coat": "2", "damaged-coat": "1", "came-hat": "2"})
    assert "4 units taken in." in done.get_data(as_text=True)
    assert shop.order(order_id) == ("partly_received", {"coat": (2, 1), "hat": (2, 0)})
    assert change(before, shop.holds("coat")) == (1, 1, 0)


def test_a_page_sent_twice_takes_the_goods_in_once(clerk, shop):
    page, before = f"{HOME}deliveries/{shop.buys('D-2', coat=5)}", shop.holds("coat")
    for _ in range(2):
        send(clerk, page, step="receive", scan_id="once", **{"came-coat": "2"})
    assert change(before, shop.holds("coat")) == (2, 0, 0)


def test_what_is_beyond_the_order_is_asked_for_and_kept_on_the_page(clerk, shop):
    order_id = shop.buys("D-3", coat=1)
    page, before = f"{HOME}deliveries/{order_id}", shop.holds("scarf")
    asked = send(clerk, page, step="receive", **{"came-coat": "1", "came-scarf": "2"}).get_data(as_text=True)
    assert "More came than was ordered" in asked
    assert 'name="came-scarf" value="2"' in asked
    assert shop.holds("scarf") == before
    send(clerk, page, step="receive", reason="wrong_item", **{"came-coat": "1", "came-scarf": "2"})
    assert change(before, shop.holds("scarf")) == (0, 0, 2)
    assert shop.order(order_id)[0] == "received"


def test_what_nobody_ordered_is_taken_in_without_an_order(clerk, shop):
    page, before = f"{HOME}deliveries/blind", shop.holds("scarf")
    assert 'name="came-scarf" value="1"' in send(clerk, page, step="count", code=SCARF).get_data(as_text=True)
    assert "No article has the code" in send(clerk, page, step="count", code="unicorn").get_data(as_text=True)
    assert "Nothing was counted yet" in send(clerk, page, step="receive").get_data(as_text=True)
    send(clerk, page, step="receive", **{"came-scarf": "3"})
    assert change(before, shop.holds("scarf")) == (3, 0, 0)


def test_nothing_more_is_expected_when_the_clerk_says_so(clerk, shop):
    order_id = shop.buys("D-4", coat=4)
    send(clerk, f"{HOME}deliveries/{order_id}", step="receive", complete="1", **{"came-coat": "1"})
    assert shop.order(order_id)[0] == "closed_short"


def test_deliveries_of_another_store_do_not_exist_here(clerk, shop):
    assert clerk.get(f"{HOME}deliveries/{shop.buys('D-5', node='BCN', coat=1)}").status_code == 404


def test_a_transfer_arrives_damaged_in_part_and_with_one_too_many(clerk, shop):
    transfer, before = shop.sends(2), shop.holds("coat")
    send(clerk, f"{HOME}transfers/{transfer}", **{"received-1": "3", "damaged-1": "1"})
    assert change(before, shop.holds("coat")) == (2, 1, 0)


def test_what_is_missing_of_a_transfer_turns_up_later(clerk, shop):
    transfer, before = shop.sends(2), shop.holds("coat")
    page = f"{HOME}transfers/{transfer}"
    send(clerk, page, more="1", **{"received-1": "1"})
    assert "partly received" in clerk.get(page).get_data(as_text=True)
    shop.doors.write(lambda session: arrivals.close_short(session, transfer, **BY))
    assert "Missing from earlier transfers" in clerk.get(f"{HOME}transfers").get_data(as_text=True)
    assert "turned up" in clerk.get(page).get_data(as_text=True)
    clerk.post(f"{page}/found", data={"csrf_token": token(clerk, page), "found-1": "1"})
    assert change(before, shop.holds("coat")) == (2, 0, 0)
    assert "accounted for" in clerk.get(page).get_data(as_text=True)


@pytest.fixture
def supplier(app, house):
    """A person of a supplier that ships for us."""

    def hire(session):
        catalog.put_nodes(session, [NodeRow(id="ACME", name="Acme", kind="supplier", time_zone="Europe/Madrid")])
        session.flush()
        access.add_user(session, "acme", PASSWORD, role="supplier", node="ACME")

    house.doors.write(hire)
    client = app.test_client()
    sign_in(client, "acme")
    return client


def test_people_of_a_supplier_open_their_orders_only(supplier):
    assert "Acme" in supplier.get("/", follow_redirects=True).get_data(as_text=True)
    assert "Receive" not in supplier.get("/store/ACME/").get_data(as_text=True)
    assert supplier.get("/store/ACME/orders").status_code == 200
    for page in ("stock", "stock/coat", "hand-over", "returns", "transfers", "deliveries"):
        assert supplier.get(f"/store/ACME/{page}").status_code == 403, page
    assert supplier.get(f"/store/{STORE}/orders").status_code == 404
    assert supplier.get("/planner/").status_code in {403, 404}


def test_only_people_of_a_supplier_work_at_one(house):
    def hire(role, node):
        return house.doors.write(lambda session: access.add_user(session, f"{role}-x", PASSWORD, role=role, node=node))

    house.doors.write(lambda session: catalog.put_nodes(
        session, [NodeRow(id="ACME", name="Acme", kind="supplier", time_zone="Europe/Madrid")]
    ))  # fmt: skip
    for role, node in (("store", "ACME"), ("supplier", STORE), ("supplier", None)):
        with pytest.raises(access.InvalidUser):
            hire(role, node)
