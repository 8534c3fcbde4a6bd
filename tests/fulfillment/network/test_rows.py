"""The network's rows: catalog, minutes, policies, places and the snapshot kept of them."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from fulfillment.network import catalog, geography, minutes, policies, snapshot
from fulfillment.network.models import CarrierService, NodeDay, NodeProfile
from fulfillment.network.rows import Place, TariffBand
from kernel.db import CACHES
from stock.models import Node
from tests.fulfillment.sourcing.world import carrier, profile

TUESDAY = date(2026, 11, 17)


def test_an_unchanged_row_is_not_written(session):
    version = session.get(NodeProfile, "MAD-S").version
    assert catalog.put_profiles(session, [profile("MAD-S")]) == ["unchanged"]
    session.expire_all()
    assert session.get(NodeProfile, "MAD-S").version == version


def test_a_changed_row_is_written_and_raises_the_revision(session):
    before = snapshot.load(session)
    outcomes = catalog.put_profiles(session, [profile("MAD-S", capacity_minutes=90), profile("BCN-S")])
    assert outcomes == ["updated", "unchanged"]
    after = snapshot.load(session)
    assert after.version != before.version
    assert after.capacity_minutes[after.index["MAD-S"]] == 90


def test_a_faulty_row_names_every_fault_and_writes_nothing(session):
    faulty = profile("MAD-S", latitude=91.0, opening_hours={"7": []}, cut_off="6pm", capacity_minutes=-1)
    unknown = replace(profile("BCN-S"), node="NOWHERE", country="Spain")
    with pytest.raises(catalog.InvalidRows) as refusal:
        catalog.put_profiles(session, [profile("VLC-S", capacity_minutes=1), faulty, unknown])
    assert sorted(fault.pointer for fault in refusal.value.faults) == [
        "/1/capacity_minutes", "/1/cut_off", "/1/latitude", "/1/opening_hours", "/2/country", "/2/node",
    ]  # fmt: skip
    assert session.get(NodeProfile, "VLC-S").capacity_minutes == 60


def test_the_last_of_two_rows_with_one_key_wins(session):
    outcomes = catalog.put_carriers(session, [carrier("NEW", "standard"), carrier("NEW", "night")])
    assert outcomes == ["created", "updated"]
    assert session.scalar(select(CarrierService.service).where(CarrierService.id == "NEW")) == "night"


def test_a_tariff_needs_its_carrier_service(session):
    band = TariffBand(carrier_service="NONE", max_distance_km=0, max_weight_g=1, price_minor=-1, transit_days=0)
    with pytest.raises(catalog.InvalidRows) as refusal:
        catalog.put_tariffs(session, [band])
    assert {fault.pointer for fault in refusal.value.faults} == {
        "/0/carrier_service", "/0/max_distance_km", "/0/price_minor",
    }  # fmt: skip


def test_hours_and_closures_change_the_calendar(session):
    catalog.set_hours(session, "MAD-S", {"1": [["09:00", "12:00"]]}, cut_off="11:00")
    catalog.set_closure(session, "BCN-S", TUESDAY, is_open=False)
    net = snapshot.load(session)
    assert net.calendars[net.index["MAD-S"]].hours.keys() == {1}
    assert not net.calendars[net.index["BCN-S"]].works_on(TUESDAY)
    catalog.set_closure(session, "BCN-S", TUESDAY, is_open=None)
    net = snapshot.load(session)
    assert net.calendars[net.index["BCN-S"]].works_on(TUESDAY)


def test_the_snapshot_is_kept_until_a_row_changes(database):
    with database.read() as one, database.read() as other:
        assert snapshot.load(one) is snapshot.load(other)


def test_a_session_that_changed_the_network_fills_no_cache(database):
    with database.write() as session:
        catalog.set_hours(session, "MAD-S", {"1": [["09:00", "12:00"]]}, cut_off="11:00")
        mine = snapshot.load(session)
    with database.read() as session:
        assert snapshot.load(session) is not mine
        assert len(snapshot.load(session).calendars[mine.index["MAD-S"]].hours) == 6
    database.info[CACHES].clear()


def test_a_node_that_closes_changes_the_snapshot(session):
    node = session.get(Node, "MAD-S")
    node.status, node.version = "suspended", node.version + 1
    session.flush()
    net = snapshot.load(session)
    assert not net.is_open[net.index["MAD-S"]]


def test_minutes_are_claimed_until_the_capacity_is_reached(session):
    minutes.claim(session, [("MAD-S", TUESDAY, 40), ("MAD-S", TUESDAY, 20)])
    with pytest.raises(minutes.NoMinutesLeft):
        minutes.claim(session, [("MAD-S", TUESDAY, 1)])
    minutes.release(session, [("MAD-S", TUESDAY, 20)])
    minutes.claim(session, [("MAD-S", TUESDAY, 20)])
    assert session.scalar(select(NodeDay.claimed_minutes)) == 60


def test_a_claim_and_a_release_of_one_day_are_netted(session):
    minutes.claim(session, [("MAD-S", TUESDAY, 60)])
    minutes.change(session, [("MAD-S", TUESDAY, -30), ("MAD-S", TUESDAY, 30)])
    assert session.scalar(select(NodeDay.claimed_minutes)) == 60


def test_capacity_below_what_is_claimed_takes_nothing_away_and_gives_nothing_more(session):
    minutes.claim(session, [("MAD-S", TUESDAY, 30)])
    catalog.set_capacity(session, "MAD-S", TUESDAY, 0)
    with pytest.raises(minutes.NoMinutesLeft):
        minutes.claim(session, [("MAD-S", TUESDAY, 1)])
    minutes.release(session, [("MAD-S", TUESDAY, 10)])
    assert minutes.days_between(session, TUESDAY, TUESDAY) == [("MAD-S", TUESDAY, 0, 20)]
    catalog.set_capacity(session, "MAD-S", TUESDAY, None)
    minutes.claim(session, [("MAD-S", TUESDAY, 40)])


def test_a_policy_nobody_has_written_has_the_defaults(session):
    active = policies.active(session, "default")
    assert (active.version, active.settings) == (0, policies.Settings())


def test_one_version_of_a_policy_is_active(session):
    for packages in (1, 2):
        policies.activate(session, "default", policies.put(session, "default", {"max_packages": packages}))
    active = policies.active(session, "default")
    assert (active.version, active.settings.max_packages) == (2, 2)
    with pytest.raises(policies.UnknownPolicy):
        policies.activate(session, "default", 9)


def test_every_fault_of_a_policy_is_named(session):
    settings = {"max_packages": 0, "horizon_days": 99, "speed": 1, "transfers": 1, "excluded_nodes": "MAD-S"}
    with pytest.raises(policies.InvalidPolicy) as refusal:
        policies.put(session, "default", {**settings, "kind_minor": {"store": -1}})
    assert {fault.pointer.rsplit("/", 1)[1] for fault in refusal.value.faults} == {*settings, "kind_minor"}


def test_coordinates_of_the_order_win_and_are_rounded(session):
    place = geography.locate(session, country="ES", postal_code="28013", latitude=40.41678, longitude=-3.70379)
    assert place == geography.Location(40.42, -3.7, "order")


def test_a_postal_code_is_found_whole_or_by_its_longest_prefix(session):
    rows = [
        Place(country="PT", postal_code=code, city="Lisboa", region="11", latitude=latitude, longitude=-9.1)
        for code, latitude in (("1", 39.0), ("12", 38.9), ("1200-204", 38.71))
    ]
    assert catalog.put_postal_codes(session, rows) == ["created"] * 3
    assert catalog.put_postal_codes(session, rows) == ["unchanged"] * 3
    where = {"country": "PT", "latitude": None, "longitude": None}
    assert geography.locate(session, postal_code="1200 204", **where).geocode == "postal_code"
    assert geography.locate(session, postal_code="1250-001", **where) == geography.Location(38.9, -9.1, "prefix")
    assert geography.locate(session, postal_code="9000-001", **where) == geography.NOWHERE
    assert geography.locate(session, postal_code=None, **where) == geography.NOWHERE


def test_distances_are_those_of_the_globe(session):
    net = snapshot.load(session)
    distance = geography.distances_km(40.4168, -3.7038, net.latitude, net.longitude)
    assert distance[net.index["BCN-S"]] == pytest.approx(505, abs=5)
    assert distance[net.index["MAD-W"]] < 15
