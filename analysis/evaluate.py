"""Judging the last day of an account."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from analysis.dispersion import estimate_dispersion
from analysis.mask import KnownAnomalies, conversion_alarms, open_alarms
from analysis.posterior import WEAK_PRIOR, Posterior, discount_weights, fit_prior, update
from analysis.score import LITTLE_DATA, enough_data, scores
from analysis.series import SMALLEST_CPA, AccountSeries, BoolArray, CampaignId, FloatArray
from analysis.suggest import WINDOW_DAYS, Record, Suggestion, suggest

NO_YARDSTICK = "no purchases in the account and no break-even cost: nothing to compare with"


@dataclass(frozen=True)
class CampaignVerdict:
    """What is said of one campaign.

    Attributes:
        campaign_id: as in the series.
        score: 0 to 100, 50 at break-even (or at the account's average when `relative`).
        score_note: why the score is not to be trusted yet, '' when it is.
        relative: compared with the account's own average, as there is no explicit target.
        rate: expected purchases per break-even spend, None when there is nothing to compare with.
        sample_size: break-even costs spent, older days counting less.
        suggestions: at most one.
        anomalies: not judged yet, always empty.
    """

    campaign_id: CampaignId
    score: float
    score_note: str
    relative: bool
    rate: float | None
    sample_size: float
    suggestions: tuple[Suggestion, ...] = ()
    anomalies: tuple[str, ...] = ()


@dataclass(frozen=True)
class PooledFigures:
    """The account as a whole over the days of the series, amounts in account currency.

    Plain sums and their ratios, None where the divisor is 0. `discounted_cpa` is the cost per purchase with
    older days counting less and conversion alarms left out: what campaigns without a target are compared
    with. `over_dispersion` is φ, by how much purchases vary more than chance.
    """

    days: int
    spend: float
    impressions: float
    clicks: float
    purchases: float
    revenue: float
    ctr: float | None
    conversion_rate: float | None
    cpa: float | None
    roas: float | None
    discounted_cpa: float | None
    over_dispersion: float


@dataclass(frozen=True)
class Evaluation:
    """The verdicts of one account on the last day of its series.

    Attributes:
        campaigns: in the order of the series' campaign ids.
        relative: no campaign has an explicit target, so every verdict is against the account's own average.
        pooled: the account as a whole.
        notes: what a reader must know of the whole evaluation, empty when nothing.
        reallocation: campaign id to new budget; not judged yet, always empty.
    """

    campaigns: tuple[CampaignVerdict, ...]
    relative: bool
    pooled: PooledFigures
    notes: tuple[str, ...] = ()
    reallocation: Mapping[CampaignId, float] = field(default_factory=lambda: MappingProxyType({}))


def evaluate(series: AccountSeries, *, known_anomalies: KnownAnomalies | None = None) -> Evaluation:
    """Judge the last day of `series`. Pure: no clock, no randomness, no I/O.

    Purchases count as they are known; the part that will still arrive for recent clicks is not reckoned in.

    Args:
        series: the account's days.
        known_anomalies: earlier days' anomalies, day → campaign id → names. Days with a `conversion_drop`
            are left out of the return, and one on the last two days withholds the campaign's suggestions.

    Raises:
        KnownAnomalyError: an anomaly has an unknown name.

    Example:
        >>> evaluation = evaluate(series)
        >>> [(verdict.campaign_id, round(verdict.score)) for verdict in evaluation.campaigns]
    """
    alarms = conversion_alarms(series, known_anomalies)
    spend = np.where(alarms, 0.0, series.delivery("spend"))
    purchases = np.where(alarms, 0.0, series.delivery("purchases"))
    weights = discount_weights(series.ages)[:, np.newaxis]
    discounted_spend = (weights * spend).sum(axis=0)
    # Without any spend there is no return on spend to speak of, whatever late purchases came in.
    discounted_purchases = np.where(discounted_spend > 0, (weights * purchases).sum(axis=0), 0.0)

    average = _ratio(math.fsum(discounted_spend), math.fsum(discounted_purchases))
    if average is not None and average < SMALLEST_CPA:
        average = None
    explicit = ~np.isnan(series.targets)
    cost = np.where(explicit, series.targets, np.nan if average is None else average)
    judged = np.isfinite(cost)
    spends = np.where(judged, discounted_spend / np.where(judged, cost, 1.0), 0.0)
    counted = np.where(judged, discounted_purchases, 0.0)

    dispersion = estimate_dispersion(purchases, spend, series.ages)
    prior_shape, prior_rate = _priors(counted / dispersion, spends / dispersion, explicit, judged)
    posterior = update(prior_shape, prior_rate, counted, spends, dispersion)
    recent = (series.ages < WINDOW_DAYS)[:, np.newaxis]
    history_days = int(series.ages[0]) + 1
    record = Record(
        posterior=posterior,
        prior_shape=prior_shape,
        prior_rate=prior_rate,
        cost=cost,
        explicit=explicit,
        spending=series.delivery("spend")[-1] > 0,
        alarmed=open_alarms(series, alarms),
        window_spend=np.where(recent, spend, 0.0).sum(axis=0),
        window_purchases=np.where(recent, purchases, 0.0).sum(axis=0),
        budget=series.array("budget")[-1],
        left_out=alarms.sum(axis=0),
        window_days=min(WINDOW_DAYS, history_days),
        history_days=history_days,
        currency=series.currency,
    )
    return Evaluation(
        campaigns=_verdicts(series, posterior, judged, explicit, suggest(record)),
        relative=not bool(explicit.any()),
        pooled=_pooled(series, average, dispersion),
        notes=() if judged.all() else (NO_YARDSTICK,),
    )


def _priors(
    purchases: FloatArray, spends: FloatArray, explicit: BoolArray, judged: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """(campaigns,) shape and rate of the prior.

    Learnt apart for campaigns with and without a target, as r = 1 means another thing in each.
    """
    shape = np.full(spends.shape, WEAK_PRIOR.shape)
    rate = np.full(spends.shape, WEAK_PRIOR.rate)
    for group in (judged & explicit, judged & ~explicit):
        prior = fit_prior(purchases[group], spends[group])
        shape[group], rate[group] = prior.shape, prior.rate
    return shape, rate


def _verdicts(
    series: AccountSeries,
    posterior: Posterior,
    judged: BoolArray,
    explicit: BoolArray,
    suggestions: Mapping[int, Suggestion],
) -> tuple[CampaignVerdict, ...]:
    score = scores(posterior).tolist()
    rate = posterior.mean.tolist()
    enough = enough_data(posterior).tolist()
    sample = posterior.spends.tolist()
    verdicts = []
    for column, campaign_id in enumerate(series.ids):
        note = "" if enough[column] else LITTLE_DATA
        if not judged[column]:
            note = NO_YARDSTICK
        verdicts.append(
            CampaignVerdict(
                campaign_id=campaign_id,
                score=score[column],
                score_note=note,
                relative=not bool(explicit[column]),
                rate=rate[column] if judged[column] else None,
                sample_size=sample[column],
                suggestions=(suggestions[column],) if column in suggestions else (),
            )
        )
    return tuple(verdicts)


def _pooled(series: AccountSeries, average: float | None, dispersion: float) -> PooledFigures:
    spend, impressions, clicks, purchases, revenue = (
        math.fsum(series.delivery(name).ravel())
        for name in ("spend", "impressions", "clicks", "purchases", "revenue")
    )
    return PooledFigures(
        days=int(series.ages[0]) + 1,
        spend=spend,
        impressions=impressions,
        clicks=clicks,
        purchases=purchases,
        revenue=revenue,
        ctr=_ratio(clicks, impressions),
        conversion_rate=_ratio(purchases, clicks),
        cpa=_ratio(spend, purchases),
        roas=_ratio(revenue, spend),
        discounted_cpa=average,
        over_dispersion=dispersion,
    )


def _ratio(amount: float, divisor: float) -> float | None:
    """amount / divisor, None where that is not a number."""
    if divisor <= 0:
        return None
    ratio = amount / divisor
    return ratio if math.isfinite(ratio) else None
