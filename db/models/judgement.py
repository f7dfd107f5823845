"""What the analysis says: targets it is held against, scores and suggestions."""

from __future__ import annotations

import enum
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Date, Double, Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, CreatedAt, RowId, enum_type


class TargetKind(enum.StrEnum):
    """CPA: cost of a purchase at which it breaks even; ROAS: revenue per unit of spend at which it does."""

    CPA = "cpa"
    ROAS = "roas"


class SuggestionType(enum.StrEnum):
    PAUSE = "PAUSE"
    BUDGET_UP = "BUDGET_UP"
    BUDGET_DOWN = "BUDGET_DOWN"
    CREATIVE_REFRESH = "CREATIVE_REFRESH"
    AUDIENCE_EXPANSION = "AUDIENCE_EXPANSION"


class SuggestionStatus(enum.StrEnum):
    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    APPLIED = "APPLIED"
    EXPIRED = "EXPIRED"


class Target(Base):
    """The break-even of an account, or of one of its campaigns, in the account's currency."""

    __tablename__ = "targets"
    __table_args__ = (
        Index("uq_targets_account", "account_id", unique=True, postgresql_where=text("campaign_id IS NULL")),
        Index(
            "uq_targets_campaign",
            "campaign_id",
            unique=True,
            postgresql_where=text("campaign_id IS NOT NULL"),
        ),
        CheckConstraint("value > 0", name="value_positive"),
    )

    id: Mapped[RowId]
    account_id: Mapped[int]
    campaign_id: Mapped[int | None]
    kind: Mapped[TargetKind] = mapped_column(enum_type(TargetKind, "target_kind"))
    value: Mapped[Decimal]
    created_at: Mapped[CreatedAt]


class CampaignScore(Base):
    """A campaign's score of one day (the account's zone), judged with what was known then."""

    __tablename__ = "campaign_scores"
    __table_args__ = (
        PrimaryKeyConstraint("campaign_id", "date"),
        Index(None, "account_id", "date"),
        CheckConstraint("score BETWEEN 0 AND 100", name="score_in_range"),
    )

    account_id: Mapped[int]
    campaign_id: Mapped[int]
    date: Mapped[date] = mapped_column(Date)
    score: Mapped[float] = mapped_column(Double)
    note: Mapped[str] = mapped_column(server_default="")
    # True when there is no target and the campaign is compared with the account's own average.
    relative: Mapped[bool] = mapped_column(Boolean)
    scored_at: Mapped[CreatedAt]


class Suggestion(Base):
    """What to do about a campaign, why, and what became of it."""

    __tablename__ = "suggestions"
    __table_args__ = (
        Index(
            "uq_suggestions_open",
            "campaign_id",
            "type",
            unique=True,
            postgresql_where=text("status IN ('PENDING', 'ACCEPTED')"),
        ),
        Index(None, "account_id", "status"),
    )

    id: Mapped[RowId]
    account_id: Mapped[int]
    campaign_id: Mapped[int]
    type: Mapped[SuggestionType] = mapped_column(enum_type(SuggestionType, "suggestion_type"))
    reason: Mapped[str]
    # The evidence: numbers, window, threshold, sample size, what would change the verdict.
    data: Mapped[dict[str, Any]]
    status: Mapped[SuggestionStatus] = mapped_column(
        enum_type(SuggestionStatus, "suggestion_status"), server_default=SuggestionStatus.PENDING.value
    )
    created_at: Mapped[CreatedAt]
    # When reason and data were last changed by newer evidence.
    updated_at: Mapped[CreatedAt]
    applied_at: Mapped[datetime | None]
