"""Identifiers are ordered by the time they were made; codes for people hold no look-alikes."""

from datetime import UTC, datetime, timedelta

import pytest

from kernel import ids
from kernel.ids import READABLE, digits, new_id, short_code


def test_ids_are_unique_and_in_order():
    made = [new_id() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert made == sorted(made)


def test_codes_have_the_length_and_letters_asked_for():
    assert len(digits()) == 6
    assert digits(4).isdecimal()
    assert set(short_code(200)) <= set(READABLE)
    assert not set("ILOU01") & set(READABLE)


def test_an_id_tells_when_it_was_made_and_sorts_after_the_least_of_its_instant():
    before = datetime.now(UTC) - timedelta(milliseconds=2)
    made = ids.new_id()
    after = datetime.now(UTC) + timedelta(milliseconds=2)
    assert before <= ids.made_at(made) <= after
    assert ids.least_id(before) < made < ids.least_id(after)


def test_what_is_no_id_was_never_made():
    with pytest.raises(ValueError, match="invalid literal"):
        ids.made_at("an order")
