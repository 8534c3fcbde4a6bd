"""What a scanner reads is held against its check digit."""

import pytest

from stock.gtin import check_digit, is_gtin


@pytest.mark.parametrize("code", ["96385074", "614141999996", "4006381333931", "10614141999993"])
def test_published_examples_are_gtins(code):
    assert is_gtin(code)


@pytest.mark.parametrize("code", ["", "4006381333932", "400638133393", "400638133393x", "٤٠٠٦٣٨١٣٣٣٩٣١", "0" * 15])
def test_wrong_digits_lengths_and_characters_are_not(code):
    assert not is_gtin(code)


def test_every_body_has_one_check_digit():
    body = "843123456789"
    assert [digit for digit in range(10) if is_gtin(f"{body}{digit}")] == [check_digit(body)]
