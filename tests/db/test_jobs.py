"""Asking for work once."""

from __future__ import annotations

import threading

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from db.jobs import create_job, slots_taken
from db.models import Job, JobKind, WorkState

Sessions = sessionmaker[Session]
SLOT = "collect:2026-11-22T10:30Z"


def test_a_job_begins_pending_due_and_sent(sessions: Sessions) -> None:
    with sessions.begin() as session:
        job_id = create_job(
            session, JobKind.REPORT, requested_by="cli:anna", account_id=7, params={"date": "2026-11-21"}
        )
    with sessions() as session:
        job = session.get_one(Job, job_id)
        assert (job.kind, job.state, job.attempts, job.fence) == (JobKind.REPORT, WorkState.PENDING, 0, 0)
        assert (job.requested_by, job.account_id, job.params) == ("cli:anna", 7, {"date": "2026-11-21"})
        assert job.sent_at is not None
        assert job.next_attempt_at <= job.sent_at


def test_a_slot_makes_one_job(sessions: Sessions) -> None:
    with sessions.begin() as session:
        assert create_job(session, JobKind.COLLECT, requested_by="schedule", slot=SLOT) is not None
    with sessions.begin() as session:
        assert create_job(session, JobKind.COLLECT, requested_by="schedule", slot=SLOT) is None
        assert session.scalar(select(func.count(Job.id))) == 1


def test_jobs_without_a_slot_are_all_made(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ids = {create_job(session, JobKind.COLLECT, requested_by="cli") for _ in range(3)}
    assert len(ids) == 3
    assert None not in ids


def test_two_beats_at_once_make_one_job(sessions: Sessions) -> None:
    barrier = threading.Barrier(2)
    made: list[int | None] = []

    def beat() -> None:
        with sessions.begin() as session:
            session.connection()
            barrier.wait(10)
            made.append(create_job(session, JobKind.COLLECT, requested_by="schedule", slot=SLOT))

    threads = [threading.Thread(target=beat) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(one is None for one in made) == [False, True]


def test_slots_that_are_taken(sessions: Sessions) -> None:
    with sessions.begin() as session:
        create_job(session, JobKind.COLLECT, requested_by="schedule", slot=SLOT)
        create_job(session, JobKind.COLLECT, requested_by="cli")
        assert slots_taken(session, [SLOT, "collect:other"]) == {SLOT}
        assert slots_taken(session, []) == set()
