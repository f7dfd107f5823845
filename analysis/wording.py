"""The words of a suggestion: plain English, each number with its unit and its window."""

from __future__ import annotations

import math

# ISO 4217 currencies without a minor unit.
_WHOLE_CURRENCIES = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV")
) | {"XAF", "XOF", "XPF"}


def money(amount: float, currency: str | None) -> str:
    """'BRL 1,412.00'; without a currency the bare number."""
    if currency is None:
        return f"{amount:,.2f}"
    return f"{currency} {amount:,.{0 if currency in _WHOLE_CURRENCIES else 2}f}"


def purchases(count: float) -> str:
    """'no purchases', '1 purchase', '12 purchases'; fractions keep one digit."""
    if count == 0:
        return "no purchases"
    if count == 1:
        return "1 purchase"
    return f"{count:,.0f} purchases" if float(count).is_integer() else f"{count:,.1f} purchases"


def days(count: int) -> str:
    """'1 day', '14 days'."""
    return "1 day" if count == 1 else f"{count} days"


def percent(probability: float) -> str:
    """'97 %'; rounded down, and never a full 100 %."""
    if probability > 0.999:
        return "over 99.9 %"
    # The small term keeps 0.29 · 100 = 28.999… from reading as 28.
    return f"{math.floor(probability * 100 + 1e-9)} %"


def record(spend: float, bought: float, window_days: int, currency: str | None) -> str:
    """What happened, as it stands in the account: 'Spent BRL 412.00 on 1 purchase in 14 days'."""
    return f"Spent {money(spend, currency)} on {purchases(bought)} in {days(window_days)}"


def yardstick(cost: float, relative: bool, currency: str | None) -> str:
    """What it is compared with."""
    if relative:
        return f"compared with the account's own average of {money(cost, currency)} per purchase"
    return f"break-even is {money(cost, currency)} per purchase"


def weighted(purchases_count: float, spends: float, history_days: int, relative: bool) -> str:
    """The discounted record that the chance rests on, where older days count less."""
    against = "the average" if relative else "break-even"
    lead = f"Over {days(history_days)}, recent days counting more," if history_days > 1 else "On this day"
    if purchases_count == 0:
        return f"{lead} it spent {spends:.1f} × {against} without a purchase."
    return f"{lead} a purchase cost {spends / purchases_count:.2f} × {against}."


def more_purchases(count: int) -> str:
    """What would undo a PAUSE or BUDGET_DOWN."""
    noun = "purchase" if count == 1 else "purchases"
    return f"{count} more {noun} at this spend would change the verdict."


def more_spend(amount: float, currency: str | None) -> str:
    """What would undo a BUDGET_UP."""
    return f"Another {money(amount, currency)} without a purchase would change the verdict."


def budget_change(current: float, suggested: float, currency: str | None) -> str:
    """'Change the budget from BRL 100.00 to BRL 80.00 (−20 %).'"""
    change = round((suggested / current - 1.0) * 100)
    sign = "+" if change > 0 else "−"
    before, after = money(current, currency), money(suggested, currency)
    return f"Change the budget from {before} to {after} ({sign}{abs(change)} %)."
