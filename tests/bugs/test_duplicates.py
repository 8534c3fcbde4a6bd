"""A request, a key or a number came twice."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from api.openapi import document
from kernel.ids import new_id
from oms.models import Order
from stock.models import Posting, Reservation
from tests.bugs.crowd import DONE, fates, orders, together


def test_an_allocation_was_written_again_days_later(retailer, sku):
    """https://github.com/vendurehq/vendure/issues/1571"""
    retailer.gets("WH", **{sku: 5})
    basket = retailer.basket(**{sku: 1})
    order = retailer.takes(basket)
    retailer.waits(days=2)
    assert retailer.post("/orders", basket, key="another")["id"] == order.id
    assert retailer.stock("WH", sku) == {"on_hand": 5, "reserved": 1}

    def write_again(session):
        found = session.scalar(select(Reservation).where(Reservation.sku == sku))
        names = ("sku", "node", "reference", "purpose", "attempt", "units")
        session.add(Reservation(id=new_id(), **{name: getattr(found, name) for name in names}))
        session.flush()

    database = retailer.house.doors.database
    with database.write() as session, pytest.raises(IntegrityError):
        write_again(session)


def test_numbers_that_were_counted_in_code_collided_and_the_answer_was_empty(retailer, sku):
    """https://github.com/formancehq/ledger/issues/364"""
    retailer.gets("WH", **{sku: 8})
    baskets = [retailer.basket(**{sku: 1}) for _ in range(8)]
    made = orders(together(*[lambda basket=basket: retailer.takes(basket) for basket in baskets]))
    wholes = [order.whole for order in made]
    assert len({whole["id"] for whole in wholes}) == len({whole["number"] for whole in wholes}) == 8
    answers = [retailer.post("/orders", basket, key=basket["external_id"]) for basket in baskets]
    assert all(answer["lines"][0]["allocated"] == 1 for answer in answers), "each answer was stored whole"


def test_one_key_twice_in_a_batch_or_after_a_timeout_crashed_the_service(retailer, sku):
    """https://github.com/formancehq/stack/pull/1633, https://github.com/formancehq/stack/pull/1636"""
    retailer.gets("WH", **{sku: 9})
    basket, other = retailer.basket(**{sku: 1}), retailer.basket(**{sku: 2})
    results = retailer.post("/orders/bulk", [basket, other, basket, basket])["results"]
    assert [row["result"] for row in results] == ["created", "created", "existing", "existing"]
    assert len({row["order"]["id"] for row in results}) == 2

    line = {"lines": [{"node": "WH", "sku": sku, "units": 1}]}
    same = [lambda: retailer.post("/stock/receipts", line, key=f"receipt-{sku}")] * 5
    answers = together(*same)
    assert fates(answers) == {DONE: 5}
    assert len({answer["posting_id"] for answer in answers}) == 1
    assert retailer.stock("WH", sku) == {"on_hand": 10, "reserved": 3}


def test_the_key_was_not_passed_on_to_the_inner_call(retailer, app, sku):
    """https://github.com/formancehq/wallets/pull/110

    Every POST takes a key; those through which units move keep their promise.
    """
    posts = [operations["post"] for operations in document(app)["paths"].values() if "post" in operations]
    assert all(any(each.get("name") == "Idempotency-Key" for each in post["parameters"]) for post in posts)

    units, count = [{"sku": sku, "units": 1}], func.count()
    retailer.gets("WH", **{sku: 20})
    inner = {
        "/stock/receipts": {"lines": [{"node": "WH", "sku": sku, "units": 1}]},
        "/stock/adjustments": {"node": "WH", "sku": sku, "units": -1, "reason": "damage"},
        "/stock/sales": {"node": "WH", "reference": "T", "lines": units},
        "/stock/feeds": {"node": "WH", "kind": "relative", "rows": units},
        "/transfers": {"source": "WH", "destination": "BCN", "lines": units},
        "/orders": retailer.basket(**{sku: 1}),
    }
    for path, body in inner.items():
        answer = retailer.post(path, body, key=f"{path}-{sku}")
        before = retailer.house.doors.read(lambda session: session.scalar(select(count).select_from(Posting)))
        assert retailer.post(path, body, key=f"{path}-{sku}") == answer
        assert retailer.house.doors.read(lambda session: session.scalar(select(count).select_from(Posting))) == before
    made = select(count).where(Order.external_id == inner["/orders"]["external_id"])
    assert retailer.house.doors.read(lambda session: session.scalar(made)) == 1
