"""What two do at the same moment has one effect."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select

from kernel.db import connect
from oms.errors import DuplicateOrder, OutOfStock
from oms.models import Customer, Order
from stock import availability
from tests import factories
from tests.factories import command, customer, in_order, line, place_through_doors, stock

SHOPPERS = 8


def at_once(database, commands):
    """Place orders at the same moment; return what each was answered."""

    def one(wanted):
        try:
            return place_through_doors(database, wanted, tries=40)
        except (DuplicateOrder, OutOfStock) as refusal:
            return type(refusal)

    with ThreadPoolExecutor(len(commands)) as pool:
        return list(pool.map(one, commands))


def count(session, table, *where):
    return session.scalar(select(func.count()).select_from(table).where(*where))


def receive(database, **units):
    with database.write() as session:
        stock(session, "MAD", **units)
        session.commit()


def test_one_external_id_sent_many_times_is_one_order(database):
    receive(database, coat=SHOPPERS)
    answers = at_once(database, [command(external_id="RACE-1")] * SHOPPERS)
    assert len({order_id for order_id, _ in answers}) == 1
    assert sorted(created for _, created in answers) == [False] * (SHOPPERS - 1) + [True]
    with database.read() as session:
        assert count(session, Order, Order.external_id == "RACE-1") == 1
        in_order(session)


def test_one_external_id_sent_with_other_bodies_is_one_order_and_refusals(database):
    commands = [command(line("boots", units), external_id="RACE-2") for units in range(1, SHOPPERS + 1)]
    answers = at_once(database, commands)
    assert answers.count(DuplicateOrder) == SHOPPERS - 1
    with database.read() as session:
        assert count(session, Order, Order.external_id == "RACE-2") == 1


def test_a_new_person_who_orders_many_times_at_once_is_one_customer(database):
    bea = customer(name="Bea", email="bea@example.org")
    answers = at_once(database, [command(line("boots"), external_id=f"BEA-{n}", customer=bea) for n in range(SHOPPERS)])
    assert all(created for _, created in answers)
    with database.read() as session:
        people = set(session.scalars(select(Order.customer_id).where(Order.external_id.like("BEA-%"))))
        assert len(people) == 1
        assert count(session, Customer, Customer.id.in_(people)) == 1


def test_the_last_unit_is_sold_once_and_every_other_shopper_is_refused(database):
    receive(database, hat=1)
    commands = [
        command(line("hat"), external_id=f"LAST-{n}", channel="market", customer=customer(email=f"{n}@example.org"))
        for n in range(SHOPPERS)
    ]
    answers = at_once(database, commands)
    assert answers.count(OutOfStock) == SHOPPERS - 1
    with database.read() as session:
        assert availability.levels(session, ["hat"])["hat", "MAD"].reserved == 1
        in_order(session)


def test_two_databases_opened_apart_meet_in_the_same_constraint(database_url, database):
    other = connect(database_url)
    factories.wire(other)
    wanted = command(line("boots"), external_id="APART")
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda each: place_through_doors(each, wanted, tries=40), [database, other]))
    other.dispose()
    assert len({order_id for order_id, _ in answers}) == 1
