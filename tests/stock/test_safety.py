"""Safety stock by rule: the most specific one decides, and claims keep to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, update

from stock import availability, safety, safety_rules
from stock.catalog import InvalidRows
from stock.errors import InsufficientStock
from stock.models import Article, Node, StockBalance
from stock.reservations import rebind
from stock.safety import Place, Rule, Safety
from stock.safety_rules import RuleRow, UnknownRule
from tests.stock.shelf import claim, header, stock

PLACES = {
    "MAD": Place("warehouse", "", is_open=True),
    "BCN": Place("store", "east", is_open=True),
    "LIS": Place("store", "west", is_open=True),
    "OPO": Place("store", "west", is_open=True),
}
FAMILIES = {"coat": "outdoor", "hat": "outdoor", "mug": ""}
ARTICLES = st.sampled_from([{}, *({"sku": sku} for sku in FAMILIES), {"family": "outdoor"}])
SPOTS = st.sampled_from(
    [{}, *({"node": node} for node in PLACES), {"group": "east"}, {"group": "west"}, {"kind": "store"}]
)
CHANNELS = st.sampled_from([{}, {"channel": "web"}, {"channel": "market"}])
SCOPES = st.builds(
    lambda *parts: {name: value for part in parts for name, value in part.items()}, ARTICLES, SPOTS, CHANNELS
)


def decided_naively(scopes, sku, node, channel, own):
    """Of all rules that fit and the balance's own, the one with the highest rank, looked at one by one."""
    found = [(((2, 3, 0, 1), own))] if own else []
    place = PLACES[node]
    facts = {
        "sku": sku,
        "family": FAMILIES[sku],
        "node": node,
        "group": place.group,
        "kind": place.kind,
        "channel": channel,
    }
    for units, scope in scopes:
        if all(facts[name] == value for name, value in scope.items()):
            article = 2 if "sku" in scope else 1 if "family" in scope else 0
            where = 3 if "node" in scope else 2 if "group" in scope else 1 if "kind" in scope else 0
            found.append(((article, where, int("channel" in scope), 0), units))
    return max(found)[1] if found else 0


@given(
    scopes=st.lists(
        st.tuples(st.integers(0, 9), SCOPES), max_size=12, unique_by=lambda each: tuple(sorted(each[1].items()))
    ),
    own=st.integers(0, 3),
)
def test_the_most_specific_rule_decides_as_a_naive_search_finds(scopes, own):
    rules = Safety((1, 1), PLACES, tuple(Rule(units=units, **scope) for units, scope in scopes))
    for sku, family in FAMILIES.items():
        for node in PLACES:
            for channel in ("web", "market", None):
                expected = decided_naively(scopes, sku, node, channel, own)
                assert rules.floor(sku, family, node, channel, own=own) == expected


def test_the_article_counts_before_the_place_and_the_place_before_the_channel():
    rules = Safety(
        (1, 1), PLACES,
        (Rule(units=1, sku="coat"), Rule(units=2, node="BCN", channel="web"),
         Rule(units=3, family="outdoor", kind="store")),
    )  # fmt: skip
    assert rules.floor("coat", "outdoor", "BCN", "web", own=0) == 1
    assert rules.floor("hat", "outdoor", "BCN", "web", own=0) == 3
    assert rules.floor("mug", "", "BCN", "web", own=0) == 2
    assert rules.floor("mug", "", "BCN", "market", own=0) == 0


def put(session, *rows):
    return safety_rules.put(session, [RuleRow(**({"id": f"rule-{place}"} | row)) for place, row in enumerate(rows)])


def test_a_channel_is_promised_what_its_rules_leave(session):
    stock(session, coat_MAD=9, coat_BCN=9)
    session.execute(update(Article).where(Article.sku == "coat").values(family="outdoor"))
    session.execute(update(StockBalance).where(StockBalance.node == "BCN").values(safety_stock=1))
    put(session, {"family": "outdoor", "channel": "market", "units": 4})
    seen = availability.promisable(session, {"coat": "outdoor"}, channel="market")
    assert {node: level.atp for (_, node), level in seen.items()} == {"MAD": 5, "BCN": 8}
    assert availability.network(session, ["coat"], channel="market") == {"coat": 13}
    assert availability.network(session, ["coat"]) == {"coat": 17}


def test_claims_of_a_channel_keep_to_its_floor(session):
    stock(session, coat_MAD=5)
    put(session, {"kind": "warehouse", "channel": "market", "units": 3})
    of_market = availability.floors(session, [("coat", "MAD", "market")])
    assert of_market == {("coat", "MAD"): 3}
    assert availability.floors(session, [("coat", "MAD", "web")]) == {}
    with pytest.raises(InsufficientStock):
        rebind(session, header(), claims=[claim(units=3)], floors=of_market)
    rebind(session, header(), claims=[claim(units=2)], floors=of_market)
    with pytest.raises(InsufficientStock):
        rebind(session, header(), claims=[claim(reference="line-2")], floors=of_market)
    rebind(session, header(), claims=[claim(reference="line-3", units=3)])


def test_of_two_channels_in_one_posting_the_stricter_rule_binds(session):
    put(session, {"channel": "market", "units": 3}, {"channel": "web", "units": 1})
    claims = [("coat", "MAD", "market"), ("coat", "MAD", "web"), ("hat", "MAD", "web")]
    assert availability.floors(session, claims) == {("coat", "MAD"): 3, ("hat", "MAD"): 1}


def test_a_rule_for_an_article_at_a_node_and_a_channel_may_keep_less_than_the_balance_does(session):
    stock(session, coat_MAD=5)
    session.execute(update(StockBalance).values(safety_stock=4))
    put(
        session,
        {"sku": "coat", "node": "MAD", "units": 2},
        {"sku": "coat", "node": "MAD", "channel": "web", "units": 0},
    )
    assert availability.floors(session, [("coat", "MAD", None)]) == {("coat", "MAD"): 4}
    assert availability.floors(session, [("coat", "MAD", "web")]) == {("coat", "MAD"): 0}


def test_rules_that_do_not_apply_any_more_are_forgotten_at_once(database):
    with database.write() as session:
        put(session, {"units": 7})
        session.commit()
    with database.read() as session:
        assert availability.floors(session, [("coat", "MAD", None)]) == {("coat", "MAD"): 7}
    with database.write() as session:
        put(session, {"units": 7, "active": False})
        assert availability.floors(session, [("coat", "MAD", None)]) == {}
        session.rollback()
    with database.read() as session:
        assert availability.floors(session, [("coat", "MAD", None)]) == {("coat", "MAD"): 7}
    with database.write() as session:
        safety_rules.remove(session, "rule-0")
        session.commit()
    with database.read() as session:
        assert safety.load(session).rules == ()


def test_a_node_that_joins_a_group_takes_its_rules(database):
    with database.write() as session:
        put(session, {"group": "outlets", "units": 2})
        assert availability.floors(session, [("coat", "BCN", None)]) == {}
        session.execute(update(Node).where(Node.id == "BCN").values(group="outlets", version=Node.version + 1))
        assert availability.floors(session, [("coat", "BCN", None)]) == {("coat", "BCN"): 2}
        session.rollback()


def test_faulty_rules_are_named_and_nothing_is_written(session):
    rows = [
        {"units": 1, "sku": "NOTHING"},
        {"units": 1, "sku": "coat", "family": "outdoor", "node": "MAD", "kind": "store"},
        {"units": -1, "kind": "castle"},
        {"units": 2, "node": "NOWHERE", "id": ""},
    ]
    with pytest.raises(InvalidRows) as refused:
        put(session, *rows)
    named = [fault.pointer for fault in refused.value.faults]
    assert sorted(named) == ["/0/sku", "/1/family", "/1/kind", "/2/kind", "/2/units", "/3/id", "/3/node"]
    assert safety_rules.known(session) == []


def test_who_asks_is_told_which_rule_decides_at_each_node(session):
    stock(session, coat_MAD=9, coat_BCN=9)
    session.execute(update(StockBalance).where(StockBalance.node == "BCN").values(safety_stock=1))
    put(session, {"units": 4}, {"node": "MAD", "units": 2}, {"sku": "coat", "units": 3, "active": False})
    assert [rule.id for rule in safety_rules.in_order(session)] == ["rule-2", "rule-1", "rule-0"]
    told = [(each.node, each.rule, each.level.atp) for each in safety_rules.kept(session, "coat", channel="web")]
    assert told == [("BCN", None, 8), ("MAD", "rule-1", 7)]
    put(session, {"units": 4}, {"sku": "coat", "node": "BCN", "channel": "web", "units": 5})
    assert safety_rules.kept(session, "coat", channel="web")[0].rule == "rule-1"
    assert safety_rules.kept(session, "unknown", channel=None) == []


def test_no_two_rules_are_about_the_same(session):
    put(session, {"id": "a", "units": 1, "sku": "coat"})
    for rows in ([{"id": "b", "units": 2, "sku": "coat"}], [{"id": "c", "units": 1}, {"id": "d", "units": 2}]):
        with pytest.raises(InvalidRows) as refused:
            put(session, *rows)
        assert [fault.code for fault in refused.value.faults] == ["scope_taken"]
    assert put(session, {"id": "a", "units": 1, "sku": "coat"}) == ["unchanged"]
    with pytest.raises(UnknownRule):
        safety_rules.remove(session, "b")


def test_many_articles_are_resolved_with_as_many_statements_as_one(session):
    skus = [f"sku-{number}" for number in range(200)]
    session.add_all(Article(sku=sku, name=sku, currency="EUR", family=f"family-{sku[-1]}") for sku in skus)
    stock(session, **{f"{sku}_{node}": 5 for sku in skus for node in ("MAD", "BCN", "LIS")})
    put(session, *({"family": f"family-{digit}", "units": digit} for digit in range(10)))
    assert statements_for(session, skus[:1]) == statements_for(session, skus)
    assert sum(availability.network(session, skus).values()) == sum(20 * 3 * max(0, 5 - digit) for digit in range(10))


def statements_for(session, skus):
    seen = []
    count = lambda *arguments: seen.append(arguments[2])  # noqa: E731
    event.listen(session.get_bind(), "before_cursor_execute", count)
    availability.network(session, skus)
    event.remove(session.get_bind(), "before_cursor_execute", count)
    return len(seen)
