"""Asking workers for work from outside of a worker, and waiting for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import celery

from db.progress import Progress, progress
from worker.broker import broker_connection
from worker.errors import ServiceUnavailable
from worker.process import Process

_POLL = 0.25
# While nothing moves for this long (seconds), look whether there still is a worker.
_SILENCE = 30.0


def require_broker(app: celery.Celery) -> None:
    """Raises ServiceUnavailable when messages cannot be sent."""
    with broker_connection(app):
        return


def workers_alive(app: celery.Celery, *, timeout: float = 3.0) -> list[str]:
    """The names of the workers that answer within `timeout` seconds; ends with the first answer.

    Raises ServiceUnavailable when the broker cannot be reached.
    """
    deadline = time.monotonic() + timeout
    with broker_connection(app) as connection:
        while time.monotonic() < deadline:
            answers = app.control.ping(timeout=min(0.5, timeout), limit=1, connection=connection) or []
            if answers:
                return sorted(name for answer in answers for name in answer)
    return []


def require_worker(app: celery.Celery) -> None:
    """Raises ServiceUnavailable when no worker answers."""
    if not workers_alive(app):
        raise ServiceUnavailable("no worker is running; start one with `adtempo up`, or use --no-wait")


def wait_for_jobs(
    process: Process, app: celery.Celery, job_ids: Sequence[int], *, on_progress: Callable[[Progress], None]
) -> None:
    """Return when all of these jobs, with their runs and slices, are over.

    Raises ServiceUnavailable when nothing moves any more and no worker answers.
    """
    last: Progress | None = None
    moved_at = time.monotonic()
    while True:
        with process.session() as session:
            now = progress(session, job_ids)
        on_progress(now)
        if now.finished:
            return
        if now != last:
            last, moved_at = now, time.monotonic()
        elif time.monotonic() - moved_at > _SILENCE:
            if not workers_alive(app):
                raise ServiceUnavailable(
                    "no worker is running any more; the work is kept and goes on when one is started"
                )
            moved_at = time.monotonic()
        time.sleep(_POLL)
