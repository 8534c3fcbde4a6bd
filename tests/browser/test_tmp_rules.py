import pytest
from axe_playwright_python.sync_playwright import Axe
from tests.browser.conftest import DESK, PHONE
from stock import safety_rules
from stock.safety_rules import RuleRow
from fulfillment.network import catalog
from fulfillment.network.carrier_rows import Zone

PATHS = ["/planner/safety-rules?rule=stores-market&sku=coat&channel=market", "/planner/safety-rules", "/planner/counts/rules?node=SVQ", "/planner/counts", "/planner/nodes/MAD", "/planner/policies",
  "/planner/carriers", "/planner/carriers/post-express", "/planner/carriers/post-express/remove", "/planner/carriers/post-express/remove?band=100-30000&zone=ES-07--", "/planner/carriers/post-express/remove?band=100-30000&band=2000-30000"]

@pytest.fixture(scope="module", autouse=True)
def filled(house):
    rows = (RuleRow(id="all", units=1), RuleRow(id="stores-market", units=3, kind="store", channel="market"), RuleRow(id="boots", units=2, sku="boots"), RuleRow(id="mistyped-family-of-the-summer", units=9, family="shirst", active=False))
    house.doors.write(lambda s: safety_rules.put(s, rows))
    house.doors.write(lambda s: catalog.put_zones(s, [Zone(carrier_service="post-express", destination_country="ES", destination_prefix="07", zone="islands")]))

@pytest.mark.parametrize("size,colours,language", [(PHONE, "light", "es-ES"), (DESK, "dark", "en-GB"), (DESK,"light","es-ES")])
def test_look(sign_in, size, colours, language, house):
    page = sign_in("planner", size=size, colours=colours, language=language)
    bad = []
    def look(name):
        page.wait_for_load_state("networkidle")
        bad.extend((name, each['id'], [n['html'][:200] for n in each['nodes']][:3]) for each in Axe().run(page).response["violations"])
        w = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        if w[0] > w[1]: bad.append((name, w))
        page.screenshot(path=f"/tmp/shots/{name}-{size['width']}-{colours}.png", full_page=True)
    for n, path in enumerate(PATHS):
        page.goto(path); look(str(n))
    page.goto("/planner/safety-rules"); page.fill("[name=id]", "x"); page.fill("[name=units]", "3"); page.fill("form[method=post] [name=sku]", "nothing"); page.fill("[name=family]", "shirts")
    page.select_option("[name=node]", "MAD"); page.select_option("[name=kind]", "store")
    page.click("form:has([name=family]) button"); page.wait_for_selector("[role=alert]"); look("faults")
    page.goto("/planner/counts/rules"); page.fill("[name=max_age_days]", "0"); page.fill("[name=recount_units]", "few")
    page.click("form:has([name=max_age_days]) button"); page.wait_for_selector("[role=alert]"); look("countfaults")
    assert bad == []
