"""Daily insights: one row per account, level, entity, date, breakdown and its values."""

from __future__ import annotations

import enum
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Computed, Date, Dialect, Double, PrimaryKeyConstraint, TypeDecorator, func, text
from sqlalchemy.dialects.postgresql import DATEMULTIRANGE, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, enum_type


class Level(enum.StrEnum):
    ACCOUNT = "account"
    CAMPAIGN = "campaign"
    ADSET = "adset"
    AD = "ad"


class BreakdownValues(dict[str, Any]):
    """The values of a breakdown's keys. It is part of the row's key, so it can be hashed; never change it."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))


class _BreakdownJson(TypeDecorator[BreakdownValues]):
    impl = JSONB
    cache_ok = True

    def process_result_value(self, value: Any, _dialect: Dialect) -> BreakdownValues | None:
        return None if value is None else BreakdownValues(value)


def _ratio(expression: str) -> Any:
    return mapped_column(Double, Computed(expression, persisted=True))


class InsightCoverage(Base):
    """Which days of an account were collected, for each level and breakdown; and which are wanted at all.

    Kept apart from the slices, because those are deleted some time after their run.
    """

    __tablename__ = "insight_coverage"
    __table_args__ = (PrimaryKeyConstraint("account_id", "level", "breakdown"),)

    account_id: Mapped[int]
    level: Mapped[Level] = mapped_column(enum_type(Level, "insight_level"))
    breakdown: Mapped[str]
    # The first day that the schedule set out to collect; None when only single ranges were asked for.
    wanted_since: Mapped[date | None] = mapped_column(Date)
    # Read and written by `db.coverage` alone, in SQL: the driver has no type for it.
    covered: Mapped[Any] = mapped_column(DATEMULTIRANGE, server_default=text("'{}'::datemultirange"))


class Insight(Base):
    """What an entity did on one day of the account's own time zone, money in the account's currency.

    Only what Meta counts is stored; ratios are computed by the database from it, so they cannot disagree
    with their parts. There is no foreign key: Meta reports insights of objects that it no longer lists.
    """

    __tablename__ = "insights"
    # The order serves both the swap of a slice and the reading of a range of days by one index.
    __table_args__ = (
        PrimaryKeyConstraint("account_id", "level", "breakdown", "date", "entity_id", "breakdown_values"),
    )

    account_id: Mapped[int]
    level: Mapped[Level] = mapped_column(enum_type(Level, "insight_level"))
    entity_id: Mapped[int]
    date: Mapped[date] = mapped_column(Date)
    # The keys of the breakdown joined by `+` in alphabetical order, '' for none.
    breakdown: Mapped[str] = mapped_column(server_default="")
    breakdown_values: Mapped[BreakdownValues] = mapped_column(
        _BreakdownJson, server_default=text("'{}'::jsonb"), default=BreakdownValues
    )
    campaign_id: Mapped[int | None]
    adset_id: Mapped[int | None]
    ad_id: Mapped[int | None]
    impressions: Mapped[int]
    clicks: Mapped[int]
    reach: Mapped[int]
    spend: Mapped[Decimal]
    purchases: Mapped[int]
    revenue: Mapped[Decimal]
    actions: Mapped[list[Any]]
    action_values: Mapped[list[Any]]
    # Average number of times a person reached saw it.
    frequency: Mapped[float | None] = _ratio("impressions::double precision / NULLIF(reach, 0)")
    # Clicks (all) in percent of impressions.
    ctr: Mapped[float | None] = _ratio("100 * clicks::double precision / NULLIF(impressions, 0)")
    cpc: Mapped[float | None] = _ratio("spend::double precision / NULLIF(clicks, 0)")
    # Cost of 1,000 impressions.
    cpm: Mapped[float | None] = _ratio("1000 * spend::double precision / NULLIF(impressions, 0)")
    # Cost of a purchase.
    cpa: Mapped[float | None] = _ratio("spend::double precision / NULLIF(purchases, 0)")
    # Revenue for each unit of spend.
    roas: Mapped[float | None] = _ratio("revenue::double precision / NULLIF(spend, 0)::double precision")
    # When this row was last changed by a sync; a sync that finds the same does not touch it.
    collected_at: Mapped[datetime] = mapped_column(server_default=func.now())
