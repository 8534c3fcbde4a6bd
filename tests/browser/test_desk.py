"""The desk in a real browser: an agent cancels; a planner stops a store, edits a tariff and accepts part of a run."""

import re
import threading

import pytest
from axe_playwright_python.sync_playwright import Axe
from werkzeug.serving import make_server

from api import jobs
from api.app import build_house, create_app
from fulfillment.network import policies
from tests import factories
from tests.api.pages.shop import open_shop, settings_for
from tests.api.pages.visitors import PASSWORD

SCREENS = {"desk": {"width": 1280, "height": 800}, "tablet": {"width": 820, "height": 1180}}
WAIT_MS = 15_000
RULES = {
    "groups": {"stores": {"kinds": ["store"]}},
    "bands": [{"group": "stores", "minor": 150}],
    "fences": [{"rule": "only_groups", "groups": ["stores"], "soft": True}, {"rule": "domestic"}],
}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def house(sqlite_url):
    present = build_house(settings_for(sqlite_url))
    present.doors.write(open_shop)
    present.doors.write(orders_come_in)
    present.doors.write(lambda session: policies.put(session, "default", RULES, note="Spain first"))
    yield present
    present.doors.database.dispose()


def orders_come_in(session):
    """One order that is served at once, and three that wait although stock has come in since."""
    factories.place(session, factories.line("coat", 2), external_id="W-0")
    for number in (1, 2, 3):
        factories.place(session, factories.line("hat", 250), external_id=f"W-{number}")
    factories.stock(session, "WH", hat=1000)


@pytest.fixture(scope="module")
def address(house):
    """The address of a server that serves this house to the browser."""
    server = make_server("127.0.0.1", 0, create_app(house.config, house), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def sessions():
    """The cookies of those who have signed in, by name, so that each signs in once."""
    return {}


@pytest.fixture
def enter(browser, address, sessions):
    """Open a page signed in as somebody, on a screen; whatever the browser complains about fails the test."""
    contexts, complaints = [], []

    def enter(username, path, screen="desk"):
        context = browser.new_context(viewport=SCREENS[screen], base_url=address, storage_state=sessions.get(username))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if is_complaint(message) else None)
        if username not in sessions:
            sign_in(page, username)
            sessions[username] = context.storage_state()
        page.goto(path)
        return page

    yield enter
    for context in contexts:
        context.close()
    assert complaints == []


def is_complaint(message):
    """A refusal that a page answers with is reported by the browser too, and is none."""
    return message.type == "error" and "422" not in message.text


def sign_in(page, username):
    page.goto("/login")
    page.fill("[name=username]", username)
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url(re.compile(r"^(?!.*/login)"))


def test_an_agent_finds_an_order_and_cancels_one_unit(enter):
    page = enter("agent", "/orders/")
    page.fill("[name=q]", "W-0")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=What was ordered")
    page.fill("input.units", "1")
    page.click("text=See what cancelling releases")
    assert "for sale again at once" in page.inner_text("main")
    page.click("button:has-text('Cancel 1 unit')")
    assert "1 unit is cancelled." in page.inner_text("#notices")
    assert page.inner_text("table tbody tr td:nth-of-type(3)") == "1"


def test_a_planner_stops_a_store_and_resumes_it(enter):
    page = enter("planner", "/planner/")
    page.click("[aria-label='Stop Sevilla today']")
    assert "takes no more work today" in page.inner_text("#notices")
    page.click("[aria-label='Resume Sevilla today']")
    assert "works today with its usual 480 minutes" in page.inner_text("#notices")


def test_the_map_is_drawn_and_leads_to_nodes(enter):
    page = enter("planner", "/planner/")
    page.wait_for_selector("[data-chart=map][data-drawn] canvas")
    page.click("text=Sevilla")
    page.wait_for_url("**/planner/nodes/SVQ")


def test_sorting_swaps_the_table_and_the_address(enter):
    page = enter("planner", "/planner/")
    page.click("thead >> text=Node")
    page.wait_for_url("**/planner/?sort=name")
    page.wait_for_selector("th[aria-sort=ascending]")
    assert page.inner_text("tbody tr:first-child th a") == "Barcelona"
    page.go_back()
    page.wait_for_selector("th[aria-sort=descending]")


def test_a_tariff_is_edited_and_a_fault_keeps_what_was_typed(enter):
    page = enter("planner", "/planner/carriers/post-express")
    page.fill("[name=price-100-30000]", "three")
    page.click("text=Save tariffs")
    page.wait_for_selector("#notices .notice.bad")
    assert page.input_value("[name=price-100-30000]") == "three"
    page.fill("[name=price-100-30000]", "3.45")
    page.click("text=Save tariffs")
    page.wait_for_selector("#notices >> text=1 band is saved")


def test_a_run_is_started_watched_and_accepted_in_part(enter, house):
    page = enter("planner", "/planner/runs")
    page.click("text=Start a run now")
    page.wait_for_selector("text=The run is queued")
    assert jobs.run_slot(house, jobs.RUNS) == 1
    page.wait_for_selector("[data-chart=terms][data-drawn] canvas")
    page.wait_for_selector("[data-chart=map][data-drawn] canvas")
    ticks = page.locator("[name=demand]")
    assert ticks.count() == 3
    ticks.nth(2).uncheck()
    page.click("text=Accept the ticked ones")
    page.wait_for_selector("#notices >> text=2 movements are applied")
    assert "partly accepted" in page.inner_text("h1")


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize(
    ("username", "paths"),
    [
        ("planner", ["/planner/", "/planner/nodes/MAD", "/planner/carriers", "/planner/carriers/post-standard"]),
        ("planner", ["/planner/waiting", "/planner/runs", "/planner/runs newest"]),
        ("planner", ["/planner/policies", "/planner/policies/default/1?try=50", "/planner/policies newest"]),
        ("agent", ["/orders/", "/orders/ newest"]),
    ],
)
def test_everybody_can_use_it_and_nothing_sticks_out(enter, username, paths, screen):
    page = enter(username, paths[0], screen)
    for path in paths:
        look_at(page, path)
        page.wait_for_load_state("networkidle")
        found = [f"{each['id']}: {each['nodes'][0]['html']}" for each in Axe().run(page).response["violations"]]
        assert found == [], path
        widths = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert widths[0] <= widths[1], path


def look_at(page, path):
    """Open a page, or the newest thing that it lists with everything unfolded."""
    address, _, newest = path.partition(" ")
    page.goto(address)
    if newest:
        page.click("tbody tr:first-child th a")
        page.wait_for_selector(".crumbs")
        for summary in page.locator("main summary").all():
            summary.click()
