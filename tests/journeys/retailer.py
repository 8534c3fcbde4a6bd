"""The people of a retailer as a client of the REST API: each verb is what somebody there does, in their words.

Stories are told with it. What the network is made of stands in `tests/factories.py`. Invariant: the retailer remembers
what came in and what tills sold, so that at the end every unit can be accounted for, whatever the story was.
"""

import itertools
from collections import Counter
from dataclasses import replace
from datetime import timedelta

from api import jobs, proof
from api.clock import Clock
from api.house import EXTENSION
from fulfillment.network import policies
from tests.factories import GTINS
from tests.journeys.cart import Cart
from tests.journeys.order import Order, Refused

API = "/api/v1"
EVERYTHING = {"limit": 200}
PLACES = ("on_hand", "reserved", "picked", "damaged", "quarantine", "in_transit")
PHYSICAL = ("on_hand", "damaged", "quarantine", "in_transit")
MADRID = {
    "name": "Ana Carvalho", "line1": "Calle del Pez 7", "city": "Madrid", "postal_code": "28001", "country": "ES",
}  # fmt: skip


class Retailer:
    """Its shoppers, clerks, carriers and planners, all with one key."""

    def __init__(self, app, house, key):
        self.app, self.house, self.key = app, house, key
        self.came_in, self.sold_at_tills, self.orders = Counter(), Counter(), []
        self._numbers = itertools.count(1)

    # Shoppers

    def sells(self, channel="web", collect_at=None, paid=False, **units):
        """Take an order for so many units of each article: shipped to Madrid, or collected at a store."""
        return self.takes(self.basket(channel, collect_at, paid=paid, **units))

    def basket(self, channel="web", collect_at=None, *, paid=False, **units):
        """What a channel sends us when somebody buys."""
        lines = [
            {"sku": sku, "quantity": count, "unit_price": {"amount": "20.00", "currency": "EUR"}}
            for sku, count in units.items()
        ]
        where = {"method": "collect", "collect_node": collect_at} if collect_at else {"ship_to": MADRID}
        return {
            "channel": channel, "external_id": f"S-{next(self._numbers)}", "currency": "EUR", "lines": lines,
            "customer": {"name": "Ana Carvalho", "email": "ana@example.org"}, "paid": paid, **where,
        }  # fmt: skip

    def takes(self, basket):
        """Take an order as a channel sends it; sent again, it is the same request."""
        order = Order(self, self.post("/orders", basket, key=basket["external_id"])["id"])
        self.orders.append(order)
        return order

    def starts_cart(self, channel="web", collect_at=None, **units):
        """Let a shopper put units of articles into a cart: to be shipped to Madrid, or collected at a store."""
        return Cart(self, self.basket(channel, collect_at, **units))

    def cancels(self, order, **units):
        """Cancel units of articles, or the whole order."""
        lines = [{"line_id": order.line(sku)["id"], "units": count} for sku, count in units.items()]
        return self.post(f"/orders/{order.id}/cancel", {"reason": "customer", "lines": lines or None})["units"]

    # The stock room

    def gets(self, node, **units):
        """Receive units from a supplier."""
        self.came_in.update(units)
        lines = [{"node": node, "sku": sku, "units": count} for sku, count in units.items()]
        self.post("/stock/receipts", {"lines": lines})

    def sells_at_till(self, node, **units):
        self.sold_at_tills.update(units)
        self.post("/stock/sales", {"node": node, "lines": _lines(units), "reference": "T-1"})

    def counts(self, node, **units):
        """Count articles on the shelf, review and post what was found."""
        count = self.post("/counts", {"node": node, "skus": sorted(units)})
        for sku, found in units.items():
            self.post(f"/counts/{count['id']}/lines", {"sku": sku, "units": found})
        self.post(f"/counts/{count['id']}/submit")
        self.post(f"/counts/{count['id']}/post")

    def stock(self, node, sku):
        """Where the units of an article stand at a node: what is not zero."""
        rows = self.get("/stock/balances", node=node, sku=sku)["items"]
        return {name: row[name] for row in rows for name in PLACES if row[name]}

    # The floor

    def accepts(self, part):
        self._work(part, "accept")

    def starts(self, *parts):
        """Begin a pick list with these fulfillment orders."""
        named = {"node": parts[0]["node"], "fulfillment_orders": [part["id"] for part in parts]}
        return self.post("/pick-lists", named)

    def scans(self, part, sku, units=1):
        scan = {"scan_id": f"scan-{next(self._numbers)}", "code": GTINS.get(sku, sku), "units": units}
        return self._work(part, "pick", scan)

    def picks(self, part):
        """Pick all of a fulfillment order, one scan for each unit."""
        for stop in self.starts(part)["stops"]:
            for _ in range(stop["units"]):
                self.scans(part, stop["sku"])

    def misses(self, part, sku, found=0, reason="not_found"):
        """Say that only so many units of an article are there."""
        lines = self.get(f"/fulfillment-orders/{part['id']}")["lines"]
        (line,) = [line for line in lines if line["sku"] == sku]
        self._work(part, "short", {"line_id": line["id"], "found": found, "reason": reason})

    def rejects(self, part, reason="no_staff"):
        self._work(part, "reject", {"reason": reason})

    def packs(self, part):
        self._work(part, "pack", {})

    def picks_and_packs(self, part):
        self.picks(part)
        self.packs(part)

    def ships(self, part):
        return self._work(part, "ship", {})

    def delivers(self, part):
        self._work(part, "deliver")

    def sets_ready(self, part):
        self._work(part, "ready", {"shelf": "C-04"})

    def hands_over(self, part, code=None, **proof_and_money):
        """Hand a ready order over against its code, or another one, or a document."""
        shown = {} if "identified_by" in proof_and_money else {"code": code or part["pickup_code"]}
        self._work(part, "hand-over", shown | proof_and_money)

    def dispatches(self, part):
        """Send a packed transfer leg off, and return the transfer."""
        return self._work(part, "dispatch", {})

    def takes_in(self, transfer):
        """Receive a transfer where it was sent to."""
        self.post(f"/transfers/{transfer['id']}/receive", {})

    def puts_back(self, node):
        """Do all put-back tasks of a node; return how many units went back to their shelves."""
        tasks = self.get("/put-backs", node=node)["items"]
        for task in tasks:
            scan = {
                "scan_id": f"scan-{next(self._numbers)}",
                "code": GTINS.get(task["sku"], task["sku"]),
                "units": task["units"],
            }
            self.post(f"/put-backs/{task['id']}/scan", scan)
        return sum(task["units"] for task in tasks)

    def takes_back(self, order, node, grade="resell", **units):
        """Take back what a shopper brings to a counter."""
        lines = [
            {"line_id": order.line(sku)["id"], "units": count, "reason": "too_small", "grade": grade}
            for sku, count in units.items()
        ]
        return self.post("/returns", {"order_id": order.id, "node": node, "lines": lines})

    # Time and planners

    def waits(self, days):
        """Let days pass."""
        later = Clock(self.house.clock.now() + timedelta(days=days))
        self.house = self.app.extensions[EXTENSION] = replace(self.house, clock=later)

    def runs(self, name):
        """Let a job run now, as the scheduler would; return how much it did."""
        (job,) = [job for job in jobs.JOBS if job.name == name]
        return jobs.run_slot(self.house, job)

    def closes(self, node):
        """Close a node for good."""
        read = self.app.test_client().get(f"{API}/nodes/{node}", headers=self._headers())
        headers = self._headers() | {"If-Match": read.headers["ETag"]}
        return self._answer(
            self.app.test_client().patch(f"{API}/nodes/{node}", json={"status": "closed"}, headers=headers)
        )

    def follows(self, **settings):
        """Put a policy with these settings in force."""
        self.house.doors.write(
            lambda session: policies.activate(session, "default", policies.put(session, "default", settings))
        )

    def plans_the_night(self):
        """Start a run, let it be worked out, and return it with its movements."""
        run_id = self.post("/runs")["id"]
        self.runs("work_out_runs")
        return self.get(f"/runs/{run_id}")

    def accepts_run(self, run, *movements):
        """Accept some movements of a run."""
        ids = [movement["demand_id"] for movement in movements]
        return self.post(f"/runs/{run['id']}/accept", {"demand_ids": ids})

    # Proof

    def findings(self):
        """What does not add up in any room, by the house's own proof."""
        return self.house.doors.read(lambda session: list(proof.findings(session)))

    def unaccounted(self, *skus):
        """By what the units of articles at the nodes, with shoppers and lost differ from those that came in."""
        sold = [line for order in self.orders for line in order.whole["lines"]]
        return {sku: self._unaccounted(sku, [line for line in sold if line["sku"] == sku]) for sku in skus}

    def _unaccounted(self, sku, sold):
        rows = self.get("/stock/balances", sku=sku, **EVERYTHING)["items"]
        outside = Counter()
        for entry in self.get("/stock/entries", sku=sku, **EVERYTHING)["items"]:
            outside[entry["target"]["account"]] += entry["units"]
            outside[entry["source"]["account"]] -= entry["units"]
        with_shoppers = self.sold_at_tills[sku] + sum(line["fulfilled"] - line["returned"] for line in sold)
        lost = outside["shrink"] + outside["adjustment"]
        here = sum(row[place] for row in rows for place in PHYSICAL)
        return here + with_shoppers + lost - self.came_in[sku]

    # The wire

    def get(self, path, **query):
        return self._answer(self.app.test_client().get(API + path, query_string=query, headers=self._headers()))

    def post(self, path, body=None, key=None):
        headers = self._headers() | {"Idempotency-Key": key or f"key-{next(self._numbers)}"}
        return self._answer(self.app.test_client().post(API + path, json=body, headers=headers))

    def put(self, path, body, version):
        headers = self._headers() | {"If-Match": f'"{version}"'}
        return self._answer(self.app.test_client().put(API + path, json=body, headers=headers))

    def _work(self, part, verb, body=None):
        return self.post(f"/fulfillment-orders/{part['id']}/{verb}", body)

    def _headers(self):
        return {"Authorization": f"Bearer {self.key}"}

    @staticmethod
    def _answer(answer):
        assert answer.status_code != 500, answer.get_data(as_text=True)
        if answer.status_code >= 400:
            raise Refused(answer)
        return answer.get_json()


def _lines(units):
    return [{"sku": sku, "units": count} for sku, count in units.items()]
