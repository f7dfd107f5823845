"""Small accounts to judge."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from analysis import AccountSeries

MakeSeries = Callable[..., AccountSeries]

FIRST_DAY = date(2026, 3, 1)


def _make_series(spend: Any, purchases: Any, **fields: Any) -> AccountSeries:
    """A series from (days × campaigns) spend and purchases; the other fields follow, unless given."""
    spend, purchases = np.asarray(spend, dtype=float), np.asarray(purchases, dtype=float)
    days, campaigns = spend.shape
    values: dict[str, Any] = {
        "impressions": spend * 100,
        "clicks": spend * 2,
        "spend": spend,
        "reach": spend * 80,
        "purchases": purchases,
        "revenue": np.where(np.isnan(spend), np.nan, purchases * 150.0),
        "budget": np.full(spend.shape, 100.0),
        "dates": [FIRST_DAY + timedelta(days=day) for day in range(days)],
        "campaign_ids": [f"c{column}" for column in range(campaigns)],
        "currency": "BRL",
    }
    return AccountSeries(**(values | fields))


@pytest.fixture(scope="session")
def make_series() -> MakeSeries:
    """Builds a series from spend and purchases; any field can be given by name."""
    return _make_series
