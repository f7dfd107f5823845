"""Reading an account's campaigns as arrays for the analysis: one query, whatever the number of campaigns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
from sqlalchemy import Date, cast, func, select
from sqlalchemy.orm import Session

from db.models import Campaign, CollectionSlice, Insight, Level, Target, TargetKind, WorkState

Array = npt.NDArray[np.float64]

_METRICS = ("impressions", "clicks", "spend", "reach", "purchases", "revenue")


@dataclass(frozen=True, slots=True)
class CampaignDays:
    """Arrays of (days × campaigns), oldest day first; NaN where a campaign has no row on a day.

    Spend, revenue, budget and break-even are in the account's currency; dates are of its zone.
    `budget` is the present daily budget on every day, NaN where a campaign has none.
    """

    dates: list[date]
    campaign_ids: list[int]
    metrics: dict[str, Array]
    budget: Array
    # Per campaign: the cost of a purchase at which it breaks even; None without any target.
    break_even_cpa: list[float | None]


def load_campaign_days(session: Session, account_id: int, *, last: date, days: int) -> CampaignDays:
    """The `days` days up to `last`, for every campaign that delivered in them; fewer if none is older."""
    first = last - timedelta(days=days - 1)
    rows = session.execute(
        select(
            Insight.entity_id,
            Insight.date,
            *(getattr(Insight, name) for name in _METRICS),
        ).where(
            Insight.account_id == account_id,
            Insight.level == Level.CAMPAIGN,
            Insight.breakdown == "",
            Insight.date.between(first, last),
        )
    ).all()
    first = min((row.date for row in rows), default=first)
    days = (last - first).days + 1
    ids = sorted({row.entity_id for row in rows})
    column = {campaign_id: index for index, campaign_id in enumerate(ids)}
    shape = (days, len(ids))
    metrics = {name: np.full(shape, np.nan) for name in _METRICS}
    for row in rows:
        place = ((row.date - first).days, column[row.entity_id])
        for name in _METRICS:
            metrics[name][place] = float(getattr(row, name))
    budgets = dict(
        session.execute(
            select(Campaign.id, Campaign.daily_budget).where(
                Campaign.account_id == account_id, Campaign.daily_budget.is_not(None)
            )
        ).all()
    )
    budget = np.full(shape, np.nan)
    for campaign_id, index in column.items():
        if (amount := budgets.get(campaign_id)) is not None:
            budget[:, index] = float(amount)
    return CampaignDays(
        dates=[first + timedelta(days=day) for day in range(days)],
        campaign_ids=ids,
        metrics=metrics,
        budget=budget,
        break_even_cpa=_break_even(session, account_id, ids, metrics),
    )


def last_complete_day(session: Session, account_id: int, *, zone: str) -> date | None:
    """The newest day, in the account's zone, whose campaigns were read after its end, or None."""
    # A read covers its slice's days up to the one before the day on which it began.
    read_on = cast(func.timezone(zone, CollectionSlice.claimed_at), Date)
    newest = func.max(func.least(CollectionSlice.until, read_on - 1))
    day: date | None = session.scalar(
        select(newest).where(
            CollectionSlice.account_id == account_id,
            CollectionSlice.level == Level.CAMPAIGN,
            CollectionSlice.breakdown == "",
            CollectionSlice.state == WorkState.DONE,
            CollectionSlice.since < read_on,
        )
    )
    return day


def _break_even(
    session: Session, account_id: int, ids: list[int], metrics: dict[str, Array]
) -> list[float | None]:
    """Each campaign's own target, else the account's; a target ROAS is turned into a CPA.

    At a return of R the purchase may cost (revenue per purchase) / R, with the account's pooled revenue per
    purchase, as a single campaign may have too few.
    """
    targets = session.scalars(select(Target).where(Target.account_id == account_id)).all()
    purchases = float(np.nansum(metrics["purchases"]))
    order_value = float(np.nansum(metrics["revenue"])) / purchases if purchases else None

    def cpa(target: Target | None) -> float | None:
        if target is None:
            return None
        if target.kind is TargetKind.CPA:
            return float(target.value)
        return None if not order_value else order_value / float(target.value)

    by_campaign = {target.campaign_id: target for target in targets}
    return [cpa(by_campaign.get(campaign_id) or by_campaign.get(None)) for campaign_id in ids]
