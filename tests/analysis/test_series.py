from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from analysis import AccountSeries, AnalysisError, evaluate
from analysis.errors import (
    CampaignIdError,
    CurrencyError,
    DatesError,
    FieldError,
    NegativeValueError,
    NotFiniteError,
    PartialRowError,
    ShapeError,
)

MakeSeries = Callable[..., AccountSeries]
AMOUNTS = ["impressions", "clicks", "spend", "reach", "purchases", "revenue", "budget"]


def _with(value: float) -> Any:
    array = np.ones((3, 2))
    array[1, 0] = value
    return array


def _refused(make_series: MakeSeries, **fields: Any) -> FieldError:
    values = {field: np.ones((3, 2)) for field in AMOUNTS} | fields
    with pytest.raises(AnalysisError) as caught:
        make_series(**values)
    assert isinstance(caught.value, FieldError)
    return caught.value


@pytest.mark.parametrize("field", AMOUNTS)
@pytest.mark.parametrize(
    ("value", "error"),
    [
        (float("inf"), NotFiniteError),
        (float("-inf"), NotFiniteError),
        (1e300, NotFiniteError),
        (-0.01, NegativeValueError),
    ],
)
def test_wrong_amounts_name_field_and_position(
    make_series: MakeSeries, field: str, value: float, error: type[FieldError]
) -> None:
    refused = _refused(make_series, **{field: _with(value)})
    assert type(refused) is error
    assert (refused.field, refused.position) == (field, (1, 0))
    assert f"{field}[1, 0]" in str(refused)


@pytest.mark.parametrize("field", [name for name in AMOUNTS if name != "budget"])
def test_a_nan_beside_known_values_is_refused(make_series: MakeSeries, field: str) -> None:
    refused = _refused(make_series, **{field: _with(float("nan"))})
    assert type(refused) is PartialRowError
    assert (refused.field, refused.position) == (field, (1, 0))


def test_a_missing_row_is_no_delivery(make_series: MakeSeries) -> None:
    spend, purchases = _with(float("nan")), _with(float("nan"))
    series = make_series(spend, purchases)
    assert series.delivery("spend").tolist() == [[1, 1], [0, 1], [1, 1]]
    assert series.reported.tolist() == [[True, True], [False, True], [True, True]]
    filled = make_series(_with(0.0), _with(0.0))
    assert evaluate(series).campaigns == evaluate(filled).campaigns


def test_an_unknown_budget_is_kept_as_unknown(make_series: MakeSeries) -> None:
    series = make_series(np.ones((3, 2)), np.ones((3, 2)), budget=_with(float("nan")))
    assert np.isnan(series.array("budget")[1, 0])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"clicks": np.ones((2, 2))}, "clicks"),
        ({"clicks": np.ones(3)}, "clicks"),
        ({"clicks": 1.0}, "clicks"),
        ({"clicks": [[1, 2], [3]]}, "clicks"),
        ({"clicks": [["a", "b"]] * 3}, "clicks"),
        ({"break_even_cpa": [80.0]}, "break_even_cpa"),
        ({"creative_start": [0]}, "creative_start"),
        ({"creative_start": [0, 3]}, "creative_start"),
        ({"creative_start": [0, 0.5]}, "creative_start"),
        ({"arrivals": np.ones((3, 2))}, "arrivals"),
        ({"arrivals": np.ones((3, 8, 3))}, "arrivals"),
    ],
)
def test_wrong_shapes_name_the_field(make_series: MakeSeries, fields: dict[str, Any], field: str) -> None:
    refused = _refused(make_series, **fields)
    assert type(refused) is ShapeError
    assert refused.field == field


@pytest.mark.parametrize("target", [0.0, -80.0, 1e-300])
def test_a_target_is_positive(make_series: MakeSeries, target: float) -> None:
    refused = _refused(make_series, break_even_cpa=[80.0, target])
    assert type(refused) is NegativeValueError
    assert (refused.field, refused.position) == ("break_even_cpa", (1,))


def test_an_infinite_target_is_refused(make_series: MakeSeries) -> None:
    assert type(_refused(make_series, break_even_cpa=[80.0, float("inf")])) is NotFiniteError


@pytest.mark.parametrize(("value", "error"), [(-1.0, NegativeValueError), (float("inf"), NotFiniteError)])
def test_arrivals_are_counts(make_series: MakeSeries, value: float, error: type[FieldError]) -> None:
    arrivals = np.full((3, 4, 2), np.nan)
    arrivals[2, 1, 0] = value
    refused = _refused(make_series, arrivals=arrivals)
    assert type(refused) is error
    assert (refused.field, refused.position) == ("arrivals", (2, 1, 0))


def test_targets_may_be_missing_for_some_or_all(make_series: MakeSeries) -> None:
    ones = np.ones((3, 2))
    assert np.isnan(make_series(ones, ones).targets).all()
    assert make_series(ones, ones, break_even_cpa=[None, 80]).targets[1] == 80.0


@pytest.mark.parametrize(
    ("dates", "position"),
    [
        ([date(2026, 3, 1), date(2026, 3, 3), date(2026, 3, 2)], (2,)),
        ([date(2026, 3, 1), date(2026, 3, 1), date(2026, 3, 2)], (1,)),
        ([date(2026, 3, 1), None, date(2026, 3, 2)], (1,)),
        ([datetime(2026, 3, 1, tzinfo=UTC), date(2026, 3, 2), date(2026, 3, 3)], (0,)),
        (np.array(["2026-03-01", "NaT", "2026-03-03"], dtype="datetime64[D]"), (1,)),
        ([], ()),
    ],
)
def test_dates_are_days_in_order(make_series: MakeSeries, dates: Any, position: tuple[int, ...]) -> None:
    refused = _refused(make_series, dates=dates)
    assert type(refused) is DatesError
    assert refused.position == position


def test_ages_are_calendar_days(make_series: MakeSeries) -> None:
    dates = np.array(["2026-02-26", "2026-03-01", "2026-03-02"], dtype="datetime64[D]")
    series = make_series(np.ones((3, 1)), np.ones((3, 1)), dates=dates)
    assert series.ages.tolist() == [4, 1, 0]
    assert series.days[0] == date(2026, 2, 26)


@pytest.mark.parametrize("ids", [["a", "a"], [1, 1], ["a", ""], ["a", None], ["a", True], ["a", 1.5]])
def test_ids_are_text_or_numbers_each_once(make_series: MakeSeries, ids: list[Any]) -> None:
    refused = _refused(make_series, campaign_ids=ids)
    assert type(refused) is CampaignIdError
    assert refused.position == (1,)


@pytest.mark.parametrize("currency", ["R$", "brl", "", "REAIS", 986])
def test_currency_is_a_code(make_series: MakeSeries, currency: Any) -> None:
    assert type(_refused(make_series, currency=currency)) is CurrencyError


def test_the_caller_keeps_no_hand_on_the_arrays(make_series: MakeSeries) -> None:
    spend = np.ones((3, 2))
    series = make_series(spend, np.ones((3, 2)), impressions=spend)
    spend[0, 0] = float("nan")
    assert series.array("impressions")[0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        series.array("spend")[0, 0] = 2.0


def test_a_series_survives_pickling(make_series: MakeSeries) -> None:
    series = make_series(np.ones((3, 2)), np.ones((3, 2)), break_even_cpa=[80.0, None])
    assert evaluate(pickle.loads(pickle.dumps(series))) == evaluate(series)  # noqa: S301
