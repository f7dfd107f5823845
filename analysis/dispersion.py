"""How much more purchases vary from week to week than chance alone (Poisson) would make them."""

from __future__ import annotations

import math

import numpy as np

from analysis.series import BoolArray, FloatArray, IntArray

BLOCK_DAYS = 7
BLOCKS = 8
DEGREES_OF_FREEDOM = 20
SMALLEST, LARGEST = 1.0, 5.0


def estimate_dispersion(purchases: FloatArray, spend: FloatArray, ages: IntArray) -> float:
    """Over-dispersion φ of the account's purchases, from its own last eight weeks.

    Pearson's X² over its degrees of freedom (McCullagh & Nelder, Generalized Linear Models, section 4.5). A
    campaign's purchases of a week are compared with its own total spread over the weeks in proportion to
    spend. Given that total, X² has expectation (weeks − 1) under Poisson however few the purchases are, and
    the cost per purchase that a campaign should have plays no part. Weeks, not days, so that good and bad
    spells that last some days are counted. Weeks with less than one expected purchase are left out.

    Args:
        purchases, spend: (days × campaigns), 0 where missing.
        ages: (days,) days before the last day.

    Returns:
        φ held to 1 … 5 (below 1 is chance; above 5 is drift rather than noise), and 1 with fewer than 20
        degrees of freedom.
    """
    block = ages // BLOCK_DAYS
    shape = (BLOCKS, purchases.shape[1])
    bought, spent = np.zeros(shape), np.zeros(shape)
    for week in range(BLOCKS):
        bought[week] = purchases[block == week].sum(axis=0)
        spent[week] = spend[block == week].sum(axis=0)
    kept = _expected(bought, spent, spent > 0) >= 1.0
    expected = _expected(bought, spent, kept)
    kept &= expected > 0
    squares = np.zeros(shape)
    np.divide((bought - expected) ** 2, expected, out=squares, where=kept)
    freedom = np.maximum(kept.sum(axis=0) - 1, 0)
    total = int(freedom.sum())
    if total < DEGREES_OF_FREEDOM:
        return SMALLEST
    # fsum is exact, so the order of the campaigns cannot matter.
    statistic = math.fsum(squares.sum(axis=0)[freedom > 0])
    return min(max(statistic / total, SMALLEST), LARGEST)


def _expected(bought: FloatArray, spent: FloatArray, kept: BoolArray) -> FloatArray:
    """Each campaign's purchases in the kept weeks, spread over these weeks in proportion to spend."""
    spent = np.where(kept, spent, 0.0)
    share = np.zeros_like(spent)
    total = spent.sum(axis=0)
    np.divide(spent, total, out=share, where=total > 0)
    return np.asarray(share * np.where(kept, bought, 0.0).sum(axis=0), dtype=np.float64)
