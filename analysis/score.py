"""One number from 0 to 100 for a campaign."""

from __future__ import annotations

import numpy as np

from analysis.posterior import Posterior
from analysis.series import BoolArray, FloatArray

NEUTRAL = 50.0
LITTLE_DATA = "little data"
# Below this many break-even spends a score is marked, and no suggestion is made.
ENOUGH_SPENDS = 3.0
# Thresholds are compared with this relative slack, so that the currency's unit cannot decide by a rounding.
SLACK = 1e-9


def enough_data(posterior: Posterior) -> BoolArray:
    """(campaigns,) whether a campaign has spent at least three break-even costs (discounted)."""
    return np.asarray(posterior.spends >= ENOUGH_SPENDS * (1.0 - SLACK), dtype=np.bool_)


def scores(posterior: Posterior) -> FloatArray:
    """(campaigns,) score from 0 to 100, 50 at break-even.

    With m the posterior mean of r (purchases per break-even spend), the raw score is the logistic function of
    2 · ln m, that is 100 · m² / (1 + m²): m = 1 gives 50, m = 2 gives 80, m = ½ gives 20. Its distance from
    50 is multiplied by 1 − exp(−S/φ): 0 without spend, 0.63 at one break-even spend, 0.95 at three.
    """
    square = posterior.mean**2
    raw = 100.0 * square / (1.0 + square)
    trust = -np.expm1(-posterior.spends / posterior.dispersion)
    return np.asarray(np.clip(NEUTRAL + trust * (raw - NEUTRAL), 0.0, 100.0), dtype=np.float64)
