"""/orders: taken, found, looked at, cancelled, held, redirected and paid."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from api import deciding, intake, showing
from api.house import House
from api.openapi import PREFIX
from api.rest.operation import Call, Reply, Resource
from api.schemas import orders as schemas
from api.schemas import recovery as recovery_schemas
from api.schemas.decisions import DecisionsSchema, FlipQuery, FlipsSchema
from fulfillment.work.demands import ADDRESS
from oms import addresses, holds, orders, payments, queries, recovery, view
from oms import history as order_history
from oms.commands import PlaceOrder
from oms.orders import Placed, Prepared
from oms.queries import Wanted

resource = Resource("orders", __name__, url_prefix=f"{PREFIX}/orders", description="Sales in every channel.")

EXAMPLE = {
    "channel": "web", "external_id": "W-10001", "currency": "EUR",
    "customer": {"name": "Ana García", "email": "ana@example.com", "language": "es"},
    "method": "ship", "service": "standard",
    "ship_to": {
        "name": "Ana García", "line1": "Calle Mayor 1", "city": "Madrid", "postal_code": "28013", "country": "ES",
        "latitude": 40.42, "longitude": -3.70,
    },
    "lines": [{"sku": "SHI01-WHT-M", "quantity": 1, "unit_price": {"amount": "29.95", "currency": "EUR"}}],
    "shipping_price": {"amount": "3.95", "currency": "EUR"}, "paid": True,
}  # fmt: skip


def _prepare(session: Session, call: Call) -> Prepared:
    return orders.prepare(session, call.body, vault=call.vault, now=call.now)


def _decide_demands(house: House, call: Call, demand_ids: list[str]) -> None:
    deciding.many(house.doors, demand_ids, cause=ADDRESS, now=call.now, actor=call.actor)


def _placed(session: Session, call: Call, placed: Placed) -> dict[str, Any]:
    currency, offered = call.config.network.currency, placed.alternatives
    return showing.placed(session, placed.outline, currency=currency, now=call.now, alternatives=offered)


def _shown(session: Session, call: Call, order_id: str) -> dict[str, Any]:
    currency = call.config.network.currency
    return showing.placed(session, view.outline(session, order_id), currency=currency, now=call.now)


def _carried_out(command: PlaceOrder) -> set[str]:
    """Return what left over a counter, from which others may have lost units."""
    return {line.sku for line in command.lines if (line.method or command.method) == "carry_out"}


@resource.operation(
    "POST", "", scope="orders:write", body=schemas.PlaceOrderSchema, answer=schemas.OrderSchema, status=201, key=True,
    decide=_prepare, example=EXAMPLE,
)  # fmt: skip
def place_order(session: Session, call: Call, decided: Prepared) -> Any:
    """Take an order, decide where it is served from, and reserve its units.

    The same (channel, external_id) with the same body gives the order that is there, with 200; with another body, 409.
    What cannot be served now waits, or the order is refused where its channel says so.
    """
    placed = orders.place(session, decided, vault=call.vault, now=call.now, actor=call.actor)
    shown = _placed(session, call, placed)
    carried = _carried_out(call.body) if placed.created else set()
    after = (lambda house: deciding.after_stock(house, carried, actor=call.actor)) if carried else None
    return Reply(shown, status=201 if placed.created else 200, after=after)


@resource.operation(
    "POST", "/bulk", scope="orders:write", body=schemas.PlaceOrderSchema(many=True), answer=schemas.OrderResultsSchema,
    example=[EXAMPLE], each=True,
)  # fmt: skip
def place_orders(house: House, call: Call) -> Any:
    """Take many orders as if one after the other, each with its own result; sent again, they are found."""

    def show(session: Session, placed: Placed) -> dict[str, Any]:
        return dict(schemas.OrderSchema().dump(_placed(session, call, placed)))

    answers = intake.place_many(house, call.body, actor=call.actor, show=show)
    return {"results": [answer.shown for answer in answers]}


@resource.operation("GET", "", scope="orders:read", query=schemas.OrderQuery, answer=schemas.OrderPage)
def find_orders(session: Session, call: Call) -> Any:
    """Find orders across all channels, newest first; with `updated_since`, the longest unchanged first."""
    asked = {name: value for name, value in call.query.items() if name not in {"q", "cursor", "limit"}}
    page = {"cursor": call.query["cursor"], "limit": call.query["limit"]}
    found = queries.find(session, call.vault, Wanted(text=call.query["q"], **asked), **page)
    return {"items": showing.page(session, found.orders), "next_cursor": found.cursor}


@resource.operation("GET", "/<order_id>", scope="orders:read", answer=schemas.WholeOrderSchema)
def show_order(session: Session, call: Call, order_id: str) -> Any:
    """Show an order whole, with its person and address."""
    return showing.whole(session, order_id, vault=call.vault, currency=call.config.network.currency, now=call.now)


@resource.operation("GET", "/<order_id>/decision", scope="orders:read", answer=DecisionsSchema)
def show_decision(session: Session, call: Call, order_id: str) -> Any:
    """Tell why an order is served from where it is: every decision with its candidates, costs and fences."""
    return {"decisions": showing.decisions(session, order_id, currency=call.config.network.currency)}


@resource.operation("GET", "/<order_id>/decision/flip", scope="orders:read", query=FlipQuery, answer=FlipsSchema)
def show_flips(session: Session, call: Call, order_id: str) -> Any:
    """Tell the smallest changes that would have flipped a decision: a unit, a package, minutes or cents."""
    asked = call.query["decision_id"]
    return {"decisions": showing.flips(session, order_id, asked, currency=call.config.network.currency)}


@resource.operation("GET", "/<order_id>/history", scope="orders:read", answer=schemas.HistorySchema)
def show_history(session: Session, _call: Call, order_id: str) -> Any:
    """Tell all that happened to an order and its fulfillment orders."""
    order_history.get(session, order_id)
    return {"history": view.timeline(session, order_id)}


@resource.operation(
    "POST", "/<order_id>/cancel", scope="orders:write", body=schemas.CancelSchema, answer=schemas.CancelledSchema,
    key=True,
    example={"reason": "customer", "lines": [{"line_id": "0190...", "units": 1}]},
)  # fmt: skip
def cancel_order(session: Session, call: Call, order_id: str) -> Any:
    """Cancel units of lines, or everything that has not left; what has left comes back as a return."""
    lines = call.body["lines"]
    wanted = None if lines is None else {line["line_id"]: line["units"] for line in lines}
    return orders.cancel(session, order_id, wanted, reason=call.body["reason"], actor=call.actor, now=call.now)


@resource.operation(
    "POST", "/<order_id>/holds", scope="orders:write", body=schemas.HoldSchema, answer=schemas.HoldShownSchema,
    example={"reason": "fraud"},
)  # fmt: skip
def hold_order(session: Session, call: Call, order_id: str) -> Any:
    """Hold an order until a person lifts the hold."""
    return holds.place(session, order_id, reason=call.body["reason"], actor=call.actor, now=call.now)


@resource.operation("DELETE", "/<order_id>/holds/<reason>", scope="orders:write", answer=schemas.OrderSchema)
def lift_hold(session: Session, call: Call, order_id: str, reason: str) -> Any:
    """Lift a hold; with the last one the order goes on."""
    holds.lift(session, order_id, reason=reason, actor=call.actor, now=call.now)
    return _shown(session, call, order_id)


@resource.operation(
    "POST", "/<order_id>/edits", scope="orders:write", body=schemas.EditSchema, answer=schemas.OrderSchema,
    example={"ship_to": EXAMPLE["ship_to"]},
)  # fmt: skip
def edit_order(session: Session, call: Call, order_id: str) -> Any:
    """Send an order elsewhere, before its first parcel leaves; it is decided again."""
    to = call.body["ship_to"]
    demand_ids = addresses.correct_address(session, order_id, to, vault=call.vault, actor=call.actor, now=call.now)
    shown = _shown(session, call, order_id)
    return Reply(shown, after=lambda house: _decide_demands(house, call, demand_ids))


@resource.operation("GET", "/<order_id>/recovery", scope="orders:read", answer=recovery_schemas.RecoverySchema)
def show_recovery(session: Session, call: Call, order_id: str) -> Any:
    """Tell how what of an order nobody works on may go on: each way with its date, cost and probability."""
    found = recovery.troubles(session, order_id, vault=call.vault, now=call.now)
    return {"demands": [recovery_schemas.show_trouble(each, call.config.network.currency) for each in found]}


def _prepare_recovery(session: Session, call: Call, order_id: str) -> recovery.Prepared:
    return recovery.prepare(session, order_id, call.body, vault=call.vault, now=call.now)


@resource.operation(
    "POST", "/<order_id>/recovery", scope="orders:write", body=recovery_schemas.ChooseSchema,
    answer=schemas.OrderSchema, key=True, decide=_prepare_recovery,
    example={"demand_id": "0190...", "choice": "collect", "node": "MAD-1", "reason": "customer"},
)  # fmt: skip
def recover(session: Session, call: Call, order_id: str, decided: recovery.Prepared) -> Any:
    """Carry out one of the ways an order may go on, and remember who chose it and why."""
    recovery.carry_out(session, order_id, decided, now=call.now, actor=call.actor)
    return _shown(session, call, order_id)


@resource.operation(
    "POST", "/<order_id>/payments", scope="orders:write", body=schemas.PaymentSchema, answer=schemas.PaidSchema,
    status=201,
    key=True, example={"kind": "card", "amount": {"amount": "19.90", "currency": "EUR"}},
)  # fmt: skip
def record_payment(session: Session, call: Call, order_id: str) -> Any:
    """Record money received for an order."""
    payments.record(session, order_id, **call.body, actor=call.actor, now=call.now)
    found = view.whole(session, order_id)
    return {"paid": found.paid, "due": found.due}
