"""Rows of work to begin with."""

from __future__ import annotations

from sqlalchemy.orm import Session

from db.collection import create_run
from db.jobs import create_job
from db.models import Base, JobKind

ACCOUNT = 7


def add_job(session: Session, kind: JobKind = JobKind.COLLECT) -> int:
    job_id = create_job(session, kind, requested_by="test")
    assert job_id is not None
    return job_id


def add_run(session: Session, account_id: int = ACCOUNT, job_id: int | None = None) -> tuple[int, int]:
    """A run and its first slice; their ids."""
    return create_run(
        session,
        job_id=job_id or add_job(session),
        account_id=account_id,
        levels=["campaign"],
        breakdowns=[],
        since=None,
        until=None,
    )


def add_row(session: Session, model: type[Base]) -> int:
    """A pending row of either kind of work."""
    return add_job(session) if model.__tablename__ == "jobs" else add_run(session)[1]
