"""Both embedded servers at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from worker.embedded.postgres_server import EmbeddedPostgres
from worker.embedded.redis_server import EmbeddedRedis


@dataclass(frozen=True)
class Running:
    """Which of the embedded servers are up and answer."""

    postgres: bool
    redis: bool


def running(root: Path) -> Running:
    """Look whether the servers below `root` run. Starts and writes nothing. Raises: RootDirectoryError."""
    return Running(postgres=EmbeddedPostgres(root).is_running(), redis=EmbeddedRedis(root).is_running())


class EmbeddedServers:
    """PostgreSQL and Redis below `root`, started on demand, stopped by their last user; data is kept.

        >>> with EmbeddedServers(Path(".adtempo")) as servers:
        ...     work(servers.database_url, servers.redis_url)

    A process that does not end by itself should release, or turn SIGTERM into an exit: what a signal ends
    at once cannot stop its servers. The next user takes them over then.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root).absolute()
        self.postgres = EmbeddedPostgres(root)
        self.redis = EmbeddedRedis(root)

    @property
    def database_url(self) -> str:
        """`postgresql+psycopg2://adtempo:…@127.0.0.1:…/adtempo`. Raises: NotAcquiredError."""
        return self.postgres.url

    @property
    def redis_url(self) -> str:
        """`redis://:…@127.0.0.1:…/0`. Raises: NotAcquiredError."""
        return self.redis.url

    def acquire(self) -> None:
        """Use both, starting what does not run. Raises: EmbeddedServerError; neither is in use then."""
        self.postgres.acquire()
        try:
            self.redis.acquire()
        except BaseException:
            self.postgres.release()
            raise

    def release(self) -> None:
        """End one use of both; the last user stops them. Raises: EmbeddedServerError."""
        try:
            self.redis.release()
        finally:
            self.postgres.release()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
