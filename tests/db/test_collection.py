"""Runs, their slices, and when a run is over."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from db.collection import SliceSpec, close_run_if_over, create_run, create_slices
from db.models import CollectionRun, CollectionSlice, Job, Level, RunState, SliceKind, WorkState
from tests.db.work import ACCOUNT, add_job, add_run

Sessions = sessionmaker[Session]
SPECS = [
    SliceSpec(Level.CAMPAIGN, "", date(2026, 11, 1), date(2026, 11, 7)),
    SliceSpec(Level.AD, "age+gender", date(2026, 11, 8), date(2026, 11, 9)),
]


def end(session: Session, slice_id: int, state: WorkState) -> None:
    session.execute(update(CollectionSlice).where(CollectionSlice.id == slice_id).values(state=state))


def test_a_run_begins_with_the_account_itself(sessions: Sessions) -> None:
    with sessions.begin() as session:
        run_id, slice_id = create_run(
            session,
            job_id=add_job(session),
            account_id=ACCOUNT,
            levels=("campaign", "ad"),
            breakdowns=("age",),
            since=date(2026, 11, 1),
            until=None,
        )
    with sessions() as session:
        run = session.get_one(CollectionRun, run_id)
        assert (run.levels, run.breakdowns, run.state) == (["campaign", "ad"], ["age"], RunState.RUNNING)
        assert (run.since, run.until, run.finished_at) == (date(2026, 11, 1), None, None)
        first = session.get_one(CollectionSlice, slice_id)
        assert (first.kind, first.run_id, first.level) == (SliceKind.ENTITIES, run_id, None)
        assert (first.account_id, first.state) == (ACCOUNT, WorkState.PENDING)
        # It was not sent yet, so it is found should the message be lost.
        assert first.sent_at is None


def test_slices_are_made_in_the_order_of_their_plan(sessions: Sessions) -> None:
    with sessions.begin() as session:
        run = session.get_one(CollectionRun, add_run(session)[0])
        ids = create_slices(session, run, SPECS * 20)
        assert create_slices(session, run, []) == []
    with sessions() as session:
        made = [session.get_one(CollectionSlice, slice_id) for slice_id in ids]
        assert {(one.kind, one.account_id) for one in made} == {(SliceKind.INSIGHTS, ACCOUNT)}
        plan = [
            SliceSpec(one.level, one.breakdown, one.since, one.until)
            for one in made
            if one.level and one.since and one.until
        ]
        assert plan == SPECS * 20


def test_a_run_goes_with_its_job_and_slices_with_their_run(sessions: Sessions) -> None:
    with sessions.begin() as session:
        job_id = add_job(session)
        run_id, slice_id = add_run(session, job_id=job_id)
        session.delete(session.get_one(Job, job_id))
    with sessions() as session:
        assert session.get(CollectionRun, run_id) is None
        assert session.get(CollectionSlice, slice_id) is None


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((WorkState.DONE,), RunState.DONE),
        ((WorkState.DONE, WorkState.DONE, WorkState.DONE), RunState.DONE),
        ((WorkState.DONE, WorkState.FAILED, WorkState.DONE), RunState.INCOMPLETE),
        ((WorkState.FAILED,), RunState.FAILED),
        ((WorkState.FAILED, WorkState.FAILED, WorkState.FAILED), RunState.FAILED),
        ((WorkState.DONE, WorkState.PENDING, WorkState.FAILED), None),
    ],
)
def test_a_run_ends_with_its_last_slice(
    sessions: Sessions, states: tuple[WorkState, ...], expected: RunState | None
) -> None:
    with sessions.begin() as session:
        run_id, first = add_run(session)
        run = session.get_one(CollectionRun, run_id)
        ids = [first, *create_slices(session, run, SPECS)][: len(states)]
        if len(states) == 1:
            session.execute(
                update(CollectionSlice).where(CollectionSlice.run_id == run_id).values(state=states[0])
            )
        for slice_id, state in zip(ids, states, strict=True):
            end(session, slice_id, state)
    with sessions.begin() as session:
        assert close_run_if_over(session, run_id) == expected
    with sessions() as session:
        run = session.get_one(CollectionRun, run_id)
        assert run.state == (expected or RunState.RUNNING)
        assert (run.finished_at is None) == (expected is None)


def test_a_slice_at_work_keeps_its_run_open(sessions: Sessions) -> None:
    with sessions.begin() as session:
        run_id, slice_id = add_run(session)
        session.execute(
            update(CollectionSlice)
            .where(CollectionSlice.id == slice_id)
            .values(state=WorkState.RUNNING, lease_until=CollectionSlice.created_at)
        )
        assert close_run_if_over(session, run_id) is None


def test_a_run_that_is_over_keeps_its_end(sessions: Sessions) -> None:
    with sessions.begin() as session:
        run_id, slice_id = add_run(session)
        end(session, slice_id, WorkState.DONE)
        close_run_if_over(session, run_id)
    with sessions() as session:
        ended = session.get_one(CollectionRun, run_id).finished_at
    with sessions.begin() as session:
        assert close_run_if_over(session, run_id) is RunState.DONE
    with sessions() as session:
        assert session.get_one(CollectionRun, run_id).finished_at == ended


def test_of_two_slices_that_end_at_once_the_second_closes_the_run(sessions: Sessions) -> None:
    with sessions.begin() as session:
        run_id, first = add_run(session)
        run = session.get_one(CollectionRun, run_id)
        (second,) = create_slices(session, run, SPECS[:1])
    found: list[RunState | None] = []
    over = threading.Event()

    def other() -> None:
        with sessions.begin() as session:
            end(session, second, WorkState.DONE)
            found.append(close_run_if_over(session, run_id))
        over.set()

    thread = threading.Thread(target=other)
    with sessions.begin() as session:
        end(session, first, WorkState.DONE)
        assert close_run_if_over(session, run_id) is None
        thread.start()
        assert not over.wait(0.3)
    thread.join(20)
    assert found == [RunState.DONE]
