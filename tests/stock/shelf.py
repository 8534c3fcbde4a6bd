"""A small network to test the ledger on: three nodes, four articles, and the shortest ways to stock and read them."""

from datetime import UTC, datetime

from sqlalchemy import select

from stock import ledger
from stock.models import Account, Article, Node, Reservation, StockBalance
from stock.postings import COUNTERS, Header, Movement, Side
from stock.reservations import Claim

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
NODES = {"MAD": "warehouse", "BCN": "store", "LIS": "store"}
SKUS = ("boots", "coat", "hat", "scarf")
SUPPLIER = Side(Account.SUPPLIER)


def header(kind="test", **fields):
    return Header(kind=kind, **({"actor": "tester", "occurred_at": NOW} | fields))


def lay_out(session):
    """Create the nodes and the articles."""
    session.add_all(
        Node(id=id_, name=id_, kind=kind, status="open", time_zone="Europe/Madrid", version=1)
        for id_, kind in NODES.items()
    )
    session.add_all(Article(sku=sku, name=sku, currency="EUR") for sku in SKUS)
    session.flush()


def stock(session, **units):
    """Receive units, as in `stock(session, coat_MAD=5)`."""
    wanted = [(*key.split("_"), count) for key, count in units.items()]
    moves = [Movement(sku, count, SUPPLIER, Side(Account.ON_HAND, node)) for sku, node, count in wanted]
    return ledger.post(session, header("receipt"), moves)


def claim(sku="coat", node="MAD", units=1, reference="line-1", purpose="order", **fields):
    return Claim(sku=sku, node=node, units=units, reference=reference, purpose=purpose, **fields)


def counters(session, sku, node):
    """Return the counters of a balance that are not zero."""
    balance = session.get(StockBalance, (sku, node))
    return {name: getattr(balance, name) for name in COUNTERS if balance and getattr(balance, name)}


def reservation(session, reservation_id):
    """Return units, picked, consumed and released of a reservation, as the database has them."""
    columns = (Reservation.units, Reservation.picked, Reservation.consumed, Reservation.released)
    return tuple(session.execute(select(*columns).where(Reservation.id == reservation_id)).one())
