"""Locks in Redis: one holder, no waiting, and an end even without a release."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
import redis
from pydantic import SecretStr

from tests.support.network import refusing_port
from tests.support.polling import until
from worker.embedded import EmbeddedServers
from worker.locks import shared_lock
from worker.redis_client import redis_client

Lock = Callable[[str], AbstractContextManager[bool]]


@pytest.fixture
def make_lock(servers: EmbeddedServers, redis_prefix: str) -> Iterator[Callable[..., Lock]]:
    """Locks of different processes: each has a client of its own."""
    clients: list[redis.Redis] = []

    def make(ttl_seconds: float = 60) -> Lock:
        clients.append(redis_client(SecretStr(servers.redis_url)))
        return shared_lock(clients[-1], prefix=redis_prefix, ttl_seconds=ttl_seconds)

    yield make
    for client in clients:
        client.close()


def test_only_one_holds_it_and_the_other_does_not_wait(make_lock: Callable[..., Lock]) -> None:
    one, other = make_lock(), make_lock()
    with one("report") as first:
        began = time.monotonic()
        with other("report") as second:
            assert (first, second) == (True, False)
        assert time.monotonic() - began < 5
        # The one that did not have it did not give it up either.
        with other("report") as third:
            assert not third


def test_it_is_free_after_the_block_even_if_that_raises(make_lock: Callable[..., Lock]) -> None:
    one, other = make_lock(), make_lock()
    with pytest.raises(ValueError, match="x"), one("report"):
        raise ValueError("x")
    with other("report") as held:
        assert held


def test_names_are_locks_of_their_own(make_lock: Callable[..., Lock]) -> None:
    lock = make_lock()
    with lock("one") as first, lock("two") as second:
        assert first
        assert second


def test_it_ends_by_itself_and_is_not_taken_from_the_next_holder(make_lock: Callable[..., Lock]) -> None:
    one, other, third = make_lock(0.3), make_lock(60), make_lock(60)

    def free() -> AbstractContextManager[bool] | None:
        block = other("report")
        if block.__enter__():
            return block
        block.__exit__(None, None, None)
        return None

    with one("report") as held:
        assert held
        # Its holder hangs, and the lock runs out.
        second = until(free, what="the end of the lock")
    # The first block is over now; the second holder still has it.
    with third("report") as held:
        assert not held
    second.__exit__(None, None, None)
    with third("report") as held:
        assert held


def test_redis_that_goes_away_does_not_hide_what_the_block_raised(
    make_lock: Callable[..., Lock], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise redis.ConnectionError("away")

    lock = make_lock()
    with pytest.raises(ValueError, match="the work"), lock("report"):  # noqa: PT012
        monkeypatch.setattr("redis.lock.Lock.release", away)
        raise ValueError("the work")


def test_without_redis_nobody_holds_it() -> None:
    with redis_client(SecretStr(f"redis://127.0.0.1:{refusing_port()}/0")) as client:
        lock = shared_lock(client, prefix="t:", ttl_seconds=60)
        with pytest.raises(redis.ConnectionError), lock("report"):
            pytest.fail("the block must not run")
