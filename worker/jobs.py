"""Asking for work: a row in `jobs`, and its id sent to the task that does that kind of job."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from db.jobs import create_job
from db.models import CollectionSlice, Job, JobKind
from worker.outbox import send_after_commit

# The task that does each kind of job; it takes the job's id.
JOB_TASKS = {
    JobKind.COLLECT: "tasks.collectors.collect",
    JobKind.ANALYZE: "tasks.processors.analyze",
    JobKind.REPORT: "tasks.reports.daily",
    JobKind.CLEANUP: "tasks.maintenance.cleanup",
    JobKind.CHECK_TOKENS: "tasks.maintenance.check_tokens",
}
# The task that takes one step on a slice; it takes the slice's id.
SLICE_TASK = "tasks.collectors.read_slice"


def request(
    session: Session,
    kind: JobKind,
    *,
    requested_by: str,
    slot: str | None = None,
    account_id: int | None = None,
    params: dict[str, Any] | None = None,
) -> int | None:
    """Insert a job and send it after the commit; its id, or None when its slot is taken."""
    job_id = create_job(
        session, kind, requested_by=requested_by, slot=slot, account_id=account_id, params=params
    )
    if job_id is not None:
        send_after_commit(session, JOB_TASKS[kind], job_id)
    return job_id


def request_now(
    session: Session, kind: JobKind, *, account_id: int | None = None, params: dict[str, Any] | None = None
) -> int:
    """Insert a job that a person asked for and send it after the commit; its id."""
    job_id = request(session, kind, requested_by="cli", account_id=account_id, params=params)
    assert job_id is not None, "only a slot can be taken"
    return job_id


def task_of(session: Session, model: type[Job] | type[CollectionSlice], row_id: int) -> str:
    """The name of the task that works on a row."""
    if model is CollectionSlice:
        return SLICE_TASK
    job = session.get_one(Job, row_id)
    return JOB_TASKS[job.kind]
