"""Paper: the label of a package and the packing slip in it, as PDF.

Called by the doors, which hand in whom it is for: personal data is rendered, never stored, so that a reprint is a new
rendering. Invariant: what the barcodes say is the tracking number and the fulfillment order's number.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import segno
import zxingcpp
from fpdf import FPDF
from sqlalchemy import select
from sqlalchemy.orm import Session

from fulfillment.network.models import CarrierService, NodeProfile
from fulfillment.work import walking
from fulfillment.work.errors import NothingShipped, UnknownFulfillmentOrder
from fulfillment.work.models import FulfillmentOrder, Shipment
from fulfillment.work.shipping import shipment_of
from fulfillment.work.walking import Stop
from stock.models import Node

# A label of 100 x 150 mm is what thermal printers of carriers take; a slip is A5.
LABEL_MM = (100, 150)
SLIP_MM = (148, 210)
MARGIN_MM = 6
FONT = "helvetica"
BAR_MM = 22
# A scanner needs ten modules of white on either side of a Code 128 (ISO/IEC 15417).
QUIET_MODULES = 10


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """Whom a package is for, as the vault tells it; handed in, printed, forgotten."""

    name: str
    line1: str = ""
    line2: str = ""
    postal_code: str = ""
    city: str = ""
    region: str = ""
    country: str = ""
    phone: str = ""

    @property
    def lines(self) -> list[str]:
        """The address as it is written on a package."""
        town = " ".join(filter(None, (self.postal_code, self.city)))
        return [line for line in (self.name, self.line1, self.line2, town, self.region, self.country) if line]


@dataclass(frozen=True, kw_only=True)
class Wording:
    """The words on paper, in the reader's language."""

    sender: str = "From"
    recipient: str = "To"
    packages: str = "Packages"
    weight: str = "Weight"
    order: str = "Order"
    packing_slip: str = "Packing slip"
    article: str = "Article"
    sku: str = "SKU"
    units: str = "Units"
    returns: str = "Something not right? Bring it back with this slip to any of our stores."


def label_pdf(
    session: Session, fo_id: str, *, recipient: Recipient | None = None, wording: Wording | None = None
) -> bytes:
    """Render the label of a shipped order; a transfer needs no recipient, it goes to a node.

    Raises UnknownFulfillmentOrder, NothingShipped.
    """
    fo, shipment, words = _order(session, fo_id), shipment_of(session, fo_id), wording or Wording()
    if shipment is None:
        raise NothingShipped(fo.number)
    paper = _paper(LABEL_MM)
    _address(paper, words.sender, _node_address(session, fo.node).lines, size=8)
    _address(paper, words.recipient, _recipient(session, fo, recipient).lines, size=13)
    _line(paper, _carrier(session, shipment), size=15, style="B")
    _line(paper, f"{words.packages}: {shipment.packages}   {words.weight}: {shipment.weight_g / 1000:.2f} kg", size=9)
    _line(paper, f"{words.order} {fo.reference}   {fo.number}", size=9)
    _code128(paper, shipment.tracking_number)
    return bytes(paper.output())


def slip_pdf(
    session: Session, fo_id: str, *, recipient: Recipient | None = None, wording: Wording | None = None
) -> bytes:
    """Render the packing slip of an order: what is in the package, without prices. Raises UnknownFulfillmentOrder."""
    fo, words = _order(session, fo_id), wording or Wording()
    paper = _paper(SLIP_MM)
    _line(paper, f"{words.packing_slip} {fo.number}", size=16, style="B")
    _line(paper, f"{words.order} {fo.reference}", size=10)
    if recipient is not None:
        _address(paper, words.recipient, recipient.lines, size=10)
    _contents(paper, words, walking.stops(session, [fo.id]))
    _line(paper, words.returns, size=9)
    _qr(paper, fo.number)
    return bytes(paper.output())


def _order(session: Session, fo_id: str) -> FulfillmentOrder:
    fo = session.get(FulfillmentOrder, fo_id)
    if fo is None:
        raise UnknownFulfillmentOrder([fo_id])
    return fo


def _recipient(session: Session, fo: FulfillmentOrder, recipient: Recipient | None) -> Recipient:
    if recipient is not None:
        return recipient
    assert fo.destination_node is not None, f"fulfillment order {fo.number} goes to a person: hand in who it is"
    return _node_address(session, fo.destination_node)


def _node_address(session: Session, node: str) -> Recipient:
    profile, name = session.get(NodeProfile, node), session.get_one(Node, node).name
    if profile is None:
        return Recipient(name=name)
    return Recipient(
        name=name, line1=profile.line1, postal_code=profile.postal_code, city=profile.city, country=profile.country
    )


def _carrier(session: Session, shipment: Shipment) -> str:
    names = select(CarrierService.carrier_name, CarrierService.service).where(
        CarrierService.id == shipment.carrier_service
    )
    row = session.execute(names).one_or_none()
    return f"{row.carrier_name} {row.service}" if row else shipment.carrier_service


def _paper(size: tuple[float, float]) -> FPDF:
    paper = FPDF(unit="mm", format=size)
    paper.set_margin(MARGIN_MM)
    paper.set_auto_page_break(auto=True, margin=MARGIN_MM)
    paper.add_page()
    return paper


def _line(paper: FPDF, text: str, *, size: int, style: str = "") -> None:
    paper.set_font(FONT, style=style, size=size)
    paper.multi_cell(0, size * 0.45, _printable(text), new_x="LMARGIN", new_y="NEXT")
    paper.ln(1)


def _address(paper: FPDF, heading: str, lines: Sequence[str], *, size: int) -> None:
    _line(paper, heading, size=7)
    for line in lines:
        _line(paper, line, size=size)
    paper.ln(3)


def _contents(paper: FPDF, words: Wording, stops: Sequence[Stop]) -> None:
    paper.set_font(FONT, size=10)
    with paper.table(col_widths=(6, 3, 1), text_align=("LEFT", "LEFT", "RIGHT"), line_height=6) as table:
        table.row([_printable(word) for word in (words.article, words.sku, words.units)])
        for stop in sorted(stops, key=lambda stop: stop.sku):
            name = " ".join(filter(None, (stop.name, stop.colour, stop.size)))
            table.row([_printable(name), stop.sku, str(stop.units)])
    paper.ln(4)


def _code128(paper: FPDF, text: str) -> None:
    """Draw the barcode as bars, which print sharply at any resolution, with the text below."""
    image = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128).to_image(scale=1, add_quiet_zones=False)
    modules: list[int] = np.asarray(image)[0].tolist()
    width = paper.epw / (len(modules) + 2 * QUIET_MODULES)
    left, top = paper.l_margin + QUIET_MODULES * width, paper.get_y() + 3
    paper.set_fill_color(0)
    for shade, bar in groupby(modules):
        bar_width = len(list(bar)) * width
        if shade == 0:
            paper.rect(left, top, bar_width, BAR_MM, style="F")
        left += bar_width
    paper.set_y(top + BAR_MM + 1)
    paper.set_font("courier", style="B", size=12)
    paper.cell(0, 6, text, align="C", new_x="LMARGIN", new_y="NEXT")


def _qr(paper: FPDF, text: str) -> None:
    module_mm = 0.7
    left, top = paper.l_margin, paper.get_y() + 3
    paper.set_fill_color(0)
    matrix = segno.make_qr(text).matrix
    for row, modules in enumerate(matrix):
        for column, dark in enumerate(modules):
            if dark:
                paper.rect(left + column * module_mm, top + row * module_mm, module_mm, module_mm, style="F")
    paper.set_y(top + len(matrix) * module_mm)


def _printable(text: str) -> str:
    """Fold what the built-in fonts lack to its base letter: they know the western European alphabet (Latin-1)."""
    return "".join(letter if _in_font(letter) else _folded(letter) for letter in text)


def _folded(letter: str) -> str:
    base = "".join(part for part in unicodedata.normalize("NFKD", letter) if _in_font(part))
    return base or "?"


def _in_font(letter: str) -> bool:
    return letter.encode("latin-1", errors="ignore") != b""
