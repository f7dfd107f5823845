from __future__ import annotations

import numpy as np
import pytest

from analysis.posterior import Posterior, update
from analysis.score import enough_data, scores


def _posterior(purchases: list[float], spends: list[float]) -> Posterior:
    n, s = np.array(purchases), np.array(spends)
    return update(np.ones(n.size), np.ones(n.size), n, s, 1.0)


def test_break_even_scores_fifty() -> None:
    assert scores(_posterior([5.0, 500.0], [5.0, 500.0])) == pytest.approx([50.0, 50.0])


def test_better_returns_score_higher() -> None:
    score = scores(_posterior([0.0, 50.0, 100.0, 200.0, 400.0], [100.0] * 5))
    assert (np.diff(score) > 0).all()
    assert score[0] < 1.0
    assert score[3] == pytest.approx(80.0, abs=1.0)


def test_little_data_stays_near_fifty() -> None:
    score = scores(_posterior([0.0, 0.0, 0.0, 1.0], [0.0, 0.1, 5.0, 0.1]))
    assert score[0] == 50.0
    assert score[1] == pytest.approx(50.0, abs=1.0)
    assert score[3] == pytest.approx(50.0, abs=4.0)
    assert score[2] < 10.0


def test_three_break_even_spends_are_enough() -> None:
    assert enough_data(_posterior([0.0, 0.0], [2.99, 3.0])).tolist() == [False, True]
