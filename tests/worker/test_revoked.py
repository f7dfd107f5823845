"""Revoked tokens: what is kept of them, for how long, and that nothing is called when that is not known."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
import redis
import redis.asyncio
from pydantic import SecretStr

from agent.ad_agent import AdAgent
from agent.errors import TokenDead, TokenRefused, TokenStateUnknown
from tests.conftest import TOKEN
from tests.support.keys import everything
from tests.support.network import refusing_port, silent_server
from tests.support.polling import until
from tests.support.simulators import GraphSimulator
from worker.agent_cache import NO_ACCOUNT
from worker.embedded import EmbeddedRedis, EmbeddedServers
from worker.embedded.process import ServerProcess
from worker.process import Process
from worker.redis_client import async_redis_client, redis_client
from worker.revoked import UNKNOWN_EXPIRY, AsyncRevokedTokens, RevokedTokens, fingerprint
from worker.settings import Settings

TOKEN_A = SecretStr("EAAMARKEDrevokedtoken0123456789")
TOKEN_B = SecretStr("EAAMARKEDothertoken9876543210")
DAY = 86_400
# The client waits five seconds for an answer; the rest is for a busy machine.
BOUND = 15.0

T = TypeVar("T")


@pytest.fixture
def client(servers: EmbeddedServers) -> Iterator[redis.Redis]:
    client = redis_client(SecretStr(servers.redis_url))
    yield client
    client.close()


@pytest.fixture
def revoked(client: redis.Redis, redis_prefix: str) -> RevokedTokens:
    return RevokedTokens(client, prefix=redis_prefix)


@pytest.fixture
def ttl(client: redis.Redis, redis_prefix: str) -> Callable[[SecretStr], int]:
    """Seconds until the entry of a token ends."""
    return lambda token: int(str(client.ttl(f"{redis_prefix}revoked:{fingerprint(token)}")))


@pytest.fixture
def in_asyncio(
    servers: EmbeddedServers, redis_prefix: str
) -> Callable[[Callable[[AsyncRevokedTokens], object]], object]:
    """Runs a coroutine function on the asyncio interface, in an event loop of its own."""

    def run(use: Callable[[AsyncRevokedTokens], object]) -> object:
        async def main() -> object:
            client = async_redis_client(SecretStr(servers.redis_url))
            try:
                return await use(AsyncRevokedTokens(client, prefix=redis_prefix))  # type: ignore[misc]
            finally:
                await client.aclose()

        return asyncio.run(main())

    return run


# -- what is kept ----------------------------------------------------------------------------------------


def test_a_revoked_token_is_refused_with_the_reason_and_others_are_not(revoked: RevokedTokens) -> None:
    revoked.check(TOKEN_A)
    revoked.revoke(TOKEN_A, reason="it was in a chat")
    with pytest.raises(TokenRefused, match="it was in a chat"):
        revoked.check(TOKEN_A)
    revoked.check(TOKEN_B)


def test_redis_holds_the_sha256_and_never_the_token(
    revoked: RevokedTokens, client: redis.Redis, redis_prefix: str
) -> None:
    secret = TOKEN_A.get_secret_value()
    revoked.revoke(TOKEN_A, reason=f"Graph said: Error validating access token {secret}: expired")
    stored = everything(client, f"{redis_prefix}*")
    assert list(stored) == [f"{redis_prefix}revoked:{fingerprint(TOKEN_A)}"]
    assert len(fingerprint(TOKEN_A)) == 64
    for text in (*stored.keys(), *stored.values()):
        assert secret not in text
        assert secret.removeprefix("EAA") not in text
    found = revoked.find(TOKEN_A)
    assert found is not None
    assert found.reason == "Graph said: Error validating access token [token]: expired"


def test_a_reason_is_cut_only_after_the_token_was_taken_out(revoked: RevokedTokens) -> None:
    revoked.revoke(TOKEN_A, reason="x" * 490 + TOKEN_A.get_secret_value())
    found = revoked.find(TOKEN_A)
    assert found is not None
    assert "EAAMARKED" not in found.reason


def test_the_entry_says_when(revoked: RevokedTokens) -> None:
    revoked.revoke(TOKEN_A, reason="r")
    found = revoked.find(TOKEN_A)
    assert found is not None
    moment = datetime.fromisoformat(found.revoked_at)
    assert moment.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)


def test_the_entry_lives_as_long_as_the_token_would_have(
    revoked: RevokedTokens, ttl: Callable[[SecretStr], int]
) -> None:
    revoked.revoke(TOKEN_A, reason="r", expires_at=datetime.now(UTC) + timedelta(days=3))
    assert 3 * DAY - 60 < ttl(TOKEN_A) <= 3 * DAY


def test_the_entry_does_not_end_before_the_token(revoked: RevokedTokens) -> None:
    expires_at = datetime.now(UTC) + timedelta(seconds=1.9)
    revoked.revoke(TOKEN_A, reason="r", expires_at=expires_at)
    while datetime.now(UTC) < expires_at - timedelta(seconds=0.1):
        with pytest.raises(TokenRefused):
            revoked.check(TOKEN_A)
        time.sleep(0.02)


def test_a_token_without_a_known_expiry_is_kept_for_ninety_days(
    revoked: RevokedTokens, ttl: Callable[[SecretStr], int]
) -> None:
    revoked.revoke(TOKEN_A, reason="r")
    assert timedelta(days=90) == UNKNOWN_EXPIRY
    assert 90 * DAY - 60 < ttl(TOKEN_A) <= 90 * DAY


def test_a_token_that_has_expired_already_leaves_no_lasting_entry(
    revoked: RevokedTokens, ttl: Callable[[SecretStr], int]
) -> None:
    revoked.revoke(TOKEN_A, reason="r", expires_at=datetime.now(UTC) - timedelta(days=1))
    assert ttl(TOKEN_A) <= 1


def test_a_restored_token_may_be_used_again(revoked: RevokedTokens) -> None:
    revoked.revoke(TOKEN_A, reason="r")
    assert revoked.restore(TOKEN_A)
    revoked.check(TOKEN_A)
    assert revoked.find(TOKEN_A) is None
    assert not revoked.restore(TOKEN_A)


def test_extending_lengthens_a_short_entry(revoked: RevokedTokens, ttl: Callable[[SecretStr], int]) -> None:
    revoked.revoke(TOKEN_A, reason="r", expires_at=datetime.now(UTC) + timedelta(days=2))
    assert revoked.extend(TOKEN_A)
    assert 90 * DAY - 60 < ttl(TOKEN_A) <= 90 * DAY


def test_extending_never_shortens(revoked: RevokedTokens, ttl: Callable[[SecretStr], int]) -> None:
    revoked.revoke(TOKEN_A, reason="r", expires_at=datetime.now(UTC) + timedelta(days=200))
    assert revoked.extend(TOKEN_A)
    assert 200 * DAY - 60 < ttl(TOKEN_A) <= 200 * DAY


def test_extending_revokes_nothing(revoked: RevokedTokens) -> None:
    assert not revoked.extend(TOKEN_A)
    revoked.check(TOKEN_A)


def test_all_lists_every_revoked_token_of_the_prefix(
    revoked: RevokedTokens, client: redis.Redis, redis_prefix: str
) -> None:
    RevokedTokens(client, prefix=f"other-{redis_prefix}").revoke(TOKEN_B, reason="elsewhere")
    assert list(revoked.all()) == []
    many = [SecretStr(f"EAAtokennumber{number:04d}") for number in range(700)]
    for token in many:
        revoked.revoke(token, reason="r")
    assert {entry.fingerprint for entry in revoked.all()} == set(map(fingerprint, many))


def test_a_client_that_answers_in_bytes_refuses_too(servers: EmbeddedServers, redis_prefix: str) -> None:
    with redis.Redis.from_url(servers.redis_url, decode_responses=False) as client:
        revoked = RevokedTokens(client, prefix=redis_prefix)
        revoked.revoke(TOKEN_A, reason="r")
        with pytest.raises(TokenRefused):
            revoked.check(TOKEN_A)


# -- asyncio ---------------------------------------------------------------------------------------------


def test_asyncio_sees_what_the_synchronous_interface_wrote(
    revoked: RevokedTokens, in_asyncio: Callable[..., object]
) -> None:
    revoked.revoke(TOKEN_A, reason="written synchronously")
    with pytest.raises(TokenRefused, match="written synchronously"):
        in_asyncio(lambda tokens: tokens.check(TOKEN_A))
    in_asyncio(lambda tokens: tokens.check(TOKEN_B))
    assert in_asyncio(lambda tokens: tokens.restore(TOKEN_A)) is True
    revoked.check(TOKEN_A)
    assert in_asyncio(lambda tokens: tokens.restore(TOKEN_A)) is False


def test_the_synchronous_interface_sees_what_asyncio_wrote(
    revoked: RevokedTokens,
    client: redis.Redis,
    redis_prefix: str,
    ttl: Callable[[SecretStr], int],
    in_asyncio: Callable[..., object],
) -> None:
    expires_at = datetime.now(UTC) + timedelta(days=5)
    reason = f"written by asyncio, {TOKEN_A.get_secret_value()}"
    in_asyncio(lambda tokens: tokens.revoke(TOKEN_A, reason=reason, expires_at=expires_at))
    with pytest.raises(TokenRefused, match="written by asyncio"):
        revoked.check(TOKEN_A)
    assert 5 * DAY - 60 < ttl(TOKEN_A) <= 5 * DAY
    assert TOKEN_A.get_secret_value() not in str(everything(client, f"{redis_prefix}*"))


def test_asyncio_fails_secure_too() -> None:
    async def check(port: int) -> None:
        client = async_redis_client(SecretStr(f"redis://:pw@127.0.0.1:{port}/0"))
        try:
            await AsyncRevokedTokens(client, prefix="t:").check(TOKEN_A)
        finally:
            await client.aclose()

    with pytest.raises(TokenStateUnknown):
        asyncio.run(check(refusing_port()))
    began = time.monotonic()
    with silent_server() as port, pytest.raises(TokenStateUnknown):
        asyncio.run(check(port))
    assert time.monotonic() - began < BOUND


# -- when Redis is away ----------------------------------------------------------------------------------


@pytest.fixture
def agent_without_redis(
    make_settings: Callable[..., Settings], graph: GraphSimulator
) -> Iterator[Callable[[int], AdAgent]]:
    """The agent of a process whose Redis is at a port where nobody answers."""
    processes: list[Process] = []

    def make(port: int) -> AdAgent:
        settings = make_settings(
            facebook_graph_url=graph.url, redis_url=SecretStr(f"redis://:hidden99@127.0.0.1:{port}/0")
        )
        process = Process(settings, None)  # no message is sent here
        processes.append(process)
        return process.agents.get(NO_ACCOUNT, settings.facebook_access_token)

    yield make
    for process in processes:
        process.close()


def assert_no_call(agent: AdAgent, graph: GraphSimulator) -> None:
    began = time.monotonic()
    with pytest.raises(TokenStateUnknown) as caught:
        agent.accounts()
    assert time.monotonic() - began < BOUND
    assert graph.log() == []
    assert agent.calls == 0
    assert "hidden99" not in str(caught.value)
    # The client's own error, with the address, is not dragged along into a traceback.
    assert caught.value.__suppress_context__


def test_a_closed_port_stops_every_call(
    agent_without_redis: Callable[[int], AdAgent], graph: GraphSimulator
) -> None:
    assert_no_call(agent_without_redis(refusing_port()), graph)


def test_a_redis_that_never_answers_stops_every_call_in_bounded_time(
    agent_without_redis: Callable[[int], AdAgent], graph: GraphSimulator
) -> None:
    with silent_server() as port:
        assert_no_call(agent_without_redis(port), graph)


def test_a_dead_token_is_reported_as_dead_even_if_it_cannot_be_revoked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with redis_client(SecretStr(f"redis://:hidden99@127.0.0.1:{refusing_port()}/0")) as client:
        RevokedTokens(client, prefix="t:").died(TOKEN_A, f"dead: {TOKEN_A.get_secret_value()}")
    assert "could not be revoked" in caplog.text
    assert TOKEN_A.get_secret_value() not in caplog.text


def test_a_token_that_graph_calls_dead_is_refused_from_then_on(
    settings: Settings, graph: GraphSimulator
) -> None:
    graph.post("tokens", dead=TOKEN, subcode=463)
    processes = [Process(settings, None) for _ in range(2)]
    first, second = (p.agents.get(NO_ACCOUNT, settings.facebook_access_token) for p in processes)
    with pytest.raises(TokenDead):
        first.accounts()
    assert len(graph.log()) == 1
    for agent in (first, second):
        with pytest.raises(TokenRefused):
            agent.accounts()
    assert len(graph.log()) == 1
    for process in processes:
        process.close()


# -- when Redis dies -------------------------------------------------------------------------------------


def test_a_revocation_survives_a_kill_of_redis(tmp_path: Path) -> None:
    root = tmp_path / ".adtempo"
    process = ServerProcess(root / "redis" / "server.lock")
    with EmbeddedRedis(root) as server:
        with redis_client(SecretStr(server.url)) as client:
            RevokedTokens(client, prefix="t:").revoke(TOKEN_A, reason="before the kill")
            # Redis writes to the disk once a second; what the kernel has outlives the process anyway.
            until(lambda: client.info("persistence")["aof_last_write_status"] == "ok")
        pid = process.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        until(lambda: not process.alive())
        with EmbeddedRedis(root) as again, redis_client(SecretStr(again.url)) as client:
            revoked = RevokedTokens(client, prefix="t:")
            with pytest.raises(TokenRefused, match="before the kill"):
                revoked.check(TOKEN_A)
            assert 0 < int(str(client.ttl(f"t:revoked:{fingerprint(TOKEN_A)}"))) <= 90 * DAY
