"""Somebody waited for somebody who waited for them, or for somebody they had nothing to do with."""

import random

import pytest
from sqlalchemy import text

from stock import conversions, ledger, sales, transfers
from stock import recipes as stock_recipes
from stock.holds import HoldUnits, Term, hold
from stock.models import Account
from stock.postings import Draft, Movement, NewReservation, Side
from stock.recipes import Component, RecipeRow
from stock.reservations import rebind
from stock.transfers import TransferWant
from tests import factories
from tests.bugs.conftest import numbers
from tests.bugs.crowd import DONE, fates, once, together
from tests.stock.shelf import claim, header

SKUS = ["boots", "coat", "hat", "scarf"]
TIMES = 8


@pytest.fixture(scope="module")
def full(retailer):
    """The retailer's database, with more of four articles than anybody needs; what a scarf is made of."""
    stores = ("WH", "MAD")

    def fill(session):
        for node in stores:
            factories.stock(session, node, **dict.fromkeys(SKUS, 10_000))
        stock_recipes.put(session, [RecipeRow(sku="scarf", kind="kit", components=(Component("hat", 1),))])

    retailer.house.doors.write(fill)
    yield retailer.house.doors.database
    assert retailer.findings() == []


def again_and_again(database, verb, seed):
    """Return a deed that draws some articles, in any order, and lets `verb(session, articles)` happen, often."""

    def deed():
        drawn = random.Random(seed)
        for _ in range(TIMES):
            some = drawn.sample(SKUS, 3)
            once(database, lambda session, some=some: verb(session, some))

    return deed


def reserve(session, skus):
    claims = [claim(sku=sku, node="WH", reference=f"cart-{next(numbers)}", purpose="hold") for sku in skus]
    rebind(session, header(), claims=claims)


def test_carts_that_overlapped_waited_for_each_other_and_orders_were_lost(full):
    """https://github.com/magento/magento2/issues/39417, https://github.com/magento/magento2/pull/41224"""
    assert fates(together(*[again_and_again(full, reserve, seed) for seed in range(8)])) == {DONE: 8}


def test_some_verbs_locked_in_another_order_than_others(full):
    """https://github.com/saleor/saleor/pull/17123"""
    by = {"actor": "ana", "now": factories.NOW}

    def sell(session, skus):
        lines = [(sku, 1) for sku in skus]
        sales.sell(session, node="WH", lines=lines, reference="T", actor="till", occurred_at=factories.NOW)

    def send(session, skus):
        wants = [TransferWant(sku=sku, units=1) for sku in skus]
        opened = transfers.open_transfer(session, source="WH", destination="MAD", reference="", lines=wants, **by)
        transfers.dispatch(session, opened.id, [1] * len(wants), **by)

    def bring_back(session, skus):
        sides = Side(Account.ON_HAND, "MAD"), Side(Account.ON_HAND, "WH")
        ledger.post(session, header(), [Movement(sku, 1, *sides) for sku in skus])

    def make(session, _skus):
        conversions.convert(session, node="WH", sku="scarf", units=1, direction="assemble", **by)

    def keep(session, skus):
        units = [HoldUnits(sku, "WH", 1) for sku in skus]
        hold(session, header("hold"), f"cart-{next(numbers)}", units, term=Term(10, 10))

    def bring(session, skus):
        factories.stock(session, "WH", **dict.fromkeys(skus, 1))

    verbs = [sell, send, bring_back, make, keep, bring, reserve]
    assert fates(together(*[again_and_again(full, verb, seed) for seed, verb in enumerate(verbs)])) == {DONE: 7}


def test_orders_that_were_submitted_in_bulk_waited_for_each_other(full):
    """https://github.com/frappe/erpnext/pull/42342, https://github.com/frappe/erpnext/issues/9810"""

    def many(session, skus):
        """Several postings in one statement, each of some of the articles."""
        drawn = [random.Random(f"{skus}{number}").sample(SKUS, 3) for number in range(10)]
        ids = [f"{next(numbers):030}" for _ in drawn for _ in range(3)]
        drafts = [
            Draft(header=header(), claims=[
                NewReservation(id=ids[3 * place + line], sku=sku, node="WH", reference=ids[3 * place + line],
                               purpose="hold", units=1)
                for line, sku in enumerate(some)
            ])
            for place, some in enumerate(drawn)
        ]  # fmt: skip
        assert all(isinstance(outcome, str) for outcome in ledger.post_many(session, drafts))

    assert fates(together(*[again_and_again(full, many, seed) for seed in range(6)])) == {DONE: 6}


def test_jobs_failed_because_others_wrote_at_the_same_time(retailer, sku):
    """https://github.com/odoo/odoo/pull/62131, https://github.com/odoo/odoo/pull/32857

    A repair of it let twenty of twenty reserve ten. Here a posting waits for its row and judges what is there then.
    """
    retailer.gets("WH", **{sku: 10})
    database = retailer.house.doors.database
    deeds = [
        lambda number=number: once(
            database, lambda session: rebind(session, header(), claims=[
                claim(sku=sku, node="WH", reference=f"{sku}-{number}", purpose="hold")
            ]),
        )
        for number in range(20)
    ]  # fmt: skip
    assert fates(together(*deeds)) == {DONE: 10, "insufficient_stock": 10}
    if not database.is_sqlite:
        with database.write() as session:
            assert session.scalar(text("SHOW transaction_isolation")) == "read committed"


# On SQLite one transaction writes at a time.
@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True, scope="module")
def test_orders_of_other_articles_waited_for_the_one_that_everybody_wanted(retailer, sku):
    """https://github.com/woocommerce/woocommerce/pull/65325"""
    retailer.gets("WH", **{sku: 5})
    retailer.gets("MAD", scarf=5)
    database = retailer.house.doors.database
    hot, cold = claim(sku=sku, node="WH", purpose="hold"), claim(sku="scarf", node="MAD", purpose="hold")
    with database.write() as busy:
        rebind(busy, header(), claims=[hot])
        with database.write() as other:
            other.execute(text("SET LOCAL lock_timeout = '100ms'"))
            rebind(other, header(), claims=[cold])
            other.rollback()
        busy.rollback()
