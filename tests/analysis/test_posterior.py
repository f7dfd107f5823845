from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.posterior import (
    LARGEST_PRIOR_SHAPE,
    WEAK_PRIOR,
    discount_weights,
    fit_prior,
    update,
)


def _posterior(purchases: list[float], spends: list[float], dispersion: float = 1.0):  # type: ignore[no-untyped-def]
    n, s = np.array(purchases), np.array(spends)
    return update(np.ones(n.size), np.ones(n.size), n, s, dispersion)


def test_weights_halve_every_fourteen_days() -> None:
    assert discount_weights(np.array([28, 14, 0])).tolist() == [0.25, 0.5, 1.0]


def test_chances_are_those_of_the_gamma_distribution() -> None:
    posterior = _posterior([4.0, 0.0], [6.0, 5.0], dispersion=2.0)
    reference = stats.gamma([3.0, 1.0], scale=1.0 / np.array([4.0, 3.5]))
    np.testing.assert_allclose(posterior.mean, reference.mean())
    np.testing.assert_allclose(posterior.probability_below(0.8), reference.cdf(0.8))
    np.testing.assert_allclose(posterior.probability_above(0.8), reference.sf(0.8))


def test_over_dispersion_widens_the_belief() -> None:
    narrow, wide = _posterior([10.0], [20.0]), _posterior([10.0], [20.0], dispersion=4.0)
    assert narrow.probability_below(1.0)[0] > wide.probability_below(1.0)[0]


def test_purchases_to_undo_bring_the_chance_to_the_threshold() -> None:
    posterior = _posterior([0.0, 3.0, 50.0], [6.0, 20.0, 10.0], dispersion=1.5)
    rate, threshold = np.full(3, 0.8), np.full(3, 0.97)
    needed = posterior.purchases_to_undo(rate, threshold)
    after = update(np.ones(3), np.ones(3), posterior.purchases + needed, posterior.spends, 1.5)
    np.testing.assert_allclose(after.probability_below(rate)[:2], 0.97, rtol=1e-6)
    assert needed[2] == 0.0


def test_spends_to_undo_bring_the_chance_to_the_threshold() -> None:
    posterior = _posterior([40.0, 9.0, 1.0], [10.0, 3.0, 9.0], dispersion=1.5)
    rate, threshold = np.full(3, 1.4), np.full(3, 0.8)
    needed = posterior.spends_to_undo(rate, threshold)
    after = update(np.ones(3), np.ones(3), posterior.purchases, posterior.spends + needed, 1.5)
    np.testing.assert_allclose(after.probability_above(rate)[:2], 0.8, rtol=1e-6)
    assert needed[2] == 0.0


def test_four_campaigns_are_too_few_to_learn_from() -> None:
    n, s = np.full(4, 30.0), np.full(4, 10.0)
    assert fit_prior(n, s) == WEAK_PRIOR
    assert fit_prior(np.append(n, 30.0), np.append(s, 10.0)).mean > 2.0


def test_campaigns_without_spend_teach_nothing() -> None:
    n, s = np.array([30.0] * 4 + [0.0] * 50), np.array([10.0] * 4 + [0.0] * 50)
    assert fit_prior(n, s) == WEAK_PRIOR


def test_the_prior_finds_how_campaigns_differ() -> None:
    random = np.random.default_rng(7)
    rates = random.gamma(4.0, 1.5 / 4.0, 2000)
    spends = random.uniform(1.0, 30.0, 2000)
    prior = fit_prior(random.poisson(rates * spends).astype(float), spends)
    assert prior.mean == pytest.approx(1.5, rel=0.05)
    assert prior.shape == pytest.approx(4.0, rel=0.15)
    assert prior.campaigns == 2000


def test_equal_campaigns_do_not_make_a_boundless_prior() -> None:
    prior = fit_prior(np.full(200, 40.0), np.full(200, 40.0))
    assert prior.shape <= LARGEST_PRIOR_SHAPE * (1 + 1e-9)
    assert prior.mean == pytest.approx(1.0, rel=0.02)


def test_the_prior_does_not_depend_on_the_order() -> None:
    random = np.random.default_rng(3)
    n, s = random.poisson(8.0, 300).astype(float), random.uniform(0.0, 20.0, 300)
    order = random.permutation(300)
    assert fit_prior(n, s) == fit_prior(n[order], s[order])
