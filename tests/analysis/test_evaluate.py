from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from analysis import AccountSeries, Evaluation, evaluate
from analysis.evaluate import NO_YARDSTICK

MakeSeries = Callable[..., AccountSeries]
Account = tuple[Any, Any, list[float | None]]

gently = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    """Spend, purchases and targets of an account of up to 8 campaigns and 40 days."""
    days, campaigns = draw(st.integers(1, 40)), draw(st.integers(1, 8))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cpa = draw(st.floats(5.0, 500.0))
    rate = random.lognormal(0.0, draw(st.floats(0.0, 1.5)), campaigns)
    spend = cpa * random.lognormal(draw(st.floats(-3.0, 1.0)), 0.8, (days, campaigns))
    spend *= random.random((days, campaigns)) > draw(st.sampled_from([0.0, 0.3, 0.9]))
    purchases = random.poisson(rate * spend / cpa).astype(float)
    kind = draw(st.sampled_from(["none", "some", "all"]))
    has = {"none": np.zeros(campaigns), "some": random.random(campaigns), "all": np.ones(campaigns)}[kind]
    return spend, purchases, [cpa if value > 0.5 else None for value in has]


def _kinds(evaluation: Evaluation) -> list[list[str]]:
    return [[str(s.type) for s in verdict.suggestions] for verdict in evaluation.campaigns]


def _scores(evaluation: Evaluation) -> list[float]:
    return [verdict.score for verdict in evaluation.campaigns]


@gently
@given(account=accounts())
def test_every_account_gets_defined_verdicts(make_series: MakeSeries, account: Account) -> None:
    spend, purchases, targets = account
    evaluation = evaluate(make_series(spend, purchases, break_even_cpa=targets))
    assert [verdict.campaign_id for verdict in evaluation.campaigns] == [
        f"c{i}" for i in range(spend.shape[1])
    ]
    assert evaluation.relative is all(target is None for target in targets)
    for verdict, target, spent in zip(evaluation.campaigns, targets, spend[-1], strict=True):
        assert 0.0 <= verdict.score <= 100.0
        assert verdict.relative is (target is None)
        assert verdict.rate is None or np.isfinite(verdict.rate)
        assert len(verdict.suggestions) <= 1
        for suggestion in verdict.suggestions:
            assert spent > 0
            assert verdict.sample_size > 2.999
            assert suggestion.type != "PAUSE" or target is not None


@gently
@given(account=accounts(), seed=st.integers(0, 2**32 - 1))
def test_shuffling_the_campaigns_changes_only_the_order(
    make_series: MakeSeries, account: Account, seed: int
) -> None:
    spend, purchases, targets = account
    order = np.random.default_rng(seed).permutation(spend.shape[1])
    straight = evaluate(make_series(spend, purchases, break_even_cpa=targets))
    shuffled = evaluate(
        make_series(
            spend[:, order],
            purchases[:, order],
            break_even_cpa=[targets[column] for column in order],
            campaign_ids=[f"c{column}" for column in order],
        )
    )
    assert [verdict.campaign_id for verdict in shuffled.campaigns] == [f"c{column}" for column in order]
    assert _scores(shuffled) == pytest.approx([_scores(straight)[column] for column in order], rel=1e-9)
    assert _kinds(shuffled) == [_kinds(straight)[column] for column in order]
    assert shuffled.pooled == straight.pooled


@gently
@given(account=accounts(), factor=st.floats(1e-3, 1e4))
def test_the_unit_of_the_currency_does_not_matter(
    make_series: MakeSeries, account: Account, factor: float
) -> None:
    spend, purchases, targets = account
    one = evaluate(make_series(spend, purchases, break_even_cpa=targets))
    other = evaluate(
        make_series(
            spend * factor,
            purchases,
            break_even_cpa=[None if target is None else target * factor for target in targets],
            budget=np.full(spend.shape, 100.0 * factor),
        )
    )
    assert _scores(other) == pytest.approx(_scores(one), rel=1e-4)
    assert _kinds(other) == _kinds(one)
    for before, after in zip(one.campaigns, other.campaigns, strict=True):
        assert before.score_note == after.score_note
        for first, second in zip(before.suggestions, after.suggestions, strict=True):
            assert second.evidence["spend"] == pytest.approx(first.evidence["spend"] * factor)  # type: ignore[operator]


def test_the_guard_on_the_sample_does_not_hang_on_a_rounding(make_series: MakeSeries) -> None:
    for factor in (1.0, 0.03):
        spend, target = 3 * 7.3 * factor, 7.3 * factor
        assert (spend / target < 3.0) is (factor != 1.0)
        assert _kinds(evaluate(make_series([[spend]], [[40.0]], break_even_cpa=[target]))) == [["BUDGET_UP"]]


def test_judging_twice_gives_the_same(make_series: MakeSeries) -> None:
    random = np.random.default_rng(5)
    series = make_series(random.uniform(0, 300, (40, 12)), random.poisson(2.0, (40, 12)))
    assert evaluate(series) == evaluate(series)


def test_no_purchase_and_no_target_means_no_verdict(make_series: MakeSeries) -> None:
    evaluation = evaluate(make_series(np.full((30, 3), 100.0), np.zeros((30, 3))))
    assert evaluation.notes == (NO_YARDSTICK,)
    assert evaluation.relative
    for verdict in evaluation.campaigns:
        assert (verdict.score, verdict.score_note, verdict.rate) == (50.0, NO_YARDSTICK, None)
        assert verdict.suggestions == ()
    assert evaluation.pooled.cpa is None


def test_a_target_is_enough_to_judge_an_account_without_purchases(make_series: MakeSeries) -> None:
    series = make_series(np.full((30, 2), 100.0), np.zeros((30, 2)), break_even_cpa=[80.0, None])
    evaluation = evaluate(series)
    assert not evaluation.relative
    assert _kinds(evaluation) == [["PAUSE"], []]
    assert evaluation.campaigns[1].score_note == NO_YARDSTICK


def test_no_spend_at_all(make_series: MakeSeries) -> None:
    zeros = np.zeros((10, 2))
    for purchases in (zeros, zeros + 1.0):
        evaluation = evaluate(make_series(zeros, purchases, break_even_cpa=[80.0, None], budget=zeros))
        assert _scores(evaluation) == [50.0, 50.0]
        assert _kinds(evaluation) == [[], []]
        assert evaluation.campaigns[0].score_note == "little data"


def test_one_campaign_without_a_target_is_its_own_average(make_series: MakeSeries) -> None:
    verdict = evaluate(make_series(np.full((30, 1), 100.0), np.full((30, 1), 2.0))).campaigns[0]
    assert verdict.score == pytest.approx(50.0)
    assert verdict.suggestions == ()


def test_purchases_without_spend_do_not_cheapen_the_average(make_series: MakeSeries) -> None:
    spend, purchases = np.full((30, 2), 100.0), np.full((30, 2), 1.0)
    spend[:, 0], purchases[:, 0] = 0.0, 10.0
    evaluation = evaluate(make_series(spend, purchases))
    assert evaluation.pooled.discounted_cpa == pytest.approx(100.0)
    assert _scores(evaluation) == pytest.approx([50.0, 50.0])


def test_campaigns_with_and_without_a_target_learn_apart(make_series: MakeSeries) -> None:
    spend, purchases = np.full((30, 8), 100.0), np.full((30, 8), 4.0)
    spend[:, 6:] = purchases[:, 6:] = 0.0
    targets = [100.0] * 6 + [100.0, None]
    like_its_siblings, like_none = evaluate(make_series(spend, purchases, break_even_cpa=targets)).campaigns[
        6:
    ]
    assert like_its_siblings.rate == pytest.approx(4.0, rel=0.1)
    assert like_none.rate == 1.0


def test_one_day_and_one_campaign(make_series: MakeSeries) -> None:
    assert _kinds(evaluate(make_series([[400.0]], [[0.0]], break_even_cpa=[80.0]))) == [["PAUSE"]]


def test_an_account_without_campaigns(make_series: MakeSeries) -> None:
    evaluation = evaluate(make_series(np.zeros((3, 0)), np.zeros((3, 0))))
    assert evaluation.campaigns == ()
    assert evaluation.pooled.spend == 0.0


@pytest.mark.parametrize("size", [1e-320, 1e-12, 1e15])
def test_extreme_amounts_stay_defined(make_series: MakeSeries, size: float) -> None:
    spend, purchases = np.full((90, 6), size), np.full((90, 6), 1.0)
    for targets in (None, [1e-9, 1e15, 80.0, None, 80.0, 80.0]):
        for bought in (purchases, purchases * 1e15, purchases * 0.0):
            others = dict.fromkeys(("clicks", "impressions", "reach", "revenue"), purchases)
            evaluation = evaluate(make_series(spend, bought, break_even_cpa=targets, **others))
            assert all(0.0 <= score <= 100.0 for score in _scores(evaluation))


def test_recent_days_count_more(make_series: MakeSeries) -> None:
    spend = np.full((56, 2), 80.0)
    purchases = np.zeros((56, 2))
    purchases[:28, 0] = purchases[28:, 1] = 2.0
    fading, rising = _scores(evaluate(make_series(spend, purchases, break_even_cpa=[80.0, 80.0])))
    assert fading < 25.0 < 60.0 < rising


def test_pooled_figures(make_series: MakeSeries) -> None:
    pooled = evaluate(make_series(np.full((10, 2), 100.0), np.full((10, 2), 2.0))).pooled
    assert (pooled.days, pooled.spend, pooled.purchases) == (10, 2000.0, 40.0)
    assert (pooled.cpa, pooled.roas, pooled.ctr) == (50.0, 3.0, 0.02)
    assert pooled.discounted_cpa == pytest.approx(50.0)


def test_scores_rank_campaigns_by_their_true_return(make_series: MakeSeries) -> None:
    random = np.random.default_rng(11)
    rate = random.lognormal(0.0, 0.6, 200)
    spend = 80.0 * random.lognormal(-0.5, 1.0, 200) * random.lognormal(0.0, 0.2, (60, 200))
    purchases = random.poisson(rate * spend / 80.0).astype(float)
    evaluation = evaluate(make_series(spend, purchases, break_even_cpa=[80.0] * 200))
    assert spearmanr(_scores(evaluation), rate).statistic > 0.85
    wrong = 0
    for verdict, true in zip(evaluation.campaigns, rate, strict=True):
        kind = verdict.suggestions[0].type if verdict.suggestions else None
        wrong += kind == "PAUSE" and true > 1.0
        wrong += kind == "BUDGET_UP" and true < 1 / 0.7
        wrong += kind == "BUDGET_DOWN" and true > 1 / 0.7
    assert wrong <= 4
    assert sum(bool(verdict.suggestions) for verdict in evaluation.campaigns) > 80


def test_ten_thousand_campaigns_are_judged_quickly(make_series: MakeSeries) -> None:
    random = np.random.default_rng(13)
    spend = random.lognormal(3.0, 1.0, (90, 10_000))
    purchases = random.poisson(spend / 60.0).astype(float)
    series = make_series(spend, purchases, break_even_cpa=np.full(10_000, 50.0))
    started = time.perf_counter()
    evaluation = evaluate(series)
    assert time.perf_counter() - started < 10.0
    assert len(evaluation.campaigns) == 10_000
