"""What work and counts leave behind of how well a node finds an article."""

import pytest

from fulfillment.network.article_models import PickEvidence
from fulfillment.work import counted, orders, picking
from fulfillment.work.models import Status
from kernel.events import HANDLERS
from kernel.ids import new_id
from stock.counting import counts, opening
from stock.events import CountPosted
from tests.fulfillment.work.floor import BY, bring, line, ordered, stock


def evidence(session, sku="coat", node="MAD"):
    session.expire_all()
    row = session.get(PickEvidence, (sku, node))
    return None if row is None else (row.found, row.missed)


def scan(session, fo, units):
    picking.scan(session, fo.id, scan_id=new_id(), code="coat", units=units, **BY)


def test_each_scan_finds_its_share_of_the_line(session):
    fo = bring(session, ordered(session, coat=4, boots=1), Status.PICKING)
    scan(session, fo, 1)
    assert evidence(session) == (0.25, 0)
    scan(session, fo, 3)
    assert evidence(session) == (1, 0)
    assert evidence(session, "boots") is None


def test_a_scan_sent_twice_is_evidence_once(session):
    fo = bring(session, ordered(session, coat=2), Status.PICKING)
    for _ in range(2):
        picking.scan(session, fo.id, scan_id="twice", code="coat", **BY)
    assert evidence(session) == (0.5, 0)


def test_a_short_pick_misses_the_share_that_is_not_there(session):
    fo = bring(session, ordered(session, coat=4), Status.PICKING)
    scan(session, fo, 1)
    picking.short(session, fo.id, line_id=line(fo, "coat").id, found=3, reason="not_found", **BY)
    assert evidence(session) == (0.75, 0.25)


def test_a_rejection_misses_lines_for_want_of_stock_and_not_for_want_of_hands(session):
    orders.reject(session, ordered(session, coat=2, boots=1).id, reason="no_staff", **BY)
    assert evidence(session) is None
    orders.reject(session, ordered(session, coat=2, boots=1).id, reason="not_found", **BY)
    assert (evidence(session), evidence(session, "boots")) == ((0, 1), (0, 1))


def test_a_count_finds_what_agrees_and_misses_what_the_ledger_has_too_many_of(session):
    session.info[HANDLERS] = {CountPosted: (counted.on_count_posted,)}
    stock(session, coat=10, boots=4, scarf=2)
    count = opening.open_count(session, node="MAD", skus=["coat", "boots", "scarf"], **BY)
    for sku, units in {"coat": 8, "boots": 4, "scarf": 3}.items():
        counts.record(session, count.id, sku=sku, units=units, **BY)
    session.expire_all()
    counts.submit(session, count.id, **BY)
    for tally in counts.tallies_of(session, count.id):
        counts.review(session, count.id, accept={tally.sku: tally.round}, **BY)
    counts.post(session, count.id, **BY)
    assert evidence(session) == pytest.approx((0.8, 0.2))
    assert evidence(session, "boots") == evidence(session, "scarf") == (1, 0)
