"""Getting the ad agent of an account: from the cache, beside building one."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import SecretStr

from benchmarks.measure import Outcome, seconds_per_call
from worker.agent_cache import AgentCache, agent_builder
from worker.settings import Settings
from worker.shared_counter import SharedCounter

ACCOUNTS = 200
# What a task may spend on getting its agent (seconds).
BOUND = 20e-6


class _NoGuard:
    """Building asks no guard, and no call is made here."""

    def check(self, token: SecretStr) -> None:  # noqa: ARG002  the guard's signature
        raise AssertionError("no call is made")

    def died(self, token: SecretStr, reason: str) -> None:  # noqa: ARG002
        raise AssertionError("no call is made")


def cached_agent() -> Iterator[Outcome]:
    """The cache as a worker has it: its generation in shared memory, agents of many accounts in it."""
    token = SecretStr("EAA" + "x" * 180)
    settings = Settings(facebook_app_secret=SecretStr("s" * 32))
    build = agent_builder(settings, _NoGuard())
    cache = AgentCache(build, ttl_seconds=1800, generation=SharedCounter().value)
    for account in range(ACCOUNTS):
        cache.get(account, token)
    building = seconds_per_call(lambda: build(token).close(), calls=50)
    getting = seconds_per_call(lambda: cache.get(ACCOUNTS // 2, token), calls=20_000)
    cache.close()
    yield Outcome("the cached agent", getting, "building one", building, bound=BOUND)
