"""What the embedded servers share: use counted over processes, start by the first user, stop by the last."""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import signal
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, ClassVar, Self

from worker.embedded.directory import private_directory, read_private, readable_errors, tail, write_private
from worker.embedded.errors import NotAcquiredError, StartError, StartTimeoutError
from worker.embedded.locks import FileLock
from worker.embedded.ports import free_port, is_free
from worker.embedded.process import ServerProcess

PORT_ATTEMPTS = 8


def new_password() -> str:
    """A password that needs no quoting in a URL, in SQL or in a configuration file."""
    return secrets.token_urlsafe(32)


class EmbeddedServer(ABC):
    """A server below `root`, started by its first user and stopped by its last.

    Every user, in any process, holds a shared lock on `users.lock` from `acquire` to `release`; a kill -9
    gives it up too. A server left behind by a killed user is taken over by the next. `acquire` and `release`
    may be nested and called from several threads. A forked child keeps `url` but is no user: it stops
    nothing, and may acquire for itself.

    Args:
        root: directory of all embedded servers, made if it is missing; others may pass through it, so
            that any other file in it must be private by itself.
        start_timeout: seconds until a server that does not answer is given up.
        stop_timeout: seconds until a server that does not end is killed.
        choose_port: takes the last port or None, returns one that looks free.
    """

    name: ClassVar[str]
    title: ClassVar[str]

    def __init__(
        self,
        root: Path,
        *,
        start_timeout: float = 60.0,
        stop_timeout: float = 30.0,
        choose_port: Callable[[int | None], int] = free_port,
    ) -> None:
        self.root = Path(root).absolute()
        self.directory = self.root / self.name
        self._start_timeout = start_timeout
        self._stop_timeout = stop_timeout
        self._choose_port = choose_port
        self._process = ServerProcess(self.directory / "server.lock")
        self._users = FileLock(self.directory / "users.lock")
        self._child: subprocess.Popen[bytes] | None = None
        self._count = 0
        self._url: str | None = None
        self._mutex = (os.getpid(), threading.RLock())

    @property
    def url(self) -> str:
        """The address with the password, between `acquire` and `release`. Raises: NotAcquiredError."""
        if self._url is None:
            raise NotAcquiredError(f"The embedded {self.title} has no address before acquire().")
        return self._url

    def acquire(self) -> None:
        """Use the server, starting it if nobody else does. Raises: EmbeddedServerError."""
        with self._one_thread(), readable_errors(self.root):
            if self._users.held:
                self._count += 1
                return
            private_directory(self.root)
            private_directory(self.directory)
            with FileLock(self.directory / "start.lock") as starting:
                starting.exclusive(self._start_timeout + self._stop_timeout)
                self._users.try_shared()  # only a holder of start.lock ever takes it alone
                try:
                    self._url = self._take_over() if self._process.alive() else self._start()
                except BaseException:
                    self._users.release()
                    raise
            self._count = 1
            atexit.register(self._release_all)

    def release(self) -> None:
        """End one use; the last user stops the server. Nothing happens without a use.

        Raises: EmbeddedServerError.
        """
        with self._one_thread(), readable_errors(self.root):
            if not self._users.held:
                return
            self._count -= 1
            if self._count > 0:
                return
            atexit.unregister(self._release_all)
            self._url = None
            try:
                with FileLock(self.directory / "start.lock") as starting:
                    starting.exclusive(self._start_timeout + self._stop_timeout)
                    if self._users.try_exclusive():
                        self._process.stop(self._stop_steps())
            except FileNotFoundError:  # the directory was removed, and with it what says who uses the server
                self._end_child()
            finally:
                self._users.release()

    def is_running(self) -> bool:
        """Whether the server is up and answers. Starts and writes nothing. Raises: RootDirectoryError."""
        with readable_errors(self.root):
            port, password = self._last_port(), read_private(self._password_file)
            if port is None or password is None or not self._process.alive():
                return False
            try:
                return self._answers(port, password)
            except StartError:
                return False

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    # What a server must say of itself.

    @abstractmethod
    def _prepare(self, password: str | None) -> str:
        """Make everything ready for a start. Returns the password, a new one if there was none."""

    @abstractmethod
    def _launch(self, port: int, password: str, errors: IO[Any]) -> subprocess.Popen[bytes]:
        """Start the program, its first messages going to `errors`."""

    @abstractmethod
    def _answers(self, port: int, password: str) -> bool:
        """Whether our server answers. Raises: StartError if it answers, but not to this password."""

    @abstractmethod
    def _address(self, port: int, password: str) -> str:
        """The URL."""

    @abstractmethod
    def _stop_steps(self) -> Sequence[tuple[signal.Signals, float]]:
        """Signals to end the server by, each with the seconds it is given."""

    @abstractmethod
    def _logs(self) -> list[Path]:
        """The files with the server's messages, the newest last."""

    # How it is started.

    @property
    def _password_file(self) -> Path:
        return self.directory / "password"

    @property
    def _first_messages(self) -> Path:
        return self.directory / "start.log"

    def _last_port(self) -> int | None:
        text = read_private(self.directory / "port")
        return int(text) if text and text.isdecimal() and 0 < int(text) < 65536 else None

    def _take_over(self) -> str:
        """Use the server that runs. Raises: StartError, StartTimeoutError, OSError."""
        port, password = self._last_port(), read_private(self._password_file)
        pid = self._process.pid()
        if port is None or password is None:
            raise StartError(
                f"The embedded {self.title} runs (process {pid}), but its port or password file in "
                f"{self.directory} is gone. End that process; the next start makes new ones."
            )
        deadline = time.monotonic() + self._start_timeout
        while not self._answers(port, password):
            if not self._process.alive():
                return self._start()
            if time.monotonic() > deadline:
                raise StartTimeoutError(
                    f"The embedded {self.title} runs (process {pid}) but did not answer on port {port} "
                    f"within {self._start_timeout:.0f} seconds. End that process and try again. "
                    f"{self._told(password)}"
                )
            time.sleep(0.05)
        return self._address(port, password)

    def _start(self) -> str:
        password = self._prepare(read_private(self._password_file))
        port = self._last_port()
        for _ in range(PORT_ATTEMPTS):
            port = self._choose_port(port)
            write_private(self.directory / "port", str(port))
            if self._started(port, password):
                return self._address(port, password)
            port = None
        raise StartError(
            f"The embedded {self.title} found its port taken {PORT_ATTEMPTS} times. Try again when fewer "
            f"programs are opening ports. {self._told(password)}"
        )

    def _started(self, port: int, password: str) -> bool:
        """Whether the server came up; False if the port was taken. Raises: StartError, StartTimeoutError."""
        deadline = time.monotonic() + self._start_timeout
        pause = 0.01
        fd = os.open(self._first_messages, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as errors:
            process = self._child = self._launch(port, password, errors)
        try:
            while not self._answers(port, password):
                if (code := process.poll()) is not None:
                    if not is_free(port):
                        return False
                    raise StartError(
                        f"The embedded {self.title} ended at its start (code {code}). {self._told(password)}"
                    )
                if time.monotonic() > deadline:
                    raise StartTimeoutError(
                        f"The embedded {self.title} did not answer within {self._start_timeout:.0f} seconds "
                        f"and was stopped. {self._told(password)}"
                    )
                time.sleep(pause)
                pause = min(0.2, pause * 1.3)
        except BaseException:
            self._end_child()
            raise
        return True

    def _told(self, password: str) -> str:
        text = tail([self._first_messages, *self._logs()], hide=password)
        return f"Its last messages, from {self.directory}:\n{text}" if text else "It left no message."

    def _end_child(self) -> None:
        if (child := self._child) is None or child.poll() is not None:
            return
        for number, seconds in self._stop_steps():
            # The whole session: a wrapper around the server ends before what it wraps.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(min(seconds, 5.0))
                return

    def _release_all(self) -> None:
        if self._users.held:
            self._count = 1
            self.release()

    def _one_thread(self) -> threading.RLock:
        # A child forked while another thread held the lock would wait for ever.
        if self._mutex[0] != os.getpid():
            self._mutex = (os.getpid(), threading.RLock())
        return self._mutex[1]
