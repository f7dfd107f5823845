"""One attempt at a row of work: claim it, and turn what goes wrong into the row's next state.

Retries belong to the row, not to the message: the row remembers how often it was tried and when it may be
tried next, whatever happens to workers and brokers meanwhile.
"""

from __future__ import annotations

import enum
import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import psycopg2
import redis
import sqlalchemy.exc
from sqlalchemy.orm import Session

from agent import errors as agent_errors
from db import leases
from db.collection import close_run_if_over
from db.errors import LeaseLost, NewerReadExists, UnexpectedRows
from db.leases import Lease, LeasedModel
from db.models import CollectionSlice, Job
from reports import errors as report_errors
from worker.errors import WorkerError
from worker.jobs import task_of
from worker.outbox import send_after_commit
from worker.unit import UnitOfWork

log = logging.getLogger(__name__)

# With the delays below, a passing fault may last about an hour.
MAX_ATTEMPTS = 12
# How long a worker may be silent on a row before another one takes it. Longer than one call to Graph.
LEASE = timedelta(minutes=5)
# A retry sooner than this is sent with a countdown; a later one is the reconciler's.
_SEND_WITHIN = timedelta(minutes=5)
_FIRST_DELAY = 5.0
_LONGEST_DELAY = 900.0
_THROTTLED_DELAY = 300.0
# Nobody asks to wait for longer; a number beyond this is a mistake of the other side.
_LONGEST_WAIT = 86_400.0


class Verdict(enum.Enum):
    """What to do about an error: try again, try again without counting it, or give up."""

    RETRY = "retry"
    WAIT = "wait"
    GIVE_UP = "give up"


@dataclass(frozen=True, slots=True)
class Outcome:
    verdict: Verdict
    kind: str
    text: str
    # Seconds to wait where the other side said so.
    retry_after: float | None = None


def judge(error: Exception) -> Outcome:
    """What an error means for the row that it happened on."""
    text = " ".join(str(error).split()) or type(error).__name__
    match error:
        case agent_errors.Throttled() | report_errors.NotionThrottled():
            wait = _THROTTLED_DELAY if error.retry_after is None else error.retry_after
            return Outcome(Verdict.WAIT, error.kind, text, wait)
        case agent_errors.TokenStateUnknown() | report_errors.ReportBusy():
            return Outcome(Verdict.WAIT, error.kind, text)
        case agent_errors.Transient() | agent_errors.TooMuchData():
            return Outcome(Verdict.RETRY, error.kind, text, error.retry_after)
        case report_errors.NotionTransient():
            return Outcome(Verdict.RETRY, error.kind, text)
        case NewerReadExists():
            return Outcome(Verdict.RETRY, "overtaken", text)
        case UnexpectedRows():
            return Outcome(Verdict.GIVE_UP, agent_errors.BadAnswer.kind, text)
        case agent_errors.AgentError() | report_errors.ReportError():
            return Outcome(Verdict.GIVE_UP, error.kind, text)
        # COPY goes past SQLAlchemy, so the driver's own errors come too.
        case sqlalchemy.exc.DataError() | psycopg2.DataError():
            return Outcome(Verdict.GIVE_UP, "bad_data", "PostgreSQL refused a value of the answer")
        case sqlalchemy.exc.SQLAlchemyError() | psycopg2.Error():
            return Outcome(Verdict.RETRY, "database", type(error).__name__)
        case redis.RedisError():
            return Outcome(Verdict.RETRY, "redis", f"Redis did not answer ({type(error).__name__})")
        case WorkerError():
            return Outcome(Verdict.GIVE_UP, "not_possible", text)
        case _:
            return Outcome(Verdict.RETRY, "crash", f"{type(error).__name__}: {text}")


@contextmanager
def attempt(unit: UnitOfWork, model: LeasedModel, row_id: int) -> Iterator[Lease | None]:
    """Claim a row for the block; None when it is not due or another worker has it.

    The block finishes the lease in the same transaction as the work's effects. An exception that leaves
    the block ends here: the row is given back for another attempt, or failed.
    """
    with unit.transaction() as session:
        lease = leases.claim(session, model, row_id, owner=unit.owner, ttl=LEASE)
        if lease and lease.attempts > MAX_ATTEMPTS:
            log.warning(
                "%s %s: its workers died %d times; it is failed", model.__tablename__, row_id, MAX_ATTEMPTS
            )
            _bury(session, lease)
            lease = None
    try:
        yield lease
    except LeaseLost as error:
        log.warning("%s; this attempt is dropped", error)
    except Exception as error:
        if lease is None:
            raise
        outcome = judge(error)
        if outcome.kind == "crash":
            log.exception("%s %s crashed", model.__tablename__, row_id)
        _settle(unit, lease, outcome)


def _bury(session: Session, lease: Lease) -> None:
    """Fail a row that ended every worker that touched it: these could not say so themselves."""
    leases.fail(
        session, lease, kind="worker_lost", error=f"{MAX_ATTEMPTS} workers ended while they worked on it"
    )
    if lease.model is CollectionSlice:
        close_run_if_over(session, session.get_one(CollectionSlice, lease.row_id).run_id)


def _settle(unit: UnitOfWork, lease: Lease, outcome: Outcome) -> None:
    text = unit.process.redact(outcome.text)
    log.warning("%s %s: %s: %s", lease.model.__tablename__, lease.row_id, outcome.kind, text)
    try:
        with unit.transaction() as session:
            row = session.get_one(lease.model, lease.row_id)
            assert isinstance(row, Job | CollectionSlice), "only these are leased"
            exhausted = outcome.verdict is Verdict.RETRY and row.attempts >= MAX_ATTEMPTS
            if outcome.verdict is Verdict.GIVE_UP or exhausted:
                leases.fail(session, lease, kind=outcome.kind, error=text)
                if isinstance(row, CollectionSlice):
                    close_run_if_over(session, row.run_id)
                return
            after = _delay(row.attempts, outcome)
            counts = outcome.verdict is Verdict.RETRY
            leases.retry(session, lease, after=after, kind=outcome.kind, error=text, counts=counts)
            if after <= _SEND_WITHIN:
                leases.mark_sent(session, lease.model, [lease.row_id])
                send_after_commit(
                    session,
                    task_of(session, lease.model, lease.row_id),
                    lease.row_id,
                    # A little late, so that the row is certainly due when the message arrives.
                    countdown=after.total_seconds() + 0.5,
                )
    except LeaseLost as error:
        log.warning("%s; its state is the other worker's", error)


def _delay(attempts: int, outcome: Outcome) -> timedelta:
    """Doubling from five seconds to a quarter of an hour, with jitter; or what the other side asked for."""
    jitter = random.uniform(0.8, 1.2)  # noqa: S311  not a secret
    if outcome.retry_after is not None:
        # Never sooner than asked.
        return timedelta(seconds=min(outcome.retry_after, _LONGEST_WAIT) * random.uniform(1.0, 1.2))  # noqa: S311
    return timedelta(seconds=min(_FIRST_DELAY * 2 ** max(attempts - 1, 0), _LONGEST_DELAY) * jitter)
