"""The store's pages, as a clerk without JavaScript walks through them: forms, redirects and notices."""

import re

import pytest
from sqlalchemy import func, select

from fulfillment.network import catalog as network
from fulfillment.network.carrier_rows import BoxRow
from fulfillment.work.models import FulfillmentOrder, PutBack, Scan
from kernel.ids import new_id
from stock import catalog
from stock.models import StockBalance
from tests import factories
from tests.api.pages.shop import STORE, collect, ship
from tests.api.pages.visitors import token

HOME = f"/store/{STORE}/"
COAT, HAT = factories.GTINS["coat"], factories.GTINS["hat"]
numbers = iter(range(1, 1000))


@pytest.fixture(scope="module", autouse=True)
def many_orders_need_much_stock(house):
    house.doors.write(lambda session: factories.stock(session, STORE, coat=100, hat=20))
    house.doors.write(lambda session: factories.stock(session, "SVQ", coat=20))


@pytest.fixture
def clerk(signed_in):
    return signed_in("store")


@pytest.fixture
def shop(house):
    """Place orders and look at what became of them."""
    return Shop(house.doors)


class Shop:
    def __init__(self, doors):
        self.doors = doors

    def collect(self, *lines, **fields):
        return self.doors.write(lambda session: collect(session, *lines, number=f"C-{next(numbers)}", **fields).id)

    def ship(self, *lines):
        return self.doors.write(lambda session: ship(session, *lines, number=f"S-{next(numbers)}").id)

    def order(self, fo_id):
        def read(session):
            fo = session.get_one(FulfillmentOrder, fo_id)
            return fo.status, fo.pickup_code, [(line.id, line.picked) for line in fo.lines]

        return self.doors.read(read)

    def status(self, fo_id):
        return self.order(fo_id)[0]

    def balance(self, sku):
        return self.doors.read(lambda session: session.get_one(StockBalance, (sku, STORE)))


def send(client, address, **fields):
    """Send a form as the browser would, and return the page it leads to."""
    form = {"csrf_token": token(client, HOME), **fields}
    return client.post(address, data=form, follow_redirects=True)


def text_of(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


def begin(client, fo_id):
    """Put an order on a pick list and return the list's address."""
    page = send(client, f"{HOME}pick", order=fo_id)
    assert page.status_code == 200
    return page.request.path


def scan(client, walk, code, **fields):
    line = re.search(r'name="line" value="([^"]+)"', client.get(walk).get_data(as_text=True))
    return send(client, f"{walk}/scan", code=code, line=line[1] if line else "", **{"scan_id": new_id(), **fields})


def picked(client, shop, fo_id, *codes):
    """Pick an order to its end."""
    walk = begin(client, fo_id)
    for code in codes:
        scan(client, walk, code)
    assert shop.status(fo_id) == "picked"


def test_home_counts_what_is_to_do_and_the_time_that_is_left(clerk, shop):
    shop.ship(factories.line("coat"))
    page = text_of(clerk.get(HOME))
    assert re.search(r"[1-9]\d* to pick", page)
    assert "Next cut-off 8:00" in page
    assert "Start picking" in page


def test_staff_see_their_own_store_only(clerk, signed_in):
    assert clerk.get("/store/BCN/").status_code == 404
    assert clerk.get("/planner/").status_code == 403
    assert signed_in("admin").get("/store/BCN/").status_code == 200
    assert signed_in("agent").get("/store/BCN/").status_code == 403


def test_an_order_of_another_store_does_not_exist_here(clerk, signed_in, shop):
    fo_id = shop.ship(factories.line("coat"))
    assert signed_in("admin").get(f"/store/BCN/orders/{fo_id}").status_code == 404
    assert clerk.get(f"{HOME}orders/{fo_id}").status_code == 200


def test_a_wrong_scan_says_what_was_scanned_and_what_is_expected(clerk, shop):
    fo_id = shop.ship(factories.line("coat"))
    said = text_of(scan(clerk, begin(clerk, fo_id), HAT))
    assert f"Wrong article: {HAT} was scanned, Coat (coat) is expected. Nothing was counted." in said
    assert [count for _, count in shop.order(fo_id)[2]] == [0]


def test_a_right_scan_counts_and_the_same_scan_counts_once(clerk, shop):
    fo_id = shop.ship(factories.line("coat", 2))
    walk, scan_id = begin(clerk, fo_id), new_id()
    assert "Coat: right, 1 more." in text_of(scan(clerk, walk, COAT, scan_id=scan_id))
    scan(clerk, walk, COAT, scan_id=scan_id)
    assert [count for _, count in shop.order(fo_id)[2]] == [1]
    assert shop.doors.read(lambda session: session.scalar(select(func.count(Scan.id)).where(Scan.id == scan_id))) == 1
    assert "All picked." in text_of(scan(clerk, walk, COAT))


def test_htmx_gets_the_line_only(clerk, shop):
    walk = begin(clerk, shop.ship(factories.line("coat", 2)))
    line = re.search(r'name="line" value="([^"]+)"', clerk.get(walk).get_data(as_text=True))[1]
    form = {"csrf_token": token(clerk, HOME), "code": COAT, "line": line, "scan_id": new_id()}
    part = clerk.post(f"{walk}/scan", data=form, headers={"HX-Request": "true"}).get_data(as_text=True)
    assert part.lstrip().startswith('<div id="line"')
    assert 'data-tone="good"' in part


def test_a_skipped_line_comes_last(clerk, shop):
    walk = begin(clerk, shop.ship(factories.line("coat"), factories.line("hat")))
    first = clerk.get(walk).get_data(as_text=True)
    skip = re.search(r'href="([^"]+later=[^"]+)"', first)[1]
    assert "A-11" in first
    assert "B-03" in clerk.get(skip).get_data(as_text=True)


def test_a_list_of_somebody_else_is_taken_over_on_purpose(clerk, signed_in, shop):
    walk = begin(clerk, shop.ship(factories.line("coat")))
    other = signed_in("tienda")
    assert "store está preparando esta lista." in text_of(other.get(walk))
    assert send(other, f"{walk}/take-over").status_code == 200
    assert "store está preparando" not in text_of(other.get(walk))


def test_cannot_find_says_what_will_happen_before_it_does(clerk, shop):
    fo_id = shop.ship(factories.line("coat"))
    walk, before = begin(clerk, fo_id), shop.balance("coat").on_hand
    line_id = shop.order(fo_id)[2][0][0]
    asked = text_of(clerk.get(f"{walk}/lines/{line_id}/missing"))
    assert "Sevilla sends 1 unit to the customer" in asked
    assert "Not found Your stock falls by the missing units." in asked
    assert shop.status(fo_id) == "picking"
    send(clerk, f"{walk}/lines/{line_id}/missing", reason="not_found", found="0")
    assert shop.status(fo_id) == "rejected"
    assert shop.balance("coat").on_hand == before - 1


def test_a_rejected_order_goes_where_the_page_said(clerk, shop):
    fo_id = shop.ship(factories.line("coat"))
    assert "Sevilla sends 1 unit" in text_of(clerk.get(f"{HOME}orders/{fo_id}/reject"))
    said = text_of(send(clerk, f"{HOME}orders/{fo_id}/reject", reason="no_staff"))
    assert "its units go elsewhere" in said
    assert shop.status(fo_id) == "rejected"


def test_pack_ship_and_print(clerk, shop, house):
    fo_id = shop.ship(factories.line("coat"))
    picked(clerk, shop, fo_id, COAT)
    assert "Fits in" not in text_of(clerk.get(f"{HOME}orders/{fo_id}"))
    sides = {"length_mm": 400, "width_mm": 300, "height_mm": 200}
    box = BoxRow(id="L", name="Large box", max_weight_g=9000, **sides)
    house.doors.write(lambda session: network.put_boxes(session, [box]))
    assert "Large box" in text_of(clerk.get(f"{HOME}orders/{fo_id}"))
    assert "1.25 kg" in text_of(send(clerk, f"{HOME}orders/{fo_id}/pack", weight_kg="1,25", packages="1"))
    said = text_of(send(clerk, f"{HOME}orders/{fo_id}/ship"))
    assert "Shipped." in said
    for paper in ("label", "slip"):
        printed = clerk.get(f"{HOME}orders/{fo_id}/{paper}.pdf")
        assert printed.content_type == "application/pdf"
        assert printed.data.startswith(b"%PDF")
        assert printed.headers["Cache-Control"] == "no-store"


def test_shipping_twice_is_refused_with_what_to_do_instead(clerk, shop):
    fo_id = shop.ship(factories.line("coat"))
    picked(clerk, shop, fo_id, COAT)
    send(clerk, f"{HOME}orders/{fo_id}/pack", packages="1")
    send(clerk, f"{HOME}orders/{fo_id}/ship")
    answer = send(clerk, f"{HOME}orders/{fo_id}/ship")
    assert answer.status_code == 409
    assert "what comes back is a return" in text_of(answer)


@pytest.fixture
def ready(clerk, shop):
    """A collection of two coats that lies ready and is not paid."""
    fo_id = shop.collect(factories.line("coat", 2))
    picked(clerk, shop, fo_id, COAT, COAT)
    send(clerk, f"{HOME}orders/{fo_id}/ready", shelf="R7")
    assert shop.status(fo_id) == "ready"
    return fo_id


def test_a_code_opens_what_lies_ready(clerk, shop, ready):
    found = text_of(send(clerk, f"{HOME}hand-over", code=shop.order(ready)[1]))
    assert "Ana Carvalho" in found
    assert "R7" in found
    assert "To be paid now: €40.00" in found


def test_a_name_finds_what_lies_ready(clerk, ready):
    assert "R7" in text_of(send(clerk, f"{HOME}hand-over", code="ana carvalho"))


def test_nothing_leaves_unpaid(clerk, shop, ready):
    answer = send(clerk, f"{HOME}hand-over/{ready}", code=shop.order(ready)[1])
    assert answer.status_code == 409
    assert "40.00 EUR are due" in text_of(answer)
    assert shop.status(ready) == "ready"


def test_hand_over_against_the_code(clerk, shop, ready):
    said = text_of(send(clerk, f"{HOME}hand-over/{ready}", code=shop.order(ready)[1], paid_by="card"))
    assert "Handed over." in said
    assert shop.status(ready) == "handed_over"


def test_a_wrong_code_is_said_and_counted(clerk, ready):
    right = "000000"
    said = text_of(send(clerk, f"{HOME}hand-over/{ready}", code=right, paid_by="card"))
    assert "4 tries are left" in said


def test_what_is_refused_stays_and_is_put_back(clerk, shop, ready):
    _, code, lines = shop.order(ready)
    taken = {f"accepted-{lines[0][0]}": "1"}
    send(clerk, f"{HOME}hand-over/{ready}", code=code, paid_by="cash", reason="too_small", **taken)
    assert shop.status(ready) == "handed_over"
    assert "A-11" in text_of(clerk.get(f"{HOME}put-back"))
    task = shop.doors.read(
        lambda session: session.scalar(
            select(PutBack.id).where(PutBack.fulfillment_order_id == ready, PutBack.done < PutBack.units)
        )
    )
    before = shop.balance("coat").reserved
    said = text_of(send(clerk, f"{HOME}put-back", task=task, code=COAT, scan_id=new_id()))
    assert "for sale again" in said
    assert shop.balance("coat").reserved == before - 1


def test_what_is_due_follows_what_is_taken(clerk, shop, ready):
    line_id = shop.order(ready)[2][0][0]
    assert "€20.00" in text_of(send(clerk, f"{HOME}hand-over/{ready}/due", **{f"accepted-{line_id}": "1"}))


def test_a_return_is_found_graded_and_told_where_it_goes(clerk, shop, ready):
    send(clerk, f"{HOME}hand-over/{ready}", code=shop.order(ready)[1], paid_by="card")
    order_id = shop.doors.read(lambda session: session.get_one(FulfillmentOrder, ready).reference)
    page = clerk.get(f"{HOME}returns/{order_id}").get_data(as_text=True)
    line_id = re.search(r'name="units-([^"]+)"', page)[1]
    before = shop.balance("coat").damaged
    form = {f"units-{line_id}": "1", f"reason-{line_id}": "too_small", f"grade-{line_id}": "damaged"}
    said = text_of(send(clerk, f"{HOME}returns/{order_id}", **form))
    assert "To the damaged stock; it is not sold." in said
    assert shop.balance("coat").damaged == before + 1


def test_returns_are_searched_without_leaving_a_name_in_an_address(clerk, ready):
    answer = send(clerk, f"{HOME}returns", text="ana@example.org")
    assert answer.status_code == 200
    assert "ana" not in answer.request.full_path


def test_stock_shows_the_shelf_here_and_the_nearest_elsewhere(clerk):
    page = text_of(clerk.get(f"{HOME}stock?q={COAT}", follow_redirects=True))
    assert "A-11" in page
    assert re.search(r"Sevilla 391 km away \d", page)


def test_every_page_of_an_empty_store_says_what_to_do(signed_in):
    admin = signed_in("admin")
    for page in ("", "orders", "hand-over", "returns", "put-back", "transfers", "deliveries", "stock"):
        assert admin.get(f"/store/BCN/{page}").status_code == 200
    assert "Nothing to pick" in text_of(admin.get("/store/BCN/orders"))


def test_a_transfer_is_sent_by_one_store_and_received_by_the_other(clerk, signed_in, shop):
    order_id = shop.doors.write(bring_from_sevilla)
    waiting, leg = shop.doors.read(lambda session: parts_of(session, order_id))
    assert "comes from another store" in text_of(clerk.get(f"{HOME}orders/{waiting}"))

    admin, sevilla = signed_in("admin"), "/store/SVQ/"
    walk = send(admin, f"{sevilla}pick", order=leg).request.path
    scan(admin, walk, "ONLY-SVQ")
    scan(admin, walk, "ONLY-SVQ")
    send(admin, f"{sevilla}orders/{leg}/pack", packages="1")
    assert "On its way." in text_of(send(admin, f"{sevilla}orders/{leg}/dispatch"))
    assert admin.get(f"{sevilla}orders/{leg}/label.pdf").data.startswith(b"%PDF")

    coming = clerk.get(f"{HOME}transfers").get_data(as_text=True)
    assert "from Sevilla" in coming
    transfer = re.search(rf'href="({HOME}transfers/[^"]+)"', coming)[1]
    assert "/ 2" in text_of(clerk.get(transfer))
    said = text_of(send(clerk, transfer, **{"received-1": "2"}))
    assert "2 received." in said
    assert shop.status(waiting) == "allocated"


def bring_from_sevilla(session):
    article = factories.ArticleRow(sku="ONLY-SVQ", name="Rare hat", currency="EUR", price_minor=2000)
    catalog.put_articles(session, [article])
    session.flush()
    factories.stock(session, "SVQ", **{"ONLY-SVQ": 2})
    line = factories.line("ONLY-SVQ", 2)
    return factories.place(session, line, external_id="T-1", method="collect", collect_node=STORE).id


def parts_of(session, order_id):
    of_order = select(FulfillmentOrder).where(FulfillmentOrder.reference == order_id)
    by_method = {fo.method: fo.id for fo in session.scalars(of_order)}
    return by_method["collect"], by_method["transfer"]
