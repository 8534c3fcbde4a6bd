"""Identifiers are ordered by the time they were made; codes for people hold no look-alikes."""

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
