"""How likely a node finds an article: the posterior as a pure function, and evidence as rows."""

from datetime import timedelta

import numpy as np
import pytest

from fulfillment.network import pick_success, snapshot
from fulfillment.network.article_models import PickEvidence
from fulfillment.network.pick_success import HALF_LIFE_DAYS, Looked, faded, posterior
from tests.fulfillment.sourcing.world import NOW


def evidence(session, sku="A", node="MAD-S"):
    session.expire_all()
    row = session.get(PickEvidence, (sku, node))
    return None if row is None else (row.found, row.missed)


def test_without_evidence_the_prior_stands():
    assert posterior(0.9, 0, 0, 20) == pytest.approx(0.9)


def test_evidence_moves_the_prior_by_its_weight():
    assert posterior(0.9, 20, 0, 20) == pytest.approx(0.95)
    assert posterior(0.9, 0, 20, 20) == pytest.approx(0.45)
    assert posterior(0.9, 9_000, 1_000, 20) == pytest.approx(0.9)


def test_the_posterior_is_that_of_counting_with_a_beta_prior():
    alpha, beta = 0.9 * 20 + 7, 0.1 * 20 + 3
    assert posterior(0.9, 7, 3, 20) == pytest.approx(alpha / (alpha + beta))


def test_articles_without_evidence_have_the_nodes_chance_and_others_their_own():
    of_node = posterior(np.array([0.9, 0.9]), np.array([0.0, 0.0]), np.array([0.0, 200.0]), 200)
    chances = posterior(of_node, np.array([[0.0, 0.0], [20.0, 20.0]]), np.zeros((2, 2)), 20)
    assert chances == pytest.approx(np.array([[0.9, 0.45], [0.95, 0.725]]))


def test_evidence_loses_half_in_a_half_life_and_none_before_a_day_is_over():
    assert faded([0, 90, 180, -5], 90).tolist() == [1.0, 0.5, 0.25, 1.0]


def test_looks_add_up_by_article_and_node(session):
    looks = [Looked("A", "MAD-S", found=0.5), Looked("B", "MAD-S", missed=1), Looked("A", "MAD-S", found=0.25)]
    pick_success.record(session, looks, now=NOW)
    pick_success.record(session, [Looked("A", "MAD-S", missed=0.25)], now=NOW)
    assert evidence(session) == pytest.approx((0.75, 0.25))
    assert evidence(session, "B") == (0, 1)
    assert evidence(session, node="BCN-S") is None


def test_old_evidence_fades_as_new_comes_and_late_news_ages_nothing(session):
    session.info[HALF_LIFE_DAYS] = 30
    pick_success.record(session, [Looked("A", "MAD-S", found=4, missed=2)], now=NOW)
    pick_success.record(session, [Looked("A", "MAD-S", missed=1)], now=NOW + timedelta(days=30))
    assert evidence(session) == pytest.approx((2, 2))
    pick_success.record(session, [Looked("A", "MAD-S", found=1)], now=NOW)
    assert evidence(session) == pytest.approx((3, 2))


def test_the_sum_of_a_node_speaks_for_articles_it_never_looked_for(session):
    looks = [Looked("A", "MAD-S", found=50, missed=100), Looked("B", "MAD-S", found=50)]
    pick_success.record(session, looks, now=NOW)
    assert pick_success.prior_of(session, "MAD-S", strength=200) == pytest.approx(0.9)
    assert pick_success.sum_up(session, now=NOW) == 1
    assert pick_success.prior_of(session, "MAD-S", strength=200) == pytest.approx((180 + 100) / 400)
    net = snapshot.load(session)
    assert (net.lines_found[net.index["MAD-S"]], net.lines_missed[net.index["MAD-S"]]) == (100, 100)
    assert pick_success.sum_up(session, now=NOW) == 0


def test_the_worst_articles_of_a_node_are_those_it_is_least_likely_to_find(session):
    session.info[HALF_LIFE_DAYS] = 180
    looks = [
        Looked("A", "MAD-S", found=10, missed=10), Looked("B", "MAD-S", missed=20), Looked("C", "MAD-S", found=9),
        Looked("C", "BCN-S", missed=50),
    ]  # fmt: skip
    pick_success.record(session, looks, now=NOW)
    worst = pick_success.worst(session, "MAD-S", prior=0.9, strength=20, now=NOW, limit=10)
    assert [(each.sku, each.found, each.missed, each.pick_success) for each in worst] == [
        ("B", 0, 20, pytest.approx(0.45)), ("A", 10, 10, pytest.approx(0.7)),
    ]  # fmt: skip
    aged = pick_success.worst(session, "MAD-S", prior=0.9, strength=20, now=NOW + timedelta(days=180), limit=1)
    assert [(each.missed, each.pick_success) for each in aged] == [(10, pytest.approx(0.6))]
