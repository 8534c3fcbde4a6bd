"""Paper: it can be scanned, it says what is in the package, and it can be printed again."""

import pytest
import zxingcpp
from PIL import Image, ImageDraw

from fulfillment.work import documents
from fulfillment.work.documents import Recipient, Wording
from fulfillment.work.errors import NothingShipped, UnknownFulfillmentOrder
from fulfillment.work.models import Status
from fulfillment.work.shipping import shipment_of
from tests.fulfillment.work.floor import bring, collected_by_transfer, ordered

ANA = Recipient(name="Ana Núñez Żak", line1="Calle Mayor 1, 2º", postal_code="28001", city="Madrid", country="ES")
DOTS_PER_POINT = 4


@pytest.fixture
def shipped(session):
    return bring(session, ordered(session, coat=2, boots=1), Status.SHIPPED)


def content(pdf):
    """The page's drawing commands, uncompressed."""
    import re
    import zlib

    streams = re.findall(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL)
    return b"".join(zlib.decompress(stream) for stream in streams if stream[:1] == b"\x78").decode("latin-1")


def drawn(pdf, *, height):
    """The filled rectangles of a page of that height (points), as a picture."""
    picture = Image.new("L", (500 * DOTS_PER_POINT, height * DOTS_PER_POINT), 255)
    pen = ImageDraw.Draw(picture)
    for words in (line.split() for line in content(pdf).splitlines()):
        if words[-2:] == ["re", "f"]:
            left, top, width, tall = (float(word) * DOTS_PER_POINT for word in words[:4])
            top = height * DOTS_PER_POINT - top
            pen.rectangle((left, min(top, top - tall), left + width - 1, max(top, top - tall) - 1), fill=0)
    return picture


def test_a_label_says_who_and_where_and_its_code_is_the_tracking_number(session, shipped):
    pdf = documents.label_pdf(session, shipped.id, recipient=ANA)
    assert pdf.startswith(b"%PDF-")
    for words in ("Ana N\xfa\xf1ez Zak", "Calle Mayor 1, 2\xba", "28001 Madrid", "MAD store", shipped.number):
        assert words in content(pdf)
    (code,) = zxingcpp.read_barcodes(drawn(pdf, height=425))
    assert (code.text, code.format) == (
        shipment_of(session, shipped.id).tracking_number,
        zxingcpp.BarcodeFormat.Code128,
    )


def test_a_slip_lists_what_is_in_the_package_and_its_code_is_the_orders_number(session, shipped):
    pdf = documents.slip_pdf(session, shipped.id, recipient=ANA)
    for words in ("Coat", "Boots", shipped.reference, shipped.number):
        assert words in content(pdf)
    (code,) = zxingcpp.read_barcodes(drawn(pdf, height=595))
    assert (code.text, code.format) == (shipped.number, zxingcpp.BarcodeFormat.QRCode)


def test_paper_is_written_in_the_readers_language(session, shipped):
    words = Wording(packing_slip="Albarán", article="Artículo", units="Unidades")
    page = content(documents.slip_pdf(session, shipped.id, wording=words))
    assert "Albar\xe1n" in page
    assert "Packing slip" not in page


def test_a_slip_is_printed_before_shipping_and_a_label_only_after(session):
    fo = bring(session, ordered(session, coat=1), Status.PACKED)
    assert documents.slip_pdf(session, fo.id).startswith(b"%PDF-")
    with pytest.raises(NothingShipped, match="ship it"):
        documents.label_pdf(session, fo.id, recipient=ANA)


def test_a_label_is_printed_again(session, shipped):
    first, second = (documents.label_pdf(session, shipped.id, recipient=ANA) for _ in range(2))
    assert content(first) == content(second)


def test_a_transfer_goes_to_a_node(session):
    _, leg = collected_by_transfer(session, coat=1)
    page = content(documents.label_pdf(session, bring(session, leg, Status.SHIPPED).id))
    assert "MAD store" in page


def test_an_unknown_order_has_no_paper(session):
    with pytest.raises(UnknownFulfillmentOrder):
        documents.slip_pdf(session, "none")
