"""One ad agent for each account and token in a process, kept for a while. The only place that builds one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import SecretStr

from agent.ad_agent import AdAgent
from agent.graph import GraphApi, TokenGuard
from worker.revoked import fingerprint
from worker.settings import Settings

# The account of the agent that asks what accounts a token sees, and whether it is valid.
NO_ACCOUNT = 0


@dataclass(frozen=True, slots=True)
class AgentStats:
    """What the cache of a process holds for one account. Times in seconds."""

    account_id: int
    age_seconds: float
    ttl_seconds: float
    builds: int
    hits: int


@dataclass(slots=True)
class _Entry:
    token: str = field(repr=False)
    agent: AdAgent
    built_at: float
    generation: int
    builds: int
    hits: int = 0


@dataclass(slots=True)
class _Slot:
    """One account's place: a lock, so that threads that come together build once, and the entry."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    entry: _Entry | None = None


def agent_builder(settings: Settings, guard: TokenGuard) -> Callable[[SecretStr], AdAgent]:
    """How this process makes an agent for a token."""

    def build(token: SecretStr) -> AdAgent:
        return AdAgent(
            GraphApi(
                token,
                guard=guard,
                graph_url=settings.facebook_graph_url,
                api_version=settings.facebook_api_version,
                app_id=settings.facebook_app_id,
                app_secret=settings.facebook_app_secret,
            )
        )

    return build


class AgentCache:
    """Agents by account and token, for one process and all its threads.

    An agent is built when it is first asked for (so in the worker's child, after the fork), and again when
    `ttl_seconds` have passed, when the token differs from the one it was built with, or when `generation()`
    has moved on, which is how all workers are told to forget.
    """

    def __init__(
        self,
        build: Callable[[SecretStr], AdAgent],
        *,
        ttl_seconds: float,
        generation: Callable[[], int] = lambda: 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._build = build
        self._ttl = ttl_seconds
        self._generation = generation
        self._clock = clock
        # An account has one token at a time, and a new one takes the old one's place. Agents without an
        # account are told apart by their token's fingerprint, as several tokens may be looked after.
        self._slots: dict[tuple[int, str], _Slot] = {}

    def get(self, account_id: int, token: SecretStr) -> AdAgent:
        """The agent for an account and the token to use for it.

        Raises whatever building raises; nothing is kept then, and the next call builds anew.
        """
        key = (account_id, fingerprint(token) if account_id == NO_ACCOUNT else "")
        # setdefault is atomic, so two threads get the same slot.
        slot = self._slots.get(key) or self._slots.setdefault(key, _Slot())
        with slot.lock:
            entry = slot.entry
            secret = token.get_secret_value()
            if entry is not None and self._fresh(entry, secret):
                entry.hits += 1
                return entry.agent
            # Read before building: what is told to be forgotten meanwhile is built once more.
            generation = self._generation()
            fresh = _Entry(
                token=secret,
                agent=self._build(token),
                generation=generation,
                built_at=self._clock(),
                builds=1 + (entry.builds if entry else 0),
                hits=entry.hits if entry else 0,
            )
            slot.entry = fresh
        if entry is not None:
            entry.agent.close()
        return fresh.agent

    def stats(self) -> list[AgentStats]:
        """What is held now, by account; agents that would not be given out any more are left out."""
        now, generation = self._clock(), self._generation()
        return [
            AgentStats(
                account_id=account_id,
                age_seconds=now - entry.built_at,
                ttl_seconds=self._ttl,
                builds=entry.builds,
                hits=entry.hits,
            )
            for (account_id, _), slot in sorted(self._slots.copy().items(), key=lambda item: item[0])
            if (entry := slot.entry) is not None
            and entry.generation == generation
            and now - entry.built_at < self._ttl
        ]

    def close(self) -> None:
        """Close every agent's connections; the cache is empty afterwards."""
        for slot in self._slots.copy().values():
            with slot.lock:
                entry, slot.entry = slot.entry, None
            if entry is not None:
                entry.agent.close()

    def _fresh(self, entry: _Entry, token: str) -> bool:
        return (
            entry.token == token
            and entry.generation == self._generation()
            and self._clock() - entry.built_at < self._ttl
        )
