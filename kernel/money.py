"""Money: integer minor units inside, decimal strings with a currency on the wire (ISO 4217)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

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
_CODES = """
    AED ARS AUD BGN BHD BOB BRL CAD CHF CLP CNY COP CRC CZK DKK DOP EGP EUR GBP GTQ HKD HNL
    HUF IDR ILS INR ISK JOD JPY KES KRW KWD MAD MXN MYR NGN NIO NOK NZD OMR PAB PEN PHP PLN
    PYG QAR RON RSD SAR SEK SGD THB TND TRY TWD UAH UGX USD UYU VND XAF XOF ZAR
"""
CURRENCIES = frozenset(_CODES.split())


# Plain digits only: a number with an exponent, underscores or forty decimals would be rounded before anybody sees it.
_WRITTEN = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,4})?", re.ASCII)


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
    written = _WRITTEN.fullmatch(amount)
    minor = Decimal(amount).scaleb(digits) if written else Decimal("NaN")
    if not minor.is_finite() or minor != minor.to_integral_value() or abs(minor) >= Decimal(10) ** 15:
        message = (
            f"{amount[:40]!r} is not an amount of {currency}: write a decimal with at most {digits} decimal places"
        )
        raise InvalidMoney(message)
    return Money(int(minor), currency)
