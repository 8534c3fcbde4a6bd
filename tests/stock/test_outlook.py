"""What is told of an article: never more than can be promised, and what is to come only after those who wait."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stock.availability import Level
from stock.outlook import Outlook, Status, Terms, at_node, bundles_of, of_article, of_bundle, shelf
from stock.supply import Supply, by_date, first_with

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
PLAIN, BACK_ORDERED = Terms(), Terms(backorder=True)


def day(number):
    return NOW + timedelta(days=number)


def coming(*pairs, **fields):
    """Supplies of (day, units); a day of None has no date."""
    return [
        Supply(sku="coat", node="MAD", units=units, expected_at=None if on is None else day(on), kind="purchase_order",
               reference=str(number), **fields)
        for number, (on, units) in enumerate(pairs)
    ]  # fmt: skip


def told(*levels, waiting=0, supplies=(), terms=PLAIN, low=2):
    return of_article(levels, waiting, supplies, terms, low=low, now=NOW)


@pytest.mark.parametrize(
    ("on_hand", "waiting", "status"),
    [
        (9, 0, Status.IN_STOCK),
        (3, 0, Status.IN_STOCK),
        (2, 0, Status.LOW),
        (9, 7, Status.LOW),
        (9, 9, Status.OUT),
        (0, 0, Status.OUT),
    ],
)
def test_what_is_there_is_in_stock_low_or_out(on_hand, waiting, status):
    outlook = told(Level(on_hand=on_hand), waiting=waiting)
    assert (outlook.status, outlook.network, outlook.expected_at) == (status, on_hand - waiting, None)


def test_a_back_order_is_expected_when_those_who_wait_have_theirs():
    supplies = coming((1, 4), (5, 3))
    assert told(Level(), waiting=4, supplies=supplies, terms=BACK_ORDERED).expected_at == day(5)
    assert told(Level(), waiting=3, supplies=supplies, terms=BACK_ORDERED).expected_at == day(1)
    assert told(Level(), waiting=7, supplies=supplies, terms=BACK_ORDERED).status == Status.OUT
    assert told(Level(), waiting=0, supplies=supplies).status == Status.OUT


def test_what_is_promised_beyond_what_is_there_eats_what_comes_first():
    level = Level(on_hand=1, reserved=5, backorder_limit=10)
    outlook = told(level, supplies=coming((1, 4), (5, 3)))
    assert (outlook.status, outlook.network, outlook.expected_at) == (Status.BACK_ORDER, 6, day(5))
    assert told(level).expected_at is None


def test_supply_that_is_overdue_or_has_no_date_or_lies_elsewhere_is_promised_to_nobody():
    assert by_date(0, coming((-1, 5), (None, 5)), now=NOW) == []
    assert by_date(0, coming((1, 5), adds=False), now=NOW) == []


def test_nothing_is_promised_before_the_sale_begins():
    terms = Terms(available_from=day(10))
    early, late = coming((3, 5)), coming((12, 5))
    for supplies, waiting, expected in ((early, 0, day(10)), (late, 2, day(12)), ((), 0, day(10))):
        outlook = told(waiting=waiting, supplies=supplies, terms=terms)
        assert (outlook.status, outlook.network, outlook.expected_at) == (Status.PRE_ORDER, 0, expected)
    assert told(waiting=5, supplies=early, terms=terms).status == Status.OUT
    assert told(Level(on_hand=5), terms=Terms(available_from=NOW)).status == Status.IN_STOCK


def test_a_node_has_nothing_for_a_shopper_when_others_wait_for_all_of_it():
    level = Level(on_hand=5)
    assert at_node(level, told(level), low=2) == Status.IN_STOCK
    assert at_node(level, told(level, waiting=5), low=2) == Status.OUT
    beyond = Level(on_hand=1, reserved=1, backorder_limit=2)
    assert at_node(beyond, told(level, beyond), low=2) == Status.BACK_ORDER


LEVELS = st.builds(
    Level,
    on_hand=st.integers(0, 9),
    reserved=st.integers(0, 9),
    safety_stock=st.integers(0, 3),
    backorder_limit=st.integers(0, 3),
).filter(lambda level: level.reserved <= level.on_hand + level.backorder_limit)
SUPPLIES = st.lists(st.tuples(st.integers(-2, 6), st.integers(1, 5)), max_size=5).map(
    lambda pairs: coming(*sorted(pairs))
)


@given(st.lists(LEVELS, max_size=4), st.integers(0, 12), SUPPLIES, st.booleans())
def test_what_is_told_never_exceeds_what_can_be_promised(levels, waiting, supplies, backorder):
    outlook = told(*levels, waiting=waiting, supplies=supplies, terms=Terms(backorder=backorder))
    assert outlook.network == max(0, sum(max(0, level.atp) for level in levels) - waiting)
    assert 0 <= outlook.there <= outlook.network
    assert (outlook.status in {Status.IN_STOCK, Status.LOW}) == (outlook.there > 0)
    units = [each.units for each in outlook.dates]
    assert units == sorted(units)
    claimed = waiting + sum(max(0, level.reserved - level.on_hand) for level in levels)
    shelves = sum(max(0, shelf(level)) for level in levels)
    for each in outlook.dates:
        come = sum(supply.units for supply in supplies if NOW < supply.expected_at <= each.expected_at)
        assert each.units == max(0, shelves + come - claimed)


@given(st.lists(st.tuples(LEVELS, st.integers(1, 3)), min_size=1, max_size=4))
def test_a_bundle_at_a_node_is_as_many_as_its_least_component_allows(components):
    bundle = bundles_of(components)
    assert bundle.atp == min(max(0, level.atp) // units for level, units in components)
    assert all(bundle.atp * units <= max(0, level.atp) for level, units in components)
    assert shelf(bundle) <= bundle.atp


def sets(coats, hats, waiting=(0, 0), supplies=((), ()), terms=PLAIN):
    """The outlook of a bundle of one coat and two hats."""
    parts = [
        (told(Level(on_hand=on_hand), waiting=waiting[part], supplies=supplies[part], terms=terms), units)
        for part, (on_hand, units) in enumerate([(coats, 1), (hats, 2)])
    ]
    return of_bundle(parts, Terms(), low=2, now=NOW)


def test_over_the_network_a_bundle_is_as_many_as_its_least_unclaimed_component_allows():
    assert (sets(5, 8).network, sets(5, 8).status) == (4, Status.IN_STOCK)
    assert (sets(5, 8, waiting=(3, 0)).network, sets(5, 8, waiting=(3, 0)).status) == (2, Status.LOW)
    assert sets(5, 1).status == sets(5, 8, waiting=(5, 0)).status == Status.OUT


def test_a_bundle_is_expected_with_its_last_component():
    supplies = (coming((2, 9)), coming((1, 1), (6, 1)))
    outlook = sets(0, 0, supplies=supplies, terms=BACK_ORDERED)
    assert (outlook.status, outlook.expected_at) == (Status.BACK_ORDER, day(6))
    assert sets(0, 0, supplies=(supplies[0], ()), terms=BACK_ORDERED).status == Status.OUT
    early = sets(0, 9, supplies=supplies, terms=Terms(available_from=day(9)))
    assert (early.status, early.expected_at, early.network) == (Status.PRE_ORDER, day(9), 0)


def test_the_first_date_with_so_many_units_is_found():
    dates = by_date(-2, coming((1, 3), (4, 3)), now=NOW)
    assert [first_with(units, dates) for units in (1, 2, 4, 5)] == [day(1), day(4), day(4), None]
    assert isinstance(told(), Outlook)
