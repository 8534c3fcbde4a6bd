"""A person who asks to be forgotten is, as soon as no order needs them, and nothing of them is left in the file."""

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.engine import make_url

from fulfillment.work.models import Status
from kernel.db import connect
from kernel.events import OutboxEvent
from oms import customers, orders, returns, view
from oms.commands import ReturnBrought
from oms.models import OrderHistory
from tests import factories
from tests.factories import (
    BY,
    NOW,
    VAULT,
    command,
    customer,
    fulfillment_orders,
    in_order,
    news,
    place,
    place_through_doors,
    ship_to,
    stock,
)
from tests.fulfillment.work.floor import bring

QUINTELA = {
    "customer": customer(
        name="Xoana Quintela", email="xoana.quintela@example.org", phone="+34 655 443 322", external_id="shopper-8841"
    ),
    "ship_to": ship_to(name="Breogan Outeiral", line1="Rua das Camelias 17", line2="Baixo esquerda"),
}
TRACES = ("Quintela", "quintela", "655 443 322", "655443322", "shopper-8841", "Outeiral", "Camelias", "Baixo")


def test_a_person_with_an_open_order_is_erased_when_it_closes(session):
    order = place(session, **QUINTELA)
    assert not customers.erase(session, order.customer_id, now=NOW)
    assert customers.contact(session, VAULT, order.customer_id) is not None
    orders.cancel(session, order.id, None, reason="changed_mind", **BY)
    assert customers.contact(session, VAULT, order.customer_id) is None
    assert customers.address(session, VAULT, order) is None
    assert news(session, order.customer_id) == ["customer.erased"]


def test_a_person_is_erased_when_the_last_of_several_orders_is_complete(session):
    stock(session, "MAD", coat=2)
    first, second = (place(session, external_id=name, **QUINTELA) for name in ("S-1", "S-2"))
    customers.erase(session, first.customer_id, now=NOW)
    bring(session, fulfillment_orders(session, first)[0], Status.SHIPPED)
    assert customers.contact(session, VAULT, first.customer_id) is not None
    bring(session, fulfillment_orders(session, second)[0], Status.SHIPPED)
    assert customers.contact(session, VAULT, first.customer_id) is None


def test_the_goods_of_an_erased_person_still_come_back(session):
    stock(session, "MAD", coat=1)
    order = place(session, **QUINTELA)
    bring(session, fulfillment_orders(session, order)[0], Status.SHIPPED)
    assert customers.erase(session, order.customer_id, now=NOW)
    brought = [ReturnBrought(line_id=order.lines[0].id, units=1, reason="too_small", grade="resell")]
    returns.at_counter(session, order.id, node="BCN", brought=brought, **BY)
    assert view.whole(session, order.id).lines[0].counters.returned == 1
    in_order(session)


def test_an_export_holds_all_that_is_known_of_a_person(session):
    order = place(session, **QUINTELA)
    exported = customers.export(session, VAULT, order.customer_id)
    assert exported["contact"]["email"] == "xoana.quintela@example.org"
    (bought,) = exported["orders"]
    assert (bought["number"], bought["ship_to"]["name"]) == (order.number, "Breogan Outeiral")


def test_news_and_history_name_nobody(session):
    order = place(session, **QUINTELA)
    orders.cancel(session, order.id, None, reason="changed_mind", **BY)
    told = [*session.scalars(select(OutboxEvent.payload)), *session.scalars(select(OrderHistory.details))]
    assert [trace for trace in TRACES if trace in str(told)] == []


@pytest.mark.parametrize("erased", [False, True])
def test_no_byte_of_the_file_names_a_person(databases, erased):
    """Before an erasure the vault keeps the person encrypted; after it, not even that is left."""
    with databases.fresh("sqlite") as url:
        sealed = _write(url, erased=erased)
        path = make_url(url).database
        content = b"".join(Path(path + suffix).read_bytes() for suffix in ("", "-wal") if Path(path + suffix).exists())
    assert [trace for trace in TRACES if trace.encode() in content] == []
    assert [part in content for part in sealed] == [not erased] * len(sealed)


def _write(url, *, erased):
    """Place and cancel an order of a person, and erase them if so; return the secrets by which they could be found."""
    from kernel.vault import Subject, SubjectDigest, SubjectRecord

    database = connect(url)
    factories.wire(database)
    with database.write() as session:
        factories.lay_out(session)
        session.commit()
    order_id, _ = place_through_doors(database, command(**QUINTELA))
    with database.write() as session:
        secrets = [*session.scalars(select(Subject.wrapped_key)), *session.scalars(select(SubjectRecord.ciphertext))]
        secrets += session.scalars(select(SubjectDigest.digest))
        customer_id = orders.cancel(session, order_id, None, reason="changed_mind", **BY) and _customer_of(session)
        if erased:
            assert customers.erase(session, customer_id, now=NOW)
        session.commit()
    database.dispose()
    return secrets


def _customer_of(session):
    from oms.models import Customer

    return session.scalars(select(Customer.id)).one()
