"""Putting back: only the scan to the shelf makes units free for sale again."""

import pytest
from sqlalchemy import select

from fulfillment.work import collecting, putting_back
from fulfillment.work.errors import InvalidUnits, ScanIdReused, TooMany, UnknownPutBack, WrongArticle, WrongShelf
from fulfillment.work.models import Method, PutBack, Status
from kernel.ids import new_id
from tests.fulfillment.work.floor import BY, GTINS, balance, bring, in_order, ordered


@pytest.fixture
def task(session):
    fo = bring(session, ordered(session, method=Method.COLLECT, coat=2), Status.READY)
    collecting.refuse(session, fo.id, reason="changed_mind", **BY)
    return session.scalars(select(PutBack).where(PutBack.fulfillment_order_id == fo.id)).one()


def scan(session, task, code="coat", *, scan_id=None, **more):
    return putting_back.scan(session, task.id, scan_id=scan_id or new_id(), code=code, **more, **BY)


def test_a_scan_to_the_shelf_frees_a_unit(session, task):
    scan(session, task, GTINS["coat"], shelf="c-02")
    assert task.done == 1
    assert balance(session, "coat") == (2, 1, 1)
    assert putting_back.tasks(session, "MAD") == [task]
    scan(session, task)
    assert balance(session, "coat") == (2, 0, 0)
    assert putting_back.tasks(session, "MAD") == []
    in_order(session)


def test_the_same_scan_counts_once(session, task):
    for _ in range(2):
        assert scan(session, task, scan_id="p-1").done == 1
    with pytest.raises(ScanIdReused):
        scan(session, task, GTINS["coat"], scan_id="p-1")
    in_order(session)


def test_several_units_go_back_at_once_but_not_more_than_there_are(session, task):
    with pytest.raises(TooMany, match="2 wanted, 0 already there, 3 more scanned"):
        scan(session, task, units=3)
    assert scan(session, task, units=2).done == 2
    in_order(session)


def test_wrong_article_shelf_or_number_is_refused(session, task):
    with pytest.raises(WrongArticle, match=r"expected Coat \(coat\)"):
        scan(session, task, "boots")
    with pytest.raises(WrongShelf, match="belongs on C-02"):
        scan(session, task, shelf="A-01")
    with pytest.raises(InvalidUnits):
        scan(session, task, units=0)
    assert task.done == 0


def test_tasks_belong_to_their_node(session, task):
    assert putting_back.tasks(session, "BCN") == []
    with pytest.raises(UnknownPutBack):
        putting_back.scan(session, "none", scan_id="x", code="coat", **BY)
