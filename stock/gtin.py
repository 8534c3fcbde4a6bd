"""Global Trade Item Numbers: what a scanner reads off an article (GS1 General Specifications, section 7.9)."""

from __future__ import annotations

LENGTHS = frozenset({8, 12, 13, 14})


def is_gtin(code: str) -> bool:
    """Tell whether `code` is a GTIN-8, -12, -13 or -14 with the right check digit."""
    return code.isascii() and code.isdigit() and len(code) in LENGTHS and check_digit(code[:-1]) == int(code[-1])


def check_digit(body: str) -> int:
    """Return the digit that follows `body`: weights 3 and 1 from the right, up to the next multiple of ten."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return -total % 10
