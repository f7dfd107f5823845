"""Server directories that leave nothing running, and processes that use the servers."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from worker.embedded import EmbeddedPostgres, EmbeddedRedis
from worker.embedded.process import ServerProcess

Server = EmbeddedPostgres | EmbeddedRedis
KINDS: list[type[Server]] = [EmbeddedPostgres, EmbeddedRedis]
CHECKOUT = Path(__file__).resolve().parents[3]

USER = """
import os, signal, sys
from pathlib import Path
from worker.embedded import EmbeddedPostgres, EmbeddedRedis
server = {kind}(Path(sys.argv[1]))
server.acquire()
print(server.url, flush=True)
{then}
"""


class User:
    """A Python process that acquires a server, prints its address, and goes on when told to."""

    def __init__(self, kind: type[Server], root: Path, then: str = "sys.stdin.readline()") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER.format(kind=kind.__name__, then=then), str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            start_new_session=True,
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        text = self.process.stdout.readline().strip()
        assert text, "the user process ended without a word"
        return text

    def go_on(self) -> int:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        return self.process.wait(60)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


class Watch:
    """Looks at the servers below a directory from outside."""

    def until(self, condition: Callable[[], bool], seconds: float = 30.0) -> bool:
        """Wait for `condition`, at most `seconds`."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def process(self, root: Path, kind: type[Server]) -> ServerProcess:
        return ServerProcess(root / kind.name / "server.lock")

    def alive(self, root: Path, kind: type[Server]) -> bool:
        return self.process(root, kind).alive()

    def pid(self, root: Path, kind: type[Server]) -> int:
        pid = self.process(root, kind).pid()
        assert pid is not None
        return pid

    def gone(self, pid: int) -> bool:
        """Whether a process has ended; one that nobody has waited for yet has."""
        try:
            return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return True

    def kill(self, root: Path, kind: type[Server]) -> None:
        """kill -9 the server, and wait until its children have noticed."""
        os.kill(self.pid(root, kind), signal.SIGKILL)
        assert self.until(lambda: not self.alive(root, kind))

    def stop_all(self, root: Path) -> list[str]:
        """End what runs below `root`; the names of what did."""
        left = []
        for kind in KINDS:
            process = self.process(root, kind)
            if process.alive():
                left.append(kind.name)
                process.stop([(signal.SIGQUIT, 10), (signal.SIGKILL, 10)])
        return left


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def root(tmp_path: Path, watch: Watch) -> Iterator[Path]:
    """A directory for servers. The test fails if it leaves one running."""
    path = tmp_path / ".adtempo"
    yield path
    assert watch.stop_all(path) == []


@pytest.fixture
def start_user(root: Path) -> Iterator[Callable[..., User]]:
    """Starts users of servers below `root`; they are ended with the test."""
    users: list[User] = []

    def start(kind: type[Server], then: str = "sys.stdin.readline()") -> User:
        users.append(User(kind, root, then))
        return users[-1]

    yield start
    for user in users:
        user.end()


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> type[Server]:
    """Each kind of server in turn."""
    chosen: type[Server] = request.param
    return chosen
