"""Child processes of a command: started with it, and gone with it, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from worker.errors import WorkFailed

# Seconds that a child has to end by itself: a worker's soft shutdown, and a little more.
_PATIENCE = 40.0


class Child:
    """A process with its own session, its output in a file.

    It is started through `worker.tether`, so that it ends when this process is killed.
    """

    def __init__(self, name: str, command: Sequence[str], *, env: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "worker.tether", str(os.getpid()), *command],
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def require_running(self) -> None:
        """Raises WorkFailed, with the end of its log, when the child has ended."""
        code = self._process.poll()
        if code is not None:
            tail = self.log.read_text(errors="replace").strip().splitlines()[-5:]
            raise WorkFailed(f"{self.name} ended with code {code}: {' | '.join(tail)}")

    def wait_for_file(self, path: Path, *, timeout: float) -> str:
        """The text of a file that the child writes when it is ready.

        Raises WorkFailed when the child ends, or does not write it within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            self.require_running()
            if path.exists() and (text := path.read_text().strip()):
                return text
            time.sleep(0.05)
        raise WorkFailed(f"{self.name} was not ready after {timeout:.0f} s; see {self.log}")

    def stop(self) -> None:
        """End the child: SIGTERM, and SIGKILL to its whole session if it does not end in time."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def stop_all(children: Sequence[Child]) -> None:
    """End all of them, the last started first."""
    for child in reversed(children):
        child.stop()
