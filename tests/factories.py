"""A small retailer to test on: a warehouse and three stores in Iberia, five articles, two carriers, three channels.

Used by tests of every room above the ledger. All is laid out by the same verbs that imports use; orders are placed as
the doors place them, first decided, then written.
"""

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from fulfillment.network import catalog
from fulfillment.network.rows import Carrier, Place, Profile, TariffBand
from fulfillment.sourcing.commit import StalePlan
from fulfillment.work import displacement
from fulfillment.work import verify as work_verify
from fulfillment.work.models import Demand, DemandLine, FulfillmentOrder
from kernel.events import HANDLERS, OutboxEvent
from kernel.money import parse
from kernel.vault import Vault
from oms import channels, orders, subscribers
from oms import verify as oms_verify
from oms.commands import ChannelRow, CustomerDetails, Line, PlaceOrder, ShipTo
from stock import catalog as stock_catalog
from stock import receipts
from stock.displacement import BEFORE_DISPLACEMENT
from stock.events import ReservationsDisplaced
from stock.postings import Header
from stock.proof import verify as stock_verify
from stock.rows import ArticleRow, NodeRow

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)  # a Tuesday on which all nodes work
BY = {"actor": "ana", "now": NOW}
VAULT = Vault(b"v" * 32)

PLACES = {
    "WH": ("warehouse", "Getafe", "28901", 40.31, -3.73),
    "MAD": ("store", "Madrid", "28001", 40.42, -3.69),
    "BCN": ("store", "Barcelona", "08001", 41.38, 2.17),
    "SVQ": ("store", "Sevilla", "41001", 37.39, -5.99),
}
NO_COLLECTION, NO_RETURNS = {"WH", "SVQ"}, {"WH"}
GTINS = {"boots": "8412345000027", "coat": "8412345000010", "hat": "8412345000041", "scarf": "8412345000034"}
ALL_WEEK = {str(weekday): [["08:00", "22:00"]] for weekday in range(7)}
BANDS = ((100, 300, 1), (2000, 600, 2))


def wire(database):
    """Wire the handlers inside the house, as the doors do."""
    database.info[HANDLERS] = subscribers.HANDLERS | {ReservationsDisplaced: (displacement.on_reservations_displaced,)}
    database.info[BEFORE_DISPLACEMENT] = displacement.before_displacement


def lay_out(session):
    """Create nodes, articles, carriers, postal codes and channels; nothing is in stock yet."""
    nodes = [
        NodeRow(id=id_, name=city, kind=kind, time_zone="Europe/Madrid") for id_, (kind, city, *_) in PLACES.items()
    ]
    stock_catalog.put_nodes(session, nodes)
    stock_catalog.put_articles(session, [article(sku) for sku in GTINS])
    catalog.put_profiles(session, [profile(node) for node in PLACES])
    services = {"post-standard": "standard", "post-express": "express"}
    catalog.put_carriers(
        session,
        [Carrier(id=id_, carrier="post", carrier_name="Post", service=service) for id_, service in services.items()],
    )
    catalog.put_tariffs(session, [band(id_, *limits) for id_ in services for limits in BANDS])
    places = [
        Place(country="ES", postal_code=code, city=city, region="", latitude=latitude, longitude=longitude)
        for _, city, code, latitude, longitude in PLACES.values()
    ]
    catalog.put_postal_codes(session, places)
    channels.put(
        session,
        [
            ChannelRow(id="web", name="Web shop", kind="web", currency="EUR"),
            ChannelRow(id="market", name="Marketplace", kind="marketplace", currency="EUR", shortage="refuse"),
            ChannelRow(id="till", name="Stores", kind="store", currency="EUR"),
            ChannelRow(id="old", name="Closed shop", kind="web", currency="EUR", active=False),
        ],
    )


def article(sku):
    return ArticleRow(
        sku=sku, name=sku.title(), gtin=GTINS[sku], weight_g=500, price_minor=2000, unit_cost_minor=900, currency="EUR"
    )


def profile(node):
    _, city, code, latitude, longitude = PLACES[node]
    return Profile(
        node=node, line1="Calle Mayor 1", city=city, region="", postal_code=code, country="ES", latitude=latitude,
        longitude=longitude, ships=True, collects=node not in NO_COLLECTION, takes_returns=node not in NO_RETURNS,
        capacity_minutes=480, package_cost_minor=100, line_cost_minor=10, unit_cost_minor=1, package_minutes=5,
        line_minutes=2, pick_success=0.95, opening_hours=ALL_WEEK, cut_off="20:00",
    )  # fmt: skip


def band(carrier_service, max_distance_km, price_minor, transit_days):
    return TariffBand(
        carrier_service=carrier_service, max_distance_km=max_distance_km, max_weight_g=30_000, price_minor=price_minor,
        transit_days=transit_days,
    )  # fmt: skip


def stock(session, node="WH", **units):
    """Receive units, as in `stock(session, "MAD", coat=5)`."""
    header = Header(kind="receipt", actor="ana", occurred_at=NOW)
    receipts.receive(session, header, [(node, sku, count) for sku, count in units.items()])


def euro(amount):
    return parse(amount, "EUR")


def line(sku="coat", quantity=1, price="20.00", **fields):
    return Line(sku=sku, quantity=quantity, unit_price=euro(price), **fields)


def ship_to(**fields):
    """An address in Madrid, known by its postal code."""
    home = {
        "name": "Ana Carvalho",
        "line1": "Calle del Pez 7",
        "city": "Madrid",
        "postal_code": "28001",
        "country": "ES",
    }
    return ShipTo(**(home | fields))


def customer(**fields):
    known = {"name": "Ana Carvalho", "email": "ana@example.org", "phone": "+34 600 111 222"}
    return CustomerDetails(**(known | fields))


def command(*lines, external_id="S-1", **fields):
    """An order of the web shop for a coat that is shipped to Madrid, but for what is said otherwise."""
    usual = {"channel": "web", "currency": "EUR", "customer": customer(), "lines": lines or (line(),)}
    if fields.get("method", "ship") == "ship":
        usual["ship_to"] = ship_to()
    return PlaceOrder(external_id=external_id, **(usual | fields))


def place(session, *lines, now=NOW, **fields):
    """Place an order in one session and return it."""
    prepared = orders.prepare(session, command(*lines, **fields), vault=VAULT, now=now)
    return orders.place(session, prepared, vault=VAULT, now=now, actor="web").order


def place_through_doors(database, wanted, *, now=NOW, tries=8):
    """Decide, then write, beginning again when somebody else was faster; return the id and whether it was made now."""
    for _ in range(tries):
        with database.read() as session:
            prepared = orders.prepare(session, wanted, vault=VAULT, now=now)
        try:
            with database.turn(), database.write() as session:
                placed = orders.place(session, prepared, vault=VAULT, now=now, actor="web")
                answer = placed.order.id, placed.created
                session.commit()
                return answer
        except (IntegrityError, StalePlan):
            continue
    raise AssertionError("somebody else was faster every time")


def fulfillment_orders(session, order):
    """The fulfillment orders of an order, oldest first."""
    of_order = select(FulfillmentOrder).where(FulfillmentOrder.reference == order.id)
    return list(session.scalars(of_order.order_by(FulfillmentOrder.id)))


def counters(session, order, sku):
    """Wanted, waiting, allocated and fulfilled units of an order's SKU."""
    lines = session.scalars(
        select(DemandLine)
        .join(Demand, Demand.id == DemandLine.demand_id)
        .where(Demand.reference == order.id, DemandLine.sku == sku)
        .execution_options(populate_existing=True)
    ).all()
    totals = [(each.units, each.waiting, each.allocated, each.fulfilled) for each in lines]
    return tuple(sum(column) for column in zip(*totals, strict=True))


def news(session, aggregate_id):
    """The types of the events of an aggregate, in order."""
    of_one = select(OutboxEvent.type).where(OutboxEvent.aggregate_id == aggregate_id)
    return list(session.scalars(of_one.order_by(OutboxEvent.sequence)))


def in_order(session):
    """Assert that the ledger, the work and the orders add up."""
    session.flush()
    found = [*stock_verify.findings(session), *work_verify.findings(session), *oms_verify.findings(session)]
    assert found == []


def reread(session, order):
    """The order as the database has it."""
    session.flush()
    return session.get(type(order), order.id, populate_existing=True)
