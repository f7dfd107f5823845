"""A real beat, while Redis dies under it and while its lock is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr

from tests.support.polling import until
from tests.support.workers import CeleryProcess, celery_process, environment_of
from worker.embedded import EmbeddedRedis
from worker.embedded.process import ServerProcess
from worker.redis_client import redis_client
from worker.settings import Settings


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    """A Redis of this test's own, as it is going to be killed."""
    with EmbeddedRedis(tmp_path / "own") as running:
        yield running


@pytest.fixture
def client(server: EmbeddedRedis) -> Iterator[redis.Redis]:
    with redis_client(SecretStr(server.url)) as connected:
        yield connected


@pytest.fixture
def lock_key(redis_prefix: str) -> str:
    return f"{redis_prefix}redbeat::lock"


@pytest.fixture
def beat(
    make_settings: Callable[..., Settings],
    server: EmbeddedRedis,
    client: redis.Redis,
    lock_key: str,
    tmp_path: Path,
) -> Iterator[CeleryProcess]:
    settings = make_settings(redis_url=SecretStr(server.url))
    with celery_process(environment_of(settings), tmp_path, "beat", ["beat"]) as running:
        until(lambda: client.exists(lock_key), timeout=30, what="beat's lock")
        yield running


def test_beat_outlives_a_killed_redis(
    beat: CeleryProcess, server: EmbeddedRedis, lock_key: str, tmp_path: Path
) -> None:
    process = ServerProcess(tmp_path / "own" / "redis" / "server.lock")
    pid = process.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: not process.alive(), what="the end of Redis")
    until(lambda: "cannot use Redis" in beat.text(), timeout=60, what="beat's word about it")
    with EmbeddedRedis(tmp_path / "own") as again, redis_client(SecretStr(again.url)) as client:
        assert again.url == server.url, "it comes back where it was"
        until(lambda: (client.ttl(lock_key) or 0) > 20, timeout=60, what="the lock being held anew")
        beat.require_running()


def test_a_lost_lock_is_taken_again_and_never_from_another_beat(
    beat: CeleryProcess, client: redis.Redis, lock_key: str
) -> None:
    client.delete(lock_key)
    until(lambda: client.exists(lock_key), timeout=30, what="the lock being taken again")
    client.set(lock_key, "another beat", px=8_000)
    until(lambda: not client.exists(lock_key) or client.get(lock_key) != "another beat", timeout=30)
    until(lambda: client.exists(lock_key), timeout=30, what="the lock after the other beat's end")
    beat.require_running()
    assert "Traceback" not in beat.text()
