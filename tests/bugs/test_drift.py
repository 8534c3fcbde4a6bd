"""What the counters said and what had moved went apart, or half of a movement was missing."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from api import proof
from kernel.events import HANDLERS
from kernel.proofs import WHOLE
from stock import adjustments, feeds
from stock.events import TransferMoved
from stock.models import StockEntry
from stock.proof import repair
from stock.sales import sell
from tests import factories
from tests.bugs.crowd import DONE, fates, together
from tests.stock.shelf import counters


def test_stock_was_negative_and_there_was_nothing_to_mend_it_with(session):
    """https://github.com/magento/inventory/issues/3165"""
    factories.stock(session, "WH", coat=2)
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(text("UPDATE stock_balance SET on_hand = -1 WHERE sku = 'coat'"))
    session.execute(text("UPDATE stock_balance SET on_hand = 5 WHERE sku = 'coat'"))
    session.expire_all()
    told = {(found.invariant, found.key) for found in proof.findings(session)}
    assert told == {("I2", "coat at WH"), ("I6", "coat")}
    (mend,) = repair.by_sku(session, WHOLE)
    assert "3 coat at WH from adjustment to on_hand" in " ".join(mend.lines)
    assert list(proof.findings(session)), "what would be mended is told before it is"
    mend.write(session, actor="repair", now=factories.NOW)
    assert list(proof.findings(session)) == []


def test_now_and_then_an_order_had_no_allocation(session):
    """https://github.com/saleor/saleor/issues/5334"""
    factories.stock(session, "WH", coat=1)
    order = factories.place(session, factories.line("coat"))
    factories.in_order(session)
    (line,) = order.lines
    session.execute(text("UPDATE reservation SET released = 1 WHERE reference = :line"), {"line": line.id})
    assert ("I5", "fulfillment_line") in {(found.invariant, found.table) for found in proof.findings(session)}


def test_counters_no_longer_equalled_their_moves_under_load(retailer, sku):
    """https://github.com/odoo/odoo/issues/55494, https://github.com/odoo/odoo/pull/32434"""
    retailer.gets("WH", **{sku: 50})
    deeds = [
        lambda: retailer.gets("WH", **{sku: 1}),
        lambda: retailer.sells_at_till("WH", **{sku: 1}),
        lambda: retailer.cancels(retailer.sells(**{sku: 2})),
        lambda: retailer.sells(**{sku: 1}),
    ]
    assert fates(together(*deeds, *deeds)) == {DONE: 8}
    assert retailer.stock("WH", sku) == {"on_hand": 50, "reserved": 2}
    assert retailer.unaccounted(sku) == {sku: 0}


def test_a_count_while_people_picked_put_the_counters_wrong(retailer, sku):
    """https://github.com/odoo/odoo/issues/62139"""
    retailer.gets("WH", **{sku: 5})
    picked, shipped = retailer.sells(**{sku: 1}), retailer.sells(**{sku: 1})
    retailer.picks(picked.part)
    count = retailer.post("/counts", {"node": "WH", "skus": [sku]})
    lines = f"/counts/{count['id']}/lines"
    retailer.post(lines, {"sku": sku, "units": 2, "shelf": "A-01"})
    retailer.picks_and_packs(shipped.part)
    retailer.ships(shipped.part)
    retailer.post(lines, {"sku": sku, "units": 1, "shelf": "B-01"})
    retailer.post(f"/counts/{count['id']}/submit")
    retailer.post(f"/counts/{count['id']}/post")
    assert retailer.stock("WH", sku) == {"on_hand": 4, "reserved": 1, "picked": 1}


def test_two_postings_at_once_wrote_a_wrong_running_balance(retailer, sku):
    """https://github.com/frappe/erpnext/issues/51562"""
    together(*[lambda: retailer.gets("WH", **{sku: 1})] * 4, *[lambda: retailer.gets("WH", **{sku: 2})] * 4)
    by_version = select(StockEntry.to_version, StockEntry.units).where(StockEntry.sku == sku)
    entries = retailer.house.doors.read(lambda session: session.execute(by_version.order_by("to_version")).all())
    assert [version for version, _ in entries] == list(range(1, 9))
    assert sum(units for _, units in entries) == retailer.stock("WH", sku)["on_hand"] == 12


def test_a_count_of_last_week_made_the_stock_of_today_negative(session):
    """https://github.com/frappe/erpnext/pull/33936"""
    now, last_week = factories.NOW, factories.NOW - timedelta(days=7)
    factories.stock(session, "WH", coat=5)
    sell(session, node="WH", lines=[("coat", 4)], reference="T-1", actor="till", occurred_at=now)
    told = {"node": "WH", "reference": "count", "actor": "ana"}
    feeds.absolute(session, rows=[("coat", 0)], as_of=last_week, now=now, **told)
    assert counters(session, "coat", "WH") == {"on_hand": 1}
    adjustments.adjust(session, sku="coat", units=-1, reason="correction", now=last_week, **told)
    assert counters(session, "coat", "WH") == {}
    reached = select(func.max(StockEntry.from_version)).where(StockEntry.sku == "coat", StockEntry.from_node == "WH")
    assert session.scalar(reached) == 3, "it takes effect when it is written, whenever it happened"


def test_one_side_of_a_transfer_was_committed_without_the_other(retailer, app, sku, monkeypatch):
    """https://github.com/frappe/erpnext/pull/46805, https://github.com/frappe/erpnext/issues/20215"""
    retailer.gets("WH", **{sku: 2})
    lines = [{"sku": sku, "units": 2}]
    transfer = retailer.post("/transfers", {"source": "WH", "destination": "BCN", "lines": lines})

    def custom_code(_session, _event):
        raise RuntimeError("a bug in what was added")

    opened = retailer.house.doors.database.info
    with monkeypatch.context() as broken:
        broken.setitem(opened, HANDLERS, opened[HANDLERS] | {TransferMoved: (custom_code,)})
        headers = {"Authorization": f"Bearer {retailer.key}", "Idempotency-Key": "dispatch"}
        path = f"/api/v1/transfers/{transfer['id']}/dispatch"
        assert app.test_client().post(path, json={}, headers=headers).status_code == 500
    assert (retailer.stock("WH", sku), retailer.stock("BCN", sku)) == ({"on_hand": 2}, {})
    retailer.post(f"/transfers/{transfer['id']}/dispatch", {}, key="dispatch")
    assert (retailer.stock("WH", sku), retailer.stock("BCN", sku)) == ({}, {"in_transit": 2})
    one_sided = text("INSERT INTO stock_entry (sku, posting_id, line, units, to_account, to_node, to_version) "
                     "SELECT sku, posting_id, 9, 1, 'on_hand', 'WH', 9 FROM stock_entry")  # fmt: skip
    with retailer.house.doors.database.write() as session, pytest.raises(IntegrityError):
        session.execute(one_sided)
