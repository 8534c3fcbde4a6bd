"""Orders: taken whole or not at all, decided before they are written, cancelled by line and quantity.

Called by the doors, which run `prepare` on a read session and `place` in one short write transaction. Invariants: an
external id stands for one order of its channel, and the database's unique key decides between two that come at once; an
order, its demands, its claims in the ledger and its news are written together.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, bindparam, insert, select
from sqlalchemy.orm import Session

from fulfillment.network.geography import UNKNOWN
from fulfillment.sourcing import commit
from fulfillment.sourcing.commit import Committed, StalePlan
from fulfillment.sourcing.promises import Alternative
from fulfillment.sourcing.proposal import Proposal, Wanted, WantedLine
from fulfillment.sourcing.taken import Taken
from fulfillment.work import cancelling, carrying, demands
from fulfillment.work.cancelling import Cancelled
from fulfillment.work.carrying import CarriedLine
from fulfillment.work.models import Method
from kernel import events
from kernel.db import adopt, database_now, table
from kernel.errors import Fault
from kernel.ids import new_id, short_code
from kernel.vault import Vault
from oms import addresses, bundles, checks, customers, deciding, finishing, history, holds, payments, view
from oms.bundles import Unpacked
from oms.checks import Faults
from oms.commands import PlaceOrder
from oms.errors import DuplicateOrder, HoldExpired, InvalidOrder, InvalidRequest, NothingToCancel, OutOfStock
from oms.events import LineUnits, OrderPlaced
from oms.history import Entry
from oms.models import Cart, Channel, Order, OrderLine, OrderStatus
from oms.payments import Received
from oms.view import Outline

NUMBER_LENGTH = 10
ADDED = ("cart", "promise", "hold_reference")
# Values weigh lateness and splits; beyond the price of a house they change no decision.
MOST_VALUE_MINOR = 2**31 - 1

_ORDER = table(Order)
_INSERT = insert(_ORDER).values(updated_at=database_now())
_INSERT_LINES = insert(table(OrderLine))
_SAME = select(_ORDER.c.id, _ORDER.c.number, _ORDER.c.body_hash).where(
    _ORDER.c.channel == bindparam("channel"), _ORDER.c.external_id == bindparam("external_id")
)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """An order that was checked and decided, or the one that is already there; bundles are unpacked in `command`."""

    command: PlaceOrder
    body_hash: bytes
    existing_id: str | None = None
    order_id: str = ""
    line_ids: tuple[str, ...] = ()
    proposal: Proposal | None = None
    needs_address: bool = False
    unpacked: Unpacked = field(default_factory=lambda: Unpacked((), (), ()))
    late: bool = False
    cart_version: int | None = None
    alternatives: tuple[Alternative, ...] = ()


@dataclass(frozen=True)
class Placed:
    """An order, whether this call has made it, and how else a collection could be had that its store cannot serve."""

    outline: Outline
    created: bool
    alternatives: tuple[Alternative, ...] = ()

    @property
    def order(self) -> Order:
        """The order's own row."""
        return self.outline.order


def prepare(
    session: Session, command: PlaceOrder, *, vault: Vault, now: datetime, taken: Taken | None = None
) -> Prepared:
    """Check an order and decide it, without writing anything; orders that are to be written first have `taken` theirs.

    Raises InvalidOrder with every fault, DuplicateOrder when the external id stands for another order, CannotCollect,
    UnknownCart and CartClosed for the cart that it finishes, and OutOfStock, or HoldExpired, where the channel wants
    short orders refused.
    """
    body_hash = vault.digest(_canonical(command))
    existing = _existing(session, command)
    if existing is not None:
        if existing.body_hash != body_hash:
            raise DuplicateOrder(command.channel, command.external_id, existing.number)
        return Prepared(command=command, body_hash=body_hash, existing_id=existing.id)
    command, cart_version = finishing.completed(session, command, vault)
    channel = session.get(Channel, command.channel) if command.channel.isprintable() else None
    if faults := checks.faults_of(session, command, channel):
        raise InvalidOrder(faults)
    assert channel is not None, "an order without a channel has a fault"
    unpacked = bundles.unpack(session, command)
    prepared = Prepared(
        command=replace(command, lines=unpacked.lines), body_hash=body_hash, order_id=new_id(),
        line_ids=tuple(new_id() for _ in unpacked.lines), unpacked=unpacked, cart_version=cart_version,
    )  # fmt: skip
    return _decided(session, prepared, channel, now=now, taken=taken)


def place(session: Session, prepared: Prepared, *, vault: Vault, now: datetime, actor: str) -> Placed:
    """Write a prepared order with its demands, claims, customer, payment, history and event.

    Raises StalePlan when what was decided is no longer possible, CartChanged when its cart is another by now, and
    IntegrityError when another transaction was faster with the same external id or the same new customer: the door then
    begins again with `prepare`, which finds them.
    """
    return place_many(session, [prepared], vault=vault, now=now, actor=actor)[0]


def place_many(
    session: Session, prepared: Sequence[Prepared], *, vault: Vault, now: datetime, actor: str
) -> list[Placed]:
    """Write orders as if one after the other, all or none; no two have one external id.

    Raises as `place` does; StalePlan tells which of them cannot be written as decided, by their place.
    """
    new = [each for each in prepared if each.existing_id is None]
    carts = [finishing.locked_cart(session, each.command, each.cart_version) for each in new]
    orders = _write(session, new, [_customer(session, each, vault) for each in new], now=now)
    paid = [orders[each.order_id] for each in new if each.command.paid]
    _tell(session, list(orders.values()), [each for each in paid if each.total_minor], actor=actor, now=now)
    committed = _commit(session, prepared, now=now, actor=actor)
    for each, cart in zip(new, carts, strict=True):
        _finish(session, each, orders[each.order_id], cart, now=now, actor=actor)
    return [
        Placed(_outline(session, each, orders, committed), each.existing_id is None, each.alternatives)
        for each in prepared
    ]


def _commit(session: Session, prepared: Sequence[Prepared], *, now: datetime, actor: str) -> dict[str, Committed]:
    """Make the proposals of orders true; return what each has become, by the order's id."""
    proposals = {place: each.proposal for place, each in enumerate(prepared) if each.proposal is not None}
    try:
        committed = commit.commit_many(session, list(proposals.values()), now=now, actor=actor)
    except StalePlan as stale:
        places = list(proposals)
        raise StalePlan(stale.why, of={places[place]: each for place, each in stale.of.items()}) from stale
    return {prepared[place].order_id: each for place, each in zip(proposals, committed, strict=True)}


def _finish(
    session: Session, prepared: Prepared, order: Order, cart: Cart | None, *, now: datetime, actor: str
) -> None:
    """Do what follows once the units of an order are claimed."""
    finishing.take_over(session, prepared.command, order, cart, late=prepared.late, actor=actor, now=now)
    if prepared.needs_address:
        holds.place_on_new(session, order, reason=holds.ADDRESS, actor=actor, now=now)
    for lines in _carried(prepared):
        carrying.carry_out(session, order.id, lines, occurred_at=order.placed_at, actor=actor, now=now)


def _outline(
    session: Session, prepared: Prepared, orders: Mapping[str, Order], committed: Mapping[str, Committed]
) -> Outline:
    """Return an order as it was just written; what was there, or was carried out, is read."""
    if prepared.order_id not in committed or any(_carried(prepared)):
        return view.outline(session, prepared.existing_id or prepared.order_id)
    return view.outline_of_new(orders[prepared.order_id], committed[prepared.order_id])


def cancel(
    session: Session, order_id: str, lines: Mapping[str, int] | None, *, reason: str, actor: str, now: datetime
) -> Cancelled:
    """Cancel units of lines (by line id), or everything that has not left when `lines` is None.

    Returns where the units were taken from. Raises UnknownOrder, InvalidRequest, NothingToCancel, and
    LinesAlreadyShipped when more is asked for than is still here.
    """
    order = history.get(session, order_id)
    faults = Faults()
    faults.code("/reason", reason)
    known = {line.id for line in order.lines}
    for line_id, units in (lines or {}).items():
        if line_id not in known:
            faults.add("/lines", "unknown_line", f"order {order.number} has no line {line_id}")
        elif not 1 <= units <= checks.MOST_UNITS:
            faults.add("/lines", "out_of_range", f"cancel 1 to {checks.MOST_UNITS} units of a line")
    if faults.found:
        raise InvalidRequest(faults.found)
    locked = demands.lock_lines(session, known)
    left = {line_id: line.units - line.fulfilled for line_id, line in locked.items() if line.units > line.fulfilled}
    if not left or lines == {}:
        raise NothingToCancel(f"Nothing of order {order.number} can be cancelled any more.")
    return cancelling.cancel_units(session, lines=lines or left, reason=reason, actor=actor, now=now)


def _existing(session: Session, command: PlaceOrder) -> Row[Any, Any, Any] | None:
    if not (command.channel.isprintable() and command.external_id.isprintable()):
        return None
    return session.execute(_SAME, {"channel": command.channel, "external_id": command.external_id}).one_or_none()


def _decided(session: Session, prepared: Prepared, channel: Channel, *, now: datetime, taken: Taken | None) -> Prepared:
    wanted = list(wanted_of(session, prepared, channel, now=now))
    if not wanted:
        return prepared
    found = deciding.decided(session, prepared.command, wanted, now=now, taken=taken)
    if found.short and channel.shortage == "refuse":
        faults = _shortages(prepared, {missing.line_id: missing.units for missing in found.short})
        raise HoldExpired(faults) if found.late else OutOfStock(faults, alternatives=found.alternatives)
    lost = any(one.method == Method.SHIP and one.location.geocode == "none" for one in wanted)
    return replace(
        prepared, proposal=found.proposal, needs_address=lost, late=found.late, alternatives=found.alternatives
    )  # fmt: skip


def wanted_of(session: Session, prepared: Prepared, channel: Channel, *, now: datetime) -> Iterator[Wanted]:
    """Yield a demand for each way of the order: lines that are shipped, and lines for each store of collection."""
    command = prepared.command
    ways: dict[tuple[str, str | None], list[int]] = defaultdict(list)
    for number, line in enumerate(command.lines):
        if checks.method_of(command, line) != Method.CARRY_OUT:
            ways[checks.method_of(command, line), checks.collect_node_of(command, line)].append(number)
    for (method, collect_node), numbers in ways.items():
        ship_to = command.ship_to if method == Method.SHIP else None
        to = addresses.destination_of(session, ship_to) if ship_to else UNKNOWN
        lines = tuple(_wanted_line(prepared, number) for number in numbers)
        yield Wanted(
            demand_id=new_id(), reference=prepared.order_id, method=method, service=command.service,
            collect_node=collect_node, location=to.location, country=to.country, postal_code=to.postal_code,
            lines=lines, value_minor=min(MOST_VALUE_MINOR, sum(line.units * line.unit_value_minor for line in lines)),
            placed_at=command.placed_at or now, wanted_from=command.requested_from, wanted_by=command.requested_by,
            policy=channel.policy_for(command.service), channel=channel.id,
        )  # fmt: skip


def _wanted_line(prepared: Prepared, number: int) -> WantedLine:
    line = prepared.command.lines[number]
    value = min(MOST_VALUE_MINOR, checks.line_total(line) // line.quantity)
    part = prepared.unpacked.parts[number]
    return WantedLine(
        id=prepared.line_ids[number], sku=line.sku, units=line.quantity, unit_value_minor=value,
        together=str(part.line) if part else None,
    )  # fmt: skip


def _shortages(prepared: Prepared, missing: Mapping[str, int]) -> Sequence[Fault]:
    faults = Faults()
    for number, line in enumerate(prepared.command.lines):
        if short := missing.get(prepared.line_ids[number]):
            message = f"Of {line.quantity} units of {line.sku} {short} cannot be served."
            faults.add(f"/lines/{prepared.unpacked.places[number]}", "out_of_stock", message)
    return faults.found


def _customer(session: Session, prepared: Prepared, vault: Vault) -> str | None:
    command = prepared.command
    if command.customer is None:
        return None
    addresses = {prepared.order_id: command.ship_to} if command.ship_to else {}
    return customers.admit(session, vault, command.customer, channel=command.channel, addresses=addresses)


def _write(
    session: Session, prepared: Sequence[Prepared], customer_ids: Sequence[str | None], *, now: datetime
) -> dict[str, Order]:
    """Write the rows of new orders, and return the orders by id."""
    if not prepared:
        return {}
    heads = [_head(each, customer_id, now=now) for each, customer_id in zip(prepared, customer_ids, strict=True)]
    rows = [[_line(each, number) for number in range(len(each.command.lines))] for each in prepared]
    session.execute(_INSERT, heads)
    session.execute(_INSERT_LINES, [row for own in rows for row in own])
    return {head["id"]: adopt(session, Order, head, lines=own) for head, own in zip(heads, rows, strict=True)}


def _tell(session: Session, orders: Sequence[Order], paid: Sequence[Order], *, actor: str, now: datetime) -> None:
    """Write history and news of new orders, and the payments of those that are `paid`."""
    received = [Received(order, "online", order.total_minor) for order in paid]
    payments.insert_rows(session, received, actor=actor, now=now)
    begun = [Entry(order.id, "placed", moved=(OrderStatus.CREATED, order.status)) for order in orders]
    history.write_many(session, [*begun, *(each.entry for each in received)], actor=actor, now=now)
    events.record_many(session, [*map(_placed, orders), *(each.event for each in received)])


def _head(prepared: Prepared, customer_id: str | None, *, now: datetime) -> dict[str, Any]:
    command = prepared.command
    status = OrderStatus.HELD if prepared.needs_address else OrderStatus.APPROVED
    return {
        "id": prepared.order_id, "number": short_code(NUMBER_LENGTH), "channel": command.channel,
        "external_id": command.external_id, "body_hash": prepared.body_hash, "status": status.value,
        "currency": command.currency, "customer_id": customer_id, "method": command.method, "service": command.service,
        "shipping_price_minor": command.shipping_price.minor if command.shipping_price else 0,
        "total_minor": checks.total(command), "placed_at": command.placed_at or now, "version": 1,
    }  # fmt: skip


def _line(prepared: Prepared, number: int) -> dict[str, Any]:
    command, line, part = prepared.command, prepared.command.lines[number], prepared.unpacked.parts[number]
    return {
        "id": prepared.line_ids[number], "order_id": prepared.order_id, "position": number + 1, "sku": line.sku,
        "ordered": line.quantity, "cancelled": 0, "returned": 0, "unit_price_minor": line.unit_price.minor,
        "discount_minor": line.discount.minor if line.discount else 0, "tax_minor": line.tax.minor if line.tax else 0,
        "method": checks.method_of(command, line), "collect_node": checks.collect_node_of(command, line),
        "bundle_sku": part.sku if part else None, "bundle_line": part.line if part else None,
        "bundle_quantity": part.quantity if part else None,
    }  # fmt: skip


def _placed(order: Order) -> OrderPlaced:
    lines = tuple(LineUnits(line_id=line.id, sku=line.sku, units=line.ordered) for line in order.lines)
    return OrderPlaced(
        aggregate_id=order.id, number=order.number, channel=order.channel, external_id=order.external_id,
        status=order.status, lines=lines,
    )  # fmt: skip


def _carried(prepared: Prepared) -> Iterator[list[CarriedLine]]:
    """Yield the lines carried out of each node."""
    by_node: dict[str, list[CarriedLine]] = defaultdict(list)
    for number, line in enumerate(prepared.command.lines):
        node = checks.collect_node_of(prepared.command, line)
        if node is not None and checks.method_of(prepared.command, line) == Method.CARRY_OUT:
            by_node[node].append(CarriedLine(prepared.line_ids[number], node, line.sku, line.quantity))
    yield from by_node.values()


def _canonical(command: PlaceOrder) -> bytes:
    # What came to be part of orders in the course of time is left out where absent, so that older hashes stay true.
    said = {name: value for name, value in vars(command).items() if value is not None or name not in ADDED}
    return json.dumps(said, sort_keys=True, separators=(",", ":"), default=_plain).encode()


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else vars(value)
