"""What an error means for the row that it happened on."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import psycopg2
import psycopg2.errors
import pytest
import redis
from sqlalchemy import func, select, update
from sqlalchemy.exc import DataError, OperationalError

from agent import errors as agent_errors
from db import leases
from db.errors import NewerReadExists, UnexpectedRows
from db.models import CollectionRun, CollectionSlice, Job, JobKind, RunState, WorkState
from reports import errors as report_errors
from tasks.attempts import MAX_ATTEMPTS, Verdict, attempt, judge
from tests.support.inline import InlineWorker
from tests.support.simulators import GraphSimulator
from tests.tasks.test_processors import run
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
        (psycopg2.errors.InvalidTextRepresentation("COPY said so"), Verdict.GIVE_UP, "bad_data"),
        (psycopg2.OperationalError("gone"), Verdict.RETRY, "database"),
        (redis.ConnectionError("gone"), Verdict.RETRY, "redis"),
        (NewerReadExists("x"), Verdict.RETRY, "overtaken"),
        (UnexpectedRows("x"), Verdict.GIVE_UP, "bad_answer"),
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


def now(worker: InlineWorker) -> datetime:
    with worker.process.session() as session:
        moment: datetime = session.scalars(select(func.clock_timestamp())).one()
        return moment


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


def test_the_delays_grow_to_a_quarter_of_an_hour_and_the_attempts_end(
    worker: InlineWorker, job_id: int
) -> None:
    waits = []
    for _ in range(MAX_ATTEMPTS - 1):
        before = now(worker)
        job = fail_once(worker, job_id, agent_errors.Transient("gone"))
        assert job.state is WorkState.PENDING
        waits.append((job.next_attempt_at - before).total_seconds())
    last = fail_once(worker, job_id, agent_errors.Transient("gone"))
    assert (last.state, last.attempts) == (WorkState.FAILED, MAX_ATTEMPTS)
    assert last.finished_at is not None
    # Each is about twice the one before, whatever the jitter, up to the longest.
    assert all(1.2 < later / earlier < 3.2 for earlier, later in pairwise(waits[:7]))
    assert 600 < max(waits) <= 1090
    assert sum(waits) > 3000


def test_a_row_that_ends_every_worker_is_failed_in_the_end(
    worker: InlineWorker, graph: GraphSimulator
) -> None:
    """The workers die without a word: nothing but the claim itself can count."""
    run(worker, JobKind.COLLECT)
    with worker.process.session() as session, session.begin():
        slice_id, run_id = session.execute(select(CollectionSlice.id, CollectionSlice.run_id).limit(1)).one()
        session.execute(
            update(CollectionSlice)
            .where(CollectionSlice.id == slice_id)
            .values(state=WorkState.PENDING, attempts=0)
        )
        session.execute(update(CollectionRun).values(state=RunState.RUNNING, finished_at=None))
    for _ in range(MAX_ATTEMPTS):
        with worker.process.session() as session, session.begin():
            assert leases.claim(
                session, CollectionSlice, slice_id, owner="dies", ttl=timedelta(microseconds=1)
            )
    worker.run("tasks.collectors.read_slice", slice_id)
    with worker.process.session() as session:
        row = session.get_one(CollectionSlice, slice_id)
        assert (row.state, row.error_kind) == (WorkState.FAILED, "worker_lost")
        assert session.get_one(CollectionRun, run_id).state is RunState.INCOMPLETE


@pytest.mark.parametrize("seconds", [0.0, 600_000_000.0, 1e15])
def test_what_the_other_side_asks_for_has_a_limit(worker: InlineWorker, job_id: int, seconds: float) -> None:
    before = now(worker)
    job = fail_once(worker, job_id, agent_errors.Throttled("busy", retry_after=seconds))
    assert job.state is WorkState.PENDING
    wait = (job.next_attempt_at - before).total_seconds()
    assert wait < 60 if not seconds else 86_000 < wait < 110_000


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
