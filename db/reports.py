"""What a daily report is made of, read with six queries whatever the number of campaigns.

Days are dates of the ad account's own zone, money is in the account's currency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from db.models import (
    AdAccount,
    Campaign,
    CampaignScore,
    CollectionRun,
    CollectionSlice,
    Insight,
    Level,
    SliceKind,
    Suggestion,
    SuggestionStatus,
    WorkState,
)

# Which level to add up when several are collected: the one with the fewest rows that still tells campaigns
# apart; the account's own rows only when there is nothing else.
LEVEL_ORDER = (Level.CAMPAIGN, Level.ADSET, Level.AD, Level.ACCOUNT)


@dataclass(frozen=True, slots=True)
class CampaignDay:
    """The sums of one campaign (None: rows that name none) on one day, with what is known of the campaign."""

    campaign_id: int | None
    name: str | None
    status: str | None
    impressions: int
    clicks: int
    spend: Decimal
    purchases: int
    revenue: Decimal


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A campaign's score, 0 to 100, of the report's day."""

    campaign_id: int
    score: float
    note: str
    relative: bool


@dataclass(frozen=True, slots=True)
class SuggestionRow:
    """A suggestion that nobody has answered yet."""

    id: int
    campaign_id: int
    campaign_name: str | None
    type: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReportRows:
    """Everything a report of one account and day needs.

    Attributes:
        days: what was collected of the day, the day before and the day a week earlier; a day that was not
            collected is absent, one on which nothing was delivered is an empty list.
        collected_at: when the day was last collected, aware UTC; None if that is not known.
        ever_collected: whether any day of the account was.
    """

    account_id: int
    account_name: str
    currency: str
    timezone_name: str
    day: date
    days: dict[date, list[CampaignDay]]
    scores: list[ScoreRow]
    suggestions: list[SuggestionRow]
    collected_at: datetime | None
    ever_collected: bool


@dataclass(frozen=True, slots=True)
class _Collected:
    """Which days of a level are known to be collected, and when."""

    level: Level
    first: date | None
    last: date | None
    slices: list[tuple[date, date, datetime | None]]

    def has(self, day: date) -> bool:
        # Slices of the past are cleaned away; the rows on either side of the day say the same then.
        if self.first is not None and self.last is not None and self.first <= day <= self.last:
            return True
        return any(since <= day <= until for since, until, _ in self.slices)

    def when(self, day: date) -> datetime | None:
        times = [at for since, until, at in self.slices if since <= day <= until and at is not None]
        return max(times, default=None)


def read_report(session: Session, account_id: int, day: date) -> ReportRows | None:
    """Read what the report of `day` needs; None for an account that is not known."""
    account = session.get(AdAccount, account_id)
    if account is None:
        return None
    wanted = (day, day - timedelta(days=1), day - timedelta(days=7))
    collected = _collected(session, account_id, day)
    days: dict[date, list[CampaignDay]] = {}
    changed_at = None
    if collected is not None:
        days = {one: [] for one in wanted if collected.has(one)}
        for one, at, sums in _sums(session, account_id, collected.level, wanted):
            days.setdefault(one, []).append(sums)
            if one == day:
                changed_at = max(at, changed_at or at)
    return ReportRows(
        account_id=account.id,
        account_name=account.name,
        currency=account.currency,
        timezone_name=account.timezone_name,
        day=day,
        days=days,
        scores=_scores(session, account_id, day),
        suggestions=_open_suggestions(session, account_id),
        collected_at=(collected.when(day) if collected else None) or changed_at,
        ever_collected=collected is not None,
    )


def _collected(session: Session, account_id: int, day: date) -> _Collected | None:
    """The level to report on; None when nothing of the account was ever collected."""
    columns = []
    for level in LEVEL_ORDER:
        for edge in (func.min, func.max):
            rows = (Insight.account_id == account_id, Insight.level == level, Insight.breakdown == "")
            columns.append(select(edge(Insight.date)).where(*rows).scalar_subquery())
    edges: list[date | None] = list(session.execute(select(*columns)).one())
    slices = session.execute(
        select(
            CollectionSlice.level,
            CollectionSlice.since,
            CollectionSlice.until,
            func.max(CollectionSlice.finished_at),
        )
        .join(CollectionRun, CollectionRun.id == CollectionSlice.run_id)
        .where(
            CollectionRun.account_id == account_id,
            CollectionSlice.kind == SliceKind.INSIGHTS,
            CollectionSlice.breakdown == "",
            CollectionSlice.state == WorkState.DONE,
            CollectionSlice.since <= day,
            CollectionSlice.until >= day - timedelta(days=7),
        )
        .group_by(CollectionSlice.level, CollectionSlice.since, CollectionSlice.until)
    ).all()
    known = []
    for index, level in enumerate(LEVEL_ORDER):
        first, last = edges[2 * index], edges[2 * index + 1]
        done = [(since, until, at) for one, since, until, at in slices if one == level and since and until]
        if first is not None or done:
            known.append(_Collected(level, first, last, done))
    return next((one for one in known if one.has(day)), known[0] if known else None)


def _sums(
    session: Session, account_id: int, level: Level, days: Sequence[date]
) -> list[tuple[date, datetime, CampaignDay]]:
    """Day, time of the last change, and sums of every campaign with rows on one of the days."""
    sums = (
        select(
            Insight.date,
            Insight.campaign_id,
            func.sum(Insight.impressions).label("impressions"),
            func.sum(Insight.clicks).label("clicks"),
            func.sum(Insight.spend).label("spend"),
            func.sum(Insight.purchases).label("purchases"),
            func.sum(Insight.revenue).label("revenue"),
            func.max(Insight.collected_at).label("changed_at"),
        )
        .where(
            Insight.account_id == account_id,
            Insight.level == level,
            Insight.breakdown == "",
            Insight.date.in_(days),
        )
        .group_by(Insight.date, Insight.campaign_id)
        .subquery()
    )
    rows = session.execute(
        select(sums, Campaign.name, Campaign.effective_status).outerjoin(
            Campaign, Campaign.id == sums.c.campaign_id
        )
    )
    # PostgreSQL adds bigints up as numerics, which the driver makes Decimals of.
    return [
        (
            row.date,
            row.changed_at,
            CampaignDay(
                campaign_id=row.campaign_id,
                name=row.name,
                status=row.effective_status,
                impressions=int(row.impressions),
                clicks=int(row.clicks),
                spend=row.spend,
                purchases=int(row.purchases),
                revenue=row.revenue,
            ),
        )
        for row in rows
    ]


def _scores(session: Session, account_id: int, day: date) -> list[ScoreRow]:
    rows = session.execute(
        select(
            CampaignScore.campaign_id, CampaignScore.score, CampaignScore.note, CampaignScore.relative
        ).where(CampaignScore.account_id == account_id, CampaignScore.date == day)
    )
    return [ScoreRow(*row) for row in rows]


def _open_suggestions(session: Session, account_id: int) -> list[SuggestionRow]:
    rows = session.execute(
        select(Suggestion.id, Suggestion.campaign_id, Campaign.name, Suggestion.type, Suggestion.reason)
        .outerjoin(Campaign, Campaign.id == Suggestion.campaign_id)
        .where(and_(Suggestion.account_id == account_id, Suggestion.status == SuggestionStatus.PENDING))
    )
    return [
        SuggestionRow(number, campaign_id, name, kind.value, reason)
        for number, campaign_id, name, kind, reason in rows
    ]
