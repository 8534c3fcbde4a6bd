"""Which prefix of origin and destination chooses the zone."""

import pytest

from fulfillment.network import zones
from fulfillment.network.zones import NO_ZONE, Area, ZoneRule

MADRID, GETAFE, LISBON = Area("ES", "MD", "28013"), Area("ES", "MD", "28901"), Area("PT", "11", "1100148")
ORIGINS = (MADRID, GETAFE, LISBON)
ROWS = {"local": 0, "nation": 1, "abroad": 2}


def rows(to, *rules):
    found = zones.lay_out([ZoneRule(*rule) for rule in rules], ORIGINS, ROWS).rows(to)
    return None if found is None else found.tolist()


def test_the_longest_prefix_of_the_destination_wins():
    rules = [("", "", "ES", "", "nation"), ("", "", "ES", "280", "local"), ("", "", "ES", "2801", "abroad")]
    assert rows(MADRID, *rules) == [2, 2, 2]
    assert rows(Area("ES", "MD", "28020"), *rules) == [0, 0, 0]
    assert rows(Area("ES", "SE", "41001"), *rules) == [1, 1, 1]


def test_the_longest_prefix_of_the_origin_wins_for_the_same_destination():
    rules = [("ES", "2", "ES", "28", "nation"), ("ES", "289", "ES", "28", "local"), ("", "", "ES", "28", "abroad")]
    assert rows(MADRID, *rules) == [1, 0, 2]


def test_the_destination_is_looked_at_before_the_origin():
    rules = [("ES", "28013", "ES", "", "nation"), ("", "", "ES", "28", "local")]
    assert rows(MADRID, *rules) == [0, 0, 0]


def test_an_origin_that_a_longer_prefix_does_not_name_keeps_the_shorter():
    rules = [("", "", "ES", "", "nation"), ("PT", "", "ES", "28", "abroad")]
    assert rows(MADRID, *rules) == [1, 1, 2]


def test_an_empty_zone_sends_back_to_distances():
    assert rows(MADRID, ("", "", "ES", "", "nation"), ("", "", "ES", "28", "")) == [NO_ZONE] * 3


@pytest.mark.parametrize("to", [LISBON, Area("", "", "")])
def test_a_place_that_no_rule_names_has_no_zone(to):
    assert rows(to, ("", "", "ES", "", "nation")) is None


def test_without_rules_there_are_no_zones():
    assert zones.lay_out([], ORIGINS, ROWS) is None
