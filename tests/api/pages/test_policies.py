"""The planner's page of policies: begun, written, tried, run beside live orders and put in force."""

import json
import re

import pytest

from fulfillment.network import policies
from tests.api.pages.shop import ship
from tests.api.pages.test_planner import read, send

AT = "/planner/policies/default/1"
DOCUMENT = {
    "groups": {"north": {"nodes": ["BCN"]}, "stores": {"kinds": ["store"], "countries": ["ES"]}},
    "bands": [{"group": "stores"}, {"group": "north", "minor": 250}],
    "fences": [{"rule": "not_groups", "groups": ["north"]}, {"rule": "max_distance", "km": 400, "soft": True}],
    "max_packages": 2,
}


@pytest.fixture
def planner(signed_in):
    return signed_in("planner")


def revision_on(page):
    return re.search(r'name="revision" value="(\d+)"', page)[1]


def change(client, verb, **fields):
    return send(client, AT, f"{AT}/{verb}", revision=revision_on(read(client, AT)), **fields).get_data(as_text=True)


def test_a_policy_is_begun_written_tried_and_put_in_force(planner, house):
    house.doors.write(lambda session: ship(session, number="P-1").id)
    page = send(planner, "/planner/policies", "/planner/policies", policy="default").get_data(as_text=True)
    assert "default, version 1" in page
    assert "It says the same as the version in force." in page

    page = change(planner, "save", settings=json.dumps(DOCUMENT), note="Madrid first")
    assert "no node of north" in page
    assert "only nodes up to 400 km away" in page
    assert "north, where it saves €2.50 for a package" in page
    assert "soft: given up as number 1" in page

    page = read(planner, f"{AT}?try=50")
    assert "0 of 1 orders would be served differently" in page

    assert "Stop running beside" in change(planner, "shadow", on="1")
    page = change(planner, "activate")
    assert "Version 1 is in force" in page
    assert house.doors.read(lambda session: policies.active(session, "default")).settings.max_packages == 2


def test_what_is_wrong_with_a_draft_stands_beside_what_was_typed(planner):
    page = send(planner, "/planner/policies", "/planner/policies", policy="other").get_data(as_text=True)
    at = re.search(r'action="(/planner/policies/other/\d+)/save"', page)[1]
    fields = {"revision": revision_on(page), "note": ""}
    answer = send(planner, at, f"{at}/save", settings='{"fences": [{"rule": "max_distance"}]}', **fields)
    assert answer.status_code == 422
    assert "<code>/settings/fences/0/km</code>" in answer.get_data(as_text=True)
    assert "max_distance" in answer.get_data(as_text=True)
    assert "This is no JSON" in send(planner, at, f"{at}/save", settings="{", **fields).get_data(as_text=True)
    saved = send(planner, at, f"{at}/save", settings="{}", **fields)
    assert saved.status_code == 200
    late = send(planner, at, f"{at}/archive", **fields)
    assert late.status_code == 409
    assert "put away" in send(planner, at, f"{at}/archive", revision=revision_on(read(planner, at))).get_data(
        as_text=True
    )


def test_policies_are_for_planners(signed_in):
    assert signed_in("store").get("/planner/policies").status_code == 403
