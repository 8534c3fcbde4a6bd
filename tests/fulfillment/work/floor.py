"""The shop floor that the tests of work stand on: a warehouse, two stores, three articles, and orders at any status."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from fulfillment.network import minutes as labour
from fulfillment.network.models import NodeDay, NodeProfile
from fulfillment.work import collecting, orders, packing, picking, shipping, transfers, verify
from fulfillment.work.models import (
    Demand,
    DemandLine,
    FulfillmentHistory,
    FulfillmentLine,
    FulfillmentOrder,
    Method,
    PutBack,
    Status,
)
from kernel.events import OutboxEvent
from kernel.ids import digits, new_id, short_code
from stock import ledger
from stock.models import Account, Article, Node, OpenDemand, Placement, Purpose, StockBalance
from stock.postings import DemandChange, Header, Movement, Side
from stock.proof import verify as stock_verify
from stock.reservations import Claim, rebind

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
BY = {"actor": "ana", "now": NOW}
NODES = {"WH": "warehouse", "MAD": "store", "BCN": "store"}
GTINS = {"coat": "8412345000012", "boots": "8412345000029", "scarf": "8412345000036"}
SHELVES = {"scarf": "A-01", "boots": "B-03", "coat": "C-02"}
MINUTES = 12


def lay_out(session):
    for node, kind in NODES.items():
        session.add(Node(id=node, name=f"{node} {kind}", kind=kind, time_zone="Europe/Madrid"))
    for sku, gtin in GTINS.items():
        session.add(Article(sku=sku, name=sku.title(), gtin=gtin, weight_g=500, currency="EUR"))
    session.flush()
    for node in NODES:
        session.add(profile(node))
        session.add_all(Placement(sku=sku, node=node, shelf=shelf) for sku, shelf in SHELVES.items() if node != "WH")


def profile(node):
    return NodeProfile(
        node=node, line1="Calle Mayor 1", city="Madrid", region="MD", postal_code="28001", country="ES", latitude=40.4,
        longitude=-3.7, ships=True, collects=True, takes_returns=True, capacity_minutes=5000, package_cost_minor=100,
        line_cost_minor=10, unit_cost_minor=1, package_minutes=5, line_minutes=2, pick_success=0.95, opening_hours={},
        cut_off="14:00",
    )  # fmt: skip


def stock(session, node="MAD", **units):
    header = Header(kind="receipt", actor="ana", occurred_at=NOW)
    shelf, supplier = Side(Account.ON_HAND, node), Side(Account.SUPPLIER)
    ledger.post(session, header, [Movement(sku, count, supplier, shelf) for sku, count in units.items()])


def demand(session, method=Method.SHIP, collect_node=None, **units):
    """A demand whose lines all wait."""
    made = Demand(
        id=new_id(), reference=short_code(), method=method, service="standard", collect_node=collect_node,
        geocode="order", value_minor=1000, policy="default", placed_at=NOW,
    )  # fmt: skip
    session.add(made)
    lines = [
        DemandLine(id=new_id(), demand_id=made.id, position=place, sku=sku, units=count)
        for place, (sku, count) in enumerate(units.items())
    ]
    session.flush()
    session.add_all(lines)
    session.flush()
    opened = [DemandChange(line.sku, line.id, line.units) for line in lines]
    rebind(session, Header(kind="order", actor="ana", occurred_at=NOW), demand=opened)
    return made


def allocate(
    session, wanted, node="MAD", *, method=None, status=Status.ALLOCATED, by_transfer=(), supplies=None, **units
):
    """A fulfillment order for units of a demand that wait; those of `by_transfer` come from elsewhere."""
    lines = {line.sku: line for line in wanted.lines}
    units = units or {line.sku: line.waiting for line in wanted.lines}
    fo = FulfillmentOrder(
        id=new_id(), number=f"F{short_code()}", demand_id=wanted.id, reference=wanted.reference, node=node,
        method=method or wanted.method, status=status, service="standard", work_on=NOW.date(), work_minutes=MINUTES,
        ship_by=NOW + timedelta(hours=5), promised_by=NOW + timedelta(days=2),
        supplies=supplies.id if supplies else None,
        destination_node=supplies.node if supplies else None,
        pickup_code=digits() if wanted.method == Method.COLLECT else None,
    )  # fmt: skip
    session.add(fo)
    session.flush()
    labour.claim(session, [(node, fo.work_on, MINUTES)])
    leg = supplies is not None
    for sku, count in units.items():
        line = lines[sku]
        claims, opened = [], [] if leg else [DemandChange(sku, line.id, -count)]
        if sku not in by_transfer:
            purpose = Purpose.TRANSFER if leg else Purpose.ORDER
            claims = [Claim(sku=sku, node=node, units=count, reference=line.id, purpose=purpose)]
        made = rebind(
            session,
            Header(kind="allocate", actor="ana", occurred_at=NOW),
            claims=claims,
            demand=opened,
            floors=None,
        )
        held = FulfillmentLine(id=new_id(), fulfillment_order_id=fo.id, demand_line_id=line.id, sku=sku, units=count)
        held.reservation_id = made[0] if made else None
        session.add(held)
        line.allocated += 0 if leg else count
    session.flush()
    session.refresh(fo)
    return fo


def ordered(session, node="MAD", method=Method.SHIP, **units):
    """Stock for an order, and the order allocated to it."""
    stock(session, node, **units)
    return allocate(session, demand(session, method, **units), node)


def collected_by_transfer(session, **units):
    """A store's order that awaits everything from the warehouse, and the leg that brings it."""
    wanted = demand(session, Method.COLLECT, "MAD", **units)
    awaiting = allocate(session, wanted, "MAD", status=Status.AWAITING_TRANSFER, by_transfer=tuple(units), **units)
    stock(session, "WH", **units)
    leg = allocate(session, wanted, "WH", method=Method.TRANSFER, supplies=awaiting, **units)
    return awaiting, leg


def bring(session, fo, status):
    """Work an allocated order until it has this status."""
    steps = {
        Status.ACCEPTED: lambda: orders.accept(session, fo.id, **BY),
        Status.PICKING: lambda: picking.start(session, [fo.id], **BY),
        Status.PICKED: lambda: pick_all(session, fo),
        Status.PACKED: lambda: packing.pack(session, fo.id, **BY),
        Status.READY: lambda: collecting.ready(session, fo.id, shelf="R-1", **BY),
        Status.SHIPPED: lambda: leave(session, fo),
        Status.DELIVERED: lambda: shipping.deliver(session, fo.id, **BY),
        Status.HANDED_OVER: lambda: collecting.hand_over(session, fo.id, code=fo.pickup_code, **BY),
    }
    skipped = {Status.SHIPPED, Status.DELIVERED} if fo.method == Method.COLLECT else {Status.READY}
    for step, do in steps.items():
        if fo.status == status:
            return fo
        if step not in skipped:
            do()
    assert fo.status == status
    return fo


def pick_all(session, fo):
    for line in fo.lines:
        picking.scan(session, fo.id, scan_id=new_id(), code=line.sku, units=line.units - line.picked, **BY)


def leave(session, fo):
    (transfers.dispatch if fo.method == Method.TRANSFER else shipping.ship)(session, fo.id, **BY)


def in_order(session):
    """Assert that every invariant of the ledger and of the work holds."""
    session.flush()
    assert [*stock_verify.findings(session), *verify.findings(session)] == []


def balance(session, sku, node="MAD"):
    """On hand, reserved and picked."""
    counters = (StockBalance.on_hand, StockBalance.reserved, StockBalance.picked)
    row = session.execute(select(*counters).where(StockBalance.sku == sku, StockBalance.node == node)).one()
    return tuple(row)


def line(fo, sku):
    return next(line for line in fo.lines if line.sku == sku)


def counters(session, fo, sku):
    """Wanted, waiting, allocated and fulfilled units of the demand line that an order's line serves."""
    of = session.get(DemandLine, line(fo, sku).demand_line_id)
    return of.units, of.waiting, of.allocated, of.fulfilled


def waiting(session, fo, sku):
    """Open demand of the demand line that an order's line serves."""
    units = select(OpenDemand.units).where(OpenDemand.reference == line(fo, sku).demand_line_id)
    return session.scalar(units) or 0


def put_backs(session, fo):
    rows = session.scalars(select(PutBack).where(PutBack.fulfillment_order_id == fo.id).order_by(PutBack.sku))
    return [(task.sku, task.units, task.done) for task in rows]


def statuses(session, fo):
    """The statuses an order went through by its history."""
    rows = select(FulfillmentHistory.to_status).where(FulfillmentHistory.fulfillment_order_id == fo.id)
    return list(session.scalars(rows.where(FulfillmentHistory.to_status.is_not(None)).order_by(FulfillmentHistory.id)))


def news(session, aggregate_id):
    """The types of the events of an aggregate, in order."""
    rows = select(OutboxEvent.type).where(OutboxEvent.aggregate_id == aggregate_id).order_by(OutboxEvent.sequence)
    return list(session.scalars(rows))


def minutes(session, node="MAD"):
    day = (NodeDay.node == node) & (NodeDay.on_date == NOW.date())
    return session.scalar(select(func.sum(NodeDay.claimed_minutes)).where(day)) or 0
