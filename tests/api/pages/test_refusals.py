"""Refusals from below, said to people in their language."""

from collections.abc import Iterator

import pytest

from api.pages import refusals
from fulfillment.work import errors as work_errors
from fulfillment.work.errors import ClaimedByOther, NotPossibleNow, WrongCode
from fulfillment.work.models import Status
from kernel.errors import DomainError
from kernel.money import Money
from oms.errors import PaymentDue


@pytest.fixture
def spanish(app):
    with app.test_request_context(headers={"Accept-Language": "es"}):
        yield


def kinds(of: type[DomainError]) -> Iterator[type[DomainError]]:
    for kind in of.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_every_refusal_of_the_work_has_a_sentence_that_can_be_translated():
    codes = {kind.code for kind in kinds(DomainError) if kind.__module__ == work_errors.__name__}
    assert codes
    assert codes - refusals.SENTENCES.keys() == set()


def test_every_status_says_what_to_do_instead():
    assert refusals.INSTEAD.keys() == {str(status) for status in Status}


def test_english_readers_get_the_original(app):
    with app.test_request_context(headers={"Accept-Language": "en"}):
        error = NotPossibleNow("F1", "packed")
        assert refusals.said(error)[0] == error.message


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ClaimedByOther("P1", "ana"), "ana está preparando esta lista. Asúmela para seguir con ella."),
        (WrongCode("F1", 3), "El código no es correcto; quedan 3 intentos."),
        (NotPossibleNow("F1", "shipped"), "El pedido F1 está enviado: ha salido: lo que vuelva será una devolución."),
        (PaymentDue("N1", Money(1990, "EUR")), "Primero hay que cobrar 19,90 €. Cóbralo e indica cómo se pagó."),
    ],
)
def test_spanish_readers_get_theirs(spanish, error, sentence):
    assert refusals.said(error)[0].replace("\N{NO-BREAK SPACE}", " ") == sentence
