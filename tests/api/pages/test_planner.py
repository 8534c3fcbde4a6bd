"""The planner's pages: the network at a glance, one tap to stop a store, edits that nobody overwrites."""

import re

import pytest

from fulfillment.network import catalog, pick_success
from fulfillment.network.carrier_rows import BoxRow, SurchargeRow, Zone
from fulfillment.network.models import NodeDay, NodeProfile, Tariff
from fulfillment.network.pick_success import Looked
from fulfillment.network.rows import Carrier, TariffBand
from fulfillment.work.models import Status
from tests import factories
from tests.api.pages.shop import ship
from tests.api.pages.visitors import token

TODAY = factories.NOW.date()


@pytest.fixture
def planner(signed_in):
    return signed_in("planner")


def send(client, page, address, **fields):
    return client.post(address, data={"csrf_token": token(client, page), **fields}, follow_redirects=True)


def read(client, address):
    answer = client.get(address)
    assert answer.status_code == 200, answer.get_data(as_text=True)[:500]
    return answer.get_data(as_text=True)


def version_on(page):
    return re.search(r'name="version" value="(\d+)"', page)[1]


@pytest.mark.parametrize("address", ["/planner/", "/planner/nodes/MAD", "/planner/carriers", "/planner/runs"])
def test_the_desk_is_for_planners_and_administrators(signed_in, address):
    assert signed_in("admin").get(address).status_code == 200
    assert signed_in("agent").get(address).status_code == 403
    assert signed_in("store").get(address).status_code == 403


def test_the_network_shows_every_node_with_stock_and_work(planner, house):
    house.doors.write(lambda session: ship(session, number="N-1").id)
    page = read(planner, "/planner/?sort=name")
    rows = re.findall(r'<th scope="row"><a href="/planner/nodes/(\w+)">', page)
    assert rows == ["BCN", "WH", "MAD", "SVQ"]
    assert "€720" in page  # four articles of 20 units at 9.00 in Madrid


def test_the_table_and_the_map_hold_the_same_nodes(planner):
    page = read(planner, "/planner/")
    figures = re.search(r'<script type="application/json" id="network-map">(.+?)</script>', page, re.DOTALL)[1]
    assert figures.count('"address"') == len(re.findall(r"<tr>\s*<th scope=\"row\">", page))


def test_the_network_is_a_file_too(planner):
    answer = planner.get("/planner/?format=csv&sort=name")
    lines = answer.get_data().decode("utf-8-sig").splitlines()
    assert lines[0].startswith("node,name,kind,city,state,stock_value,currency")
    assert [line.split(",")[0] for line in lines[1:]] == ["BCN", "WH", "MAD", "SVQ"]


def test_a_store_is_stopped_and_resumed_in_one_tap(planner, house):
    page = send(planner, "/planner/", "/planner/nodes/SVQ/stop", **{"from": "network"}).get_data(as_text=True)
    assert "takes no more work today" in page
    assert "Resume" in page
    assert house.doors.read(lambda session: session.get(NodeDay, ("SVQ", TODAY)).capacity_minutes) == 0
    send(planner, "/planner/", "/planner/nodes/SVQ/resume")
    assert house.doors.read(lambda session: session.get(NodeDay, ("SVQ", TODAY)).capacity_minutes) is None


def test_hours_are_edited_and_said_to_hold_from_now_on(planner, house):
    hours = {f"{edge}-{day}-0": at for day in range(5) for edge, at in (("opens", "09:30"), ("closes", "20:00"))}
    version = version_on(read(planner, "/planner/nodes/BCN"))
    answer = send(planner, "/planner/nodes/BCN", "/planner/nodes/BCN/hours", version=version, cut_off="17:30", **hours)
    assert "Promises already given stand" in answer.get_data(as_text=True)
    profile = house.doors.read(lambda session: session.get(NodeProfile, "BCN"))
    assert profile.opening_hours == {str(day): [["09:30", "20:00"]] for day in range(5)}
    assert profile.cut_off == "17:30"


def test_of_two_who_saw_the_same_node_the_second_is_told(planner):
    version = version_on(read(planner, "/planner/nodes/WH"))
    first = send(planner, "/planner/nodes/WH", "/planner/nodes/WH/hours", version=version, cut_off="16:00")
    second = send(planner, "/planner/nodes/WH", "/planner/nodes/WH/hours", version=version, cut_off="15:00")
    assert first.status_code == 200
    assert second.status_code == 409
    assert "while you were editing" in second.get_data(as_text=True)


def test_services_work_and_costs_are_edited(planner, house):
    page = read(planner, "/planner/nodes/MAD")
    fields = {
        "ships": "on", "capacity_minutes": "300", "package_minutes": "4", "line_minutes": "2", "package_cost": "1,25",
        "line_cost": "0.10", "unit_cost": "0.01", "pick_success": "92.5",
    }  # fmt: skip
    send(planner, "/planner/nodes/MAD", "/planner/nodes/MAD/work", version=version_on(page), **fields)
    profile = house.doors.read(lambda session: session.get(NodeProfile, "MAD"))
    assert (profile.capacity_minutes, profile.package_cost_minor, profile.pick_success) == (300, 125, 0.925)
    assert (profile.ships, profile.takes_returns) == (True, False)


def test_a_node_shows_what_it_is_least_likely_to_find(planner, house):
    assert "Nothing was missed here" in read(planner, "/planner/nodes/SVQ")
    looks = [Looked("boots", "SVQ", found=19, missed=1), Looked("coat", "SVQ", missed=20)]
    house.doors.write(lambda session: pick_success.record(session, looks, now=house.clock.now()))
    page = read(planner, "/planner/nodes/SVQ")
    table = page[page.index("found-title") :]
    assert table.index("coat") < table.index("boots")
    assert "found in 95.0 % of all picks" in table


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("capacity_minutes", "-5", "whole number"),
        ("package_cost", "a lot", "amount such as"),
        ("pick_success", "x", "number"),
    ],
)
def test_what_cannot_be_read_is_named(planner, field, text, sentence):
    fields = {
        "version": version_on(read(planner, "/planner/nodes/MAD")), "capacity_minutes": "1", "package_minutes": "1",
        "line_minutes": "1", "package_cost": "1", "line_cost": "1", "unit_cost": "1", "pick_success": "90",
    }  # fmt: skip
    answer = send(planner, "/planner/nodes/MAD", "/planner/nodes/MAD/work", **{**fields, field: text})
    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)


def test_days_are_set_and_what_is_claimed_beyond_is_said(planner, house):
    fo = house.doors.write(lambda session: _claimed(ship(session, number="N-2")))
    node, on_date = fo
    page = read(planner, f"/planner/nodes/{node}")
    answer = send(
        planner, f"/planner/nodes/{node}", f"/planner/nodes/{node}/capacity", version=version_on(page),
        **{f"minutes-{on_date}": "1"},
    )  # fmt: skip
    assert "more is claimed than it now has" in answer.get_data(as_text=True)
    assert house.doors.read(lambda session: session.get(NodeDay, (node, on_date)).capacity_minutes) == 1


def _claimed(order):
    assert order.status == Status.ALLOCATED
    return order.node, order.work_on


def test_tariffs_are_edited_and_the_change_is_said(planner, house):
    page = read(planner, "/planner/carriers/post-express")
    fields = {"price-100-30000": "3.45", "days-100-30000": "1", "price-2000-30000": "6.00", "days-2000-30000": "2"}
    answer = send(
        planner, "/planner/carriers/post-express", "/planner/carriers/post-express/tariffs", version=version_on(page),
        **fields,
    )  # fmt: skip
    text = answer.get_data(as_text=True)
    assert "1 band is saved" in text
    assert "from €3.00 to €3.45" in text
    stored = house.doors.read(lambda session: session.get(Tariff, ("post-express", 100, 30000, "", 0)).price_minor)
    assert stored == 345


def test_a_tariff_seen_before_somebody_changed_it_is_not_saved(planner):
    page = read(planner, "/planner/carriers/post-standard")
    fields = {"price-100-30000": "3.10", "days-100-30000": "1", "price-2000-30000": "6.00", "days-2000-30000": "2"}
    address = "/planner/carriers/post-standard/tariffs"
    for expected in (200, 409):
        answer = send(planner, "/planner/carriers/post-standard", address, version=version_on(page), **fields)
        assert answer.status_code == expected


def test_the_ledger_is_proven_on_demand_and_the_result_stays(planner):
    text = send(planner, "/planner/", "/planner/ledger").get_data(as_text=True)
    assert "every unit adds up" in text
    assert "no finding" in read(planner, "/planner/")
    assert "Every unit adds up" in read(planner, "/planner/ledger")


def test_what_waits_is_shown_with_its_reason_and_decided_again(planner, house):
    def order_boots(session):
        return factories.place(session, factories.line("boots", 300), external_id="N-9").number

    number = house.doors.write(order_boots)
    page = read(planner, "/planner/waiting?reason=no_stock")
    assert number in page
    assert "No stock anywhere" in page
    demand = re.search(r'name="demand" value="([^"]+)"', page)[1]
    house.doors.write(lambda session: factories.stock(session, "SVQ", boots=400))
    text = send(planner, "/planner/waiting", "/planner/waiting/decide", demand=demand).get_data(as_text=True)
    assert "1 of them now has a node" in text
    assert number not in read(planner, "/planner/waiting")


def test_an_unknown_node_is_not_found(planner):
    assert planner.get("/planner/nodes/XXX").status_code == 404
    assert planner.get("/planner/carriers/XXX").status_code == 404


def test_a_carriers_page_shows_zones_surcharges_limits_and_prices_by_zone(planner, house):
    def lay_out(session):
        service = {"carrier_service": "post-standard"}
        catalog.put_carriers(session, [
            Carrier(id="post-standard", carrier="post", carrier_name="Post", service="standard", cut_off="16:45",
                    dimensional_divisor=5000, max_parcel_g=30_000),
        ])  # fmt: skip
        band = {"max_distance_km": 0, "max_weight_g": 5000, "price_minor": 990, "transit_days": 4, "zone": "islands"}
        catalog.put_tariffs(session, [TariffBand(**service, **band, further_kg_minor=80)])
        catalog.put_zones(session, [Zone(**service, destination_country="ES", destination_prefix="07", zone="islands")])
        catalog.put_surcharges(session, [
            SurchargeRow(**service, code="fuel", name="Fuel", percent_bp=1250, over_weight_g=2000)
        ])  # fmt: skip
        box = {"length_mm": 300, "width_mm": 200, "height_mm": 100, "max_weight_g": 5000, "cost_minor": 35}
        catalog.put_boxes(session, [BoxRow(id="M", name="Medium box", **box)])

    house.doors.write(lay_out)
    page = read(planner, "/planner/carriers/post-standard")
    for shown in ("zone islands", "then €0.80 a kg", "16:45", "5,000 cm³ as one kg", "up to 30.00 kg", "ES 07",
                  "12.50 % of the price", "heavier than 2.00 kg"):  # fmt: skip
        assert shown in page, shown
    assert "Medium box" in read(planner, "/planner/carriers")
    fields = {"price-100-30000": "3.10", "days-100-30000": "1", "price-2000-30000": "6.00", "days-2000-30000": "2"}
    zoned = {"price-0-5000-0-islands": "8.80", "days-0-5000-0-islands": "3"}
    path = "/planner/carriers/post-standard"
    answer = send(planner, path, f"{path}/tariffs", version=version_on(page), **fields, **zoned)
    assert "zone islands and 5.00 kg from €9.90 to €8.80" in answer.get_data(as_text=True)
    key = ("post-standard", 0, 5000, "islands", 0)
    stored = house.doors.read(lambda session: session.get(Tariff, key))
    assert (stored.price_minor, stored.further_kg_minor) == (880, 80)
