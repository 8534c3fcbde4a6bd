"""The demo network: its files are complete, plausible and agree with each other."""

import json
import re
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import holidays
import pytest

from demo import BUSINESS_CLOCK, network

OUTLINES = network.FOLDER.parent / "api" / "static" / "iberia.geojson"
OVERSEAS = {("ES", "35"), ("ES", "38"), ("ES", "51"), ("ES", "52")} | {("PT", f"9{digit}") for digit in range(10)}
PLACES = [
    *network.nodes(),
    *network.cities(),
    *(code for code in network.postal_codes() if (code.country, code.postal_code) not in OVERSEAS),
]


def rings(country):
    outlines = json.loads(OUTLINES.read_text(encoding="utf-8"))
    shapes = {shape["properties"]["country"]: shape["geometry"] for shape in outlines["features"]}
    return [polygon[0] for polygon in shapes[country]["coordinates"]]


def is_inside(ring, longitude, latitude):
    """Count the edges crossed on the way east: an odd number means inside."""
    crossed = 0
    for (x1, y1), (x2, y2) in pairwise(ring):
        if (y1 > latitude) != (y2 > latitude):
            crossed += longitude < x1 + (latitude - y1) * (x2 - x1) / (y2 - y1)
    return crossed % 2 == 1


def check_digit(gtin):
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(gtin[:12]))
    return str(-weighted % 10)


def test_two_warehouses_and_forty_stores_stand_in_two_countries():
    assert Counter(node.kind for node in network.nodes()) == {"warehouse": 2, "store": 40}
    assert {node.country for node in network.nodes()} == {"ES", "PT"}
    assert len({node.id for node in network.nodes()}) == 42


def test_every_place_lies_in_its_country():
    # Outlines are simplified: a place on the coast may lie up to a few kilometres outside, never further.
    slack = [(0.0, 0.0), *((x, y) for x in (-0.06, 0.0, 0.06) for y in (-0.06, 0.0, 0.06))]
    lost = [
        place
        for place in PLACES
        if not any(
            is_inside(ring, place.longitude + x, place.latitude + y) for ring in rings(place.country) for x, y in slack
        )
    ]
    assert lost == []


def test_outlines_are_light_and_closed():
    for country in ("ES", "PT"):
        assert all(ring[0] == ring[-1] for ring in rings(country))
        assert 80 <= len(rings(country)[0]) <= 220


def test_the_postal_table_knows_every_province_and_every_node():
    known = {(code.country, code.postal_code) for code in network.postal_codes()}
    assert len(known) == len(network.postal_codes())
    assert {("ES", f"{province:02d}") for province in range(1, 53)} <= known
    assert {(node.country, node.postal_code) for node in network.nodes()} <= known


def test_every_city_is_found_at_least_by_the_prefix_of_its_postal_code():
    known = {(code.country, code.postal_code) for code in network.postal_codes()}
    assert all((city.country, city.postal_code[:2]) in known for city in network.cities())
    assert sum((city.country, city.postal_code) not in known for city in network.cities()) == 12


def test_a_postal_code_has_one_region_with_its_prefix():
    regions = {(code.country, code.postal_code): code.region for code in network.postal_codes()}
    assert all(city.region == regions[city.country, city.postal_code[:2]] for city in network.cities())
    assert all(node.region == regions[node.country, node.postal_code[:2]] for node in network.nodes())


def test_four_hundred_articles_have_valid_gtins_that_belong_to_nobody():
    gtins = [article.gtin for article in network.articles()]
    assert len(set(gtins)) == len({article.sku for article in network.articles()}) == 400
    assert all(re.fullmatch(r"2\d{12}", gtin) and gtin[12] == check_digit(gtin) for gtin in gtins)


def test_articles_earn_money_and_can_be_carried():
    heaviest = max(tariff.max_weight_g for tariff in network.carriers())
    for article in network.articles():
        assert 0 < article.unit_cost < article.price
        assert 0 < article.weight_g < heaviest
        assert min(article.length_mm, article.width_mm, article.height_mm) > 0


def test_three_carriers_ask_more_for_longer_ways_and_heavier_parcels():
    tariffs = network.carriers()
    assert len({tariff.carrier for tariff in tariffs}) == 3
    for one in tariffs:
        for other in tariffs:
            if one.carrier_service == other.carrier_service and one != other:
                further = one.max_distance_km <= other.max_distance_km and one.max_weight_g <= other.max_weight_g
                assert not further or one.price < other.price


@pytest.mark.parametrize("service", ["standard", "express"])
def test_every_shipping_node_reaches_every_city(service):
    reach = max(tariff.max_distance_km for tariff in network.carriers() if tariff.service == service)
    ways = [network.distance_km(node, city) for node in network.nodes() if node.ships for city in network.cities()]
    assert max(ways) < reach


def test_stores_cost_more_than_warehouses_and_have_less_room_for_work():
    stores = [node for node in network.nodes() if node.kind == "store"]
    for warehouse in (node for node in network.nodes() if node.kind == "warehouse"):
        assert all(store.package_cost > warehouse.package_cost for store in stores)
        assert all(store.capacity_minutes < warehouse.capacity_minutes for store in stores)
        assert all(store.pick_success < warehouse.pick_success <= 1 for store in stores)


def test_opening_hours_name_every_day_once():
    days = ["mo", "tu", "we", "th", "fr", "sa", "su"]
    for node in network.nodes():
        opened = []
        for part in node.opening_hours.split("; "):
            span, hours = part.split(" ")
            first, _, last = span.partition("-")
            opened += days[days.index(first) : days.index(last or first) + 1]
            assert re.fullmatch(r"closed|\d\d:\d\d-\d\d:\d\d", hours)
        assert opened == days, node.id


def test_five_channels_of_five_kinds():
    kinds = {channel.kind for channel in network.channels()}
    assert kinds == {"web", "app", "store", "marketplace", "contact_centre"}
    assert {channel.shortage for channel in network.channels()} == {"wait", "refuse"}
    assert len(network.channels()) == 5


@pytest.mark.parametrize("place", sorted({(node.country, node.region) for node in network.nodes()}))
def test_the_business_clock_is_a_working_day_in_every_region(place):
    country, region = place
    calendar = holidays.country_holidays(country, subdiv=region, years=BUSINESS_CLOCK.year)
    next_days = [BUSINESS_CLOCK.date() + timedelta(days=ahead) for ahead in range(10)]
    assert BUSINESS_CLOCK.strftime("%A") == "Tuesday"
    assert not any(day in calendar for day in next_days)


def test_the_business_clock_is_in_opening_hours_and_before_every_cut_off():
    for node in network.nodes():
        local = BUSINESS_CLOCK.astimezone(ZoneInfo(node.time_zone))
        assert f"{local:%H:%M}" < node.cut_off
