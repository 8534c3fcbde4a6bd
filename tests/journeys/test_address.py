"""An address is corrected before anything has left: what is not under way is served from wherever that is best."""

from api import deciding

BARCELONA = {
    "name": "Ana Carvalho", "line1": "Carrer de Balmes 2", "city": "Barcelona", "postal_code": "08001", "country": "ES",
}  # fmt: skip


def test_the_job_decides_what_a_dying_process_left_undecided(retailer, monkeypatch):
    retailer.gets("WH", coat=2)
    order, begun = retailer.sells(coat=1), retailer.sells(coat=1)
    retailer.gets("BCN", coat=2)
    retailer.accepts(begun.part)

    with monkeypatch.context() as dying:
        dying.setattr(deciding, "many", _dies)
        for each in order, begun:
            retailer.post(f"/orders/{each.id}/edits", {"ship_to": BARCELONA})
    assert order.nodes == begun.nodes == ["WH"]

    assert retailer.runs("decide_waiting") == 2
    assert (order.nodes, begun.nodes) == (["BCN"], ["WH"])
    assert retailer.runs("decide_waiting") == 0


def _dies(*_args, **_kwargs):
    raise SystemError("the process was killed after the commit")
