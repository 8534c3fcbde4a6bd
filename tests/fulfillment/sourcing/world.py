"""A small Iberian network that the tests of sourcing decide against, and the verbs by which they set it up."""

from dataclasses import replace
from datetime import UTC, datetime

from fulfillment.network import catalog
from fulfillment.network.geography import Location
from fulfillment.network.rows import Carrier, Profile, TariffBand
from fulfillment.sourcing.commit import commit
from fulfillment.sourcing.decide import decide, decide_again
from fulfillment.sourcing.proposal import Wanted, WantedLine
from fulfillment.work import verify
from kernel.ids import new_id
from stock.ledger import Header, Movement, Side, post
from stock.models import Account, Article, Node

# Tuesday, 10:00 in Madrid.
NOW = datetime(2026, 11, 17, 9, 0, tzinfo=UTC)
MADRID = Location(40.42, -3.70, "order")
BARCELONA = Location(41.39, 2.17, "order")
DAILY = {str(day): [["10:00", "21:00"]] for day in range(6)}
WORKDAYS = {str(day): [["06:00", "22:00"]] for day in range(5)}

PLACES = {
    "MAD-W": ("warehouse", "MD", 40.31, -3.71),
    "MAD-S": ("store", "MD", 40.43, -3.69),
    "BCN-S": ("store", "CT", 41.39, 2.16),
    "VLC-S": ("store", "VC", 39.47, -0.38),
}
SKUS = ("A", "B", "C")


def lay_out(session):
    """Make the nodes, the articles and the carriers."""
    for node, (kind, *_) in PLACES.items():
        session.add(Node(id=node, name=f"Node {node}", kind=kind, status="open", time_zone="Europe/Madrid"))
    for sku in SKUS:
        session.add(Article(sku=sku, name=f"Article {sku}", weight_g=500, currency="EUR"))
    session.flush()
    catalog.put_profiles(session, [profile(node) for node in PLACES])
    catalog.put_carriers(session, [carrier("STD", "standard"), carrier("EXP", "express")])
    catalog.put_tariffs(session, [*bands("STD", 400, transit=1), *bands("EXP", 900, transit=0)])


def profile(node, **changed):
    kind, region, latitude, longitude = PLACES[node]
    warehouse = kind == "warehouse"
    usual = Profile(
        node=node, line1="Street 1", city="City", region=region, postal_code="28001", country="ES",
        latitude=latitude, longitude=longitude, ships=True, collects=not warehouse, takes_returns=True,
        capacity_minutes=600 if warehouse else 60,
        package_cost_minor=120 if warehouse else 250, line_cost_minor=30 if warehouse else 60, unit_cost_minor=10,
        package_minutes=3 if warehouse else 6, line_minutes=1 if warehouse else 2,
        pick_success=0.995 if warehouse else 0.9,
        opening_hours=WORKDAYS if warehouse else DAILY, cut_off="18:00" if warehouse else "17:00",
    )  # fmt: skip
    return replace(usual, **changed)


def carrier(id_, service):
    return Carrier(id=id_, carrier=id_, carrier_name=f"Carrier {id_}", service=service)


def bands(service, price, *, transit):
    """Two distances, two weights: twice as far costs half more, above a kilogram costs 150 more."""
    return [
        TariffBand(
            carrier_service=service, max_distance_km=distance, max_weight_g=weight,
            price_minor=price * factor // 2 + extra, transit_days=transit + far,
        )
        for distance, factor, far in ((100, 2, 0), (1000, 3, 1))
        for weight, extra in ((1000, 0), (10_000, 150))
    ]  # fmt: skip


def stock(session, **units):
    """Receive units: `stock(session, A={"MAD-W": 5})`."""
    header = Header(kind="receipt", actor="test", occurred_at=NOW)
    movements = [
        Movement(sku, count, Side(Account.SUPPLIER), Side(Account.ON_HAND, node))
        for sku, by_node in units.items()
        for node, count in by_node.items()
    ]
    post(session, header, movements)


def wanted(lines=(("A", 1),), **changed):
    """A new demand for (sku, units) lines, shipped to Madrid by the standard service."""
    usual = Wanted(
        demand_id=new_id(), reference=new_id(), method="ship", service="standard", collect_node=None, location=MADRID,
        country="ES", postal_code="28013", value_minor=5000, placed_at=NOW, policy="default",
        lines=tuple(WantedLine(id=new_id(), sku=sku, units=units, unit_value_minor=2000) for sku, units in lines),
    )  # fmt: skip
    return replace(usual, **changed)


def collected(lines=(("A", 1),), store="MAD-S", **changed):
    """A new demand collected at a store."""
    return wanted(lines, method="collect", collect_node=store, **changed)


def place(session, *demands, now=NOW):
    """Decide and commit, and return the fulfillment orders."""
    proposal = decide(session, demands, now=now, cause="order")
    made = commit(session, proposal, now=now, actor="test")
    prove(session)
    return made


def place_again(session, demand, *, now=NOW, **options):
    """Decide a demand again and commit, and return the new fulfillment orders."""
    proposal = decide_again(session, demand.demand_id, now=now, cause="again", **options)
    made = commit(session, proposal, now=now, actor="test")
    prove(session)
    return made


def prove(session):
    """Fail when a demand's units are not all somewhere."""
    session.flush()
    assert list(verify.findings(session)) == []


def served(orders):
    """Say in short what fulfillment orders are: node, method, and units by SKU."""
    return sorted((order.node, str(order.method), {line.sku: line.units for line in order.lines}) for order in orders)
