"""A planner's edits: what they change, and that nobody overwrites what they have not seen."""

from datetime import date

import pytest

from fulfillment.network import edits, report
from fulfillment.network.catalog import InvalidRows, put_profiles
from fulfillment.network.models import CarrierService, NodeDay, NodeProfile, Tariff
from fulfillment.network.rows import Profile, TariffBand
from kernel.db import connect
from kernel.errors import NotFound
from stock.models import Node

PROFILE = Profile(
    node="a", line1="", city="", region="", postal_code="", country="ES", latitude=40, longitude=-3, ships=True,
    collects=True, takes_returns=True, capacity_minutes=240, package_cost_minor=1, line_cost_minor=1,
    unit_cost_minor=1, package_minutes=3, line_minutes=1, pick_success=0.9, cut_off="18:00",
    opening_hours={"0": [["10:00", "20:00"]]},
)  # fmt: skip


@pytest.fixture
def session(databases):
    with databases.fresh("sqlite") as url:
        database = connect(url)
        with database.write() as session:
            session.add(Node(id="a", name="a", kind="store", time_zone="Europe/Madrid"))
            session.add(CarrierService(id="S", carrier="C", carrier_name="Carrier", service="standard"))
            session.flush()
            put_profiles(session, [PROFILE])
            for grams in (1000, 2000):
                band = Tariff(
                    carrier_service="S", max_distance_km=50, max_weight_g=grams, price_minor=300, transit_days=1
                )
                session.add(band)
            session.flush()
            yield session
        database.dispose()


def band(grams, price):
    return TariffBand(carrier_service="S", max_distance_km=50, max_weight_g=grams, price_minor=price, transit_days=1)


def version_of(session):
    session.expire_all()
    return session.get(NodeProfile, "a").version


def test_a_profile_keeps_what_is_not_changed(session):
    edits.change_profile(session, "a", {"cut_off": "17:00"}, version=version_of(session))
    session.expire_all()
    profile = report.profile_of(session, "a")
    assert (profile.cut_off, profile.capacity_minutes) == ("17:00", 240)


def test_the_second_of_two_who_saw_the_same_is_told(session):
    seen = version_of(session)
    edits.change_profile(session, "a", {"capacity_minutes": 100}, version=seen)
    with pytest.raises(edits.ChangedMeanwhile, match="Reload"):
        edits.change_profile(session, "a", {"capacity_minutes": 200}, version=seen)
    with pytest.raises(edits.ChangedMeanwhile):
        edits.change_days(session, "a", {date(2026, 3, 17): 0}, version=seen)
    session.expire_all()
    assert report.profile_of(session, "a").capacity_minutes == 100
    assert session.get(NodeDay, ("a", date(2026, 3, 17))) is None


def test_impossible_values_are_named(session):
    with pytest.raises(InvalidRows) as refused:
        edits.change_profile(session, "a", {"cut_off": "late"}, version=version_of(session))
    assert [fault.pointer for fault in refused.value.faults] == ["/0/cut_off"]


def test_days_are_set_and_given_back(session):
    tuesday = date(2026, 3, 17)
    edits.change_days(session, "a", {tuesday: 0}, version=version_of(session))
    assert session.get(NodeDay, ("a", tuesday)).capacity_minutes == 0
    edits.change_days(session, "a", {tuesday: None}, version=version_of(session))
    session.expire_all()
    assert session.get(NodeDay, ("a", tuesday)).capacity_minutes is None


def test_only_tariffs_that_differ_are_changed(session):
    assert edits.change_tariffs(session, "S", [band(1000, 300), band(2000, 350)], version=1) == [band(2000, 350)]
    with pytest.raises(edits.ChangedMeanwhile, match="tariffs"):
        edits.change_tariffs(session, "S", [band(1000, 200)], version=1)
    session.expire_all()
    assert [row.price_minor for row in report.tariffs(session, "S")] == [300, 350]


def test_what_is_not_there_cannot_be_edited(session):
    with pytest.raises(NotFound):
        edits.change_profile(session, "z", {}, version=1)
    with pytest.raises(NotFound):
        edits.change_tariffs(session, "z", [], version=1)
