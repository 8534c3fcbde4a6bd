"""Physical work on the wire: fulfillment orders, pick lists, scans, put-back tasks."""

from __future__ import annotations

from marshmallow import fields

from api.schemas.base import MAX_UNITS, PageQuery, Schema, at_most, between, code, instant, one_of, page_of, text, units
from fulfillment.work.collecting import Identification
from fulfillment.work.models import Method, Status
from oms.payments import KINDS


class WorkLineSchema(Schema):
    """Units of an article in a fulfillment order."""

    id = fields.String()
    order_line_id = fields.String(attribute="demand_line_id")
    sku = fields.String()
    units = fields.Integer()
    picked = fields.Integer()


class WorkOrderSchema(Schema):
    """A fulfillment order as the people who work on it see it."""

    id = fields.String()
    number = fields.String()
    order_id = fields.String(attribute="reference")
    node = fields.String()
    method = fields.String(metadata={"enum": list(Method)})
    status = fields.String(metadata={"enum": list(Status)})
    service = fields.String()
    carrier_service = fields.String(allow_none=True)
    destination_node = fields.String(allow_none=True)
    work_on = fields.Date()
    ship_by = instant()
    promised_by = instant()
    expires_at = instant(allow_none=True)
    pick_list_id = fields.String(allow_none=True)
    shelf = fields.String(allow_none=True)
    weight_g = fields.Integer(allow_none=True)
    packages = fields.Integer(allow_none=True)
    version = fields.Integer()
    lines = fields.List(fields.Nested(WorkLineSchema))


class WorkQuery(PageQuery):
    """Which fulfillment orders are wanted."""

    node = fields.String(load_default=None)
    status = fields.String(load_default=None, validate=one_of(*Status))
    method = fields.String(load_default=None, validate=one_of(*Method))


WorkPage = page_of(WorkOrderSchema)


class RejectSchema(Schema):
    """Why a node refuses work: all of it, or some lines; `collateral` refuses the same articles elsewhere here, too."""

    reason = code(metadata={"example": "no_staff"})
    lines = fields.List(fields.String(), load_default=None, allow_none=True)
    collateral = fields.Boolean(load_default=False)


class RejectedSchema(Schema):
    """The fulfillment orders that a rejection touched."""

    fulfillment_orders = fields.List(fields.Nested(WorkOrderSchema))


class ScanSchema(Schema):
    """One scan; the device makes `scan_id`, and the same id counts once."""

    scan_id = code(metadata={"example": "d1-000017"})
    code = code(metadata={"description": "The GTIN or SKU that was scanned."})
    units = units(required=False, load_default=1)
    line_id = fields.String(load_default=None, allow_none=True)


class StopSchema(Schema):
    """A line on the walk: where it lies, what it is, how many are wanted."""

    line_id = fields.String()
    fulfillment_order_id = fields.String()
    number = fields.String()
    status = fields.String()
    shelf = fields.String(allow_none=True)
    sku = fields.String()
    gtin = fields.String(allow_none=True)
    name = fields.String()
    size = fields.String()
    colour = fields.String()
    units = fields.Integer()
    picked = fields.Integer()


class ScannedSchema(Schema):
    """What a scan did, and what comes next."""

    counted = fields.Boolean(metadata={"description": "False when this scan was counted before."})
    stop = fields.Nested(StopSchema)
    status = fields.String()
    next = fields.Nested(StopSchema, allow_none=True)


class ShortSchema(Schema):
    """Of a line only `found` units are there, those picked included; the rest goes back to sourcing."""

    line_id = code()
    found = fields.Integer(required=True, strict=True, validate=between(0, MAX_UNITS))
    reason = code(metadata={"example": "not_found"})


class PackSchema(Schema):
    """What a package weighs; the articles' weights are added up when left out."""

    weight_g = fields.Integer(load_default=None, allow_none=True, strict=True, validate=between(0, 10_000_000))
    packages = fields.Integer(load_default=1, strict=True, validate=between(1, 1000))


class ShipSchema(Schema):
    """By whom, and under which number; ours when left out."""

    tracking_number = fields.String(load_default=None, allow_none=True, validate=at_most(64, at_least=1))
    carrier_service = fields.String(load_default=None, allow_none=True, validate=at_most(64, at_least=1))


class ShipmentSchema(Schema):
    """A package on its way."""

    id = fields.String()
    fulfillment_order_id = fields.String()
    carrier_service = fields.String()
    tracking_number = fields.String()
    weight_g = fields.Integer()
    packages = fields.Integer()
    shipped_at = instant()


class ReadySchema(Schema):
    """Where an order waits for its shopper."""

    shelf = text(64, required=True)


class HandOverSchema(Schema):
    """The proof, what is taken, and how what is due was paid."""

    code = fields.String(load_default=None, allow_none=True, validate=at_most(64))
    identified_by = fields.String(load_default=None, allow_none=True, validate=one_of(*Identification))
    accepted = fields.Dict(
        keys=fields.String(), values=fields.Integer(strict=True, validate=between(0, MAX_UNITS)), load_default=None,
        allow_none=True, metadata={"description": "Units taken by line id; all when left out."},
    )  # fmt: skip
    paid_by = fields.String(load_default=None, allow_none=True, metadata={"enum": [*KINDS, None]})


class ReasonSchema(Schema):
    """Why."""

    reason = code()


class StartListSchema(Schema):
    """A list of the most urgent fulfillment orders of a node, or of those named."""

    node = code()
    fulfillment_orders = fields.List(fields.String(), load_default=None, allow_none=True, validate=at_most(100))


class PickListSchema(Schema):
    """A pick list."""

    id = fields.String()
    number = fields.String()
    node = fields.String()
    status = fields.String()
    claimed_by = fields.String(allow_none=True)
    claimed_at = instant(allow_none=True)
    version = fields.Integer()


class WalkSchema(Schema):
    """A pick list as one walks it."""

    pick_list = fields.Nested(PickListSchema)
    stops = fields.List(fields.Nested(StopSchema))
    current = fields.Nested(StopSchema, allow_none=True)
    picked = fields.Integer()
    units = fields.Integer()


class ListQuery(PageQuery):
    """Which pick lists are wanted."""

    node = fields.String(load_default=None)
    status = fields.String(load_default=None)


PickListPage = page_of(PickListSchema)


class PutBackSchema(Schema):
    """Picked units that must go back to the shelf."""

    id = fields.String()
    node = fields.String()
    fulfillment_order_id = fields.String()
    sku = fields.String()
    units = fields.Integer()
    done = fields.Integer()


class NodeListQuery(PageQuery):
    """Of which node."""

    node = fields.String(load_default=None)


PutBackPage = page_of(PutBackSchema)


class PutBackScanSchema(Schema):
    """One scan to the shelf."""

    scan_id = code()
    code = code()
    shelf = fields.String(load_default=None, allow_none=True, validate=at_most(64))
    units = units(required=False, load_default=1)
