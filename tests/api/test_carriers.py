"""Carriers, zones, surcharges and boxes over HTTP and from files, up to the decision that they make."""

import pytest

from api import imports
from api.rest.carriers import EXAMPLE_BAND, EXAMPLE_BOX, EXAMPLE_SERVICE, EXAMPLE_SURCHARGE, EXAMPLE_ZONE
from fulfillment.network import snapshot
from tests.api import network
from tests.api.network import euros

KINDS = [
    ("carrier-services", EXAMPLE_SERVICE, "MESETA-24"),
    ("carriers", EXAMPLE_BAND, "MESETA-24"),
    ("carrier-zones", EXAMPLE_ZONE, "MESETA-24"),
    ("surcharges", EXAMPLE_SURCHARGE, "fuel"),
    ("boxes", EXAMPLE_BOX, "M"),
]


def test_a_row_is_created_once_and_then_unchanged(admin):
    for path, example, name in KINDS:
        (first,) = admin.post(f"/api/v1/{path}", [example])["results"]
        assert first["id"] == name
        assert admin.post(f"/api/v1/{path}", [example])["results"][0]["result"] == "unchanged"
    shown = admin.get("/api/v1/carriers/MESETA-24")
    assert (shown["cut_off"], shown["delivers_on"], shown["dimensional_divisor"]) == ("17:30", "mo-sa", 5000)
    assert shown["zones"] == [{**EXAMPLE_ZONE, "origin_prefix": ""}]
    assert [(each["code"], each["percent"]) for each in shown["surcharges"]] == [("fuel", 12.5)]
    assert admin.get("/api/v1/boxes")["items"] == [{**EXAMPLE_BOX, "node": None, "active": True}]


def test_a_tariff_is_edited_band_by_band(admin):
    zoned = {**EXAMPLE_BAND, "zone": "islands", "max_distance_km": 0, "further_kg": euros("0.80")}
    admin.post("/api/v1/carriers", [EXAMPLE_BAND, zoned])
    path = "/api/v1/carriers/MESETA-24/tariff"
    answer = admin.send("GET", path)
    by_distance, by_zone = answer.get_json()["bands"]
    assert (by_zone["zone"], by_zone["further_kg"]["amount"]) == ("islands", "0.80")
    by_distance["price"]["amount"] = "4.00"
    changed = admin.send("PUT", path, body={"bands": [by_distance]}, headers={"If-Match": answer.headers["ETag"]})
    assert changed.get_json()["bands"] == [by_distance, by_zone]


def tariff_of(admin, service):
    """Write two bands of a distance, one of a zone, and the zone; return how to change it, and the version seen."""
    rows = [
        {**EXAMPLE_BAND, "carrier_service": service, **place}
        for place in ({}, {"max_weight_g": 10}, {"zone": "islands", "max_distance_km": 0})
    ]
    admin.post("/api/v1/carriers", rows)
    admin.post("/api/v1/carrier-zones", [{**EXAMPLE_ZONE, "carrier_service": service}])
    path = f"/api/v1/carriers/{service}"
    return f"{path}/remove", {"If-Match": admin.send("GET", path).headers["ETag"]}


def test_a_wrong_band_and_a_wrong_zone_are_taken_away(admin, house):
    path, seen = tariff_of(admin, "GONE-1")
    before = house.doors.read(snapshot.load)
    wrong = {
        "bands": [{"max_distance_km": 50, "max_weight_g": 10}],
        "zones": [{"destination_country": "ES", "destination_prefix": "0-7", "origin_country": "ES"}],
    }
    left = admin.send("POST", path, body=wrong, headers=seen).get_json()
    assert [(band["zone"], band["max_weight_g"]) for band in left["bands"]] == [("", 1000), ("islands", 1000)]
    assert left["zones"] == []
    after = house.doors.read(snapshot.load)
    assert after.version > before.version
    (offer,) = [each for each in after.services if each.id == "GONE-1"]
    assert (list(offer.tariffs.weights_g), offer.zones) == ([1000], None)
    assert admin.send("POST", path, 412, body=wrong, headers=seen).get_json()["code"] == "precondition_failed"


def test_what_is_not_there_is_named_and_nothing_is_taken_away(admin):
    path, seen = tariff_of(admin, "GONE-2")
    there, not_there = {"max_distance_km": 50, "max_weight_g": 10}, {"max_distance_km": 60, "max_weight_g": 10}
    asked = {"bands": [there, not_there], "zones": [{"destination_country": "PT"}]}
    problem = admin.send("POST", path, 422, body=asked, headers=seen).get_json()
    assert [(fault["pointer"], fault["message"]) for fault in problem["errors"]] == [
        ("/bands/1", "there is no band up to 60 km and 10 g"),
        ("/zones/0", "there is no zone to PT from anywhere"),
    ]
    admin.send("POST", path, 422, body={}, headers=seen)
    admin.send("POST", path, 428, body=asked)
    assert len(admin.get("/api/v1/carriers/GONE-2/tariff")["bands"]) == 3


def test_a_service_in_use_keeps_a_price(admin):
    path, seen = tariff_of(admin, "GONE-3")
    bands = [
        {name: band[name] for name in ("max_distance_km", "zone", "max_weight_g")}
        for band in admin.get("/api/v1/carriers/GONE-3/tariff")["bands"]
    ]
    assert admin.send("POST", path, 409, body={"bands": bands}, headers=seen).get_json()["code"] == "last_band"
    admin.post("/api/v1/carrier-services", [{**EXAMPLE_SERVICE, "id": "GONE-3", "active": False}])
    seen = {"If-Match": admin.send("GET", "/api/v1/carriers/GONE-3").headers["ETag"]}
    assert admin.send("POST", path, body={"bands": bands}, headers=seen).get_json()["bands"] == []


@pytest.mark.parametrize(
    ("path", "row", "pointers"),
    [
        ("carriers", {**EXAMPLE_BAND, "zone": "islands"}, {"/max_distance_km"}),
        ("carriers", {**EXAMPLE_BAND, "max_distance_km": 0}, {"/max_distance_km"}),
        ("carriers", {**EXAMPLE_BAND, "further_kg": {"amount": "1.00", "currency": "USD"}}, {"/further_kg/currency"}),
        ("carrier-services", {**EXAMPLE_SERVICE, "delivers_on": "sat"}, {"/delivers_on"}),
        ("carrier-services", {**EXAMPLE_SERVICE, "cut_off": "24:00"}, {"/cut_off"}),
        ("carrier-services", {**EXAMPLE_SERVICE, "dimensional_divisor": 0}, {"/dimensional_divisor"}),
        ("carrier-zones", {**EXAMPLE_ZONE, "carrier_service": "NONE", "destination_country": "Spain"},
         {"/carrier_service", "/destination_country"}),
        ("carrier-zones", {**EXAMPLE_ZONE, "origin_country": "", "origin_prefix": "28"}, {"/origin_country"}),
        ("surcharges", {**EXAMPLE_SURCHARGE, "percent": 0}, {"/percent"}),
        ("surcharges", {**EXAMPLE_SURCHARGE, "prefixes": "07", "delivered_on": "x"}, {"/country", "/delivered_on"}),
        ("surcharges", {**EXAMPLE_SURCHARGE, "from_on": "2026-12-24", "until_on": "2026-12-23"}, {"/until_on"}),
        ("boxes", {**EXAMPLE_BOX, "node": "NOWHERE"}, {"/node"}),
        ("boxes", {**EXAMPLE_BOX, "length_mm": 0, "max_weight_g": 0}, {"/length_mm", "/max_weight_g"}),
    ],
)  # fmt: skip
def test_every_fault_of_a_row_is_named(admin, path, row, pointers):
    admin.post("/api/v1/carriers", [EXAMPLE_BAND])
    problem = admin.post(f"/api/v1/{path}", row, 422)
    assert {fault["pointer"] for fault in problem["errors"]} == pointers


def test_importing_bands_leaves_what_else_is_known_of_a_service(admin):
    admin.post("/api/v1/carrier-services", [{**EXAMPLE_SERVICE, "id": "KEPT", "active": False}])
    admin.post("/api/v1/carriers", [{**EXAMPLE_BAND, "carrier_service": "KEPT"}])
    kept = admin.get("/api/v1/carriers/KEPT")
    assert (kept["active"], kept["cut_off"]) == (False, "17:30")


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        ("carrier-services", ["id,carrier,carrier_name,service,delivers_on", "CSV-1,C,Csv,slow,mo-sa"]),
        ("carriers", [
            "carrier,carrier_name,carrier_service,service,zone,max_weight_g,price,currency,transit_days,further_kg",
            "C,Csv,CSV-1,slow,far,5000,9.90,EUR,4,0.80",
        ]),
        ("carrier-zones", ["carrier_service,destination_country,destination_prefix,zone", "CSV-1,ES,35,far"]),
        ("surcharges", [
            "carrier_service,code,name,percent,per_package,currency,country,prefixes,from_on",
            "CSV-1,peak,Peak,12.5,0.90,EUR,ES,35 38,2026-11-20",
        ]),
        ("boxes", ["id,name,length_mm,width_mm,height_mm,max_weight_g,cost,currency", "C,C,300,200,99,5000,0.35,EUR"]),
    ],
)  # fmt: skip
def test_a_file_is_imported_and_then_unchanged(house, kind, lines):
    outcomes = []
    for _ in range(2):
        *_, result = imports.import_file(house, kind, lines, ending=".csv")
        assert result.errors == []
        outcomes.append(dict(result.counts))
    assert outcomes[1] == {"unchanged": 1}


def test_an_order_is_decided_by_what_carriers_and_boxes_really_cost(admin):
    network.build(admin)
    network.receive(admin, "parcels", ("MAD-W", "LAMP", 5))
    admin.post("/api/v1/articles", [network.article("LAMP", length_mm=400, width_mm=300, height_mm=250)])
    express = {"carrier_service": "MESETA-10"}
    admin.post("/api/v1/carrier-services", [{**EXAMPLE_SERVICE, "id": "MESETA-10", "service": "express"}])
    long = {"code": "long", "name": "Long", "per_package": euros("2.00"), "over_length_mm": 450}
    admin.post("/api/v1/surcharges", [EXAMPLE_SURCHARGE | express, long | express])
    admin.post("/api/v1/boxes", [{**EXAMPLE_BOX, "id": "XL", "length_mm": 500, "width_mm": 400, "height_mm": 300}])
    order = network.order("parcels-1", ("LAMP", 1), service="express")
    placed = admin.post("/api/v1/orders", order, 201, key="parcels-1")
    (decision,) = admin.get(f"/api/v1/orders/{placed['id']}/decision")["decisions"]
    (chosen,) = [each for each in decision["candidates"] if each.get("units")]
    cost = [chosen["cost"][term] for term in ("carrier", "surcharge", "box")]
    assert (chosen["node"], cost) == ("MAD-W", [325, 41 + 200, 35])
