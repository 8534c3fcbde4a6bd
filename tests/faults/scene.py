"""A retailer in the middle of a working day: for every verb that writes, something stands ready that it can be done to.

Built once through the doors, then copied for each test that kills a verb on its way. Invariant: each verb can be done
on a fresh copy, whatever was or was not done on others.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import update

from stock import reservations
from stock.models import Reservation
from stock.postings import Header
from tests import factories
from tests.factories import GTINS

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
LISBON = {"name": "Rui", "line1": "Rua Augusta 3", "city": "Lisboa", "postal_code": "08001", "country": "ES"}


@dataclass(frozen=True)
class Verb:
    """One request, or one run of a job, that changes something; some days after the scene was built."""

    name: str
    path: str = ""
    body: Any = None
    method: str = "POST"
    job: str = ""
    days: int = 0


def build(retailer):
    """Build the scene and return the verbs that can be done in it."""
    retailer.gets("WH", coat=60, scarf=60)
    retailer.gets("BCN", coat=10)
    return [
        *_orders(retailer), *_carts(retailer), *_promises(retailer), *_floor(retailer), *_counter(retailer),
        *_transfers(retailer), *_returns(retailer), *_stock_room(retailer), *_counts(retailer), *_catalog(),
        *_planner(retailer), *_jobs(retailer),
    ]  # fmt: skip


def _orders(retailer):
    plain, held, lifted = (retailer.sells(coat=1, scarf=1) for _ in range(3))
    retailer.post(f"/orders/{lifted.id}/holds", {"reason": "fraud"})
    packed = _packed(retailer)
    coat = retailer.basket(coat=1)
    yield Verb("place an order", "/orders", retailer.basket(coat=2, scarf=1))
    yield Verb("place an order that waits", "/orders", retailer.basket(hat=1, coat=1))
    yield Verb("place an order to collect", "/orders", retailer.basket(collect_at="BCN", coat=1))
    yield Verb("place an order with a transfer leg", "/orders", retailer.basket(collect_at="MAD", scarf=1))
    yield Verb("place orders in bulk", "/orders/bulk", [coat, retailer.basket(scarf=2), coat])
    yield Verb("cancel an order", f"/orders/{plain.id}/cancel", {"reason": "customer"})
    yield Verb("cancel a packed order", f"/orders/{packed.id}/cancel", {"reason": "customer"})
    # From Barcelona, the store there is nearer than the warehouse: the address moves the units, too.
    elsewhere = f"/orders/{retailer.sells(coat=1).id}/edits"
    yield Verb("send an order elsewhere", elsewhere, {"ship_to": LISBON})
    chosen = retailer.sells(scarf=1).id
    (remaining,) = retailer.get(f"/orders/{chosen}/recovery")["demands"]
    given_up = {"demand_id": remaining["demand_id"], "choice": "cancel", "reason": "customer"}
    yield Verb("choose how an order goes on", f"/orders/{chosen}/recovery", given_up)
    yield Verb("hold an order", f"/orders/{held.id}/holds", {"reason": "fraud"})
    yield Verb("lift a hold", f"/orders/{lifted.id}/holds/fraud", method="DELETE")
    paid = {"kind": "card", "amount": {"amount": "40.00", "currency": "EUR"}}
    yield Verb("record a payment", f"/orders/{plain.id}/payments", paid)


def _carts(retailer):
    kept, held, given_up, ordered = (retailer.starts_cart(coat=2, scarf=1) for _ in range(4))
    for cart in held, given_up, ordered:
        cart.holds(15)
    begun = retailer.basket(coat=1)
    body = {name: value for name, value in begun.items() if name not in {"external_id", "paid"}}
    order = {"channel": "web", "external_id": begun["external_id"], "cart": ordered.id}
    yield Verb("start a cart", "/carts", body)
    yield Verb("hold a cart", f"/carts/{kept.id}/hold", {"minutes": 15})
    yield Verb("release a cart", f"/carts/{held.id}/release")
    yield Verb("give a cart up", f"/carts/{given_up.id}/abandon")
    yield Verb("order what a cart holds", "/orders", order)


def _promises(retailer):
    """Several ways are quoted, all but one are held, and the time of one is over."""
    quoted, longer, released, ordered, over = (_promised(retailer) for _ in range(5))
    for way in longer, released, ordered, over:
        retailer.post(f"{way}/hold", {"minutes": 10})
    ended = update(Reservation).where(Reservation.reference == over.rpartition("/")[2]).values(expires_at=LONG_AGO)
    retailer.house.doors.write(lambda session: session.execute(ended))
    order = retailer.basket(scarf=1) | {"promise": ordered.rpartition("/")[2]}
    yield Verb("hold a promise", f"{quoted}/hold", {"minutes": 10})
    yield Verb("hold a promise longer", f"{longer}/hold", {"minutes": 20})
    yield Verb("release a promise", f"{released}/release")
    yield Verb("order what was promised", "/orders", order)


def _promised(retailer):
    """The path of a way to have a scarf sent to Madrid."""
    place = {"postal_code": "28001", "country": "ES"}
    asked = {"channel": "web", "lines": [{"sku": "scarf", "quantity": 1}], "place": place, "methods": ["ship"]}
    return f"/promises/{retailer.post('/promises', asked)['ways'][0]['id']}"


def _floor(retailer):
    new, begun = retailer.sells(coat=1, scarf=1), retailer.sells(coat=2, scarf=1)
    retailer.starts(begun.part)
    lines = retailer.get(f"/fulfillment-orders/{begun.part['id']}")["lines"]
    (coats,) = [line for line in lines if line["sku"] == "coat"]
    picked, packed, shipped = retailer.sells(coat=1), _packed(retailer), _shipped(retailer)
    retailer.picks(picked.part)
    stops = {"node": "WH", "fulfillment_orders": [new.part["id"]]}
    scan = {"scan_id": "the-scan", "code": GTINS["coat"]}
    yield _work("accept", new)
    yield _work("reject", new, {"reason": "no_staff"})
    yield Verb("start a pick list", "/pick-lists", stops)
    yield _work("pick", begun, scan)
    yield _work("short", begun, {"line_id": coats["id"], "found": 0, "reason": "not_found"})
    yield _work("pack", picked, {})
    yield _work("unpack", packed)
    yield _work("ship", packed, {})
    yield _work("deliver", shipped)
    yield _work("return-to-sender", shipped, {"reason": "not_at_home"})


def _counter(retailer):
    picked, ready = (retailer.sells(collect_at="BCN", paid=True, coat=1) for _ in range(2))
    for order in picked, ready:
        retailer.picks(order.part)
    retailer.sets_ready(ready.part)
    cancelled = retailer.sells(collect_at="BCN", paid=True, coat=1)
    retailer.picks(cancelled.part)
    retailer.cancels(cancelled)
    (task,) = retailer.get("/put-backs", node="BCN")["items"]
    yield _work("ready", picked, {"shelf": "C-04"})
    yield _work("hand-over", ready, {"code": ready.part["pickup_code"]})
    yield _work("refuse", ready, {"reason": "wrong_size"})
    yield Verb("put back", f"/put-backs/{task['id']}/scan", {"scan_id": "back", "code": GTINS["coat"]})
    yield Verb("no-shows", job="expire_no_shows", days=30)


def _transfers(retailer):
    legs = [retailer.sells(collect_at="MAD", paid=True, scarf=1).part_at("WH") for _ in range(2)]
    for leg in legs:
        retailer.picks_and_packs(leg)
    under_way = retailer.dispatches(legs[1])
    plain = [retailer.post("/transfers", _scarves(2)) for _ in range(3)]
    sent = [retailer.post(f"/transfers/{each['id']}/dispatch", {}) for each in plain[1:]]
    yield Verb("dispatch", f"/fulfillment-orders/{legs[0]['id']}/dispatch", {})
    yield Verb("receive a transfer leg", f"/transfers/{under_way['id']}/receive", {})
    yield Verb("open a transfer", "/transfers", _scarves(1))
    yield Verb("dispatch a transfer", f"/transfers/{plain[0]['id']}/dispatch", {})
    yield Verb("receive a transfer", f"/transfers/{sent[0]['id']}/receive", {"lines": [{"line": 1, "units": 1}]})
    yield Verb("cancel a transfer", f"/transfers/{sent[1]['id']}/cancel", {"choice": "write_back"})


def _returns(retailer):
    orders = [_shipped(retailer) for _ in range(3)]
    wanted = [{"line_id": order.line("coat")["id"], "units": 1, "reason": "too_small"} for order in orders]
    asked = [
        retailer.post(f"/orders/{order.id}/returns", {"lines": [line]})
        for order, line in zip(orders[:2], wanted, strict=False)
    ]
    retailer.post(f"/returns/{asked[1]['id']}/authorise")
    brought = {"order_id": orders[2].id, "node": "BCN", "lines": [{**wanted[2], "grade": "damaged"}]}
    found = {"node": "BCN", "lines": [{"line_id": wanted[1]["line_id"], "units": 1, "grade": "resell"}]}
    yield Verb("ask for a return", f"/orders/{orders[2].id}/returns", {"lines": [wanted[2]]})
    yield Verb("authorise a return", f"/returns/{asked[0]['id']}/authorise")
    yield Verb("receive a return", f"/returns/{asked[1]['id']}/receive", found)
    yield Verb("take goods back at the counter", "/returns", brought)


def _stock_room(retailer):
    """Three boots in Seville are promised, so that a sale, a loss or a feed takes them from somebody."""
    retailer.gets("SVQ", boots=3)
    retailer.sells(boots=3)
    here = {"node": "SVQ"}
    boots, hats = {"sku": "boots", "units": 2}, {"sku": "hat", "units": 5}
    yield Verb("receive goods", "/stock/receipts", {"lines": [here | hats, here | boots]})
    yield Verb("adjust", "/stock/adjustments", here | {"sku": "boots", "units": -1, "reason": "damage"})
    yield Verb("sell at a till", "/stock/sales", here | {"lines": [boots], "reference": "T-9"})
    yield Verb("feed absolutely", "/stock/feeds", here | {"kind": "absolute", "rows": [{"sku": "boots", "units": 1}]})
    retailer.post("/recipes", [{"sku": "boots", "kind": "kit", "components": [{"sku": "scarf", "units": 2}]}])
    bought = {"supplier": "ACME", "node": "WH", "lines": [hats], "expected_at": "2026-03-20T09:00:00Z"}
    expected = retailer.post("/purchase-orders", bought | {"number": "P-1"})
    damaged = {"sku": "hat", "units": 1, "reason": "damaged"}
    came = {"lines": [{"sku": "hat", "units": 3}, damaged], "complete": True}
    yield Verb("open a purchase order", "/purchase-orders", bought | {"number": "P-2"})
    yield Verb("receive a purchase order", f"/purchase-orders/{expected['id']}/receive", came)
    kit = {"node": "WH", "sku": "boots", "units": 3, "direction": "assemble"}
    yield Verb("put kits together", "/stock/conversions", kit)
    yield Verb("feed relatively", "/stock/feeds", here | {"kind": "relative", "rows": [hats]})


def _counts(retailer):
    count = retailer.post("/counts", {"node": "SVQ", "skus": ["boots"]})
    retailer.post(f"/counts/{count['id']}/lines", {"sku": "boots", "units": 2})
    retailer.post(f"/counts/{count['id']}/submit")
    yield Verb("open a count", "/counts", {"node": "WH", "skus": ["coat", "scarf"]})
    yield Verb("post a count", f"/counts/{count['id']}/post")
    yield Verb("throw a count away", f"/counts/{count['id']}/void")


def _catalog():
    limit = {"sku": "coat", "node": "WH", "safety_stock": 2, "backorder_limit": 0}
    yield Verb("set limits", "/stock/limits", [limit])
    yield Verb("set shelves", "/stock/shelves", [{"sku": "coat", "node": "WH", "shelf": "A-01"}])


def _planner(retailer):
    """Barcelona was given what Madrid has by now; the night would move it."""
    retailer.gets("BCN", hat=1)
    retailer.sells(hat=1)
    retailer.gets("MAD", hat=1)
    run = retailer.plans_the_night()
    moved = [movement["demand_id"] for movement in run["movements"]]
    assert moved, "the night found nothing to move"
    yield Verb("accept a run", f"/runs/{run['id']}/accept", {"demand_ids": moved})
    yield Verb("reject a run", f"/runs/{run['id']}/reject")
    yield Verb("start a run", "/runs")


def _jobs(retailer):
    """A hold has run out, and a pair of boots lies in Seville that somebody waits for.

    Some postings have a position and no seal yet, some events a place but no position, and some have neither.
    """
    doors = retailer.house.doors
    retailer.runs("place_events")
    retailer.runs("place_postings")
    retailer.sells(coat=1)
    retailer.runs("place_events")
    header = Header(kind="hold", actor="cart", occurred_at=factories.NOW)
    kept = reservations.Claim(
        sku="coat", node="WH", units=2, reference="cart-1", purpose="hold", expires_at=LONG_AGO
    )  # fmt: skip
    doors.write(lambda session: reservations.rebind(session, header, claims=[kept]))
    retailer.sells(boots=1)
    doors.write(lambda session: factories.stock(session, "SVQ", boots=1))
    yield Verb("expired holds", job="expire_holds")
    yield Verb("what waits", job="decide_waiting")
    yield Verb("places of events", job="place_events")
    yield Verb("positions of postings", job="place_postings")
    yield Verb("seals", job="seal_ledger")
    yield Verb("what to count", job="propose_counts")
    yield Verb("the night", job="plan_night")


def _work(verb, order, body=None):
    (part,) = order.whole["fulfillment_orders"]
    return Verb(verb, f"/fulfillment-orders/{part['id']}/{verb}", body)


def _packed(retailer):
    order = retailer.sells(coat=1)
    retailer.picks_and_packs(order.part)
    return order


def _shipped(retailer):
    order = _packed(retailer)
    retailer.ships(order.part)
    return order


def _scarves(units):
    return {"source": "WH", "destination": "BCN", "lines": [{"sku": "scarf", "units": units}]}
