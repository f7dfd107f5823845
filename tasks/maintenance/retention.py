"""Deleting the rows of finished work, in batches, so that no lock is held for long."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, func, select

from db.models import Job
from worker.unit import UnitOfWork

# Long enough to look up what happened last month; slots of the schedule repeat far sooner than that.
KEEP_FINISHED_WORK = timedelta(days=60)
_BATCH = 500


def delete_old_rows(unit: UnitOfWork) -> dict[str, int]:
    """Delete finished jobs, with their runs and slices, some time after they ended; how many went.

    Which days are collected is kept apart from them (`db.coverage`).
    """
    deleted = 0
    while True:
        with unit.transaction() as session:
            old = (
                select(Job.id)
                .where(Job.finished_at < func.now() - KEEP_FINISHED_WORK)
                .limit(_BATCH)
                .with_for_update(skip_locked=True)
            )
            count = len(session.execute(delete(Job).where(Job.id.in_(old)).returning(Job.id)).all())
        deleted += count
        if count < _BATCH:
            return {"jobs_deleted": deleted}
