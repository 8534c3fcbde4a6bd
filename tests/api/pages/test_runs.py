"""Runs as planners use them: started, watched, shown before and after, accepted in part or rejected."""

import re

import pytest

from api import jobs
from fulfillment.planning.models import Run
from fulfillment.work import report as work_report
from tests import factories
from tests.api.pages.visitors import token


@pytest.fixture
def planner(signed_in):
    return signed_in("planner")


@pytest.fixture(scope="module")
def waiting_orders(house):
    """Two orders that waited, and for which stock has come in since."""

    def orders_then_stock(session):
        numbers = [
            factories.place(session, factories.line("hat", 250), external_id=f"R-{number}").id for number in (1, 2)
        ]
        factories.stock(session, "WH", hat=1000)
        return numbers

    return house.doors.write(orders_then_stock)


def started(planner, house):
    """Start a run on the page, and let the job work it out; return its address."""
    answer = planner.post("/planner/runs", data={"csrf_token": token(planner, "/planner/runs")})
    assert answer.status_code == 303
    assert jobs.run_slot(house, jobs.RUNS) == 1
    return answer.headers["Location"]


def read(client, address):
    answer = client.get(address)
    assert answer.status_code == 200, answer.get_data(as_text=True)[:500]
    return answer.get_data(as_text=True)


def send(client, address, verb, **fields):
    data = {"csrf_token": token(client, "/planner/runs"), **fields}
    return client.post(f"{address}/{verb}", data=data, follow_redirects=True).get_data(as_text=True)


def test_the_first_page_says_how_to_begin(planner):
    assert "No run yet" in read(planner, "/planner/runs")


def test_a_queued_run_shows_its_progress_and_can_be_cancelled(planner, house):
    answer = planner.post("/planner/runs", data={"csrf_token": token(planner, "/planner/runs")})
    address = answer.headers["Location"]
    assert 'hx-trigger="every 2s"' in read(planner, address)
    fragment = planner.get(f"{address}/progress")
    assert "The run is queued" in fragment.get_data(as_text=True)
    assert "HX-Refresh" not in fragment.headers
    assert "nothing was changed" in send(planner, address, "cancel")
    assert planner.get(f"{address}/progress").headers["HX-Refresh"] == "true"


def test_a_run_is_accepted_in_part(planner, house, waiting_orders):
    address = started(planner, house)
    page = read(planner, address)
    assert "was waiting, now from" in page
    demands = re.findall(r'name="demand" value="([^"]+)"', page)
    assert len(demands) == 2
    assert "Nothing was ticked" in send(planner, address, "accept", which="ticked")
    text = send(planner, address, "accept", which="ticked", demand=demands[0])
    assert "1 movement is applied" in text
    assert "partly accepted" in text
    assert "declined" in text
    left = {line.demand_id for line in house.doors.read(work_report.waiting_lines)}
    assert left == {demands[1]}


def test_movements_are_filtered_by_flow_in_the_address(planner, house):
    address = started(planner, house)
    assert "was waiting, now from" in read(planner, f"{address}?source=waiting")
    assert "0 of 1 movements" in read(planner, f"{address}?source=SVQ")


def test_every_table_of_a_run_is_a_file(planner, house):
    page = read(planner, "/planner/runs")
    address = re.search(r'href="(/planner/runs/[0-9a-f-]+)"', page)[1]
    heads = {
        table: planner.get(f"{address}?format=csv&table={table}").get_data().decode("utf-8-sig").splitlines()[0]
        for table in ("terms", "flows", "movements")
    }
    assert heads["terms"] == "term,before,after,saving,currency"
    assert heads["flows"] == "from,to,units,demands"
    assert heads["movements"].startswith("order,demand,changes,cost_before")
    runs = planner.get("/planner/runs?format=csv").get_data().decode("utf-8-sig").splitlines()
    assert len(runs) > 2


def test_a_run_is_rejected_and_changes_nothing(planner, house):
    before = house.doors.read(work_report.waiting_lines)
    page = read(planner, "/planner/runs")
    address = re.search(r'href="(/planner/runs/[0-9a-f-]+)"', page)[1]
    assert "The run is rejected" in send(planner, address, "reject")
    run_id = address.rpartition("/")[2]
    run = house.doors.read(lambda session: session.get(Run, run_id))
    assert (run.status, run.decided_by) == ("rejected", "planner")
    assert house.doors.read(work_report.waiting_lines) == before


def test_an_accepted_run_cannot_be_accepted_again(planner, house):
    address = started(planner, house)
    assert "applied" in send(planner, address, "accept", which="all")
    assert "cannot become" in send(planner, address, "accept", which="all")
    assert house.doors.read(work_report.waiting_lines) == []


def test_an_unknown_run_is_not_found(planner):
    assert planner.get("/planner/runs/none").status_code == 404
