"""Numbers as people read them: thousands separators, currency code, sign of a change."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

# ISO 4217 currencies without a minor unit.
_WHOLE = frozenset(
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split()  # noqa: SIM905
)
# What stands where a number is not defined, such as the cost of no purchase.
NONE = "–"


def places(currency: str) -> int:
    """Decimals shown in a currency (ISO 4217)."""
    return 0 if currency in _WHOLE else 2


def rounded(value: Decimal, decimals: int) -> Decimal:
    """Rounded as people do it: a half goes away from zero."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def money(amount: Decimal | None, currency: str) -> str:
    """'BRL 1,412.00', 'JPY 1,412'."""
    if amount is None:
        return NONE
    return f"{currency} {rounded(amount, places(currency)):,f}"


def count(number: int) -> str:
    """'1,412'."""
    return f"{number:,}"


def ratio(value: Decimal | None) -> str:
    """'2.31'."""
    return NONE if value is None else f"{rounded(value, 2):,f}"


def percent(value: Decimal | None) -> str:
    """'1.87 %'."""
    return NONE if value is None else f"{rounded(value, 2):,f} %"


def signed_percent(value: Decimal) -> str:
    """'+12.3 %', '−4.0 %', '±0.0 %'."""
    number = rounded(value, 1)
    sign = "±" if not number else "+" if number > 0 else "−"
    return f"{sign}{abs(number):,f} %"


def score(value: float | None) -> str:
    """'73', of 100."""
    return NONE if value is None else f"{rounded(Decimal(repr(value)), 0):f}"
