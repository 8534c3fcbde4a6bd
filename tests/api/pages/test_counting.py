"""Counting on the pages: a store counts blind, a planner sees the differences and posts them."""

import re

import pytest

from stock import catalog
from stock.counting import tasks
from stock.counting.documents import Cause
from stock.rows import PlacementRow
from tests import factories
from tests.api.pages.shop import STORE
from tests.api.pages.visitors import token

COUNTS = f"/store/{STORE}/counts"


@pytest.fixture
def clerk(signed_in):
    return signed_in("store")


@pytest.fixture
def planner(signed_in):
    return signed_in("planner")


def send(client, address, back=200, **form):
    answer = client.post(address, data={"csrf_token": token(client, COUNTS), **form}, follow_redirects=True)
    assert answer.status_code == back, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def opened(client, **form):
    """Open a count and return its address."""
    answer = client.post(COUNTS, data={"csrf_token": token(client, COUNTS), **form})
    assert answer.status_code == 303
    return answer.headers["Location"].split("?")[0]


def decide(client, address, **form):
    answer = client.post(address, data={"csrf_token": token(client, address), **form}, follow_redirects=True)
    return answer.get_data(as_text=True)


def test_what_is_proposed_is_counted_and_handed_in(house, clerk, planner):
    propose = lambda session: tasks.propose(session, STORE, ["hat"], cause=Cause.SHORT_PICK, now=factories.NOW)  # noqa: E731
    house.doors.write(propose)
    assert "not found at a pick" in clerk.get(COUNTS).get_data(as_text=True)
    address = opened(clerk, sku="hat")
    assert "Nothing is proposed to be counted." in clerk.get(COUNTS).get_data(as_text=True)

    assert "Hat: 1 on shelf B-03." in send(clerk, f"{address}/scan", code=factories.GTINS["hat"], scan_id="hat-1")
    page = send(clerk, f"{address}/units", sku="hat", shelf="B-03", units="18")
    assert 'value="18"' in page
    assert "20" not in re.sub(r"<(script|style|head).*?</\1>|value=\"[^\"]*\"|/\S+", "", page, flags=re.DOTALL)
    assert "goes to review" in send(clerk, f"{address}/hand-in")

    review = f"/planner/counts/{address.rsplit('/', 1)[1]}"
    page = planner.get(review).get_data(as_text=True)
    assert "-2" in page
    assert "€18.00" in page
    assert "Posted." in decide(planner, review, post="1")
    assert "hat,Hat" in planner.get(f"{review}?format=csv").get_data(as_text=True)


def test_a_scanned_shelf_is_gone_to_and_what_is_not_there_is_confirmed(house, clerk):
    house.doors.write(
        lambda session: catalog.put_placements(session, [PlacementRow(sku="scarf", node=STORE, shelf="C-07")])
    )
    address = opened(clerk, area="1", shelf_from="B-01", shelf_to="C-99")
    assert "Shelf C-07." in send(clerk, f"{address}/scan", code="C-07")
    said = send(clerk, f"{address}/scan", code=factories.GTINS["scarf"], scan_id="scarf-1", shelf="C-07")
    assert "Scarf: 1 on shelf C-07." in said
    assert "No article has the code 4711" in send(clerk, f"{address}/scan", code="4711", shelf="C-07")
    assert "1 article is still to be counted" in send(clerk, f"{address}/hand-in")
    assert "1 article is confirmed as none." in send(clerk, f"{address}/none", sku="hat")


def test_a_large_difference_is_counted_by_somebody_else(clerk, signed_in, planner):
    address = opened(clerk, sku="boots")
    send(clerk, f"{address}/units", sku="boots", units="2")
    assert "to be counted once more" in send(clerk, f"{address}/hand-in")
    assert "best by somebody who has not counted them yet" in clerk.get(address).get_data(as_text=True)
    send(clerk, f"{address}/units", back=409, sku="boots", units="2")

    other = signed_in("tienda")
    assert "Segundo recuento" in other.get(address).get_data(as_text=True)
    send(other, f"{address}/units", sku="boots", units="3")
    send(other, f"{address}/hand-in")
    review = f"/planner/counts/{address.rsplit('/', 1)[1]}"
    assert "counted with different results" in planner.get(review).get_data(as_text=True)
    assert "is to be counted once more" in decide(planner, review, **{"line-boots": "again"})
    send(clerk, f"{address}/begin")
    send(clerk, f"{address}/units", sku="boots", units="20")
    send(clerk, f"{address}/hand-in")
    assert "Kept." in decide(planner, review, **{"line-boots": "3"})
    assert "Posted." in decide(planner, review, post="1")


def test_a_proposal_is_taken_off_the_list(house, clerk):
    propose = lambda session: tasks.propose(session, STORE, ["coat"], cause=Cause.AGE, now=factories.NOW)  # noqa: E731
    house.doors.write(propose)
    page = clerk.get(COUNTS).get_data(as_text=True)
    (drop,) = re.findall(r'action="([^"]+/drop)"', page)
    assert "Nothing is proposed to be counted." in send(clerk, drop)


def test_a_count_is_thrown_away(clerk, planner):
    address = f"/planner/counts/{opened(clerk, sku='coat').rsplit('/', 1)[1]}"
    assert "being counted" not in planner.get(address).get_data(as_text=True)
    answer = planner.post(f"{address}/void", data={"csrf_token": token(planner, address)}, follow_redirects=True)
    assert "The count is void" in answer.get_data(as_text=True)


def test_a_count_of_another_store_does_not_exist(house, clerk):
    assert clerk.get(f"{COUNTS}/01900000-0000-7000-8000-000000000000").status_code == 404
