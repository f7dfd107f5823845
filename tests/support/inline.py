"""A worker inside the test's process: messages are recorded, and run when the test says so."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import celery
from sqlalchemy import func, update

from db.models import CollectionSlice, Job, WorkState
from worker.app import app
from worker.process import Process
from worker.unit import UnitOfWork


@dataclass(frozen=True)
class Message:
    task: str
    args: tuple[Any, ...]
    countdown: float


@dataclass
class RecordingApp:
    """Stands in for the Celery app where messages are sent: it keeps them in order."""

    messages: deque[Message] = field(default_factory=deque)

    def send_task(self, name: str, args: tuple[Any, ...] = (), countdown: float = 0.0, **_: Any) -> None:
        self.messages.append(Message(name, tuple(args), countdown))


class InlineWorker:
    """Runs tasks as functions, on the process's real database, Redis and agents."""

    def __init__(self, process: Process, sent: RecordingApp) -> None:
        self.process = process
        self.sent = sent
        self._count = 0

    def run(self, task: str, *args: Any) -> None:
        """Run one task, as a worker would when its message comes."""
        self._count += 1
        with UnitOfWork(self.process, task_id=f"inline-{self._count}") as unit:
            registered(task).run(unit, *args)

    def drain(self) -> int:
        """Run what was sent, and what that sends, until nothing is left; how many tasks ran.

        Messages with a countdown (retries) are dropped: their time has not come.
        """
        count = 0
        while self.sent.messages:
            message = self.sent.messages.popleft()
            if message.countdown:
                continue
            self.run(message.task, *message.args)
            count += 1
            assert count < 2000, "messages keep coming"
        return count

    def settle(self) -> None:
        """Let time pass and reconcile until no work is open any more."""
        self.drain()
        for _ in range(30):
            if not self.make_due():
                return
            self.run("tasks.maintenance.reconcile")
            self.drain()
        raise AssertionError("work is still open")

    def make_due(self) -> int:
        """Let every waiting row be tried now; how many rows are open."""
        open_rows = 0
        with self.process.session() as session, session.begin():
            for model in (Job, CollectionSlice):
                open_rows += len(
                    session.execute(
                        update(model)
                        .where(model.state.in_((WorkState.PENDING, WorkState.RUNNING)))
                        .values(next_attempt_at=func.now(), sent_at=None)
                        .returning(model.id)
                    ).all()
                )
        return open_rows


def registered(task: str) -> celery.Task:
    app.loader.import_default_modules()
    return app.tasks[task]
