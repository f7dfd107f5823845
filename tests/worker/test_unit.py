"""The unit of work around a task: one transaction of its own, and short ones beside it."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from db.models import Job, JobKind
from tests.support.inline import InlineWorker
from worker.jobs import request_now
from worker.unit import UnitOfWork


def jobs(worker: InlineWorker) -> int:
    with worker.process.session() as session:
        return session.scalar(select(func.count()).select_from(Job)) or 0


def test_the_session_is_committed_and_its_messages_leave_at_the_end(worker: InlineWorker) -> None:
    with UnitOfWork(worker.process, task_id="t") as unit:
        job = request_now(unit.session, JobKind.CLEANUP)
        assert unit.session is unit.session
        assert not worker.sent.messages
        assert jobs(worker) == 0
    assert jobs(worker) == 1
    assert [(one.task, one.args) for one in worker.sent.messages] == [("tasks.maintenance.cleanup", (job,))]


def test_an_exception_rolls_back_and_sends_nothing(worker: InlineWorker) -> None:
    with pytest.raises(ValueError, match="x"), UnitOfWork(worker.process, task_id="t") as unit:  # noqa: PT012
        request_now(unit.session, JobKind.CLEANUP)
        raise ValueError("x")
    assert jobs(worker) == 0
    assert not worker.sent.messages


def test_a_short_transaction_stands_whatever_comes_after_it(worker: InlineWorker) -> None:
    with pytest.raises(ValueError, match="x"), UnitOfWork(worker.process, task_id="t") as unit:  # noqa: PT012
        with unit.transaction() as session:
            request_now(session, JobKind.CLEANUP)
        assert len(worker.sent.messages) == 1
        raise ValueError("x")
    assert jobs(worker) == 1


def test_a_short_transaction_that_raises_leaves_nothing(worker: InlineWorker) -> None:
    with UnitOfWork(worker.process, task_id="t") as unit:  # noqa: SIM117
        with pytest.raises(ValueError, match="x"), unit.transaction() as session:  # noqa: PT012
            request_now(session, JobKind.CLEANUP)
            raise ValueError("x")
    assert jobs(worker) == 0
    assert not worker.sent.messages


def test_a_unit_that_is_not_used_opens_no_connection(worker: InlineWorker) -> None:
    with UnitOfWork(worker.process, task_id="t"):
        pass
    assert "engine" not in worker.process.__dict__


def test_no_connection_stays_out_after_the_unit(worker: InlineWorker) -> None:
    for fails in (False, True):
        try:
            with UnitOfWork(worker.process, task_id="t") as unit:
                unit.session.scalar(select(func.now()))
                if fails:
                    raise ValueError("x")
        except ValueError:
            pass
        assert worker.process.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_the_owner_of_leases_names_the_process_and_the_task(worker: InlineWorker) -> None:
    assert UnitOfWork(worker.process, task_id="abc").owner == f"{worker.process.name}:abc"
