"""Personal data is encrypted under a key of its person, found by keyed digests, and gone once erased."""

from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

from kernel.db import connect
from kernel.vault import Clue, Subject, SubjectDigest, SubjectErased, SubjectRecord, Vault

CONTACT = {"name": "Ana Carvalho Quintela", "email": "ana.quintela@example.org"}


@pytest.fixture
def vault():
    return Vault(b"k" * 32)


@pytest.fixture
def session(database):
    with database.write() as opened:
        yield opened


def test_a_record_comes_back_as_it_was_stored(session, vault):
    ana = vault.open_subject(session)
    vault.store(session, ana, "contact", CONTACT)
    assert vault.read(session, ana, "contact") == CONTACT
    assert vault.read(session, ana, "ship_to:1") is None


def test_a_person_is_opened_with_all_that_is_known_of_them(session, vault):
    records = {"contact": CONTACT, "ship_to:1": {"line1": "Rua Nova 1"}}
    ana = vault.open_subject(session, records=records, clues=[Clue("name", "Ana only")])
    assert vault.read(session, ana, "ship_to:1") == {"line1": "Rua Nova 1"}
    assert vault.find(session, "name", "ana only") == [ana]


def test_storing_again_overwrites(session, vault):
    ana = vault.open_subject(session)
    vault.store(session, ana, "contact", CONTACT)
    vault.store(session, ana, "contact", {"name": "Ana"})
    assert vault.read(session, ana, "contact") == {"name": "Ana"}


def test_nothing_readable_is_stored(session, vault):
    ana = vault.open_subject(session)
    vault.store(session, ana, "contact", CONTACT)
    session.flush()
    ciphertext = session.get_one(SubjectRecord, (ana, "contact")).ciphertext
    assert b"Quintela" not in ciphertext


def test_a_record_is_bound_to_its_person_and_name(session, vault):
    ana, rui = vault.open_subject(session), vault.open_subject(session)
    vault.store(session, ana, "contact", CONTACT)
    vault.store(session, rui, "contact", CONTACT)
    stolen = session.get_one(SubjectRecord, (ana, "contact")).ciphertext
    session.get_one(SubjectRecord, (rui, "contact")).ciphertext = stolen
    session.flush()
    with pytest.raises(InvalidTag):
        vault.read(session, rui, "contact")


def test_another_master_key_reads_nothing(session, vault):
    ana = vault.open_subject(session)
    vault.store(session, ana, "contact", CONTACT)
    with pytest.raises(InvalidTag):
        Vault(b"x" * 32).read(session, ana, "contact")


def test_a_person_is_found_whatever_the_case_and_the_spaces(session, vault):
    ana = vault.open_subject(session)
    vault.write(session, ana, records={}, clues=[Clue("name", "Ana  Carvalho Quintela ")])
    vault.write(session, ana, records={}, clues=[Clue("name", "ana carvalho quintela")])
    assert vault.find(session, "name", "ANA CARVALHO QUINTELA") == [ana]
    assert vault.find(session, "email", "ana carvalho quintela") == []
    assert Vault(b"x" * 32).find(session, "name", "ana carvalho quintela") == []
    session.rollback()


def test_the_oldest_of_several_people_comes_first(session, vault):
    people = [vault.open_subject(session) for _ in range(3)]
    for person in reversed(people):
        vault.write(session, person, records={}, clues=[Clue("name", "Juan Mesa Ortega")])
    assert vault.find(session, "name", "Juan Mesa Ortega") == people
    session.rollback()


def test_a_sole_value_leads_to_one_person_only(session, vault):
    ana, rui = vault.open_subject(session), vault.open_subject(session)
    vault.write(session, ana, records={}, clues=[Clue("email", CONTACT["email"], sole=True)])
    vault.write(session, ana, records={}, clues=[Clue("email", CONTACT["email"], sole=True)])
    vault.write(session, rui, records={}, clues=[Clue("name", CONTACT["email"], sole=True)])
    with pytest.raises(IntegrityError):
        vault.write(session, rui, records={}, clues=[Clue("email", CONTACT["email"], sole=True)])


def test_an_erased_person_is_found_no_more_and_cannot_be_written_again(session, vault):
    ana = vault.open_subject(session)
    vault.store(session, ana, "contact", CONTACT)
    vault.write(session, ana, records={}, clues=[Clue("email", CONTACT["email"])])
    vault.erase(session, ana)
    assert vault.read(session, ana, "contact") is None
    assert vault.find(session, "email", CONTACT["email"]) == []
    with pytest.raises(SubjectErased):
        vault.store(session, ana, "contact", CONTACT)


def test_erasing_twice_keeps_the_first_instant(session, vault):
    ana = vault.open_subject(session)
    vault.erase(session, ana)
    session.flush()
    first = session.get_one(Subject, ana).erased_at
    vault.erase(session, ana)
    session.expire_all()
    assert session.get_one(Subject, ana).erased_at == first


def test_an_erased_person_leaves_no_bytes_in_the_file(sqlite_url, vault):
    database = connect(sqlite_url)
    with database.write() as session:
        ana = vault.open_subject(session)
        vault.store(session, ana, "contact", CONTACT)
        vault.write(session, ana, records={}, clues=[Clue("email", CONTACT["email"])])
        session.commit()
        key, sealed = (
            session.get_one(Subject, ana).wrapped_key,
            session.get_one(SubjectRecord, (ana, "contact")).ciphertext,
        )
        digest = session.scalars(select(SubjectDigest.digest).where(SubjectDigest.subject_id == ana)).one()
        session.commit()
        vault.erase(session, ana)
        session.commit()
    database.dispose()
    content = Path(make_url(sqlite_url).database).read_bytes()
    for trace in (key, sealed, digest, CONTACT["name"].encode(), CONTACT["email"].encode()):
        assert trace not in content
