"""A real prefork worker with two children: its agents, its messages, and what becomes of work it loses."""

from __future__ import annotations

import base64
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import celery
import orjson
import psutil
import pytest
import redis
from pydantic import SecretStr
from sqlalchemy import func, select, update

from db.models import CollectionRun, CollectionSlice, Job, JobKind, SliceKind, WorkState
from db.progress import progress
from simulator.graph import World
from simulator.graph import create_app as graph_app
from simulator.serving import Server
from tests.support.databases import fresh_database
from tests.support.keys import everything
from tests.support.polling import until
from tests.support.simulators import GraphSimulator
from tests.support.workers import CeleryProcess, client_app, running_worker
from worker.agent_cache import NO_ACCOUNT
from worker.embedded import EmbeddedServers
from worker.jobs import request_now
from worker.process import Process
from worker.settings import Settings

TOKEN = "EAAMARKEDINMESSAGES" + "5e6f7a8b" * 4
APP_SECRET = "MARKEDAPPSECRET0123456789"
KEY = "MARKEDSECRETKEY0123456789abcdefgh"
SECRETS = (TOKEN, APP_SECRET, KEY)

# Builds and hits of an account's agent in a process, under (process, account id).
Figures = dict[tuple[str, int], tuple[int, int]]


@dataclass
class Place:
    """The worker's surroundings as the test reaches them: database, Redis, simulator and client."""

    settings: Settings
    process: Process
    app: celery.Celery
    graph: GraphSimulator
    accounts: list[int] = field(default_factory=list)

    def collect(self, *accounts: int) -> int:
        """Ask for a collection (of all accounts if none is named); the job's id."""
        with self.process.session() as session, session.begin():
            return request_now(
                session, JobKind.COLLECT, params={"accounts": list(accounts)} if accounts else {}
            )

    def wait(self, *jobs: int) -> None:
        def over() -> bool:
            with self.process.session() as session:
                return progress(session, jobs).finished

        until(over, timeout=60, what=f"the end of jobs {jobs}")

    def slices(self, job: int) -> list[CollectionSlice]:
        with self.process.session() as session:
            return list(
                session.scalars(
                    select(CollectionSlice)
                    .join(CollectionRun, CollectionRun.id == CollectionSlice.run_id)
                    .where(CollectionRun.job_id == job)
                    .order_by(CollectionSlice.id)
                )
            )

    def figures(self) -> Figures:
        """Of the agents of ad accounts, without the one that lists the accounts."""
        return {
            (board.process, stats.account_id): (stats.builds, stats.hits)
            for board in self.process.agent_board.read()
            for stats in board.agents
            if stats.account_id != NO_ACCOUNT
        }

    def invalidate(self) -> Any:
        return self.app.control.broadcast("agents_invalidate", reply=True, timeout=2)

    def run_reconciler(self) -> None:
        self.app.send_task("tasks.maintenance.reconcile")


@pytest.fixture(scope="module")
def place(servers: EmbeddedServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    world = World(11, accounts=2, campaigns=3, ads_per_campaign=2)
    with fresh_database(servers.database_url) as url, Server(lambda: graph_app(world)) as server:
        settings = Settings(
            database_url=SecretStr(url),
            redis_url=SecretStr(servers.redis_url),
            redis_key_prefix=f"t{os.urandom(6).hex()}:",
            facebook_access_token=SecretStr(TOKEN),
            facebook_app_secret=SecretStr(APP_SECRET),
            secret_key=SecretStr(KEY),
            facebook_graph_url=server.url,
            insights_initial_days=14,
            insights_lookback_days=14,
            adtempo_data_dir=tmp_path_factory.mktemp("worker-data"),
        )
        app = client_app(settings)
        process = Process(settings, app)
        graph = GraphSimulator(server.url)
        yield Place(settings, process, app, graph, graph.account_ids())
        process.close()
        app.close()


@pytest.fixture
def own(place: Place) -> Iterator[Place]:
    """The same place with other keys in Redis, so that the shared worker takes no work of this test."""
    settings = place.settings.model_copy(update={"redis_key_prefix": f"t{os.urandom(6).hex()}:"})
    app = client_app(settings)
    process = Process(settings, app)
    yield Place(settings, process, app, place.graph, place.accounts)
    process.close()
    app.close()


@pytest.fixture(scope="module")
def running(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CeleryProcess]:
    """The worker that the tests share; none of them may leave it without work for the next."""
    with running_worker(place.settings, tmp_path_factory.mktemp("worker")) as worker:
        yield worker


@pytest.fixture(autouse=True)
def fault_free(place: Place) -> Iterator[None]:
    yield
    place.graph.delete("faults")


def slow(place: Place, seconds: float, **values: Any) -> None:
    place.graph.fault("slow", parameters={"seconds": seconds}, **values)


# -- agents ----------------------------------------------------------------------------------------------


def test_each_child_builds_an_agent_once_for_each_account_and_again_when_told(
    place: Place, running: CeleryProcess
) -> None:
    # Slow enough that both children have work at the same time.
    slow(place, 0.1)
    everywhere = {(process_name(pid), account) for pid in running.children() for account in place.accounts}
    assert len(everywhere) == 4

    # Whatever ran before this test: from here on, both children have an agent for both accounts.
    until_collected(place, lambda: set(place.figures()) >= everywhere)
    before = builds_of(place, everywhere)
    hits = hits_of(place, everywhere)
    jobs = [place.collect() for _ in range(3)]
    place.wait(*jobs)
    slices = sum(len(place.slices(job)) for job in jobs)
    assert slices > 6
    # Every slice asked for an agent, and not one was built.
    until(lambda: hits_of(place, everywhere) == hits + slices, what="writing the hits")
    assert builds_of(place, everywhere) == before

    answer = place.invalidate()
    assert [set(reply) for reply in answer] == [{"main@test"}]
    assert "anew" in str(answer)
    until_collected(place, lambda: all(now > was for now, was in pairs(place, before)))
    assert [now - was for now, was in pairs(place, before)] == [1] * 4


def process_name(pid: int) -> str:
    return f"{socket.gethostname()}:{pid}"


def builds_of(place: Place, keys: set[tuple[str, int]]) -> dict[tuple[str, int], int]:
    return {key: place.figures().get(key, (0, 0))[0] for key in keys}


def hits_of(place: Place, keys: set[tuple[str, int]]) -> int:
    return sum(place.figures().get(key, (0, 0))[1] for key in keys)


def pairs(place: Place, before: dict[tuple[str, int], int]) -> list[tuple[int, int]]:
    now = builds_of(place, set(before))
    return [(now[key], builds) for key, builds in before.items()]


def until_collected(place: Place, reached: Callable[[], bool]) -> None:
    """Collect until something is reached that needs both children to have had their share."""
    for _ in range(20):
        place.wait(place.collect())
        if reached():
            return
    raise AssertionError("twenty collections were not enough")


def test_a_worker_builds_nothing_before_its_first_task_and_takes_its_figures_away(
    own: Place, tmp_path: Path
) -> None:
    with running_worker(own.settings, tmp_path) as worker:
        assert own.figures() == {}
        own.wait(own.collect())
        until(own.figures, what="the figures")
        assert {builds for builds, _ in own.figures().values()} == {1}
        assert {name for name, _ in own.figures()} <= {process_name(pid) for pid in worker.children()}
        assert worker.stop() == 0
    assert own.figures() == {}


def test_a_token_that_one_child_finds_dead_is_used_by_none(place: Place, running: CeleryProcess) -> None:
    place.graph.post("tokens", dead=TOKEN, subcode=463)
    try:
        first = place.collect(place.accounts[0])
        place.wait(first)
        assert [one.error_kind for one in place.slices(first)] == ["token_dead"]
        calls = len(place.graph.log())

        before = place.figures()

        def asked_by() -> set[str]:
            now = place.figures()
            return {key[0] for key, of in now.items() if of != before.get(key)}

        for _ in range(20):
            jobs = [place.collect(*place.accounts) for _ in range(4)]
            place.wait(*jobs)
            for job in jobs:
                assert [one.error_kind for one in place.slices(job)] == ["token_refused"] * 2
            if len(asked_by()) == 2:
                break
        # Both children wanted to use it.
        assert asked_by() == {process_name(pid) for pid in running.children()}
        assert len(place.graph.log()) == calls
    finally:
        place.graph.post("tokens", alive=TOKEN)
        assert place.process.revoked.restore(SecretStr(TOKEN))


# -- messages --------------------------------------------------------------------------------------------


def test_messages_hold_ids_and_dates_and_redis_holds_no_secret(place: Place, running: CeleryProcess) -> None:
    slow(place, 0.3)
    prefix = place.settings.redis_key_prefix
    jobs = [place.collect() for _ in range(3)]
    seen: dict[str, dict[str, Any]] = {}

    def over() -> bool:
        for message in messages(place.process.redis, prefix):
            seen[message["headers"]["id"]] = message
        for key, value in everything(place.process.redis, f"{prefix}*").items():
            for secret in SECRETS:
                assert secret not in key + value
        with place.process.session() as session:
            return progress(session, jobs).finished

    until(over, timeout=60, what="the collections")
    assert {message["headers"]["task"] for message in seen.values()} == {
        "tasks.collectors.collect",
        "tasks.collectors.read_slice",
    }
    for message in seen.values():
        args, kwargs, embed = orjson.loads(base64.b64decode(message["body"]))
        assert kwargs == {}
        assert not any(embed.values())
        assert args
        assert all(is_id_or_date(value) for value in args), args
    # Not only under our prefix.
    for key, value in everything(place.process.redis).items():
        assert not any(secret in key + value for secret in SECRETS)


def messages(client: redis.Redis, prefix: str) -> list[dict[str, Any]]:
    """The messages that wait, and those that a worker has and has not acknowledged."""
    waiting: list[Any] = []
    for queue in ("collect", "process", "report", "control"):
        waiting += client.lrange(f"{prefix}{queue}", 0, -1)
    taken: dict[str, str] = client.hgetall(f"{prefix}unacked")  # type: ignore[assignment]
    return [orjson.loads(text) for text in waiting] + [orjson.loads(text)[0] for text in taken.values()]


def is_id_or_date(value: object) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        return True
    return isinstance(value, str) and date.fromisoformat(value).isoformat() == value


def test_all_keys_in_redis_have_the_prefix(place: Place, running: CeleryProcess) -> None:
    before = {key for key in everything(place.process.redis) if not key.startswith("t")}
    slow(place, 0.1)
    job = place.collect()
    place.invalidate()
    place.wait(job)
    assert {key for key in everything(place.process.redis) if not key.startswith("t")} == before


def test_inspect_shows_no_secret(place: Place, running: CeleryProcess) -> None:
    # The one worker has answered, then.
    inspect = place.app.control.inspect(timeout=20, limit=1)
    shown = str(inspect.conf(with_defaults=True))
    shown += str(inspect.registered("args", "kwargs")) + str(inspect.stats()) + str(inspect.active_queues())
    assert "visibility_timeout" in shown
    for url in (place.settings.redis_url, place.settings.database_url):
        password = urlsplit(url.get_secret_value()).password
        assert password
        assert password not in shown
    for secret in SECRETS:
        assert secret not in shown


def test_what_the_worker_says_holds_no_secret(place: Place, running: CeleryProcess) -> None:
    place.wait(place.collect())
    text = running.text()
    assert "main@test ready" in text
    for url in (place.settings.redis_url, place.settings.database_url):
        assert str(urlsplit(url.get_secret_value()).password) not in text
    for secret in SECRETS:
        assert secret not in text
    # Arguments are visible to everybody on the machine.
    for pid in (running.pid, *running.children()):
        assert not any(secret in " ".join(psutil.Process(pid).cmdline()) for secret in SECRETS)


# -- the end of a worker ---------------------------------------------------------------------------------


def test_an_idle_worker_ends_at_once_when_asked(own: Place, tmp_path: Path) -> None:
    with running_worker(own.settings, tmp_path) as worker:
        pool = worker.children()
        assert len(pool) == 2
        began = time.monotonic()
        assert worker.stop() == 0
        assert time.monotonic() - began < 15
        assert not any(psutil.pid_exists(pid) for pid in pool)


def test_a_worker_that_is_asked_to_end_finishes_what_it_runs(own: Place, tmp_path: Path) -> None:
    slow(own, 4, path="insights", times=1)
    # The thirty seconds of the configuration, which it always takes in full, would make a long test.
    with running_worker(
        own.settings, tmp_path, concurrency=1, conf=["worker.soft_shutdown_timeout=8"]
    ) as worker:
        job = own.collect(own.accounts[0])
        row = until(lambda: reading(own, job), what="reading a slice")
        began = time.monotonic()
        assert worker.stop() == 0
        assert time.monotonic() - began < 20
        assert "terminating in 8.0 seconds" in worker.text()
    slices = {one.id: one for one in own.slices(job)}
    assert (slices[row.id].state, slices[row.id].attempts) == (WorkState.DONE, 1)
    # What it had not begun waits for another worker, and for none in vain.
    waiting = [one for one in slices.values() if one.state is not WorkState.DONE]
    assert waiting
    assert {(one.state, one.attempts) for one in waiting} == {(WorkState.PENDING, 0)}
    with running_worker(own.settings, tmp_path, concurrency=1):
        own.wait(job)


def reading(place: Place, job: int) -> CollectionSlice | None:
    """A slice of insights of the job that a worker is reading now."""
    for one in place.slices(job):
        if one.kind is SliceKind.INSIGHTS and one.state is WorkState.RUNNING:
            return one
    return None


def test_a_slice_whose_reader_is_killed_is_read_in_the_end(place: Place, running: CeleryProcess) -> None:
    slow(place, 20, path="insights", times=1)
    job = place.collect(place.accounts[0])

    def stuck() -> CollectionSlice | None:
        waits = any(entry["fault"] == "slow" and entry["seconds"] is None for entry in place.graph.log())
        return reading(place, job) if waits else None

    # Only the first read is slow: the one that is still going on when all others are over.
    row = until(lambda: (one := stuck()) and others_done(place, job, one.id) and one, what="the slow slice")
    assert isinstance(row, CollectionSlice)
    reader = int(str(row.lease_owner).split(":")[1])
    assert reader in running.children()
    os.kill(reader, signal.SIGKILL)
    until(lambda: not psutil.pid_exists(reader), what="the end of the reader")

    # The row is leased for another few minutes; let them pass.
    with place.process.session() as session, session.begin():
        session.execute(
            update(CollectionSlice)
            .where(CollectionSlice.id == row.id)
            .values(lease_until=func.clock_timestamp(), sent_at=None)
        )
    place.run_reconciler()
    place.wait(job)
    done = {one.id: one for one in place.slices(job)}[row.id]
    assert (done.state, done.attempts) == (WorkState.DONE, 2)
    assert done.rows_read > 0
    with place.process.session() as session:
        assert session.get_one(Job, job).state is WorkState.DONE
    running.require_running()
    until(lambda: len(running.children()) == 2, what="a new child")


def others_done(place: Place, job: int, slice_id: int) -> bool:
    return all(one.state is WorkState.DONE for one in place.slices(job) if one.id != slice_id)
