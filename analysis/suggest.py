"""Which change is suggested for a campaign, at most one each, and why.

Purchases grow with spend as s^ε (constant elasticity, ε = 0.7), so the next unit of spend returns ε · r, less
than the average r. With an explicit break-even:

    PAUSE        P(r < 1/1.2) high: a purchase costs more than 1.2 × break-even
    BUDGET_DOWN  P(ε · r < 1) high: the last unit of spend brings in less than it costs
    BUDGET_UP    P(ε · r > 1) high: the next unit of spend still earns

Without one, r = 1 is the account's own average, so "earns" is not known. Then only what moves money within
the account is suggested: BUDGET_UP where the next unit beats the account's average unit (ε · r > 1),
BUDGET_DOWN where the average unit falls behind the next unit of an average campaign (r < ε). PAUSE needs a
target.

The account's other campaigns (the prior) may hold a verdict back but never make one: the campaign's own
record n/S must lie on the same side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from analysis import wording
from analysis.posterior import HALF_LIFE_DAYS, Posterior
from analysis.score import ENOUGH_SPENDS, SLACK, enough_data
from analysis.series import BoolArray, FloatArray, IntArray

ELASTICITY = 0.7
PAUSE_COST_FACTOR = 1.2
# A false pause costs most, so it asks for the most; a budget step is small and can be taken back.
PAUSE_PROBABILITY = 0.97
DOWN_PROBABILITY = 0.90
UP_PROBABILITY = 0.80
BUDGET_STEP = 0.20
# The days whose plain sums are quoted in the words.
WINDOW_DAYS = 14

Evidence = dict[str, float | int | str | bool | None]


class SuggestionType(StrEnum):
    """The kinds of change that are suggested."""

    PAUSE = "PAUSE"
    BUDGET_UP = "BUDGET_UP"
    BUDGET_DOWN = "BUDGET_DOWN"


@dataclass(frozen=True)
class Suggestion:
    """One change, its reason in plain words, and the figures it rests on (JSON values only)."""

    type: SuggestionType
    reason: str
    evidence: Evidence


@dataclass(frozen=True, eq=False)
class Record:
    """What the suggestions are made from; arrays (campaigns,), amounts in account currency.

    Attributes:
        posterior: of r, the rate of purchases per break-even spend.
        prior_shape, prior_rate: the prior that went into it.
        cost: V, break-even cost per purchase or the account's average; NaN where there is none.
        explicit: whether V is an explicit target.
        spending: whether there was spend on the last day.
        alarmed: whether a conversion alarm is open, which forbids any verdict on the return.
        window_spend, window_purchases: plain sums of the last `window_days` days.
        budget: of the last day, NaN or 0 where not known.
        left_out: days left out for a conversion alarm.
    """

    posterior: Posterior
    prior_shape: FloatArray
    prior_rate: FloatArray
    cost: FloatArray
    explicit: BoolArray
    spending: BoolArray
    alarmed: BoolArray
    window_spend: FloatArray
    window_purchases: FloatArray
    budget: FloatArray
    left_out: IntArray
    window_days: int
    history_days: int
    currency: str | None


def suggest(record: Record) -> dict[int, Suggestion]:
    """The suggestion of each campaign (by column) that gets one."""
    posterior = record.posterior
    ready = enough_data(posterior) & record.spending & ~record.alarmed
    # Rates at which each verdict turns.
    pause_at = np.full(posterior.shape.shape, 1.0 / PAUSE_COST_FACTOR)
    down_at = np.where(record.explicit, 1.0 / ELASTICITY, ELASTICITY)
    up_at = np.full(posterior.shape.shape, 1.0 / ELASTICITY)
    pause_chance = posterior.probability_below(pause_at)
    down_chance = posterior.probability_below(down_at)
    up_chance = posterior.probability_above(up_at)

    pause = ready & record.explicit & _own_below(posterior, pause_at) & (pause_chance >= PAUSE_PROBABILITY)
    down = ready & ~pause & _own_below(posterior, down_at) & (down_chance >= DOWN_PROBABILITY)
    up = ready & ~pause & ~down & _own_above(posterior, up_at) & (up_chance >= UP_PROBABILITY)

    threshold = np.select([pause, down], [PAUSE_PROBABILITY, DOWN_PROBABILITY], UP_PROBABILITY)
    turning = np.select([pause, down], [pause_at, down_at], up_at)
    purchases_needed = posterior.purchases_to_undo(turning, threshold)
    spends_needed = posterior.spends_to_undo(turning, threshold)

    suggestions: dict[int, Suggestion] = {}
    for kind, chosen, chance in (
        (SuggestionType.PAUSE, pause, pause_chance),
        (SuggestionType.BUDGET_DOWN, down, down_chance),
        (SuggestionType.BUDGET_UP, up, up_chance),
    ):
        for column in np.flatnonzero(chosen).tolist():
            suggestions[column] = _write(
                record,
                column,
                kind,
                chance=float(chance[column]),
                threshold=float(threshold[column]),
                turning=float(turning[column]),
                needed=float(
                    (spends_needed if kind is SuggestionType.BUDGET_UP else purchases_needed)[column]
                ),
            )
    return suggestions


def _own_below(posterior: Posterior, rate: FloatArray) -> BoolArray:
    return np.asarray(posterior.purchases < rate * posterior.spends, dtype=np.bool_)


def _own_above(posterior: Posterior, rate: FloatArray) -> BoolArray:
    return np.asarray(posterior.purchases > rate * posterior.spends, dtype=np.bool_)


def _write(
    record: Record,
    column: int,
    kind: SuggestionType,
    *,
    chance: float,
    threshold: float,
    turning: float,
    needed: float,
) -> Suggestion:
    posterior = record.posterior
    cost = float(record.cost[column])
    relative = not bool(record.explicit[column])
    spent, bought = float(record.window_spend[column]), float(record.window_purchases[column])
    n, spends = float(posterior.purchases[column]), float(posterior.spends[column])
    left_out = int(record.left_out[column])
    evidence: Evidence = {
        "window_days": record.window_days,
        "spend": spent,
        "purchases": bought,
        "currency": record.currency,
        "break_even_cpa": None if relative else cost,
        "account_average_cpa": cost if relative else None,
        "relative": relative,
        "history_days": record.history_days,
        "half_life_days": HALF_LIFE_DAYS,
        "discounted_purchases": n,
        "discounted_spend": spends * cost,
        "sample_size": spends,
        "sample_size_unit": "account average costs spent" if relative else "break-even costs spent",
        "sample_size_needed": ENOUGH_SPENDS,
        "rate": float(posterior.mean[column]),
        "rate_threshold": turning,
        "probability": chance,
        "probability_threshold": threshold,
        "over_dispersion": posterior.dispersion,
        "prior_shape": float(record.prior_shape[column]),
        "prior_rate": float(record.prior_rate[column]),
        "days_left_out": left_out,
    }
    sentences = [
        f"{wording.record(spent, bought, record.window_days, record.currency)}; "
        f"{wording.yardstick(cost, relative, record.currency)}.",
        wording.weighted(n, spends, record.history_days, relative),
        f"{_claim(kind, relative)}: {wording.percent(chance)}.",
    ]
    if left_out:
        sentences.append(f"Left out for a conversion alarm: {wording.days(left_out)}.")
    if kind is not SuggestionType.PAUSE:
        sentences.extend(_budget_step(record, column, kind, evidence))
    if kind is SuggestionType.BUDGET_UP:
        evidence["spend_to_change"] = needed * cost
        change = wording.more_spend(needed * cost, record.currency)
    else:
        # Strictly under the threshold, hence at least one purchase.
        count = max(math.ceil(needed * (1.0 - SLACK)), 1)
        evidence["purchases_to_change"] = count
        change = wording.more_purchases(count)
    evidence["would_change"] = change
    return Suggestion(type=kind, reason=" ".join([*sentences, change]), evidence=evidence)


def _claim(kind: SuggestionType, relative: bool) -> str:
    """The statement whose chance is given."""
    if kind is SuggestionType.PAUSE:
        return f"Chance that a purchase costs more than {PAUSE_COST_FACTOR:g} × break-even"
    if kind is SuggestionType.BUDGET_UP:
        against = "the account's average" if relative else "break-even"
        return f"Chance that further purchases, dearer than the average one, still cost less than {against}"
    if relative:
        return f"Chance that a purchase costs more than {1 / ELASTICITY:.1f} × the account's average"
    return "Chance that the last purchases bought, dearer than the average one, cost more than break-even"


def _budget_step(record: Record, column: int, kind: SuggestionType, evidence: Evidence) -> list[str]:
    """Put the budgets into the evidence; the sentence on them, none where the budget is not known."""
    evidence["elasticity"] = ELASTICITY
    current = float(record.budget[column])
    if not current > 0:
        evidence["current_budget"] = evidence["suggested_budget"] = None
        return []
    step = BUDGET_STEP if kind is SuggestionType.BUDGET_UP else -BUDGET_STEP
    suggested = current * (1.0 + step)
    evidence["current_budget"], evidence["suggested_budget"] = current, suggested
    return [wording.budget_change(current, suggested, record.currency)]
