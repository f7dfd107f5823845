"""The cache of ad agents: when one is built, when it is built again, and what threads do to that."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest
from pydantic import SecretStr

from agent.ad_agent import AdAgent
from worker.agent_cache import NO_ACCOUNT, AgentCache, AgentStats
from worker.shared_counter import SharedCounter

ONE, TWO = SecretStr("EAAtokenone"), SecretStr("EAAtokentwo")


class FakeAgent:
    """An agent of which only its end is of interest."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


class Factory:
    """Builds agents and remembers them."""

    def __init__(self) -> None:
        self.built: list[FakeAgent] = []

    def __call__(self, token: SecretStr) -> AdAgent:
        agent = FakeAgent(token.get_secret_value())
        self.built.append(agent)
        return cast(AdAgent, agent)


class Clock:
    """Seconds, as far as the test has let them pass."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def factory() -> Factory:
    return Factory()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def generation() -> SharedCounter:
    return SharedCounter()


@pytest.fixture
def cache(factory: Factory, clock: Clock, generation: SharedCounter) -> AgentCache:
    return AgentCache(factory, ttl_seconds=1800, generation=generation.value, clock=clock)


def test_nothing_is_built_before_it_is_asked_for(cache: AgentCache, factory: Factory) -> None:
    assert factory.built == []
    assert cache.stats() == []
    cache.get(1, ONE)
    assert [agent.token for agent in factory.built] == ["EAAtokenone"]


def test_the_same_agent_is_given_out_again(cache: AgentCache, factory: Factory) -> None:
    first = cache.get(1, ONE)
    assert cache.get(1, ONE) is first
    assert cache.get(1, SecretStr(ONE.get_secret_value())) is first
    assert len(factory.built) == 1


def test_accounts_do_not_share_an_agent(cache: AgentCache, factory: Factory) -> None:
    assert cache.get(1, ONE) is not cache.get(2, ONE)
    assert len(factory.built) == 2


def test_an_agent_is_kept_for_its_ttl_and_no_longer(
    cache: AgentCache, factory: Factory, clock: Clock
) -> None:
    first = cache.get(1, ONE)
    clock.now += 1799.9
    assert cache.get(1, ONE) is first
    clock.now += 0.1
    assert cache.get(1, ONE) is not first
    assert [agent.closed for agent in factory.built] == [1, 0]
    # The TTL counts from the build, not from the last use.
    clock.now += 1799.9
    cache.get(1, ONE)
    assert len(factory.built) == 2


def test_another_token_builds_anew_and_closes_the_old_agent(cache: AgentCache, factory: Factory) -> None:
    cache.get(1, ONE)
    untouched = cache.get(2, ONE)
    cache.get(1, TWO)
    assert [(agent.token, agent.closed) for agent in factory.built] == [
        ("EAAtokenone", 1),
        ("EAAtokenone", 0),
        ("EAAtokentwo", 0),
    ]
    assert cache.get(2, ONE) is untouched


def test_another_generation_builds_all_anew(
    cache: AgentCache, factory: Factory, generation: SharedCounter
) -> None:
    old = [cache.get(1, ONE), cache.get(2, ONE)]
    generation.increase()
    new = [cache.get(1, ONE), cache.get(2, ONE)]
    assert not set(map(id, old)) & set(map(id, new))
    assert [agent.closed for agent in factory.built] == [1, 1, 0, 0]
    assert [cache.get(1, ONE), cache.get(2, ONE)] == new


def test_a_generation_that_ends_during_a_build_is_not_kept(
    factory: Factory, clock: Clock, generation: SharedCounter
) -> None:
    def build(token: SecretStr) -> AdAgent:
        agent = factory(token)
        if len(factory.built) == 1:
            generation.increase()
        return agent

    cache = AgentCache(build, ttl_seconds=1800, generation=generation.value, clock=clock)
    first = cache.get(1, ONE)
    second = cache.get(1, ONE)
    assert second is not first
    assert cache.get(1, ONE) is second


def test_a_build_that_fails_is_not_kept(factory: Factory, clock: Clock) -> None:
    failures = [OSError("first"), OSError("second")]

    def build(token: SecretStr) -> AdAgent:
        if failures:
            raise failures.pop(0)
        return factory(token)

    cache = AgentCache(build, ttl_seconds=1800, clock=clock)
    for text in ("first", "second"):
        with pytest.raises(OSError, match=text):
            cache.get(1, ONE)
        assert cache.stats() == []
    cache.get(1, ONE)
    assert [(stats.builds, stats.hits) for stats in cache.stats()] == [(1, 0)]


def test_a_rebuild_that_fails_does_not_bring_the_old_agent_back(factory: Factory, clock: Clock) -> None:
    broken = threading.Event()

    def build(token: SecretStr) -> AdAgent:
        if broken.is_set():
            raise OSError("no more")
        return factory(token)

    cache = AgentCache(build, ttl_seconds=10, clock=clock)
    cache.get(1, ONE)
    clock.now += 10
    broken.set()
    for _ in range(2):
        with pytest.raises(OSError, match="no more"):
            cache.get(1, ONE)


def together(count: int, work: Callable[[int], AdAgent]) -> list[AdAgent]:
    """Call `work` from so many threads that all begin at the same moment."""
    start = threading.Barrier(count)

    def run(number: int) -> AdAgent:
        start.wait(30)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count), timeout=60))


def test_threads_that_come_at_once_build_once_for_each_account(clock: Clock) -> None:
    builds: Counter[str] = Counter()
    in_build = threading.Event()

    def build(token: SecretStr) -> AdAgent:
        builds[token.get_secret_value()] += 1
        # Long enough for every other thread to arrive while this one builds.
        in_build.wait(0.2)
        return cast(AdAgent, FakeAgent(token.get_secret_value()))

    cache = AgentCache(build, ttl_seconds=1800, clock=clock)
    given = together(32, lambda number: cache.get(number % 4, SecretStr(f"token-{number % 4}")))
    assert builds == {f"token-{account}": 1 for account in range(4)}
    assert len(set(map(id, given))) == 4
    assert [(stats.builds, stats.hits) for stats in cache.stats()] == [(1, 7)] * 4


def test_a_slow_build_of_one_account_holds_up_no_other(clock: Clock) -> None:
    slow_began, go_on = threading.Event(), threading.Event()

    def build(token: SecretStr) -> AdAgent:
        if token is ONE:
            slow_began.set()
            assert go_on.wait(30)
        return cast(AdAgent, FakeAgent(token.get_secret_value()))

    cache = AgentCache(build, ttl_seconds=1800, clock=clock)
    with ThreadPoolExecutor(2) as pool:
        try:
            slow = pool.submit(cache.get, 1, ONE)
            assert slow_began.wait(30)
            assert pool.submit(cache.get, 2, TWO).result(30)
            # Looking at the cache does not wait either.
            assert [stats.account_id for stats in pool.submit(cache.stats).result(30)] == [2]
            assert not slow.done()
        finally:
            go_on.set()
        assert slow.result(30)


def test_stats_say_what_is_held(cache: AgentCache, clock: Clock) -> None:
    cache.get(7, ONE)
    clock.now += 30
    for _ in range(3):
        cache.get(7, ONE)
    cache.get(3, TWO)
    clock.now += 5
    assert cache.stats() == [
        AgentStats(account_id=3, age_seconds=5, ttl_seconds=1800, builds=1, hits=0),
        AgentStats(account_id=7, age_seconds=35, ttl_seconds=1800, builds=1, hits=3),
    ]


def test_builds_and_hits_count_on_over_a_rebuild(cache: AgentCache, clock: Clock) -> None:
    cache.get(7, ONE)
    cache.get(7, ONE)
    clock.now += 1800
    cache.get(7, ONE)
    cache.get(7, ONE)
    assert [(stats.age_seconds, stats.builds, stats.hits) for stats in cache.stats()] == [(0, 2, 2)]


def test_stats_leave_out_what_would_not_be_given_out(
    cache: AgentCache, clock: Clock, generation: SharedCounter
) -> None:
    cache.get(1, ONE)
    clock.now += 1800
    assert cache.stats() == []
    cache.get(1, ONE)
    generation.increase()
    assert cache.stats() == []


def test_closing_closes_every_agent_and_empties_the_cache(cache: AgentCache, factory: Factory) -> None:
    first = cache.get(1, ONE)
    cache.get(2, TWO)
    cache.close()
    assert [agent.closed for agent in factory.built] == [1, 1]
    assert cache.stats() == []
    cache.close()
    assert [agent.closed for agent in factory.built] == [1, 1]
    assert cache.get(1, ONE) is not first


def test_no_token_shows_in_what_is_held(cache: AgentCache) -> None:
    cache.get(1, ONE)
    assert ONE.get_secret_value() not in repr(cache.stats()) + repr(cache) + repr(vars(cache))


def test_tokens_without_an_account_do_not_drive_each_other_out(cache: AgentCache, factory: Factory) -> None:
    """The daily check asks about every token that is set."""
    tokens = [SecretStr(f"token-{number}") for number in range(3)]
    for _ in range(2):
        for token in tokens:
            cache.get(NO_ACCOUNT, token)
    assert [(stats.account_id, stats.builds, stats.hits) for stats in cache.stats()] == [
        (NO_ACCOUNT, 1, 1)
    ] * 3
