"""Money is whole minor units inside and a decimal string outside."""

import pytest

from kernel.money import InvalidMoney, Money, parse


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("19.90", "EUR", 1990),
        ("19.9", "EUR", 1990),
        ("0", "EUR", 0),
        ("-3.05", "EUR", -305),
        ("1500", "JPY", 1500),
        ("1.234", "KWD", 1234),
        ("999999999999.99", "EUR", 99_999_999_999_999),
    ],
)
def test_a_decimal_string_becomes_minor_units(amount, currency, minor):
    assert parse(amount, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "amount", ["", "abc", "19.901", "1e2", "1_000", " 1", "1.", ".5", "NaN", "Infinity", "1,5", "٣", "1" * 16, "+1"]
)
def test_what_is_no_plain_decimal_is_refused(amount):
    with pytest.raises(InvalidMoney):
        parse(amount, "EUR")


def test_digits_beyond_the_currency_are_refused_and_never_rounded():
    with pytest.raises(InvalidMoney):
        parse("1." + "0" * 31 + "1", "EUR")
    with pytest.raises(InvalidMoney):
        parse("1.5", "JPY")


def test_an_unknown_currency_is_refused():
    with pytest.raises(InvalidMoney, match="unknown currency"):
        parse("1.00", "XXX")


@pytest.mark.parametrize(
    ("minor", "currency", "amount"), [(1990, "EUR", "19.90"), (-5, "EUR", "-0.05"), (7, "JPY", "7")]
)
def test_an_amount_is_written_with_exactly_the_digits_of_its_currency(minor, currency, amount):
    assert Money(minor, currency).amount == amount
