"""What a retailer looks at and hears: an order as it stands, and a refusal with its reason."""

from contextlib import contextmanager

import pytest

from fulfillment.work.models import OPEN

COUNTERS = ("ordered", "cancelled", "waiting", "allocated", "fulfilled", "returned")


class Refused(Exception):
    """The retailer's own system said no, and why."""

    def __init__(self, answer):
        problem = answer.get_json()
        super().__init__(f"{problem['status']} {problem['code']}: {problem['detail']}")
        self.status, self.code, self.detail = problem["status"], problem["code"], problem["detail"]
        self.problem, self.headers = problem, answer.headers


@contextmanager
def refused(code, status=409):
    """Expect a refusal with this code, and yield what was caught."""
    with pytest.raises(Refused) as caught:
        yield caught
    assert (caught.value.code, caught.value.status) == (code, status), caught.value


class Order:
    """An order, looked at anew each time."""

    def __init__(self, retailer, id_):
        self.retailer, self.id = retailer, id_

    @property
    def whole(self):
        return self.retailer.get(f"/orders/{self.id}")

    @property
    def status(self):
        return self.whole["status"]

    @property
    def told(self):
        """What the shopper is told."""
        return self.whole["public_status"]

    @property
    def parts(self):
        """The fulfillment orders that people have work with, transfer legs included."""
        return [part for part in self.whole["fulfillment_orders"] if part["status"] in OPEN]

    @property
    def nodes(self):
        return sorted(part["node"] for part in self.parts)

    @property
    def part(self):
        """The only fulfillment order that people have work with."""
        (only,) = self.parts
        return only

    def part_at(self, node):
        (found,) = [part for part in self.parts if part["node"] == node]
        return found

    def line(self, sku):
        (found,) = [line for line in self.whole["lines"] if line["sku"] == sku]
        return found

    def units(self, sku):
        """Where the units of a line stand: its counters that are not zero."""
        line = self.line(sku)
        return {name: line[name] for name in COUNTERS if line[name]}

    def happened(self):
        """What happened, in order."""
        return [moment["what"] for moment in self.retailer.get(f"/orders/{self.id}/history")["history"]]
