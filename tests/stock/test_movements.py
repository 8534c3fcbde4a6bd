"""Every way in which units move, with the accounts between which it moves them; each leaves a ledger that adds up."""

import pytest
from sqlalchemy import select

from stock import (
    adjustments,
    arrivals,
    conversions,
    feeds,
    receipts,
    recipes,
    reservations,
    returns,
    sales,
    shorts,
    transfers,
)
from stock.arrivals import SetAside, Surplus
from stock.counting import counts, opening
from stock.models import StockEntry
from stock.proof import verify
from stock.receipts import Delivered
from stock.recipes import Component, RecipeRow
from stock.reservations import ReservedUnits, rebind
from stock.transfers import TransferWant
from tests.stock.shelf import NOW, claim, header, stock

BY = {"actor": "ana", "now": NOW}
CLAIMS = {"available", "reserved", "unpicked", "picked"}


@pytest.fixture(autouse=True)
def shelves(session):
    """Coats and hats in Madrid, some of the coats set aside."""
    stock(session, coat_MAD=10, hat_MAD=10)
    receipts.receive(
        session, header("receipt"), [Delivered("MAD", "coat", 5, "quarantine"), Delivered("MAD", "coat", 5, "damaged")]
    )
    recipes.put(session, [RecipeRow(sku="boots", kind="kit", components=(Component("hat", 2),))])


def reserved(session):
    (id_,) = rebind(session, header(), claims=[claim(units=2)])
    return [ReservedUnits("coat", id_, 2)]


def sent(session):
    opened = transfers.open_transfer(
        session, source="MAD", destination="BCN", reference="", lines=[TransferWant(sku="coat", units=2)], **BY
    )
    transfers.dispatch(session, opened.id, [2], **BY)
    return opened.id


def lost(session):
    transfer = sent(session)
    arrivals.close_short(session, transfer, **BY)
    return transfer


def adjusted(reason, units=-2):
    return lambda session: adjustments.adjust(session, node="MAD", sku="coat", units=units, reason=reason, **BY)


def received(reason):
    return lambda session: receipts.receive(session, header(), [Delivered("MAD", "coat", 2, reason)])


def came_back(grade):
    return lambda session: returns.receive(session, node="MAD", lines=[("coat", 2, grade)], reference="r", **BY)


def missed(reason, use="short"):
    return lambda session: shorts.short(session, header(), sku="coat", node="MAD", units=2, reason=reason, use=use)


def counted(session):
    count = opening.open_count(session, node="MAD", skus=["coat"], **BY)
    counts.record(session, count.id, sku="coat", units=8, **BY)
    counts.submit(session, count.id, **BY)
    counts.post(session, count.id, **BY)


def converted(direction):
    return lambda session: conversions.convert(session, node="MAD", sku="boots", units=1, direction=direction, **BY)


def arrived(session, good=0, **exceptions):
    arrivals.receive(session, sent(session), {1: good} if good else {}, **exceptions, **BY)


MOVEMENTS = {
    "receipt": (received("good"), [("supplier", "on_hand")]),
    "receipt damaged": (received("damaged"), [("supplier", "damaged")]),
    "receipt of a wrong item": (received("wrong_item"), [("supplier", "quarantine")]),
    "found": (adjusted("found", 2), [("adjustment", "on_hand")]),
    "correction": (adjusted("correction"), [("on_hand", "adjustment")]),
    "damage": (adjusted("damage"), [("on_hand", "damaged")]),
    "repair": (adjusted("repair"), [("damaged", "on_hand")]),
    "disposal": (adjusted("dispose"), [("damaged", "shrink")]),
    "quarantine": (adjusted("quarantine"), [("on_hand", "quarantine")]),
    "release": (adjusted("release"), [("quarantine", "on_hand")]),
    "quarantine found damaged": (adjusted("quarantine_damaged"), [("quarantine", "damaged")]),
    "theft": (adjusted("theft"), [("on_hand", "shrink")]),
    "write-off": (adjusted("write_off"), [("on_hand", "shrink")]),
    "back to the supplier": (adjusted("damaged_to_supplier"), [("damaged", "supplier")]),
    "till sale": (
        lambda session: sales.sell(
            session, node="MAD", lines=[("coat", 2)], reference="t", actor="ana", occurred_at=NOW
        ),
        [("on_hand", "customer")],
    ),
    "shipment": (
        lambda session: reservations.consume(session, header("ship"), reserved(session)), [("on_hand", "customer")],
    ),
    "hand-over": (
        lambda session: reservations.consume(session, header("hand_over"), reserved(session)),
        [("on_hand", "customer")],
    ),
    "return for sale": (came_back("resell"), [("customer", "on_hand")]),
    "return damaged": (came_back("damaged"), [("customer", "damaged")]),
    "return to be looked at": (came_back("quarantine"), [("customer", "quarantine")]),
    "short pick, not found": (missed("not_found"), [("on_hand", "shrink")]),
    "short pick, damaged": (missed("damaged"), [("on_hand", "damaged")]),
    "short pick, wrong label": (missed("wrong_label"), [("on_hand", "quarantine")]),
    "short pick, all there": (missed("no_variance"), []),
    "rejection, not found": (missed("not_found", "reject"), [("on_hand", "shrink")]),
    "feed": (
        lambda session: feeds.absolute(session, node="MAD", rows=[("coat", 8)], as_of=NOW, reference="f", **BY),
        [("on_hand", "adjustment")],
    ),
    "count": (counted, [("on_hand", "adjustment")]),
    "assembly": (converted("assemble"), [("on_hand", "conversion"), ("conversion", "on_hand")]),
    "dispatch": (sent, [("on_hand", "in_transit")]),
    "arrival": (lambda session: arrived(session, 2), [("on_hand", "in_transit"), ("in_transit", "on_hand")]),
    "arrival damaged": (
        lambda session: arrived(session, set_aside=[SetAside(1, 2, "damaged")]),
        [("on_hand", "in_transit"), ("in_transit", "damaged")],
    ),
    "surplus": (
        lambda session: arrived(session, 2, surplus=[Surplus("coat", 1, "surplus")]),
        [("on_hand", "in_transit"), ("in_transit", "on_hand"), ("adjustment", "on_hand")],
    ),
    "lost on the way": (lost, [("on_hand", "in_transit"), ("in_transit", "shrink")]),
    "turned up": (
        lambda session: arrivals.find(session, lost(session), {1: 2}, **BY),
        [("on_hand", "in_transit"), ("in_transit", "shrink"), ("shrink", "on_hand")],
    ),
    "sent back": (
        lambda session: arrivals.close_short(session, sent(session), reason="sent_back", **BY),
        [("on_hand", "in_transit"), ("in_transit", "on_hand")],
    ),
    "called off on the way": (
        lambda session: transfers.cancel(session, sent(session), choice="write_back", **BY),
        [("on_hand", "in_transit"), ("in_transit", "on_hand")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(MOVEMENTS))
def test_it_moves_units_between_these_accounts(session, name):
    move, accounts = MOVEMENTS[name]
    before = set(session.scalars(select(StockEntry.posting_id)))
    move(session)
    entries = session.scalars(select(StockEntry).order_by(StockEntry.posting_id, StockEntry.line)).all()
    new = [entry for entry in entries if entry.posting_id not in before]
    assert [(entry.from_account, entry.to_account) for entry in new if entry.from_account not in CLAIMS] == accounts
    assert list(verify.findings(session)) == []
