"""What carriers and boxes ask decides: zones, surcharges, room taken, limits, Saturdays and cut-offs."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from fulfillment.network import catalog
from fulfillment.network.carrier_rows import BoxRow, SurchargeRow, Zone
from fulfillment.network.rows import Carrier, TariffBand
from fulfillment.sourcing.decide import decide
from fulfillment.work.candidates import rows
from stock.models import Article
from tests.fulfillment.sourcing.world import NOW, collected, place, stock, wanted

STD = Carrier(id="STD", carrier="STD", carrier_name="Carrier STD", service="standard")
FRIDAY = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def decided(session, *demands, now=NOW):
    [change] = decide(session, demands, now=now, cause="order").changes
    return change


def costs(session, *demands, **options):
    return decided(session, *demands, **options).rationale.by_term


def surcharge(session, code="extra", **fields):
    catalog.put_surcharges(session, [SurchargeRow(carrier_service="STD", code=code, name=code, **fields)])


def test_where_nothing_is_known_but_weight_there_are_no_further_terms(session):
    stock(session, A={"MAD-W": 5})
    assert costs(session, wanted()).keys() == {"handling", "carrier", "line_handling", "pick_risk"}


def test_a_surcharge_is_a_term_and_may_choose_another_node(session):
    stock(session, A={"MAD-W": 5})
    surcharge(session, percent_bp=1250)
    assert costs(session, wanted())["surcharge"] == 50
    surcharge(session, percent_bp=1250, active=False)
    assert "surcharge" not in costs(session, wanted())


def test_a_zone_prices_instead_of_the_distance(session):
    stock(session, A={"MAD-W": 5})
    catalog.put_tariffs(
        session,
        [
            TariffBand(
                carrier_service="STD", max_distance_km=0, max_weight_g=9000, price_minor=77, transit_days=2, zone="1"
            )
        ],
    )
    catalog.put_zones(
        session, [Zone(carrier_service="STD", destination_country="ES", destination_prefix="28 0", zone="1")]
    )
    assert costs(session, wanted())["carrier"] == 77
    assert costs(session, wanted(postal_code="28100"))["carrier"] == 400
    assert decided(session, wanted()).packages[0].arrives_on == date(2026, 11, 19)


def test_a_zone_reaches_where_no_distance_does(session):
    stock(session, A={"MAD-W": 5})
    far = {"location": replace(wanted().location, latitude=28.12, longitude=-15.43), "postal_code": "35001"}
    assert not decided(session, wanted(**far)).packages
    catalog.put_tariffs(
        session,
        [
            TariffBand(
                carrier_service="STD", max_distance_km=0, max_weight_g=9000, price_minor=990, transit_days=4, zone="CN"
            )
        ],
    )
    catalog.put_zones(
        session, [Zone(carrier_service="STD", destination_country="ES", destination_prefix="35", zone="CN")]
    )
    assert costs(session, wanted(**far))["carrier"] == 990


def test_an_article_that_takes_room_is_billed_by_it_and_a_box_costs(session):
    stock(session, A={"MAD-W": 5})
    article = session.get(Article, "A")
    article.length_mm, article.width_mm, article.height_mm = 300, 200, 100
    assert costs(session, wanted())["carrier"] == 400
    catalog.put_carriers(session, [replace(STD, dimensional_divisor=5000)])
    assert costs(session, wanted())["carrier"] == 550
    box = BoxRow(id="M", name="Medium", length_mm=300, width_mm=200, height_mm=100, max_weight_g=5000, cost_minor=35)
    catalog.put_boxes(session, [replace(box, node="BCN-S")])
    assert "box" not in costs(session, wanted())
    catalog.put_boxes(session, [box])
    assert costs(session, wanted())["box"] == 35


@pytest.mark.parametrize(
    ("limit", "waits"),
    [({"max_parcel_g": 600}, False), ({"max_parcel_g": 599}, True), ({"max_length_mm": 400}, False),
     ({"max_length_mm": 399}, True), ({"max_girth_mm": 1000}, False), ({"max_girth_mm": 999}, True)],
)  # fmt: skip
def test_what_is_too_bulky_for_every_carrier_waits_and_says_so(session, limit, waits):
    stock(session, A={"MAD-W": 5}, B={"MAD-W": 5})
    article = session.get(Article, "A")
    article.length_mm, article.width_mm, article.height_mm = 400, 200, 100
    article.weight_g = 600
    catalog.put_carriers(session, [replace(STD, **limit)])
    change = decided(session, wanted([("A", 1), ("B", 1)]))
    reasons = {missing.sku: missing.reason for missing in change.missing}
    assert reasons == ({"A": "too_bulky"} if waits else {})


def test_what_no_carrier_takes_is_still_collected_where_it_lies(session):
    stock(session, A={"MAD-S": 5})
    catalog.put_carriers(
        session, [replace(STD, max_parcel_g=1), replace(STD, id="EXP", service="express", max_parcel_g=1)]
    )
    assert decided(session, collected()).packages[0].node == "MAD-S"


def test_a_carrier_that_delivers_on_saturdays_arrives_on_one(session):
    stock(session, A={"MAD-W": 5})
    demand = wanted(placed_at=FRIDAY)
    assert decided(session, demand, now=FRIDAY).packages[0].arrives_on == date(2026, 11, 23)
    catalog.put_carriers(session, [replace(STD, delivers_on="mo-sa")])
    assert decided(session, demand, now=FRIDAY).packages[0].arrives_on == date(2026, 11, 21)


def test_a_dear_saturday_is_put_off_to_a_cheaper_day(session):
    stock(session, A={"MAD-W": 5})
    catalog.put_carriers(session, [replace(STD, delivers_on="mo-sa")])
    demand = wanted(placed_at=FRIDAY)
    surcharge(session, package_minor=2000, delivered_on="sa")
    change = decided(session, demand, now=FRIDAY)
    assert change.packages[0].work_on == date(2026, 11, 23)
    assert "surcharge" not in change.rationale.by_term
    soon = replace(demand, promised_by=FRIDAY + timedelta(days=1, hours=10))
    surcharge(session, package_minor=200, delivered_on="sa")
    change = decided(session, soon, now=FRIDAY)
    assert change.packages[0].arrives_on == date(2026, 11, 21)
    assert change.rationale.by_term["surcharge"] == 200


def test_the_carriers_cut_off_binds_where_it_is_earlier_to_the_second(session):
    stock(session, A={"MAD-W": 5})
    catalog.put_carriers(session, [replace(STD, cut_off="12:30")])
    last = datetime(2026, 11, 17, 11, 30, tzinfo=UTC)
    package = decided(session, wanted(placed_at=last), now=last).packages[0]
    assert (package.work_on, package.leaves_at) == (date(2026, 11, 17), last)
    after = last + timedelta(seconds=1)
    assert decided(session, wanted(placed_at=after), now=after).packages[0].work_on == date(2026, 11, 18)


def test_a_carrier_that_comes_before_the_node_opens_takes_nothing(session):
    stock(session, A={"MAD-S": 5})
    catalog.put_carriers(session, [replace(STD, cut_off="09:59")])
    change = decided(session, wanted())
    assert not change.packages
    assert {"excluded_by": "no_work_day", "nodes": ["MAD-S"]} in rows(change.rationale.candidates)


def test_what_carriers_ask_survives_the_commit(session):
    stock(session, A={"MAD-W": 5}, B={"MAD-W": 5})
    surcharge(session, percent_bp=1000, kg_minor=7)
    catalog.put_boxes(
        session, [BoxRow(id="M", name="M", length_mm=300, width_mm=200, height_mm=100, max_weight_g=5000)]
    )
    [order] = place(session, wanted([("A", 1), ("B", 1)]))
    assert order.node == "MAD-W"
