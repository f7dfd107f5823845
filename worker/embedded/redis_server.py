"""The embedded Redis."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, ClassVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from worker.embedded.binaries import RedisBinary, find_redis
from worker.embedded.directory import drop_when_large, private_directory, write_private
from worker.embedded.errors import DataVersionError, StartError
from worker.embedded.ports import HOST, free_port
from worker.embedded.server import EmbeddedServer, new_password

# Read from standard input, so that the password is in no file but its own and in no argument. Every path is
# relative to the data directory.
_CONFIGURATION = """\
bind {host}
port {port}
protected-mode yes
requirepass {password}
daemonize no
dir ./
pidfile redis.pid
logfile ../redis.log
tcp-backlog 128
databases 16
appendonly yes
appendfsync everysec
aof-load-truncated yes
save ""
maxmemory-policy noeviction
"""


class EmbeddedRedis(EmbeddedServer):
    """Redis 6.2 or newer on 127.0.0.1, every write on the disk within a second.

    `binary` is a redis-server to use in place of the one on PATH or in the wheel.

        >>> with EmbeddedRedis(Path(".adtempo")) as server:
        ...     client = redis.Redis.from_url(server.url)
    """

    name: ClassVar[str] = "redis"
    title: ClassVar[str] = "Redis"

    def __init__(
        self,
        root: Path,
        *,
        binary: Path | None = None,
        start_timeout: float = 60.0,
        stop_timeout: float = 30.0,
        choose_port: Callable[[int | None], int] = free_port,
    ) -> None:
        super().__init__(
            root, start_timeout=start_timeout, stop_timeout=stop_timeout, choose_port=choose_port
        )
        self._wanted = binary
        self._binary: RedisBinary | None = None

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    @property
    def _pid_file(self) -> Path:
        return self._data / "redis.pid"

    def _prepare(self, password: str | None) -> str:
        binary = self._binary = find_redis(self._wanted)
        private_directory(self._data)
        if binary.version < (7, 0) and (self._data / "appendonlydir").exists():
            raise DataVersionError(
                f"{self._data} was written by Redis 7 or newer, and {binary.path} is {binary.version[0]}."
                f"{binary.version[1]}, which would begin empty. Use the newer redis-server, or move the "
                "directory away."
            )
        drop_when_large(self.directory / "redis.log")
        if password is None:
            password = new_password()
            write_private(self._password_file, password)
        return password

    def _launch(self, port: int, password: str, errors: IO[Any]) -> subprocess.Popen[bytes]:
        if self._binary is None:
            raise StartError("Redis was not prepared.")
        self._pid_file.unlink(missing_ok=True)
        return self._process.launch(
            [str(self._binary.path), "-"],
            directory=self._data,
            account=None,
            errors=errors,
            text=_CONFIGURATION.format(host=HOST, port=port, password=password),
        )

    def _answers(self, port: int, password: str) -> bool:
        # Redis writes this file once it has the port. Before, a stranger may have it, who must not get the
        # password.
        if not self._pid_file.exists():
            return False
        client = redis.Redis(
            host=HOST,
            port=port,
            password=password,
            socket_timeout=5,
            socket_connect_timeout=5,
            retry=Retry(NoBackoff(), 0),
        )
        try:
            information = client.info("server")
            return bool(client.ping()) and information["process_id"] == self._process.pid()
        except redis.AuthenticationError:
            raise StartError(
                f"The embedded Redis refuses the password in {self._password_file}. End its process "
                f"({self._process.pid()}) and try again."
            ) from None
        except redis.RedisError:
            return False
        finally:
            client.close()

    def _address(self, port: int, password: str) -> str:
        return f"redis://:{password}@{HOST}:{port}/0"

    def _stop_steps(self) -> Sequence[tuple[signal.Signals, float]]:
        # SIGTERM is the command SHUTDOWN, and works when no more clients are let in.
        return [(signal.SIGTERM, self._stop_timeout), (signal.SIGKILL, 10.0)]

    def _logs(self) -> list[Path]:
        return [self.directory / "redis.log"]
