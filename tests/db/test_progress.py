"""How far work has come."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from db.collection import SliceSpec, close_run_if_over, create_slices
from db.models import CollectionRun, CollectionSlice, Job, Level, RunState, WorkState
from db.progress import Progress, jobs_by_id, progress, run_summaries
from tests.db.work import add_job, add_run

Sessions = sessionmaker[Session]
SPECS = [SliceSpec(level, "", date(2026, 11, 1), date(2026, 11, 2)) for level in Level]


def plan(session: Session, job_id: int, account_id: int) -> tuple[int, list[int]]:
    """A run with a slice for the account and one for each level; the run's id and the slices'."""
    run_id, first = add_run(session, account_id, job_id)
    run = session.get_one(CollectionRun, run_id)
    return run_id, [first, *create_slices(session, run, SPECS)]


def end(session: Session, slice_id: int, state: WorkState = WorkState.DONE, **values: Any) -> None:
    session.execute(
        update(CollectionSlice).where(CollectionSlice.id == slice_id).values(state=state, **values)
    )


def test_steps_are_counted_as_they_are_planned_and_ended(sessions: Sessions) -> None:
    with sessions.begin() as session:
        job_id, other = add_job(session), add_job(session)
        assert progress(session, [job_id]) == Progress(1, 0, finished=False)
        run_id, slices = plan(session, job_id, 7)
        plan(session, other, 7)
        assert progress(session, [job_id]) == Progress(6, 0, finished=False)
        session.execute(update(Job).where(Job.id == job_id).values(state=WorkState.DONE))
        for slice_id in slices[1:]:
            end(session, slice_id)
        end(session, slices[0], WorkState.FAILED)
        assert progress(session, [job_id]) == Progress(6, 6, finished=False)
        assert close_run_if_over(session, run_id) is RunState.INCOMPLETE
        assert progress(session, [job_id]) == Progress(6, 6, finished=True)
        assert progress(session, [job_id, other]) == Progress(12, 6, finished=False)


def test_nothing_asked_for_is_finished(sessions: Sessions) -> None:
    with sessions() as session:
        assert progress(session, []) == Progress(0, 0, finished=True)
        assert run_summaries(session, []) == []
        assert jobs_by_id(session, []) == []


def test_the_summary_of_a_run(sessions: Sessions) -> None:
    with sessions.begin() as session:
        job_id = add_job(session)
        _, later = plan(session, job_id, 9)
        run_id, (first, second, third, fourth, _) = plan(session, job_id, 7)
        # The slice of the account itself reads no rows of insights.
        end(session, first, rows_read=100, rows_inserted=100, graph_calls=2)
        end(session, second, rows_read=10, rows_inserted=5, rows_updated=3, rows_deleted=1, graph_calls=4)
        for slice_id in (third, fourth):
            end(session, slice_id, WorkState.FAILED, error_kind="transient", error="HTTP 502", rows_read=1)
        end(session, later[1], rows_read=1)
        # An error of an attempt before is none of a slice that is done.
        end(session, later[2], error_kind="transient", error="HTTP 502")
        mine, others = run_summaries(session, [job_id])
    assert (mine.run_id, mine.account_id, mine.state) == (run_id, 7, RunState.RUNNING)
    assert (mine.slices, mine.slices_over) == (5, 4)
    assert (mine.rows_read, mine.rows_inserted, mine.rows_updated, mine.rows_deleted) == (12, 5, 3, 1)
    assert mine.graph_calls == 6
    assert mine.errors == (("transient", "HTTP 502"),)
    assert (others.account_id, others.rows_read, others.slices_over, others.errors) == (9, 1, 2, ())


def test_jobs_come_in_the_order_of_their_ids(sessions: Sessions) -> None:
    with sessions.begin() as session:
        first, second, _ = add_job(session), add_job(session), add_job(session)
        assert [job.id for job in jobs_by_id(session, [second, first, 10**12])] == [first, second]
