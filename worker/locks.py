"""Locks that all workers share, in Redis. They end by themselves if their holder dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

import redis
from redis.exceptions import LockError


def shared_lock(
    client: redis.Redis, *, prefix: str, ttl_seconds: float
) -> Callable[[str], AbstractContextManager[bool]]:
    """A function of a name that gives a lock: its block is told whether it holds it, and never waits."""

    @contextmanager
    def lock(name: str) -> Iterator[bool]:
        held = client.lock(f"{prefix}lock:{name}", timeout=ttl_seconds, blocking=False)
        mine = bool(held.acquire())
        try:
            yield mine
        finally:
            if mine:
                # It may have run out, or Redis may be away: then it ends by its TTL.
                with suppress(LockError, redis.RedisError):
                    held.release()

    return lock
