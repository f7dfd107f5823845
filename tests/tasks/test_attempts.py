"""What an error means for the row that it happened on."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import DataError, OperationalError

from agent import errors as agent_errors
from db import leases
from db.models import Job, JobKind, WorkState
from reports import errors as report_errors
from tasks.attempts import MAX_ATTEMPTS, Verdict, attempt, judge
from tests.support.inline import InlineWorker
from worker.errors import BadInput
from worker.jobs import request_now
from worker.unit import UnitOfWork

TOKEN = "EAATESTTOKEN" + "a1b2c3d4" * 4


@pytest.mark.parametrize(
    ("error", "verdict", "kind"),
    [
        (agent_errors.Throttled("x", retry_after=60.0), Verdict.WAIT, "throttled"),
        (agent_errors.TokenStateUnknown("x"), Verdict.WAIT, "token_state_unknown"),
        (agent_errors.Transient("x"), Verdict.RETRY, "transient"),
        (agent_errors.TooMuchData("x"), Verdict.RETRY, "too_much_data"),
        (agent_errors.TokenDead("x"), Verdict.GIVE_UP, "token_dead"),
        (agent_errors.TokenRefused("x"), Verdict.GIVE_UP, "token_refused"),
        (agent_errors.PermissionMissing("x"), Verdict.GIVE_UP, "not_allowed"),
        (agent_errors.BadRequest("x"), Verdict.GIVE_UP, "bad_request"),
        (agent_errors.BadAnswer("x"), Verdict.GIVE_UP, "bad_answer"),
        (report_errors.NotionThrottled("x", retry_after=90.0), Verdict.WAIT, "notion_throttled"),
        (report_errors.ReportBusy("x"), Verdict.WAIT, "report_busy"),
        (report_errors.NotionTransient("x"), Verdict.RETRY, "notion_transient"),
        (report_errors.NotionRefused("x"), Verdict.GIVE_UP, "notion_refused"),
        (DataError("", {}, Exception()), Verdict.GIVE_UP, "bad_data"),
        (OperationalError("", {}, Exception()), Verdict.RETRY, "database"),
        (BadInput("x"), Verdict.GIVE_UP, "not_possible"),
        (RuntimeError("x"), Verdict.RETRY, "crash"),
    ],
)
def test_each_error_has_its_verdict(error: Exception, verdict: Verdict, kind: str) -> None:
    outcome = judge(error)
    assert (outcome.verdict, outcome.kind) == (verdict, kind)


def fail_once(worker: InlineWorker, job_id: int, error: Exception) -> Job:
    worker.make_due()
    with UnitOfWork(worker.process, task_id="t") as unit, attempt(unit, Job, job_id) as lease:
        assert lease
        raise error
    with worker.process.session() as session:
        return session.get_one(Job, job_id)


@pytest.fixture
def job_id(worker: InlineWorker) -> int:
    with worker.process.session() as session, session.begin():
        made = request_now(session, JobKind.CLEANUP)
    worker.sent.messages.clear()
    return made


def test_a_retry_is_sent_with_its_delay(worker: InlineWorker, job_id: int) -> None:
    job = fail_once(worker, job_id, agent_errors.Transient("gone"))
    assert (job.state, job.error_kind, job.error) == (WorkState.PENDING, "transient", "gone")
    (message,) = worker.sent.messages
    assert message.args == (job_id,)
    assert 4 <= message.countdown <= 8


def test_the_delays_grow_and_the_attempts_end(worker: InlineWorker, job_id: int) -> None:
    waits = []
    for _ in range(MAX_ATTEMPTS - 1):
        job = fail_once(worker, job_id, agent_errors.Transient("gone"))
        assert job.state is WorkState.PENDING
        assert job.sent_at is None or job.next_attempt_at - job.sent_at > timedelta(0)
        waits.append(job.next_attempt_at)
    last = fail_once(worker, job_id, agent_errors.Transient("gone"))
    assert (last.state, last.attempts) == (WorkState.FAILED, MAX_ATTEMPTS)
    assert last.finished_at is not None
    gaps = [later - earlier for earlier, later in pairwise(waits)]
    assert all(gap > timedelta(0) for gap in gaps)


def test_waiting_for_another_side_is_no_attempt(worker: InlineWorker, job_id: int) -> None:
    for _ in range(MAX_ATTEMPTS + 2):
        job = fail_once(worker, job_id, agent_errors.Throttled("busy", retry_after=1200.0))
    assert (job.state, job.attempts) == (WorkState.PENDING, 0)
    # Later than a countdown may be; the reconciler sends it.
    assert not worker.sent.messages


def test_a_crash_is_kept_without_secrets(worker: InlineWorker, job_id: int) -> None:
    job = fail_once(worker, job_id, RuntimeError(f"GET https://h/x?access_token={TOKEN} failed"))
    assert job.error_kind == "crash"
    assert TOKEN not in (job.error or "")


def test_a_row_that_another_worker_has_is_left_to_it(worker: InlineWorker, job_id: int) -> None:
    with worker.process.session() as session, session.begin():
        leases.claim(session, Job, job_id, owner="other", ttl=timedelta(minutes=1))
    with UnitOfWork(worker.process, task_id="t") as unit, attempt(unit, Job, job_id) as lease:
        assert lease is None
    with worker.process.session() as session:
        assert session.scalars(select(Job.lease_owner)).one() == "other"


def test_a_worker_that_lost_its_lease_leaves_the_row_to_its_successor(
    worker: InlineWorker, job_id: int
) -> None:
    with UnitOfWork(worker.process, task_id="slow") as unit, attempt(unit, Job, job_id) as lease:
        assert lease
        with worker.process.session() as session, session.begin():
            expired = func.now() - timedelta(seconds=1)
            session.execute(update(Job).where(Job.id == job_id).values(lease_until=expired))
        with worker.process.session() as session, session.begin():
            assert leases.claim(session, Job, job_id, owner="successor", ttl=timedelta(minutes=1))
        raise RuntimeError("too late")
    with worker.process.session() as session:
        job = session.get_one(Job, job_id)
    assert (job.state, job.lease_owner, job.error_kind) == (WorkState.RUNNING, "successor", None)
