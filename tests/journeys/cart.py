"""A cart as the people who use it see it: a shopper, and the staff who go on with it."""

from datetime import timedelta

from sqlalchemy import select

from oms import models
from stock.models import Reservation
from tests.journeys.order import Order


class Cart:
    """A cart, looked at anew each time."""

    def __init__(self, retailer, basket):
        self.retailer = retailer
        self.external_id = basket.pop("external_id")
        basket.pop("paid")
        self.basket = basket
        self.started = retailer.post("/carts", basket)
        self.id, self.code = self.started["id"], self.started["code"]

    @property
    def whole(self):
        return self.retailer.get(f"/carts/{self.id}")

    @property
    def status(self):
        return self.whole["status"]

    @property
    def held(self):
        """The units of each article that nobody else can buy now."""
        return {line["sku"]: line["held"] for line in self.whole["lines"]}

    def holds(self, minutes=None):
        """Hold what is in it; return what could not be held."""
        missing = self.retailer.post(f"/carts/{self.id}/hold", {"minutes": minutes})["missing"]
        return {each["sku"]: (each["units"], each["reason"]) for each in missing}

    def changes(self, **changes):
        """Change what is in it."""
        self.basket |= changes
        return self.retailer.put(f"/carts/{self.id}", self.basket, self.whole["version"])

    def does(self, verb, body=None):
        return self.retailer.post(f"/carts/{self.id}/{verb}", body)

    def is_ordered(self, **said):
        """Turn it into an order, as the shop of its channel does when the shopper pays."""
        body = {"channel": self.whole["channel"], "external_id": self.external_id, "cart": self.id} | said
        order = Order(self.retailer, self.retailer.post("/orders", body)["id"])
        if order.id not in {known.id for known in self.retailer.orders}:
            self.retailer.orders.append(order)
        return order

    def runs_out(self):
        """Let the time of its holds be over, by the clock of the database."""

        def let_pass(session):
            for row in session.scalars(select(Reservation).where(Reservation.reference == self.id)):
                row.expires_at -= timedelta(hours=12)
                row.extendable_until -= timedelta(hours=12)

        self.retailer.house.doors.write(let_pass)

    def lies_idle(self, days):
        """Let it not be used for so long, by the clock of the database."""

        def let_pass(session):
            session.get(models.Cart, self.id).touched_at -= timedelta(days=days)

        self.retailer.house.doors.write(let_pass)
