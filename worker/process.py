"""What one process holds: its database engine, Redis client and ad agents. Nothing here outlives a fork."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from functools import cached_property

import celery
import redis
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from db.session import build_engine, session_factory
from worker.agent_cache import AgentCache, agent_builder
from worker.agent_stats import AgentStatsBoard
from worker.logs import Redactor, secrets_of
from worker.outbox import Outbox
from worker.redis_client import redis_client
from worker.revoked import RevokedTokens
from worker.settings import Settings


class Process:
    """Every part is built when it is first used, in the process that uses it."""

    def __init__(
        self, settings: Settings, app: celery.Celery, *, generation: Callable[[], int] = lambda: 0
    ) -> None:
        self.settings = settings
        self.pid = os.getpid()
        self.name = f"{socket.gethostname()}:{self.pid}"
        self._app = app
        self._generation = generation

    @cached_property
    def engine(self) -> Engine:
        return build_engine(self.settings.database_url.get_secret_value())

    @cached_property
    def sessions(self) -> sessionmaker[Session]:
        return session_factory(self.engine)

    @cached_property
    def redis(self) -> redis.Redis:
        return redis_client(self.settings.redis_url)

    @cached_property
    def revoked(self) -> RevokedTokens:
        return RevokedTokens(self.redis, prefix=self.settings.redis_key_prefix)

    @cached_property
    def agents(self) -> AgentCache:
        return AgentCache(
            agent_builder(self.settings, self.revoked),
            ttl_seconds=self.settings.agent_ttl_seconds,
            generation=self._generation,
        )

    @cached_property
    def agent_board(self) -> AgentStatsBoard:
        return AgentStatsBoard(self.redis, prefix=self.settings.redis_key_prefix)

    @cached_property
    def outbox(self) -> Outbox:
        return Outbox(self._app)

    @cached_property
    def redact(self) -> Redactor:
        return Redactor(secrets_of(self.settings))

    def session(self) -> Session:
        """A new session whose messages leave after its commit."""
        return self.outbox.attach(self.sessions())

    def close(self) -> None:
        """Close what was built."""
        if "agents" in self.__dict__:
            self.agents.close()
        if "redis" in self.__dict__:
            self.redis.close()
        if "engine" in self.__dict__:
            self.engine.dispose()
