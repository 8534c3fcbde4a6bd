"""Many orders at once come to the same as one after the other, in one transaction for each chunk of them."""

from collections import Counter

import pytest
from sqlalchemy import event

from api import intake
from api.schemas.orders import PlaceOrderSchema
from kernel.errors import Conflict
from kernel.ids import new_id
from tests.api import network
from tests.api.network import order

BULK = "/api/v1/orders/bulk"


@pytest.fixture
def sku(admin):
    """An article of this test alone."""
    network.build(admin)
    name = f"LAMP-{new_id()[-6:]}"
    admin.post("/api/v1/articles", [network.article(name)])
    return name


def receive(admin, sku, units):
    network.receive(admin, new_id(), ("MAD-W", sku, units))


def results(admin, *bodies):
    return admin.post(BULK, list(bodies))["results"]


def codes(rows):
    return [row["problem"]["code"] if row["problem"] else row["result"] for row in rows]


def commits(house, verb):
    """Count the transactions that `verb` commits."""
    seen = Counter()
    count = lambda _connection: seen.update(["commit"])  # noqa: E731
    event.listen(house.doors.database.writer, "commit", count)
    try:
        verb()
    finally:
        event.remove(house.doors.database.writer, "commit", count)
    return seen["commit"]


def test_a_chunk_is_one_transaction(admin, house, sku):
    receive(admin, sku, 100)
    rows = [intake.Row(PlaceOrderSchema().load(order(new_id(), (sku, 1)))) for _ in range(intake.CHUNK + 1)]
    answers = []
    spent = commits(
        house,
        lambda: answers.extend(intake.place_many(house, rows, actor="test", show=lambda _, placed: placed.order.id)),
    )
    assert {answer.result for answer in answers} == {"created"}
    assert spent == 2


def test_who_comes_first_is_served_first(admin, sku):
    receive(admin, sku, 3)
    rows = results(admin, *(order(new_id(), (sku, 1), channel="market") for _ in range(5)))
    assert codes(rows) == ["created"] * 3 + ["out_of_stock"] * 2
    waiting = results(admin, order(new_id(), (sku, 2)))
    assert waiting[0]["order"]["lines"][0]["waiting"] == 2


def test_the_same_order_twice_in_one_chunk_is_found_the_second_time(admin, sku):
    receive(admin, sku, 9)
    one = order(new_id(), (sku, 1))
    rows = results(admin, one, order(new_id(), (sku, 1)), one, {**one, "shipping_price": network.euros("1.00")})
    assert codes(rows) == ["created", "created", "existing", "duplicate_order"]
    assert rows[2]["order"]["id"] == rows[0]["order"]["id"]


def test_who_is_overtaken_falls_out_alone_and_goes_again(admin, sku, monkeypatch):
    receive(admin, sku, 4)
    prepared = []
    prepare = intake._prepare

    def overtaken(session, commands, **context):
        outcomes = prepare(session, commands, **context)
        prepared.append(len(commands))
        if len(prepared) == 1:
            admin.post("/api/v1/orders", order(new_id(), (sku, 2)), 201, key=new_id())
        return outcomes

    monkeypatch.setattr(intake, "_prepare", overtaken)
    rows = results(admin, *(order(new_id(), (sku, 1), channel="market") for _ in range(4)))
    assert codes(rows) == ["created", "created", "out_of_stock", "out_of_stock"]
    assert prepared == [4, 2]


def test_who_is_overtaken_each_time_is_refused_in_the_end(admin, sku, monkeypatch):
    receive(admin, sku, 1)
    place_many = intake.orders.place_many

    def refused(session, prepared, **context):
        names = [each.command.external_id for each in prepared]
        if unlucky in names:
            raise intake.StalePlan(["somebody was faster"], of={names.index(unlucky): intake.StalePlan(["again"])})
        return place_many(session, prepared, **context)

    monkeypatch.setattr(intake.orders, "place_many", refused)
    unlucky = new_id()
    rows = results(admin, order(new_id(), (sku, 1)), order(unlucky, (sku, 1)), order(new_id(), (sku, 1)))
    assert codes(rows) == ["created", "stale_plan", "created"]


def test_what_is_wrong_with_one_at_its_commit_keeps_no_other_from_being_taken(admin, sku, monkeypatch):
    receive(admin, sku, 3)
    place_many = intake.orders.place_many

    def refused(session, prepared, **context):
        if any(each.command.external_id == broken for each in prepared):
            raise SomebodyErased("The customer is gone.")
        return place_many(session, prepared, **context)

    monkeypatch.setattr(intake.orders, "place_many", refused)
    broken = new_id()
    rows = results(admin, order(new_id(), (sku, 1)), order(broken, (sku, 1)), order(new_id(), (sku, 1)))
    assert codes(rows) == ["created", "subject_erased", "created"]


class SomebodyErased(Conflict):
    code = "subject_erased"
