"""One person is one customer, whose name stands in the vault alone and can be taken back."""

import pytest
from sqlalchemy.exc import IntegrityError

from kernel.vault import Clue, SubjectErased
from oms import customers
from oms.commands import CustomerDetails
from oms.errors import UnknownCustomer
from oms.models import Customer
from tests.factories import NOW, VAULT, customer, news, ship_to


def admit(session, channel="web", **fields):
    return customers.admit(session, VAULT, customer(**fields), channel=channel)


def test_the_same_mail_is_the_same_person_in_every_channel(session):
    first = admit(session)
    assert admit(session, "app", email=" ANA@example.org ", name="Ana C.") == first
    assert customers.contact(session, VAULT, first)["name"] == "Ana C."


def test_what_an_order_does_not_say_is_kept(session):
    first = admit(session)
    admit(session, phone=None, name=None)
    assert customers.contact(session, VAULT, first)["phone"] == "+34 600 111 222"


def test_the_channels_own_id_leads_to_the_person_in_that_channel_only(session):
    first = admit(session, external_id="77", email=None)
    assert admit(session, external_id="77", email=None, name="Other name") == first
    assert admit(session, "app", external_id="77", email=None) != first


def test_a_name_alone_does_not_make_two_people_one(session):
    first, second = (admit(session, email=None, phone=None) for _ in range(2))
    assert first != second
    assert customers.find(session, VAULT, name="ana carvalho") == [first, second]


def test_a_phone_is_found_with_and_without_its_country(session):
    ana = admit(session)
    for written in ("600111222", "0034 600 111 222", "+34600111222"):
        assert customers.find(session, VAULT, phone=written) == [ana]
    assert customers.find(session, VAULT, phone="600111222", name="Somebody else") == []
    assert customers.find(session, VAULT) == []


def test_an_unknown_id_is_refused(session):
    with pytest.raises(UnknownCustomer):
        customers.admit(session, VAULT, CustomerDetails(id="nobody"), channel="web")


def test_whoever_gives_their_id_may_bring_a_mail_that_another_has(session):
    ana, rui = admit(session), admit(session, email="rui@example.org")
    assert admit(session, id=rui, email="ana@example.org") == rui
    assert admit(session) == ana


def test_a_channels_id_told_afterwards_leads_to_the_person_too(session):
    ana = admit(session)
    admit(session, external_id="77")
    assert admit(session, external_id="77", email=None, name=None) == ana


def test_whoever_gives_their_id_may_bring_a_channels_id_that_another_has(session):
    ana, rui = admit(session, external_id="77"), admit(session, email="rui@example.org")
    assert admit(session, id=rui, external_id="77", email="rui@example.org") == rui
    assert admit(session, external_id="77") == ana


def test_a_language_follows_what_was_said_last(session):
    ana = admit(session)
    admit(session, language="pt-PT")
    assert session.get(Customer, ana).language == "pt-PT"


def test_two_who_bring_the_same_new_mail_at_once_cannot_both_make_a_person(database):
    with database.write() as session:
        session.info.clear()
        admit(session, email="both@example.org")
        with pytest.raises(IntegrityError):
            VAULT.open_subject(session, clues=[Clue("email", "both@example.org", sole=True)])


def test_a_person_without_open_orders_is_erased_at_once(session):
    ana = admit(session)
    customers.keep_address(session, VAULT, ana, "order-1", ship_to())
    assert customers.erase(session, ana, now=NOW)
    assert customers.contact(session, VAULT, ana) is None
    assert customers.find(session, VAULT, email="ana@example.org") == []
    assert news(session, ana) == ["customer.erased"]


def test_erasing_twice_is_told_once(session):
    ana = admit(session)
    assert customers.erase(session, ana, now=NOW)
    assert customers.erase(session, ana, now=NOW)
    assert news(session, ana) == ["customer.erased"]


def test_an_erased_person_who_comes_back_is_somebody_new(session):
    ana = admit(session)
    customers.erase(session, ana, now=NOW)
    assert admit(session) != ana
    with pytest.raises(SubjectErased):
        customers.admit(session, VAULT, customer(id=ana), channel="web")
