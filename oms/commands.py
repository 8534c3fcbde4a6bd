"""What the doors ask of the order service: one frozen command a verb, with money in the currency it was written in.

Built by the doors from what callers send; read by `oms` alone. Invariant: a command says what is wanted and has not
been checked; `orders.prepare` and its like find every fault of it, each under the JSON pointer of its field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kernel.money import Money


@dataclass(frozen=True, kw_only=True)
class ChannelRow:
    """A channel as it should be. `shortage` is "wait" (short lines wait) or "refuse" (the order is refused).

    `service_policies` maps services to policies other than `policy`.

    Its shoppers are told that stock is low when no more than `low_stock` units can be promised.
    """

    id: str
    name: str
    kind: str
    currency: str
    shortage: str = "wait"
    policy: str = "default"
    active: bool = True
    low_stock: int = 3
    service_policies: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CustomerDetails:
    """Who buys: `id` is ours, `external_id` is the channel's own; found again by either, else by e-mail."""

    id: str | None = None
    external_id: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    language: str = "en"


@dataclass(frozen=True, kw_only=True)
class ShipTo:
    """Where a parcel goes; coordinates are degrees (WGS 84) and may be absent."""

    name: str
    line1: str
    city: str
    postal_code: str
    country: str
    line2: str = ""
    region: str = ""
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, kw_only=True)
class Line:
    """Units of an article at a price; method and collect node are the order's where absent.

    Prices include tax; `tax` says how much of the line's price is tax. `discount` is taken off the whole line.
    """

    sku: str
    quantity: int
    unit_price: Money
    discount: Money | None = None
    tax: Money | None = None
    method: str | None = None
    collect_node: str | None = None


@dataclass(frozen=True, kw_only=True)
class Basket:
    """What somebody wants in a channel, how it reaches them and at which price; in a cart much may be missing yet."""

    channel: str
    currency: str
    lines: tuple[Line, ...]
    customer: CustomerDetails | None = None
    method: str = "ship"
    collect_node: str | None = None
    service: str = "standard"
    ship_to: ShipTo | None = None
    requested_from: datetime | None = None
    requested_by: datetime | None = None
    shipping_price: Money | None = None


@dataclass(frozen=True, kw_only=True)
class PlaceOrder(Basket):
    """A sale in a channel. `paid` says that the total has been paid, which is then recorded.

    `cart` names the cart that it finishes, from which it takes what it does not say itself. `promise` names the way
    that was quoted for it, whose date it then keeps if that can be. What is held under `hold_reference` becomes the
    order's own.
    """

    external_id: str
    placed_at: datetime | None = None
    paid: bool = False
    cart: str | None = None
    promise: str | None = None
    hold_reference: str | None = None


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where goods would go, or near which place they would be collected; degrees are WGS 84."""

    country: str | None = None
    postal_code: str | None = None
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, kw_only=True)
class AskPromises:
    """A question: in which ways could these units (SKU, count), or a cart, be served? Up to `most` answers are wanted.

    `services` are those that are looked at, all where none is named; `stores` is how many of the nearest are.
    """

    channel: str = ""
    lines: tuple[tuple[str, int], ...] = ()
    cart: str | None = None
    place: Place | None = None
    methods: tuple[str, ...] = ("ship", "collect")
    services: tuple[str, ...] = ()
    stores: int = 5
    most: int = 10
    requested_from: datetime | None = None
    requested_by: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ReturnWanted:
    """Units of an order line that shall come back, and why."""

    line_id: str
    units: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class ReturnFound:
    """Units of an order line that came back, in the grade they were found in."""

    line_id: str
    units: int
    grade: str


@dataclass(frozen=True, kw_only=True)
class ReturnBrought:
    """Units of an order line that a customer brings to a counter: why they come back, and in which grade."""

    line_id: str
    units: int
    reason: str
    grade: str
