"""How the work stands: last syncs, open work, what failed lately, what is overdue. Reads only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from db.leases import LeasedModel, is_overdue
from db.models import (
    AdAccount,
    CollectionRun,
    CollectionSlice,
    Job,
    SliceKind,
    WorkState,
)
from db.read import Page, Row

_OPEN = (WorkState.PENDING, WorkState.RUNNING)


def last_syncs(session: Session) -> list[Row]:
    """Every account that was ever listed or asked for, with its last finished run, if it had one.

    Rows read and written are rows of insights; `open_runs` is how many runs are not over.
    """
    newest = (
        select(CollectionRun)
        .where(CollectionRun.finished_at.is_not(None))
        .ext(distinct_on(CollectionRun.account_id))
        .order_by(CollectionRun.account_id, CollectionRun.finished_at.desc(), CollectionRun.id.desc())
        .cte("newest")
    )
    rows_of = CollectionSlice.kind == SliceKind.INSIGHTS

    def total(column: Any, name: str) -> ColumnElement[Any]:
        return func.coalesce(func.sum(column).filter(rows_of), 0).label(name)

    counts = (
        select(
            CollectionSlice.run_id,
            func.count().label("slices"),
            func.count().filter(CollectionSlice.state == WorkState.FAILED).label("slices_failed"),
            total(CollectionSlice.rows_read, "rows_read"),
            total(CollectionSlice.rows_inserted, "rows_inserted"),
            total(CollectionSlice.rows_updated, "rows_updated"),
            total(CollectionSlice.rows_deleted, "rows_deleted"),
        )
        .where(CollectionSlice.run_id.in_(select(newest.c.id)))
        .group_by(CollectionSlice.run_id)
        .cte("counts")
    )
    open_runs = (
        select(CollectionRun.account_id, func.count().label("runs"))
        .where(CollectionRun.finished_at.is_(None))
        .group_by(CollectionRun.account_id)
        .cte("open_runs")
    )
    everyone = select(AdAccount.id).union(select(CollectionRun.account_id)).subquery("everyone")
    rows = session.execute(
        select(
            everyone.c.id.label("account_id"),
            AdAccount.name,
            AdAccount.timezone_name,
            AdAccount.account_status,
            newest.c.id.label("run_id"),
            newest.c.state,
            newest.c.created_at.label("started_at"),
            newest.c.finished_at,
            counts.c.slices,
            counts.c.slices_failed,
            counts.c.rows_read,
            counts.c.rows_inserted,
            counts.c.rows_updated,
            counts.c.rows_deleted,
            func.coalesce(open_runs.c.runs, 0).label("open_runs"),
        )
        .select_from(everyone)
        .outerjoin(AdAccount, AdAccount.id == everyone.c.id)
        .outerjoin(newest, newest.c.account_id == everyone.c.id)
        .outerjoin(counts, counts.c.run_id == newest.c.id)
        .outerjoin(open_runs, open_runs.c.account_id == everyone.c.id)
        .order_by(everyone.c.id)
    ).mappings()
    return [_with_whole_numbers(dict(row)) for row in rows]


def open_work(session: Session) -> dict[str, dict[str, int]]:
    """How many jobs and slices are pending and running, and how many runs are not over."""
    runs = session.scalar(select(func.count()).where(CollectionRun.finished_at.is_(None))) or 0
    return {
        "runs": {"running": runs},
        "slices": _open_by_state(session, CollectionSlice),
        "jobs": _open_by_state(session, Job),
    }


def failed_slices(session: Session, *, within: timedelta, limit: int) -> Page:
    """Slices that failed in the time before now, newest first, and why."""
    failed = _failed(CollectionSlice, within)
    rows = session.execute(
        select(
            CollectionSlice.id,
            CollectionSlice.run_id,
            CollectionSlice.account_id,
            CollectionSlice.kind,
            CollectionSlice.level,
            CollectionSlice.breakdown,
            CollectionSlice.since,
            CollectionSlice.until,
            CollectionSlice.attempts,
            CollectionSlice.error_kind,
            CollectionSlice.error,
            CollectionSlice.finished_at,
            func.count().over().label("total"),
        )
        .where(failed)
        .order_by(CollectionSlice.finished_at.desc(), CollectionSlice.id.desc())
        .limit(limit)
    ).mappings()
    return _counted([dict(row) for row in rows])


def failed_jobs(session: Session, *, within: timedelta, limit: int) -> Page:
    """Jobs that failed in the time before now, newest first, and why."""
    rows = session.execute(
        select(
            Job.id,
            Job.kind,
            Job.account_id,
            Job.requested_by,
            Job.attempts,
            Job.error_kind,
            Job.error,
            Job.finished_at,
            func.count().over().label("total"),
        )
        .where(_failed(Job, within))
        .order_by(Job.finished_at.desc(), Job.id.desc())
        .limit(limit)
    ).mappings()
    return _counted([dict(row) for row in rows])


def overdue(session: Session) -> dict[str, int]:
    """How many rows the next reconciliation would send again (see db.leases.overdue); none are touched."""
    return {
        "jobs": session.scalar(select(func.count()).where(is_overdue(Job))) or 0,
        "slices": session.scalar(select(func.count()).where(is_overdue(CollectionSlice))) or 0,
    }


def _open_by_state(session: Session, model: LeasedModel) -> dict[str, int]:
    rows = session.execute(
        select(model.state, func.count()).where(model.state.in_(_OPEN)).group_by(model.state)
    )
    counts = dict(rows.all())
    return {state.value: counts.get(state, 0) for state in _OPEN}


def _failed(model: LeasedModel, within: timedelta) -> ColumnElement[bool]:
    return and_(model.state == WorkState.FAILED, model.finished_at > func.now() - within)


def _counted(rows: list[Row]) -> Page:
    totals = [row.pop("total") for row in rows]
    return Page(rows, totals[0] - len(rows) if rows else 0)


def _with_whole_numbers(row: Row) -> Row:
    # A sum of bigint is numeric.
    return {
        name: int(value) if name.startswith("rows_") and value is not None else value
        for name, value in row.items()
    }
