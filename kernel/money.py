"""Money: integer minor units inside, decimal strings with a currency on the wire (ISO 4217)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

DECIMAL = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,6})?")
# Digits after the point, for currencies that do not have two (ISO 4217, 2024).
EXPONENTS = {
    "BHD": 3,
    "CLP": 0,
    "ISK": 0,
    "JOD": 3,
    "JPY": 0,
    "KRW": 0,
    "KWD": 3,
    "OMR": 3,
    "PYG": 0,
    "TND": 3,
    "UGX": 0,
    "VND": 0,
    "XAF": 0,
    "XOF": 0,
}
# fmt: off
CURRENCIES = frozenset({
    "AED", "ARS", "AUD", "BGN", "BHD", "BOB", "BRL", "CAD", "CHF", "CLP", "CNY", "COP", "CRC", "CZK", "DKK", "DOP",
    "EGP", "EUR", "GBP", "GTQ", "HKD", "HNL", "HUF", "IDR", "ILS", "INR", "ISK", "JOD", "JPY", "KES", "KRW", "KWD",
    "MAD", "MXN", "MYR", "NGN", "NIO", "NOK", "NZD", "OMR", "PAB", "PEN", "PHP", "PLN", "PYG", "QAR", "RON", "RSD",
    "SAR", "SEK", "SGD", "THB", "TND", "TRY", "TWD", "UAH", "UGX", "USD", "UYU", "VND", "XAF", "XOF", "ZAR",
})
# fmt: on


class InvalidMoney(ValueError):
    """An amount that is not a decimal of this currency."""


@dataclass(frozen=True, order=True)
class Money:
    """An amount in minor units of one currency."""

    minor: int
    currency: str

    @property
    def amount(self) -> str:
        """The decimal string with exactly the currency's digits, as in "19.90"."""
        digits = exponent(self.currency)
        return f"{Decimal(self.minor).scaleb(-digits):.{digits}f}"


def exponent(currency: str) -> int:
    """Return the digits after the point in `currency`."""
    return EXPONENTS.get(currency, 2)


def parse(amount: str, currency: str) -> Money:
    """Read a decimal string; raise InvalidMoney when it is no amount of `currency`."""
    if currency not in CURRENCIES:
        message = f"unknown currency {currency!r}: use an ISO 4217 code such as EUR"
        raise InvalidMoney(message)
    digits = exponent(currency)
    if not DECIMAL.fullmatch(amount):
        message = f"{amount!r} is not an amount: write a decimal such as 19.90"
        raise InvalidMoney(message)
    minor = Decimal(amount).scaleb(digits)
    if minor != minor.to_integral_value():
        message = f"{amount!r} is not an amount of {currency}: it has at most {digits} digits after the point"
        raise InvalidMoney(message)
    return Money(int(minor), currency)
