"""A clerk's day at the store, on a phone, with a scanner that types and ends with Enter."""

import gzip
import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from fulfillment.work.models import FulfillmentOrder
from tests import factories
from tests.api.pages.shop import STORE, collect, ship
from tests.api.pages.visitors import PASSWORD
from tests.browser.conftest import PHONE

COAT, HAT = factories.GTINS["coat"], factories.GTINS["hat"]
HOME = f"/store/{STORE}/"
MOST_BYTES = 60_000
numbers = iter(range(1, 1000))
PLACES = [
    "", "orders", "orders?tab=done", "hand-over", "returns", "put-back", "transfers", "deliveries", "deliveries/blind",
    "stock", "stock/coat", "counts",
]  # fmt: skip
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def many_orders_need_much_stock(house):
    house.doors.write(lambda session: factories.stock(session, STORE, coat=100))


@pytest.fixture
def place(house):
    """Place an order at the store, and return its fulfillment order's id."""

    def write(how, *lines):
        return house.doors.write(lambda session: how(session, *lines, number=f"B-{next(numbers)}").id)

    return write


@pytest.fixture
def read(house):
    """Return some attributes of a fulfillment order."""

    def look(fo_id, *names):
        return house.doors.read(lambda session: [getattr(session.get_one(FulfillmentOrder, fo_id), n) for n in names])

    return look


def type_scan(page, code):
    """Type as a scanner does: fast, wherever the focus is, with Enter at the end."""
    page.keyboard.type(code)
    page.keyboard.press("Enter")


def begin(page, fo_id):
    page.goto(f"{HOME}orders/{fo_id}")
    page.get_by_role("button", name="Pick this order").click()
    page.wait_for_selector("#line")


def complaints_of_axe(page):
    found = Axe().run(page).response["violations"]
    return [(finding["id"], [node["html"] for node in finding["nodes"]]) for finding in found]


def test_a_clerk_picks_packs_and_ships(sign_in, place, read):
    fo_id = place(ship, factories.line("coat", 2))
    page = sign_in("store")
    begin(page, fo_id)

    type_scan(page, HAT)
    page.wait_for_selector(".answer.bad")
    assert f"{HAT} was scanned, Coat (coat) is expected" in page.inner_text(".answer")

    page.evaluate("document.activeElement.blur()")
    type_scan(page, COAT)
    page.wait_for_selector(".answer.good")
    type_scan(page, COAT)
    page.wait_for_selector("text=All picked.")
    assert read(fo_id, "status") == ["picked"]

    page.locator("#line .rows a").click()
    page.get_by_role("button", name="Pack", exact=True).click()
    page.get_by_role("button", name="Ship", exact=True).click()
    page.wait_for_selector("text=Shipped.")
    assert read(fo_id, "status") == ["shipped"]
    label = page.request.get(page.get_by_role("button", name="Label", exact=True).get_attribute("href"))
    assert label.headers["content-type"] == "application/pdf"


def test_fast_scans_are_each_counted_once(sign_in, place, read, house):
    fo_id = place(ship, factories.line("coat", 6))
    page = sign_in("store")
    begin(page, fo_id)
    page.evaluate("document.activeElement.blur()")
    for _ in range(6):
        type_scan(page, COAT)
    page.wait_for_selector("text=All picked.")
    picked = house.doors.read(lambda session: [line.picked for line in session.get_one(FulfillmentOrder, fo_id).lines])
    assert picked == [6]


def test_a_scan_without_connection_is_kept_and_sent(sign_in, place, read):
    fo_id = place(ship, factories.line("coat"))
    page = sign_in("store")
    begin(page, fo_id)
    # Without its scripts, the page would send the form by itself, to a server that is away.
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    type_scan(page, COAT)
    page.wait_for_selector("#unsent:visible")
    assert page.inner_text("[data-unsent]") == "1"
    page.context.set_offline(False)
    page.wait_for_selector("text=All picked.")
    assert read(fo_id, "status") == ["picked"]


def test_a_scan_after_the_session_is_over_is_kept_until_one_signs_in_again(sign_in, place, read):
    fo_id = place(ship, factories.line("coat"))
    page = sign_in("store")
    begin(page, fo_id)
    # An answer still on its way would bring the cookie back.
    page.wait_for_load_state("networkidle")
    page.context.clear_cookies()
    type_scan(page, COAT)
    page.wait_for_url(lambda url: "/login" in url)
    page.fill("[name=username]", "store")
    page.fill("[name=password]", PASSWORD)
    page.click("form button")
    page.wait_for_selector("text=All picked.")
    assert read(fo_id, "status") == ["picked"]


def test_an_order_is_handed_over_by_its_code(sign_in, place, read):
    fo_id = place(collect, factories.line("coat"))
    page = sign_in("store")
    begin(page, fo_id)
    type_scan(page, COAT)
    page.wait_for_selector("text=All picked.")
    page.locator("#line .rows a").click()
    page.get_by_label("Which shelf by the counter?").fill("R1")
    page.get_by_role("button", name="Ready to collect").click()

    page.goto(f"{HOME}hand-over")
    page.fill("[name=code]", read(fo_id, "pickup_code")[0])
    page.keyboard.press("Enter")
    page.wait_for_selector("text=To be paid now: €20.00")
    assert page.inner_text(".shelf") == "R1"
    page.get_by_role("radio", name="Card").check()
    page.get_by_role("button", name="Hand over", exact=True).click()
    page.wait_for_selector("text=Handed over.")
    assert read(fo_id, "status") == ["handed_over"]


def test_a_refusal_at_the_counter_keeps_what_was_typed(sign_in, place, read):
    fo_id = place(collect, factories.line("coat"))
    page = sign_in("store")
    begin(page, fo_id)
    type_scan(page, COAT)
    page.wait_for_selector("text=All picked.")
    page.goto(f"{HOME}orders/{fo_id}")
    page.get_by_label("Which shelf by the counter?").fill("R2")
    page.get_by_role("button", name="Ready to collect").click()
    page.get_by_role("button", name="Hand over", exact=True).click()
    page.fill("[data-code]", "000000" if read(fo_id, "pickup_code") != ["000000"] else "111111")
    page.get_by_role("radio", name="Cash").check()
    page.get_by_role("button", name="Hand over", exact=True).click()
    page.wait_for_selector("#notices .notice.bad")
    assert "4 tries are left" in page.inner_text("#notices")
    assert page.get_by_role("radio", name="Cash").is_checked()


def test_a_shelf_is_counted_by_scans_that_survive_a_reload(sign_in, house):
    page = sign_in("store")
    page.goto(f"{HOME}counts")
    page.get_by_label("From shelf").fill("B-01")
    page.get_by_label("To shelf").fill("B-99")
    page.get_by_role("button", name="Open this count").click()
    page.wait_for_selector("#line")
    type_scan(page, "B-03")
    page.wait_for_selector("text=Shelf B-03.")
    page.evaluate("document.activeElement.blur()")
    for _ in range(3):
        type_scan(page, HAT)
    page.wait_for_selector("text=Hat: 3 on shelf B-03.")
    assert complaints_of_axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.reload()
    assert page.get_by_label("Units of Hat").input_value() == "3"
    page.get_by_label("Units of Hat").fill("20")
    page.get_by_role("button", name="Set").click()
    page.wait_for_selector("text=Every article has been counted.")
    page.get_by_role("button", name="Hand in what I counted").click()
    page.wait_for_selector("text=The count is complete")


def test_it_works_without_javascript(sign_in, place, read):
    fo_id = place(ship, factories.line("coat"))
    page = sign_in("store", scripts=False)
    begin(page, fo_id)
    page.fill("[name=code]", COAT)
    page.get_by_role("button", name="Count").click()
    page.wait_for_selector("text=All picked.")
    assert read(fo_id, "status") == ["picked"]


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_is_wider_than_a_phone(sign_in, place, colours):
    ready, waiting = place(collect, factories.line("coat")), place(ship, factories.line("coat", 3))
    page = sign_in("tienda", size=PHONE, colours=colours)
    addresses = [f"{HOME}{place}" for place in PLACES]
    addresses += [f"{HOME}orders/{ready}", f"{HOME}orders/{waiting}/reject", f"{HOME}hand-over/{ready}"]
    page.goto(f"{HOME}orders/{waiting}")
    page.click("button.big")
    page.wait_for_selector("#line")
    addresses += [page.url, page.url + re.search(r"(/lines/.*?/missing)", page.content())[1]]
    for address in addresses:
        page.goto(address)
        assert complaints_of_axe(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address


def test_the_scan_loop_weighs_little(sign_in, place):
    fo_id = place(ship, factories.line("coat"))
    page = sign_in("store")
    begin(page, fo_id)
    sizes = {}
    page.on("response", lambda answer: sizes.update({answer.url: size_on_the_way(answer)}))
    page.reload(wait_until="networkidle")
    assert len(sizes) >= 4
    assert sum(sizes.values()) <= MOST_BYTES, sizes


def size_on_the_way(answer) -> int:
    """Return the bytes of an answer as compressed; pages themselves are not, which only makes them heavier."""
    body = answer.body()
    return len(gzip.compress(body)) if answer.headers.get("content-encoding") == "gzip" else len(body)
