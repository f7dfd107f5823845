from __future__ import annotations

import pytest

from analysis import wording


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [(1412.0, "BRL", "BRL 1,412.00"), (1412.4, "JPY", "JPY 1,412"), (0.5, None, "0.50")],
)
def test_money(amount: float, currency: str | None, text: str) -> None:
    assert wording.money(amount, currency) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0.0, "no purchases"), (1.0, "1 purchase"), (1200.0, "1,200 purchases"), (2.5, "2.5 purchases")],
)
def test_purchases(count: float, text: str) -> None:
    assert wording.purchases(count) == text


@pytest.mark.parametrize(
    ("probability", "text"),
    [(0.97, "97 %"), (0.9799, "97 %"), (0.29, "29 %"), (0.99999, "over 99.9 %"), (1.0, "over 99.9 %")],
)
def test_a_chance_is_never_rounded_up(probability: float, text: str) -> None:
    assert wording.percent(probability) == text


def test_budget_change() -> None:
    assert wording.budget_change(100.0, 120.0, "BRL") == (
        "Change the budget from BRL 100.00 to BRL 120.00 (+20 %)."
    )
    assert "(−20 %)" in wording.budget_change(100.0, 80.0, "BRL")
