"""Numbers as people read them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from reports import amounts


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("1234567.895", "BRL", "BRL 1,234,567.90"),
        ("0", "USD", "USD 0.00"),
        ("0.005", "USD", "USD 0.01"),
        ("1412.5", "JPY", "JPY 1,413"),
        ("999999999999.99", "EUR", "EUR 999,999,999,999.99"),
        ("1E+3", "EUR", "EUR 1,000.00"),
    ],
)
def test_money(amount: str, currency: str, shown: str) -> None:
    assert amounts.money(Decimal(amount), currency) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [("12.34", "+12.3 %"), ("-4", "−4.0 %"), ("0.04", "±0.0 %"), ("-0.04", "±0.0 %"), ("1234", "+1,234.0 %")],
)
def test_a_change(value: str, shown: str) -> None:
    assert amounts.signed_percent(Decimal(value)) == shown


def test_what_is_not_defined() -> None:
    assert [amounts.money(None, "EUR"), amounts.ratio(None), amounts.percent(None), amounts.score(None)] == [
        "–"
    ] * 4


def test_other_numbers() -> None:
    assert amounts.count(1412) == "1,412"
    assert amounts.ratio(Decimal("2.305")) == "2.31"
    assert amounts.percent(Decimal("1.866")) == "1.87 %"
    assert amounts.score(71.6) == "72"
    assert amounts.score(100.0) == "100"
    assert amounts.score(1e-07) == "0"
