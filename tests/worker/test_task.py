"""The base of every task: the unit in front, the context on every line."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import celery
import pytest
from sqlalchemy import func, select

import worker.app
import worker.logs
from db.models import Job, JobKind
from tests.support.inline import InlineWorker
from worker.jobs import request_now
from worker.process import Process
from worker.task import Task
from worker.unit import UnitOfWork


@pytest.fixture
def app(worker: InlineWorker, monkeypatch: pytest.MonkeyPatch) -> Iterator[celery.Celery]:
    """An app of our own, whose tasks run here and now, on the test's process."""
    process: Process = worker.process
    monkeypatch.setattr("worker.app.current_process", lambda: process)
    app = celery.Celery("test", task_cls=Task, set_as_current=False)
    app.conf.update(task_always_eager=True, task_eager_propagates=True, task_store_eager_result=False)
    yield app
    app.close()


def stored(worker: InlineWorker) -> int:
    with worker.process.session() as session:
        return session.scalar(select(func.count()).select_from(Job)) or 0


def test_a_task_gets_the_unit_and_then_what_its_caller_gave(app: celery.Celery) -> None:
    seen: list[Any] = []

    @app.task(name="tasks.test.sees")
    def sees(unit: UnitOfWork, row_id: int, *, day: str) -> None:
        seen.append((unit, row_id, day))

    sees.apply_async(args=(7,), kwargs={"day": "2026-11-22"}, task_id="abc")
    [(unit, row_id, day)] = seen
    assert isinstance(unit, UnitOfWork)
    assert (row_id, day) == (7, "2026-11-22")
    assert unit.owner.endswith(":abc")


def test_a_task_that_returns_is_committed(app: celery.Celery, worker: InlineWorker) -> None:
    @app.task(name="tasks.test.asks")
    def asks(unit: UnitOfWork) -> None:
        request_now(unit.session, JobKind.CLEANUP)

    asks.delay()
    assert stored(worker) == 1
    assert len(worker.sent.messages) == 1


def test_a_task_that_raises_is_rolled_back(app: celery.Celery, worker: InlineWorker) -> None:
    @app.task(name="tasks.test.fails")
    def fails(unit: UnitOfWork) -> None:
        request_now(unit.session, JobKind.CLEANUP)
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        fails.delay()
    assert stored(worker) == 0
    assert not worker.sent.messages


def test_lines_of_a_task_carry_its_name_and_id_and_later_ones_do_not(app: celery.Celery) -> None:
    formatter = worker.logs.LineFormatter(worker.logs.Redactor([]))
    record = logging.LogRecord("x", logging.INFO, "f", 1, "said", (), None)
    lines: list[str] = []

    @app.task(name="tasks.test.logs")
    def logs(unit: UnitOfWork, fail: bool) -> None:
        lines.append(formatter.format(record))
        if fail:
            raise ValueError("x")

    logs.apply_async(args=(False,), task_id="abc")
    with pytest.raises(ValueError, match="x"):
        logs.apply_async(args=(True,), task_id="def")
    lines.append(formatter.format(record))
    assert [line.split("INFO ")[1] for line in lines] == [
        "x [task=tasks.test.logs id=abc] said",
        "x [task=tasks.test.logs id=def] said",
        "x said",
    ]
