"""Asking for work from outside of a worker: no wait is without end, and each says what is missing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import celery
import pytest
from pydantic import SecretStr
from sqlalchemy import func, update

from db.models import Job, JobKind, WorkState
from db.progress import Progress
from tests.support.inline import InlineWorker
from tests.support.network import refusing_port, silent_server
from tests.support.workers import client_app
from worker.errors import ServiceUnavailable
from worker.jobs import request_now
from worker.settings import Settings
from worker.waiting import require_broker, require_worker, wait_for_jobs, workers_alive

MakeApp = Callable[..., celery.Celery]


@pytest.fixture
def make_app(make_settings: Callable[..., Settings]) -> Iterator[MakeApp]:
    apps: list[celery.Celery] = []

    def make(port: int | None = None) -> celery.Celery:
        url = SecretStr(f"redis://:hidden99@127.0.0.1:{port}/0") if port else SecretStr("")
        apps.append(client_app(make_settings(celery_broker_url=url)))
        return apps[-1]

    yield make
    for app in apps:
        app.close()


def test_a_broker_that_runs_is_enough(make_app: MakeApp) -> None:
    require_broker(make_app())


def test_a_broker_that_refuses_is_told_at_once(make_app: MakeApp) -> None:
    began = time.monotonic()
    with pytest.raises(ServiceUnavailable, match="check CELERY_BROKER_URL or REDIS_URL") as caught:
        require_broker(make_app(refusing_port()))
    assert time.monotonic() - began < 3
    assert "hidden99" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_broker_that_never_answers_is_told_in_bounded_time(make_app: MakeApp) -> None:
    with silent_server() as port:
        app = make_app(port)
        # As the worker has it, only shorter.
        app.conf.broker_transport_options["socket_timeout"] = 1
        began = time.monotonic()
        with pytest.raises(ServiceUnavailable):
            require_broker(app)
        assert time.monotonic() - began < 10


def test_without_a_worker_the_list_is_empty_in_bounded_time(make_app: MakeApp) -> None:
    app = make_app()
    began = time.monotonic()
    assert workers_alive(app, timeout=0.5) == []
    assert 0.4 < time.monotonic() - began < 5


def test_without_a_worker_it_is_said_what_to_do(make_app: MakeApp) -> None:
    with pytest.raises(ServiceUnavailable, match="adtempo up"):
        require_worker(make_app())


def add_job(inline: InlineWorker) -> int:
    with inline.process.session() as session, session.begin():
        return request_now(session, JobKind.CLEANUP)


def test_waiting_ends_with_the_jobs_and_shows_how_far_they_are(
    worker: InlineWorker, make_app: MakeApp
) -> None:
    jobs = [add_job(worker), add_job(worker)]
    seen: list[Progress] = []

    def look(now: Progress) -> None:
        seen.append(now)
        # Each look is followed by one more job that is over.
        if worker.sent.messages:
            message = worker.sent.messages.popleft()
            worker.run(message.task, *message.args)

    wait_for_jobs(worker.process, make_app(), jobs, on_progress=look)
    assert [(now.over, now.steps) for now in seen] == [(0, 2), (1, 2), (2, 2)]
    assert [now.finished for now in seen] == [False, False, True]


def test_jobs_that_are_over_need_no_worker(worker: InlineWorker, make_app: MakeApp) -> None:
    job = add_job(worker)
    with worker.process.session() as session, session.begin():
        session.execute(
            update(Job).where(Job.id == job).values(state=WorkState.FAILED, finished_at=func.now())
        )
    wait_for_jobs(worker.process, make_app(refusing_port()), [job], on_progress=lambda _: None)


def test_when_nothing_moves_and_no_worker_answers_waiting_ends(
    worker: InlineWorker, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.waiting._SILENCE", 0.5)
    monkeypatch.setattr("worker.waiting.workers_alive", lambda app: workers_alive(app, timeout=0.5))
    with pytest.raises(ServiceUnavailable, match="the work is kept"):
        wait_for_jobs(worker.process, make_app(), [add_job(worker)], on_progress=lambda _: None)


def test_while_a_worker_answers_waiting_goes_on(
    worker: InlineWorker, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = add_job(worker)
    asked: list[object] = []

    def answers(app: celery.Celery) -> list[str]:
        asked.append(app)
        if len(asked) == 2:
            worker.drain()
        return ["main@test"]

    monkeypatch.setattr("worker.waiting._SILENCE", 0.1)
    monkeypatch.setattr("worker.waiting.workers_alive", answers)
    wait_for_jobs(worker.process, make_app(), [job], on_progress=lambda _: None)
    assert len(asked) >= 2
