"""What a daily report says, without how it is shown.

Dates are of the ad account's own zone, money is Decimal in the account's currency. The same rows give an
equal report, in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from db.reports import CampaignDay, ReportRows, ScoreRow, SuggestionRow
from reports.errors import NothingToReport

# What stops losing money comes first.
_SUGGESTION_ORDER = ("PAUSE", "BUDGET_DOWN", "BUDGET_UP", "CREATIVE_REFRESH", "AUDIENCE_EXPANSION")


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of a day; spend and revenue in the account's currency. Ratios are None where undefined."""

    impressions: int = 0
    clicks: int = 0
    spend: Decimal = Decimal(0)
    purchases: int = 0
    revenue: Decimal = Decimal(0)

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.impressions + other.impressions,
            self.clicks + other.clicks,
            self.spend + other.spend,
            self.purchases + other.purchases,
            self.revenue + other.revenue,
        )

    @property
    def ctr(self) -> Decimal | None:
        """Clicks (all) in percent of impressions."""
        return _ratio(Decimal(100 * self.clicks), Decimal(self.impressions))

    @property
    def cpa(self) -> Decimal | None:
        """Spend for each purchase."""
        return _ratio(self.spend, Decimal(self.purchases))

    @property
    def roas(self) -> Decimal | None:
        """Revenue for each unit of spend."""
        return _ratio(self.revenue, self.spend)


@dataclass(frozen=True, slots=True)
class CampaignLine:
    """A campaign that has figures on the day; `score` (0 to 100) is None when it was not judged.

    `relative` says that the score compares it with the account's own average, for want of a target.
    """

    campaign_id: int
    name: str
    status: str | None
    figures: Figures
    score: float | None
    note: str
    relative: bool


@dataclass(frozen=True, slots=True)
class SuggestionLine:
    """An open suggestion: what to do with which campaign, and why."""

    campaign_id: int
    campaign_name: str
    type: str
    reason: str


@dataclass(frozen=True, slots=True)
class DailyReport:
    """The report of one ad account and day.

    Attributes:
        day: date of the account's zone `timezone_name`.
        currency: ISO 4217 code of all money in it.
        day_before, week_before: figures to compare with; None if that day was not collected.
        campaigns: by spend, largest first.
        suggestions: the open ones, by urgency, then by the campaign's spend.
        judged, relative: how many campaigns have a score, and how many of those scores are relative.
        collected_at: when the data was collected, aware UTC; None if that is not known.
    """

    account_id: int
    account_name: str
    currency: str
    timezone_name: str
    day: date
    figures: Figures
    day_before: Figures | None
    week_before: Figures | None
    campaigns: tuple[CampaignLine, ...]
    suggestions: tuple[SuggestionLine, ...]
    judged: int
    relative: int
    collected_at: datetime | None

    @property
    def key(self) -> str:
        """What makes the report this one and no other: `daily:123:2026-11-21`."""
        return f"daily:{self.account_id}:{self.day.isoformat()}"


def build_report(rows: ReportRows) -> DailyReport:
    """The report of what was read. Raises NothingToReport if the day was not collected."""
    if rows.day not in rows.days:
        what = f"{rows.day} was not" if rows.ever_collected else "nothing was ever"
        raise NothingToReport(
            f"account {rows.account_id}: {what} collected; run `adtempo run collect --account"
            f" {rows.account_id} --since {rows.day} --until {rows.day}` first"
        )
    scores = {row.campaign_id: row for row in rows.scores}
    lines = [_line(row, scores) for row in rows.days[rows.day] if row.campaign_id is not None]
    campaigns = tuple(sorted(lines, key=lambda line: (-line.figures.spend, line.campaign_id)))
    return DailyReport(
        account_id=rows.account_id,
        account_name=rows.account_name,
        currency=rows.currency,
        timezone_name=rows.timezone_name,
        day=rows.day,
        figures=total(_figures(row) for row in rows.days[rows.day]),
        day_before=_total_of(rows, rows.day - timedelta(days=1)),
        week_before=_total_of(rows, rows.day - timedelta(days=7)),
        campaigns=campaigns,
        suggestions=_suggestions(rows.suggestions, campaigns),
        judged=len(rows.scores),
        relative=sum(row.relative for row in rows.scores),
        collected_at=rows.collected_at,
    )


def total(figures: Iterable[Figures]) -> Figures:
    """The sum of figures."""
    return sum(figures, Figures())


def change(now: Decimal | int | None, before: Decimal | int | None) -> Decimal | None:
    """The change in percent; None where there is nothing to compare."""
    if now is None or not before:
        return None
    return (Decimal(now) / Decimal(before) - 1) * 100


def _ratio(amount: Decimal, divisor: Decimal) -> Decimal | None:
    return amount / divisor if divisor else None


def _figures(row: CampaignDay) -> Figures:
    return Figures(row.impressions, row.clicks, row.spend, row.purchases, row.revenue)


def _total_of(rows: ReportRows, day: date) -> Figures | None:
    return total(_figures(row) for row in rows.days[day]) if day in rows.days else None


def _name(name: str | None, campaign_id: int) -> str:
    # Meta reports insights of campaigns that it no longer lists.
    return " ".join((name or "").split()) or f"Campaign {campaign_id}"


def _line(row: CampaignDay, scores: dict[int, ScoreRow]) -> CampaignLine:
    assert row.campaign_id is not None
    score = scores.get(row.campaign_id)
    return CampaignLine(
        campaign_id=row.campaign_id,
        name=_name(row.name, row.campaign_id),
        status=row.status,
        figures=_figures(row),
        score=score.score if score else None,
        note=score.note if score else "",
        relative=score.relative if score else False,
    )


def _suggestions(
    rows: Iterable[SuggestionRow], campaigns: Iterable[CampaignLine]
) -> tuple[SuggestionLine, ...]:
    spend = {line.campaign_id: line.figures.spend for line in campaigns}
    last = len(_SUGGESTION_ORDER)

    def order(row: SuggestionRow) -> tuple[int, Decimal, int, int]:
        urgency = _SUGGESTION_ORDER.index(row.type) if row.type in _SUGGESTION_ORDER else last
        return urgency, -spend.get(row.campaign_id, Decimal(0)), row.campaign_id, row.id

    return tuple(
        SuggestionLine(row.campaign_id, _name(row.campaign_name, row.campaign_id), row.type, row.reason)
        for row in sorted(rows, key=order)
    )
