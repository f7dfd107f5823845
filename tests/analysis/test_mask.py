from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from analysis import AccountSeries, evaluate
from analysis.errors import KnownAnomalyError

MakeSeries = Callable[..., AccountSeries]


def _outage(make_series: MakeSeries) -> AccountSeries:
    """A campaign at break-even whose purchases went unrecorded for ten days, until three days ago."""
    purchases = np.ones((30, 1))
    purchases[17:27] = 0.0
    return make_series(np.full((30, 1), 80.0), purchases, break_even_cpa=[80.0])


def _known(series: AccountSeries, rows: range, name: str = "conversion_drop") -> dict[Any, Any]:
    return {series.days[row]: {"c0": (name,)} for row in rows}


def test_days_of_a_conversion_drop_are_left_out(make_series: MakeSeries) -> None:
    series = _outage(make_series)
    blind = evaluate(series).campaigns[0]
    seeing = evaluate(series, known_anomalies=_known(series, range(17, 27))).campaigns[0]
    assert blind.score < 40.0
    assert seeing.score == pytest.approx(50.0, abs=0.01)
    assert seeing.suggestions[0].evidence["days_left_out"] == 10
    assert "Left out for a conversion alarm: 10 days." in seeing.suggestions[0].reason


def test_other_anomalies_stay_in(make_series: MakeSeries) -> None:
    series = _outage(make_series)
    known = _known(series, range(17, 27), "spend_spike")
    assert evaluate(series, known_anomalies=known) == evaluate(series)


@pytest.mark.parametrize(("row", "suggested"), [(29, False), (28, False), (27, True)])
def test_an_open_alarm_withholds_suggestions(make_series: MakeSeries, row: int, suggested: bool) -> None:
    series = make_series(np.full((30, 1), 80.0), np.zeros((30, 1)), break_even_cpa=[80.0])
    verdict = evaluate(series, known_anomalies=_known(series, range(row, row + 1))).campaigns[0]
    assert bool(verdict.suggestions) is suggested


def test_days_and_campaigns_outside_the_series_are_passed_over(make_series: MakeSeries) -> None:
    series = _outage(make_series)
    known = {
        series.days[0] - timedelta(days=1): {"c0": ("conversion_drop",)},
        series.days[1]: {"gone": ("conversion_drop",)},
    }
    assert evaluate(series, known_anomalies=known) == evaluate(series)


def test_an_unknown_name_is_refused(make_series: MakeSeries) -> None:
    series = _outage(make_series)
    with pytest.raises(KnownAnomalyError, match=r"conversions_drop.*use one of.*conversion_drop"):
        evaluate(series, known_anomalies=_known(series, range(1), "conversions_drop"))
