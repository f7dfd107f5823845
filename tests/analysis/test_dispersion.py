from __future__ import annotations

import numpy as np
import pytest

from analysis.dispersion import LARGEST, estimate_dispersion
from analysis.series import FloatArray, IntArray

DAYS = 56
AGES: IntArray = np.arange(DAYS, dtype=np.int64)[::-1].copy()


def _spend(campaigns: int) -> FloatArray:
    return np.random.default_rng(1).uniform(10.0, 100.0, (DAYS, campaigns))


def _floats(values: object) -> FloatArray:
    return np.asarray(values, dtype=np.float64)


def test_chance_alone_gives_about_one_even_with_few_purchases() -> None:
    spend = _spend(400)
    purchases = _floats(np.random.default_rng(2).poisson(spend * 0.006))
    assert estimate_dispersion(purchases, spend, AGES) == pytest.approx(1.0, abs=0.08)


def test_extra_variation_is_measured() -> None:
    random = np.random.default_rng(3)
    spend = _spend(200)
    # Clumps of three purchases vary three times as much as single ones.
    purchases = _floats(3.0 * random.poisson(spend * 0.02))
    assert estimate_dispersion(purchases, spend, AGES) == pytest.approx(3.0, rel=0.1)


def test_it_is_bounded() -> None:
    spend = _spend(50)
    purchases = _floats(40.0 * np.random.default_rng(4).poisson(spend * 0.01))
    assert estimate_dispersion(purchases, spend, AGES) == LARGEST
    assert estimate_dispersion(_floats(spend * 0.5), spend, AGES) == 1.0


def test_too_few_weeks_give_one() -> None:
    spend = _spend(2)
    purchases = _floats(40.0 * np.random.default_rng(4).poisson(spend * 0.01))
    assert estimate_dispersion(purchases, spend, AGES) == 1.0


def test_spend_that_moves_is_not_taken_for_noise() -> None:
    spend = _floats(_spend(200) * np.linspace(0.2, 3.0, DAYS)[:, np.newaxis])
    purchases = _floats(np.random.default_rng(5).poisson(spend * 0.05))
    assert estimate_dispersion(purchases, spend, AGES) == pytest.approx(1.0, abs=0.1)


def test_purchases_without_spend_do_no_harm() -> None:
    spend = _spend(30)
    spend[:40] = 0.0
    spend[:, 5:] = 0.0
    assert np.isfinite(estimate_dispersion(np.full(spend.shape, 2.0), spend, AGES))


def test_a_late_purchase_in_a_week_of_hardly_any_spend_is_not_noise() -> None:
    spend = np.full((DAYS, 30), 50.0)
    spend[-7:] = 0.001
    purchases = spend * 0.02
    purchases[-1] = 1.0
    assert estimate_dispersion(_floats(purchases), spend, AGES) == 1.0


def test_the_order_of_the_campaigns_does_not_matter() -> None:
    random = np.random.default_rng(6)
    spend = _spend(100)
    purchases = _floats(random.poisson(random.gamma(2.0, 0.5, spend.shape) * spend * 0.05))
    for _ in range(5):
        order = random.permutation(100)
        shuffled = estimate_dispersion(_floats(purchases[:, order]), _floats(spend[:, order]), AGES)
        assert shuffled == estimate_dispersion(purchases, spend, AGES)
