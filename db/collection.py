"""Collection runs and their slices as rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from db.models import CollectionRun, CollectionSlice, Level, RunState, SliceKind, WorkState


@dataclass(frozen=True, slots=True)
class SliceSpec:
    """A slice of insights to read: days of the account's own zone, both included."""

    level: Level
    breakdown: str
    since: date
    until: date


def create_run(
    session: Session,
    *,
    job_id: int,
    account_id: int,
    levels: Sequence[str],
    breakdowns: Sequence[str],
    since: date | None,
    until: date | None,
) -> tuple[int, int]:
    """A run of one account with its first slice, the account itself; the ids of both."""
    run_id = session.execute(
        insert(CollectionRun)
        .values(
            job_id=job_id,
            account_id=account_id,
            levels=list(levels),
            breakdowns=list(breakdowns),
            since=since,
            until=until,
        )
        .returning(CollectionRun.id)
    ).scalar_one()
    slice_id = session.execute(
        insert(CollectionSlice)
        .values(run_id=run_id, account_id=account_id, kind=SliceKind.ENTITIES)
        .returning(CollectionSlice.id)
    ).scalar_one()
    return run_id, slice_id


def create_slices(session: Session, run: CollectionRun, specs: Iterable[SliceSpec]) -> list[int]:
    """The run's slices of insights; their ids, in the order of `specs`."""
    rows = [
        {
            "run_id": run.id,
            "account_id": run.account_id,
            "kind": SliceKind.INSIGHTS,
            "level": spec.level,
            "breakdown": spec.breakdown,
            "since": spec.since,
            "until": spec.until,
        }
        for spec in specs
    ]
    if not rows:
        return []
    statement = insert(CollectionSlice).returning(CollectionSlice.id, sort_by_parameter_order=True)
    return list(session.scalars(statement, rows).all())


def accounts_with_open_runs(session: Session) -> set[int]:
    """The accounts whose last collection is not over yet."""
    return set(
        session.scalars(
            select(CollectionRun.account_id).where(CollectionRun.finished_at.is_(None)).distinct()
        )
    )


def was_read_since(session: Session, slice_id: int) -> bool:
    """Whether a slice with some of the same days was claimed after this one and is done already.

    What this one read may be older then. Only true under the lock that swaps of these rows take.
    """
    mine, other = aliased(CollectionSlice), aliased(CollectionSlice)
    newer = (
        select(other.id)
        .join(
            mine,
            and_(
                other.account_id == mine.account_id,
                other.level == mine.level,
                other.breakdown == mine.breakdown,
                other.until >= mine.since,
                other.since <= mine.until,
                other.claimed_at > mine.claimed_at,
            ),
        )
        .where(mine.id == slice_id, other.state == WorkState.DONE)
    )
    return session.scalars(select(newer.exists())).one()


def close_run_if_over(session: Session, run_id: int) -> RunState | None:
    """Give the run its final state once none of its slices is open; None while one is.

    The run's row is locked first, so of two slices that end at the same time the second one sees both.
    """
    session.execute(select(CollectionRun.id).where(CollectionRun.id == run_id).with_for_update())
    counts: dict[WorkState, int] = dict(
        session.execute(
            select(CollectionSlice.state, func.count())
            .where(CollectionSlice.run_id == run_id)
            .group_by(CollectionSlice.state)
        )
        # A result has keys(), which dict() would take for those of a mapping.
        .all()
    )
    if counts.get(WorkState.PENDING) or counts.get(WorkState.RUNNING):
        return None
    done, failed = counts.get(WorkState.DONE, 0), counts.get(WorkState.FAILED, 0)
    state = RunState.DONE if not failed else RunState.INCOMPLETE if done else RunState.FAILED
    session.execute(
        update(CollectionRun)
        .where(CollectionRun.id == run_id, CollectionRun.finished_at.is_(None))
        .values(state=state, finished_at=func.clock_timestamp())
    )
    return state
