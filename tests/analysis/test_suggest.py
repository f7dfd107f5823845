from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from analysis import AccountSeries, Suggestion, evaluate

MakeSeries = Callable[..., AccountSeries]


def _only(series: AccountSeries) -> Suggestion | None:
    suggestions = evaluate(series).campaigns[0].suggestions
    assert len(suggestions) <= 1
    return suggestions[0] if suggestions else None


def _steady(make_series: MakeSeries, spend: float, purchases: float, days: int = 28, **fields: Any) -> Any:
    fields.setdefault("break_even_cpa", [80.0])
    return make_series(np.full((days, 1), spend), np.full((days, 1), purchases), **fields)


def test_a_campaign_that_never_sells_is_paused(make_series: MakeSeries) -> None:
    suggestion = _only(_steady(make_series, 40.0, 0.0))
    assert suggestion is not None
    assert suggestion.type == "PAUSE"
    assert "Spent BRL 560.00 on no purchases in 14 days; break-even is BRL 80.00 per purchase." in (
        suggestion.reason
    )
    assert "Chance that a purchase costs more than 1.2 × break-even: over 99.9 %." in suggestion.reason


def test_dear_purchases_are_paused(make_series: MakeSeries) -> None:
    suggestion = _only(_steady(make_series, 160.0, 1.0))
    assert suggestion is not None
    assert suggestion.type == "PAUSE"


def test_below_three_break_even_spends_nothing_is_suggested(make_series: MakeSeries) -> None:
    before = evaluate(_steady(make_series, 80.0 * 2.99, 0.0, days=1)).campaigns[0]
    assert (before.suggestions, before.score_note) == ((), "little data")
    after = evaluate(_steady(make_series, 80.0 * 3.6, 0.0, days=1)).campaigns[0]
    assert (after.suggestions[0].type, after.score_note) == ("PAUSE", "")


def test_enough_spend_is_asked_for_even_where_chances_are_clear(make_series: MakeSeries) -> None:
    suggestion = _only(_steady(make_series, 80.0 * 2.9, 40.0, days=1))
    assert suggestion is None
    suggestion = _only(_steady(make_series, 80.0 * 3.1, 40.0, days=1))
    assert suggestion is not None
    assert suggestion.type == "BUDGET_UP"


def test_a_campaign_that_stopped_spending_gets_none(make_series: MakeSeries) -> None:
    spend = np.full((28, 2), 80.0)
    spend[-1, 0] = 0.0
    verdicts = evaluate(make_series(spend, np.zeros((28, 2)), break_even_cpa=[80.0, 80.0])).campaigns
    assert [len(verdict.suggestions) for verdict in verdicts] == [0, 1]


@pytest.mark.parametrize(
    ("purchases_per_break_even", "expected"),
    [(0.5, "PAUSE"), (1.0, "BUDGET_DOWN"), (1.43, None), (2.0, "BUDGET_UP")],
)
def test_the_verdict_follows_the_marginal_return(
    make_series: MakeSeries, purchases_per_break_even: float, expected: str | None
) -> None:
    suggestion = _only(_steady(make_series, 400.0, 5.0 * purchases_per_break_even))
    assert (suggestion.type if suggestion else None) == expected


def test_budget_steps_carry_both_budgets(make_series: MakeSeries) -> None:
    up = _only(_steady(make_series, 400.0, 10.0))
    down = _only(_steady(make_series, 400.0, 5.0))
    assert up is not None
    assert down is not None
    assert up.evidence["current_budget"] == down.evidence["current_budget"] == 100.0
    assert up.evidence["suggested_budget"] == pytest.approx(120.0)
    assert down.evidence["suggested_budget"] == pytest.approx(80.0)
    assert "Change the budget from BRL 100.00 to BRL 120.00 (+20 %)." in up.reason


@pytest.mark.parametrize("budget", [0.0, float("nan")])
def test_an_unknown_budget_is_not_invented(make_series: MakeSeries, budget: float) -> None:
    suggestion = _only(_steady(make_series, 400.0, 10.0, budget=np.full((28, 1), budget)))
    assert suggestion is not None
    assert suggestion.evidence["suggested_budget"] is None
    assert "budget from" not in suggestion.reason


def test_without_a_target_nothing_is_paused(make_series: MakeSeries) -> None:
    spend, purchases = np.full((28, 6), 400.0), np.full((28, 6), 5.0)
    purchases[:, 0] = 0.0
    purchases[:, 1] = 12.0
    evaluation = evaluate(make_series(spend, purchases))
    kinds = [[s.type for s in verdict.suggestions] for verdict in evaluation.campaigns]
    assert kinds == [["BUDGET_DOWN"], ["BUDGET_UP"], [], [], [], []]
    for verdict in evaluation.campaigns[:2]:
        assert "compared with the account's own average of BRL" in verdict.suggestions[0].reason
        assert "break-even" not in verdict.suggestions[0].reason
        assert verdict.suggestions[0].evidence["break_even_cpa"] is None


def test_like_campaigns_without_a_target_are_left_alone(make_series: MakeSeries) -> None:
    evaluation = evaluate(make_series(np.full((60, 10), 400.0), np.full((60, 10), 5.0)))
    assert all(not verdict.suggestions for verdict in evaluation.campaigns)


def test_bad_siblings_do_not_pause_a_campaign_that_breaks_even(make_series: MakeSeries) -> None:
    spend, purchases = np.full((28, 40), 400.0), np.zeros((28, 40))
    spend[:, 0], purchases[-4:, 0] = 0.0, 1.0
    spend[-4:, 0] = 80.0
    verdicts = evaluate(make_series(spend, purchases, break_even_cpa=[80.0] * 40)).campaigns
    assert [s.type for s in verdicts[0].suggestions] != ["PAUSE"]
    assert [s.type for s in verdicts[1].suggestions] == ["PAUSE"]


def test_bad_siblings_do_not_lower_a_campaign_that_earns(make_series: MakeSeries) -> None:
    spend, purchases = np.full((28, 40), 400.0), np.zeros((28, 40))
    spend[:, 0] = 0.0
    spend[-4:, 0], purchases[-4:, 0] = 80.0, 1.5
    assert evaluate(make_series(spend, purchases, break_even_cpa=[80.0] * 40)).campaigns[0].suggestions == ()


def test_a_pause_asks_for_more_certainty_than_a_step_down(make_series: MakeSeries) -> None:
    # Three break-even costs without a purchase: P(r < 1/1.2) = 1 − exp(−4/1.2) = 96 %.
    suggestion = _only(_steady(make_series, 80.0 * 3, 0.0, days=1))
    assert suggestion is not None
    assert suggestion.type == "BUDGET_DOWN"


def test_good_siblings_do_not_raise_a_campaign_that_does_not_earn(make_series: MakeSeries) -> None:
    spend, purchases = np.full((28, 40), 400.0), np.full((28, 40), 25.0)
    spend[:, 0] = purchases[:, 0] = 0.0
    spend[-4:, 0], purchases[-4:, 0] = 80.0, 1.4
    verdicts = evaluate(make_series(spend, purchases, break_even_cpa=[80.0] * 40)).campaigns
    assert verdicts[0].suggestions == ()
    assert [s.type for s in verdicts[1].suggestions] == ["BUDGET_UP"]


@pytest.mark.parametrize("purchases", [1.0, 4.0])
def test_the_purchases_said_to_change_the_verdict_do_change_it(
    make_series: MakeSeries, purchases: float
) -> None:
    suggestion = _only(_steady(make_series, 400.0, purchases))
    assert suggestion is not None
    count = suggestion.evidence["purchases_to_change"]
    assert isinstance(count, int)
    assert f"{count} more purchase" in suggestion.reason

    def with_more(more: int) -> Suggestion | None:
        bought = np.full((28, 1), purchases)
        bought[-1] += more
        return _only(make_series(np.full((28, 1), 400.0), bought, break_even_cpa=[80.0]))

    kept, changed = with_more(count - 1), with_more(count)
    assert kept is not None
    assert kept.type == suggestion.type
    assert changed is None or changed.type != suggestion.type


def test_evidence_is_json_and_complete(make_series: MakeSeries) -> None:
    for purchases in (0.0, 5.0, 10.0):
        suggestion = _only(_steady(make_series, 400.0, purchases))
        assert suggestion is not None
        evidence = json.loads(json.dumps(suggestion.evidence, allow_nan=False))
        assert evidence == suggestion.evidence
        assert {
            "spend", "purchases", "window_days", "currency", "sample_size", "probability",
            "probability_threshold", "would_change",
        } <= evidence.keys()  # fmt: skip
        assert evidence["probability"] >= evidence["probability_threshold"]
        assert evidence["window_days"] == 14


def test_the_window_is_as_long_as_the_history(make_series: MakeSeries) -> None:
    suggestion = _only(_steady(make_series, 400.0, 0.0, days=1))
    assert suggestion is not None
    assert "in 1 day;" in suggestion.reason
    assert "On this day it spent 5.0 × break-even without a purchase." in suggestion.reason
