"""What is believed about a campaign: the rate r of purchases per break-even spend, as a gamma distribution.

One break-even spend is V, the cost per purchase at which a campaign neither earns nor loses. r = 1 is
break-even, r = 2 a purchase at half that cost. Purchases are taken as Poisson with mean r · S, where S counts
break-even spends, so the gamma is conjugate (Gelman et al., Bayesian Data Analysis, section 2.6).

Old days count less: a day has weight w = 2^(−age / 14), as in the power prior of Ibrahim & Chen (2000), so
that n = Σ w · purchases and S = Σ w · spend / V. Counts that vary more than Poisson are divided by φ, the
quasi-likelihood of Wedderburn (1974):

    r | data ~ Gamma(shape α + n/φ, rate β + S/φ)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import digamma, gammainc, gammaincc, gammainccinv, gammaln

from analysis.series import FloatArray, IntArray

HALF_LIFE_DAYS = 14.0

# Fewer campaigns say too little about how campaigns of this account differ.
CAMPAIGNS_FOR_A_PRIOR = 5
# A campaign enters the fit of the prior with at least this many break-even spends.
SPENDS_FOR_A_PRIOR = 0.5
# The prior never weighs more than this many purchases: a campaign is judged mostly by its own record.
LARGEST_PRIOR_SHAPE = 10.0
SMALLEST_PRIOR_SHAPE = 0.3
# Log-normal hyperpriors (centre, standard deviation of the log) that hold the fit when data are few.
_MEAN_HYPERPRIOR = (0.0, 1.5)
_SHAPE_HYPERPRIOR = (float(np.log(2.0)), 1.0)
_LARGEST_LOG_MEAN = 4.0


@dataclass(frozen=True)
class Prior:
    """Gamma prior of r: `shape` in purchases, `rate` in break-even spends.

    `campaigns` is the number of campaigns that it was learnt from, 0 for the weak prior.
    """

    shape: float
    rate: float
    campaigns: int = 0

    @property
    def mean(self) -> float:
        return self.shape / self.rate


WEAK_PRIOR = Prior(shape=1.0, rate=1.0)
"""Centred on break-even and worth one purchase: what is believed without enough campaigns to learn from."""


@dataclass(frozen=True, eq=False)
class Posterior:
    """Gamma posteriors of r, one per campaign; all arrays (campaigns,).

    Attributes:
        shape, rate: of the gamma; tempered by the over-dispersion.
        purchases: n, discounted purchases.
        spends: S, discounted spend in break-even spends.
        dispersion: φ, at least 1.
    """

    shape: FloatArray
    rate: FloatArray
    purchases: FloatArray
    spends: FloatArray
    dispersion: float

    @property
    def mean(self) -> FloatArray:
        """(campaigns,) expected purchases per break-even spend."""
        return self.shape / self.rate

    def probability_below(self, rate: FloatArray | float) -> FloatArray:
        """(campaigns,) P(r < rate)."""
        return np.asarray(gammainc(self.shape, self.rate * rate), dtype=np.float64)

    def probability_above(self, rate: FloatArray | float) -> FloatArray:
        """(campaigns,) P(r > rate)."""
        return np.asarray(gammaincc(self.shape, self.rate * rate), dtype=np.float64)

    def purchases_to_undo(self, rate: FloatArray, probability: FloatArray) -> FloatArray:
        """(campaigns,) purchases more, at the same spend, that bring P(r < rate) down to `probability`.

        Zero where it is there already. Found by bisection on the shape, in which P(r < rate) falls.
        """
        scaled = self.rate * rate
        low = self.shape.copy()
        # At a shape of x + 10√x + 10 the chance of a value below x is under 1e-15.
        high = np.maximum(low, scaled + 10.0 * np.sqrt(scaled) + 10.0)
        for _ in range(60):
            middle = 0.5 * (low + high)
            still = gammainc(middle, scaled) > probability
            low = np.where(still, middle, low)
            high = np.where(still, high, middle)
        needed = (high - self.shape) * self.dispersion
        return np.where(self.probability_below(rate) > probability, needed, 0.0)

    def spends_to_undo(self, rate: FloatArray, probability: FloatArray) -> FloatArray:
        """(campaigns,) further break-even spends, no purchase, that bring P(r > rate) to `probability`."""
        needed = gammainccinv(self.shape, probability) / rate - self.rate
        return np.asarray(np.maximum(needed * self.dispersion, 0.0), dtype=np.float64)


def discount_weights(ages: IntArray) -> FloatArray:
    """(days,) weight of a day `ages` days before the last: 1 for the last day, half every 14 days."""
    return np.asarray(np.exp2(-ages.astype(np.float64) / HALF_LIFE_DAYS), dtype=np.float64)


def fit_prior(purchases: FloatArray, spends: FloatArray) -> Prior:
    """Learn from the campaigns of one account how their rates differ (empirical Bayes).

    With n ~ Poisson(r · S) and r ~ Gamma(α, β), n is negative binomial (Robbins 1956; Morris 1983); α and β
    maximise that marginal likelihood over the campaigns, times weak log-normal hyperpriors on α and on
    the mean α/β that decide when the campaigns say little. α is held to 0.3 … 10.

    Args:
        purchases: (campaigns,) n/φ.
        spends: (campaigns,) S/φ, in break-even spends.

    Returns:
        The prior; `WEAK_PRIOR` with fewer than five campaigns of half a break-even spend each.
    """
    usable = spends >= SPENDS_FOR_A_PRIOR
    if int(usable.sum()) < CAMPAIGNS_FOR_A_PRIOR:
        return WEAK_PRIOR
    n, s = purchases[usable], spends[usable]
    # Sums depend on the order in their last digit; sorted, the campaigns' order cannot matter.
    order = np.lexsort((n, s))
    n, s = n[order], s[order]

    def negative_log_posterior(point: FloatArray) -> tuple[float, FloatArray]:
        log_mean, log_shape = float(point[0]), float(point[1])
        shape = np.exp(log_shape)
        rate = shape * np.exp(-log_mean)
        total = rate + s
        value = (
            gammaln(shape + n) - gammaln(shape) + shape * np.log(rate) - (shape + n) * np.log(total)
        ).sum()
        by_shape = (digamma(shape + n) - digamma(shape) + np.log(rate) - np.log(total)).sum()
        by_rate = (shape / rate - (shape + n) / total).sum()
        mean_z = (log_mean - _MEAN_HYPERPRIOR[0]) / _MEAN_HYPERPRIOR[1]
        shape_z = (log_shape - _SHAPE_HYPERPRIOR[0]) / _SHAPE_HYPERPRIOR[1]
        value -= 0.5 * (mean_z**2 + shape_z**2)
        gradient = np.array(
            [
                -by_rate * rate - mean_z / _MEAN_HYPERPRIOR[1],
                by_shape * shape + by_rate * rate - shape_z / _SHAPE_HYPERPRIOR[1],
            ]
        )
        return -float(value), -gradient

    pooled = float(np.clip(np.log((n.sum() + 1.0) / (s.sum() + 1.0)), -_LARGEST_LOG_MEAN, _LARGEST_LOG_MEAN))
    found = minimize(
        negative_log_posterior,
        np.array([pooled, _SHAPE_HYPERPRIOR[0]]),
        jac=True,
        method="L-BFGS-B",
        bounds=[
            (-_LARGEST_LOG_MEAN, _LARGEST_LOG_MEAN),
            (np.log(SMALLEST_PRIOR_SHAPE), np.log(LARGEST_PRIOR_SHAPE)),
        ],
        options={"ftol": 1e-14, "gtol": 1e-9},
    )
    shape = float(np.exp(found.x[1]))
    return Prior(shape=shape, rate=shape * float(np.exp(-found.x[0])), campaigns=int(n.size))


def update(
    prior_shape: FloatArray,
    prior_rate: FloatArray,
    purchases: FloatArray,
    spends: FloatArray,
    dispersion: float,
) -> Posterior:
    """Gamma(α + n/φ, β + S/φ) for every campaign; arrays (campaigns,), `spends` in break-even spends."""
    return Posterior(
        shape=prior_shape + purchases / dispersion,
        rate=prior_rate + spends / dispersion,
        purchases=purchases,
        spends=spends,
        dispersion=dispersion,
    )
