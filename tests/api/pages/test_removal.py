"""A wrong band and a wrong zone, taken away on the planner's page of a carrier."""

import re
from urllib.parse import quote

import pytest

from fulfillment.network import catalog, report
from fulfillment.network.carrier_rows import Zone
from fulfillment.network.rows import TariffBand
from tests.api.pages.test_planner import read, send, version_on

AT = "/planner/carriers/post-express"
WRONG = "100-3000"
ISLANDS = "0-5000-0-is lands"


@pytest.fixture
def planner(signed_in):
    return signed_in("planner")


@pytest.fixture(scope="module", autouse=True)
def _prices(house):
    def write(session):
        service = {"carrier_service": "post-express"}
        places = ({"max_distance_km": 100, "max_weight_g": 3000, "price_minor": 30},
                  {"max_distance_km": 0, "max_weight_g": 5000, "price_minor": 990, "zone": "is lands"})  # fmt: skip
        catalog.put_tariffs(session, [TariffBand(**service, **place, transit_days=1) for place in places])
        for prefix in ("", "07"):
            catalog.put_zones(
                session, [Zone(**service, destination_country="ES", destination_prefix=prefix, zone="is lands")]
            )

    house.doors.write(write)


def test_what_would_hold_is_shown_before_anything_goes(planner, house):
    assert f"{AT}/remove" in read(planner, AT)
    assert "Take 1 row away" not in read(planner, f"{AT}/remove")
    page = read(planner, f"{AT}/remove?band={WRONG}&zone=ES-07--")
    assert re.search(r"to 100 km, 3\.00 kg</th>.*?€0\.30.*?€3\.00</td>", page, re.DOTALL)
    assert re.search(r"ES 07</th>.*?<td>is lands</td>\s*<td>is lands</td>", page, re.DOTALL)
    assert "Take 2 rows away" in page
    text = send(planner, f"{AT}/remove", f"{AT}/remove", version=version_on(page), band=WRONG, zone="ES-07--")
    assert "Taken away" in text.get_data(as_text=True)
    stands = house.doors.read(lambda session: report.tariffs(session, "post-express"))
    assert [(band.zone, band.max_distance_km, band.max_weight_g) for band in stands] == [
        ("", 100, 30000), ("", 2000, 30000), ("is lands", 0, 5000),
    ]  # fmt: skip
    late = send(planner, f"{AT}/remove", f"{AT}/remove", version=version_on(page), band="100-30000")
    assert late.status_code == 409


def test_without_its_bands_a_zone_goes_by_distance_and_without_all_nothing_leaves(planner):
    page = read(planner, f"{AT}/remove?band={quote(ISLANDS)}&band=2000-30000")
    assert "by distance</td>" in page
    assert "not offered so far away</td>" in page
    every = re.findall(r'name="band" value="([^"]+)"', page)
    asked = "&".join(f"band={quote(name)}" for name in every)
    page = read(planner, f"{AT}/remove?{asked}")
    assert "nothing could leave by it" in page
    assert 'method="post" class="actions"' not in page
    refused = send(planner, f"{AT}/remove", f"{AT}/remove", version=version_on(read(planner, AT)), band=every)
    assert refused.status_code == 409
    assert "post-express" in refused.get_data(as_text=True)


def test_taking_away_is_for_planners(signed_in):
    assert signed_in("store").get(f"{AT}/remove").status_code == 403
