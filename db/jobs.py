"""Jobs as rows: asking for work, once for each slot of the schedule."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from db.models import Job, JobKind


def create_job(
    session: Session,
    kind: JobKind,
    *,
    requested_by: str,
    slot: str | None = None,
    account_id: int | None = None,
    params: dict[str, Any] | None = None,
) -> int | None:
    """A new job's id; None when the slot was asked for before (by another beat, or before a restart)."""
    statement = (
        insert(Job)
        .values(
            kind=kind,
            requested_by=requested_by,
            slot=slot,
            account_id=account_id,
            params=params or {},
            sent_at=func.clock_timestamp(),
        )
        .on_conflict_do_nothing(index_elements=["slot"])
        .returning(Job.id)
    )
    return session.execute(statement).scalar_one_or_none()


def slots_taken(session: Session, slots: list[str]) -> set[str]:
    """Which of these slots have a job already."""
    return {slot for slot in session.scalars(select(Job.slot).where(Job.slot.in_(slots))) if slot}
