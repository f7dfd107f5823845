"""Reading what is stored, for people: a bounded number of rows, each question one query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Double, Select, cast, func, select, true
from sqlalchemy.orm import Session

from db.models import (
    AdAccount,
    Campaign,
    CampaignScore,
    Insight,
    Level,
    Suggestion,
    SuggestionStatus,
    SuggestionType,
)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """The first rows of an answer, and how many more there are."""

    rows: list[Row]
    more: int


@dataclass(frozen=True, slots=True)
class InsightsFilter:
    """Which insights to read: one level and one breakdown ('' for none), so that no amount counts twice.

    Dates are of each account's own zone, both included; an empty `account_ids` means all.
    """

    level: Level
    breakdown: str = ""
    account_ids: Sequence[int] = ()
    campaign_id: int | None = None
    since: date | None = None
    until: date | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        found = [Insight.level == self.level, Insight.breakdown == self.breakdown]
        if self.account_ids:
            found.append(Insight.account_id.in_(self.account_ids))
        if self.campaign_id is not None:
            found.append(Insight.campaign_id == self.campaign_id)
        if self.since is not None:
            found.append(Insight.date >= self.since)
        if self.until is not None:
            found.append(Insight.date <= self.until)
        return found


def campaigns(
    session: Session, *, account_ids: Sequence[int] = (), status: str | None = None, limit: int
) -> Page:
    """Campaigns by account and name, each with its newest score (None when it was never judged).

    `status` is an effective status. Budgets are in units of `currency`.
    """
    newest = (
        select(CampaignScore.score, CampaignScore.date, CampaignScore.note)
        .where(CampaignScore.campaign_id == Campaign.id)
        .order_by(CampaignScore.date.desc())
        .limit(1)
        .lateral("newest")
    )
    query = (
        select(
            Campaign.id,
            Campaign.account_id,
            Campaign.name,
            Campaign.status,
            Campaign.effective_status,
            Campaign.objective,
            Campaign.daily_budget,
            Campaign.lifetime_budget,
            AdAccount.currency,
            newest.c.score,
            newest.c.date.label("score_date"),
            newest.c.note.label("score_note"),
            Campaign.created_time,
            Campaign.updated_time,
            Campaign.synced_at,
        )
        .join(AdAccount, AdAccount.id == Campaign.account_id)
        .outerjoin(newest, true())
        .order_by(Campaign.account_id, Campaign.name, Campaign.id)
    )
    if account_ids:
        query = query.where(Campaign.account_id.in_(account_ids))
    if status is not None:
        query = query.where(Campaign.effective_status == status)
    return _page(session, query, limit)


def insights(session: Session, wanted: InsightsFilter, *, limit: int) -> Page:
    """Rows of insights, newest day first, and of a day those that spent most."""
    query = (
        select(
            Insight.account_id,
            AdAccount.currency,
            Insight.level,
            Insight.entity_id,
            Insight.date,
            Insight.breakdown,
            Insight.breakdown_values,
            Insight.campaign_id,
            Campaign.name.label("campaign_name"),
            Insight.adset_id,
            Insight.ad_id,
            Insight.impressions,
            Insight.clicks,
            Insight.reach,
            Insight.spend,
            Insight.frequency,
            Insight.ctr,
            Insight.cpc,
            Insight.cpm,
            Insight.cpa,
            Insight.roas,
            Insight.purchases,
            Insight.revenue,
            Insight.actions,
            Insight.action_values,
            Insight.collected_at,
        )
        .outerjoin(AdAccount, AdAccount.id == Insight.account_id)
        .outerjoin(Campaign, Campaign.id == Insight.campaign_id)
        .where(*wanted.conditions())
        .order_by(
            Insight.date.desc(),
            Insight.account_id,
            Insight.spend.desc(),
            Insight.entity_id,
            Insight.breakdown_values,
        )
    )
    return _page(session, query, limit)


def daily_totals(session: Session, wanted: InsightsFilter, *, limit: int) -> Page:
    """Sums by account and day, newest day first; money in the account's currency.

    Reach is left out: the same person may be in several rows. CPA and ROAS are of the sums.
    """
    spend, revenue = func.sum(Insight.spend), func.sum(Insight.revenue)
    purchases = cast(func.sum(Insight.purchases), BigInteger)
    query = (
        select(
            Insight.account_id,
            AdAccount.currency,
            Insight.date,
            cast(func.sum(Insight.impressions), BigInteger).label("impressions"),
            cast(func.sum(Insight.clicks), BigInteger).label("clicks"),
            spend.label("spend"),
            purchases.label("purchases"),
            revenue.label("revenue"),
            (cast(spend, Double) / func.nullif(purchases, 0)).label("cpa"),
            (cast(revenue, Double) / cast(func.nullif(spend, 0), Double)).label("roas"),
        )
        .outerjoin(AdAccount, AdAccount.id == Insight.account_id)
        .where(*wanted.conditions())
        .group_by(Insight.account_id, AdAccount.currency, Insight.date)
        .order_by(Insight.date.desc(), Insight.account_id)
    )
    return _page(session, query, limit)


def suggestions(
    session: Session,
    *,
    account_ids: Sequence[int] = (),
    status: SuggestionStatus | None = None,
    kind: SuggestionType | None = None,
    limit: int,
) -> Page:
    """Suggestions, newest first, with the campaign's name (None for one that Meta does not list)."""
    query = (
        select(
            Suggestion.id,
            Suggestion.account_id,
            Suggestion.campaign_id,
            Campaign.name.label("campaign_name"),
            Suggestion.type,
            Suggestion.reason,
            Suggestion.data,
            Suggestion.status,
            Suggestion.created_at,
            Suggestion.updated_at,
            Suggestion.applied_at,
        )
        .outerjoin(Campaign, Campaign.id == Suggestion.campaign_id)
        .order_by(Suggestion.created_at.desc(), Suggestion.id.desc())
    )
    if account_ids:
        query = query.where(Suggestion.account_id.in_(account_ids))
    if status is not None:
        query = query.where(Suggestion.status == status)
    if kind is not None:
        query = query.where(Suggestion.type == kind)
    return _page(session, query, limit)


def _page(session: Session, query: Select[*tuple[Any, ...]], limit: int) -> Page:
    """The first `limit` rows. The rest is counted only when there is one."""
    rows = [dict(row) for row in session.execute(query.limit(limit + 1)).mappings()]
    if len(rows) <= limit:
        return Page(rows, 0)
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery()))
    return Page(rows[:limit], max((total or 0) - limit, 1))
