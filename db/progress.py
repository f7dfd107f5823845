"""How far asked-for work has come: what the command line shows while it waits, and the summary at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from db.models import CollectionRun, CollectionSlice, Job, RunState, SliceKind, WorkState


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One account's collection: its state, the rows it read and wrote, and what could not be had."""

    run_id: int
    account_id: int
    state: RunState
    slices: int
    slices_over: int
    rows_read: int
    rows_inserted: int
    rows_updated: int
    rows_deleted: int
    graph_calls: int
    errors: tuple[tuple[str, str], ...]


def run_summaries(session: Session, job_ids: Sequence[int]) -> list[RunSummary]:
    """The runs of these jobs, by account. Rows are rows of insights; errors are pairs of kind and text."""
    insights = CollectionSlice.kind == SliceKind.INSIGHTS

    def total(column: Any) -> Any:
        return func.coalesce(func.sum(column).filter(insights), 0)

    failed = CollectionSlice.state == WorkState.FAILED
    kinds = func.coalesce(func.array_agg(CollectionSlice.error_kind).filter(failed), [])
    texts = func.coalesce(func.array_agg(CollectionSlice.error).filter(failed), [])
    over = CollectionSlice.state.in_((WorkState.DONE, WorkState.FAILED))
    rows = session.execute(
        select(
            CollectionRun.id,
            CollectionRun.account_id,
            CollectionRun.state,
            func.count(CollectionSlice.id),
            func.count(CollectionSlice.id).filter(over),
            total(CollectionSlice.rows_read),
            total(CollectionSlice.rows_inserted),
            total(CollectionSlice.rows_updated),
            total(CollectionSlice.rows_deleted),
            func.coalesce(func.sum(CollectionSlice.graph_calls), 0),
            kinds,
            texts,
        )
        .join(CollectionSlice, CollectionSlice.run_id == CollectionRun.id)
        .where(CollectionRun.job_id.in_(job_ids))
        .group_by(CollectionRun.id)
        .order_by(CollectionRun.account_id, CollectionRun.id)
    ).all()
    return [
        RunSummary(
            run_id=row[0],
            account_id=row[1],
            state=row[2],
            slices=row[3],
            slices_over=row[4],
            rows_read=int(row[5]),
            rows_inserted=int(row[6]),
            rows_updated=int(row[7]),
            rows_deleted=int(row[8]),
            graph_calls=int(row[9]),
            # The same reason for many slices is said once.
            errors=tuple(dict.fromkeys(zip(row[10], row[11], strict=True))),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Progress:
    """Steps of asked-for jobs: each job is one, and so is each of its slices."""

    steps: int
    over: int
    finished: bool


def progress(session: Session, job_ids: Sequence[int]) -> Progress:
    """How many steps there are by now (a run plans its slices as it goes) and how many are over."""
    ended = (WorkState.DONE, WorkState.FAILED)
    jobs, jobs_over = session.execute(
        select(func.count(), func.count().filter(Job.state.in_(ended))).where(Job.id.in_(job_ids))
    ).one()
    slices, slices_over = session.execute(
        select(func.count(), func.count().filter(CollectionSlice.state.in_(ended)))
        .join(CollectionRun, CollectionRun.id == CollectionSlice.run_id)
        .where(CollectionRun.job_id.in_(job_ids))
    ).one()
    open_runs = session.scalar(
        select(func.count()).where(
            and_(CollectionRun.job_id.in_(job_ids), CollectionRun.finished_at.is_(None))
        )
    )
    steps, over = jobs + slices, jobs_over + slices_over
    return Progress(steps, over, finished=steps == over and not open_runs)


def jobs_by_id(session: Session, job_ids: Sequence[int]) -> list[Job]:
    """The jobs as they are now, in the order of their ids."""
    return list(session.scalars(select(Job).where(Job.id.in_(job_ids)).order_by(Job.id)))
