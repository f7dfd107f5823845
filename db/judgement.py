"""Keeping scores and suggestions; what did not change is not touched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from db.models import Campaign, CampaignScore, Suggestion, SuggestionStatus, SuggestionType


@dataclass(frozen=True, slots=True)
class NewScore:
    campaign_id: int
    score: float
    note: str
    # Compared with the account's own average, as there is no target.
    relative: bool


@dataclass(frozen=True, slots=True)
class NewSuggestion:
    campaign_id: int
    type: SuggestionType
    reason: str
    data: dict[str, Any]


def lock_judgement(session: Session, account_id: int) -> None:
    """Let one analysis of an account at a time write, until the transaction ends."""
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:lock, 0))"), {"lock": f"judgement:{account_id}"}
    )


def save_scores(session: Session, account_id: int, day: date, scores: Sequence[NewScore]) -> int:
    """The scores of one day (the account's zone); the number of rows written."""
    if not scores:
        return 0
    new = insert(CampaignScore).values(
        [
            {
                "account_id": account_id,
                "campaign_id": row.campaign_id,
                "date": day,
                "score": row.score,
                "note": row.note,
                "relative": row.relative,
            }
            for row in scores
        ]
    )
    compared = ("score", "note", "relative")
    statement = new.on_conflict_do_update(
        index_elements=["campaign_id", "date"],
        set_={name: new.excluded[name] for name in compared} | {"scored_at": func.now()},
        where=or_(*(getattr(CampaignScore, name).is_distinct_from(new.excluded[name]) for name in compared)),
    ).returning(CampaignScore.campaign_id)
    return len(session.execute(statement).all())


def save_suggestions(
    session: Session, account_id: int, suggestions: Iterable[NewSuggestion]
) -> tuple[int, int]:
    """Make the account's open suggestions be these; how many were written, and how many expired.

    An open one of the same campaign and type gets the newer reason and evidence; a pending one that is not
    made any more expires. Accepted ones are a person's decision and stay.
    """
    open_now = {
        (row.campaign_id, row.type): row
        for row in session.scalars(
            select(Suggestion).where(
                Suggestion.account_id == account_id,
                Suggestion.status.in_((SuggestionStatus.PENDING, SuggestionStatus.ACCEPTED)),
            )
        )
    }
    written = 0
    for row in sorted(suggestions, key=lambda row: (row.campaign_id, row.type)):
        standing = open_now.pop((row.campaign_id, row.type), None)
        if standing is None:
            session.add(
                Suggestion(
                    account_id=account_id,
                    campaign_id=row.campaign_id,
                    type=row.type,
                    reason=row.reason,
                    data=row.data,
                )
            )
            written += 1
        elif (standing.reason, standing.data) != (row.reason, row.data):
            standing.reason, standing.data = row.reason, row.data
            standing.updated_at = func.now()
            written += 1
    gone = [row.id for row in open_now.values() if row.status is SuggestionStatus.PENDING]
    if gone:
        session.execute(
            update(Suggestion)
            .where(Suggestion.id.in_(gone))
            .values(status=SuggestionStatus.EXPIRED, updated_at=func.now())
        )
    session.flush()
    return written, len(gone)


def open_suggestions(session: Session) -> list[dict[str, Any]]:
    """Every pending suggestion with its campaign's name, by account and campaign."""
    rows = session.execute(
        select(
            Suggestion.account_id,
            Suggestion.campaign_id,
            func.coalesce(Campaign.name, "").label("campaign"),
            Suggestion.type,
            Suggestion.reason,
        )
        .outerjoin(Campaign, Campaign.id == Suggestion.campaign_id)
        .where(Suggestion.status == SuggestionStatus.PENDING)
        .order_by(Suggestion.account_id, Suggestion.campaign_id, Suggestion.type)
    )
    return [dict(row) for row in rows.mappings()]
