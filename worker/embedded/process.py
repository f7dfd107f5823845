"""One server process, known by the lock it holds and not by a process id that may be someone else's."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from worker.embedded import launch
from worker.embedded.errors import StopError
from worker.embedded.locks import is_locked

# A server may outlive the object that started it, while another process uses it.
_children: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Account:
    """The account a program runs as when this process is root.

    `capability` is the number of the one Linux capability it keeps, None for none.
    """

    uid: int
    gid: int
    groups: tuple[int, ...]
    capability: int | None = None


def launcher_arguments(
    command: Sequence[str],
    *,
    directory: Path,
    account: Account | None = None,
    lock: Path | None = None,
    reach: Sequence[Path] = (),
) -> list[str]:
    """The arguments that run `command` in `directory` by way of `launch.py`."""
    plan = {
        "command": list(command),
        "directory": str(directory),
        "account": asdict(account) if account else None,
        "lock": str(lock) if lock else None,
        "reach": [str(path) for path in reach],
    }
    return [sys.executable, "-I", "-S", launch.__file__, json.dumps(plan)]


def server_environment() -> dict[str, str]:
    """The environment of a server: none of our settings and tokens, messages in English, times in UTC."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **kept}


def run_program(
    command: Sequence[str],
    *,
    directory: Path,
    account: Account | None = None,
    lock: Path | None = None,
    reach: Sequence[Path] = (),
    text: str = "",
    timeout: float = 120.0,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, `text` as its input. Output and errors are in `stdout`, together.

    Raises: subprocess.TimeoutExpired after `timeout` seconds; the program has been killed then.
    """
    arguments = launcher_arguments(command, directory=directory, account=account, lock=lock, reach=reach)
    # Its own session, so that Ctrl-C reaches us alone and we can end the program with its children.
    with subprocess.Popen(
        arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=server_environment(),
        start_new_session=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            output, _ = process.communicate(text, timeout=timeout)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
    return subprocess.CompletedProcess(command, process.returncode, output, "")


class ServerProcess:
    """The server that holds `lock`, started here or by another process, now or before a crash."""

    def __init__(self, lock: Path) -> None:
        self.lock = lock

    def alive(self) -> bool:
        """Whether any part of the server lives. Raises: OSError."""
        return is_locked(self.lock)

    def pid(self) -> int | None:
        """The process id of the server; None if it does not run. Raises: OSError."""
        deadline = time.monotonic() + 2.0
        while self.alive():
            text = self.lock.read_text(encoding="ascii").strip()
            if text.isdecimal():
                return int(text)
            if time.monotonic() > deadline:  # killed between locking and writing, with the lock left open?
                return None
            time.sleep(0.01)
        return None

    def launch(
        self,
        command: Sequence[str],
        *,
        directory: Path,
        account: Account | None,
        errors: IO[Any],
        text: str = "",
    ) -> subprocess.Popen[bytes]:
        """Start the server, `text` as its input, `errors` as the file its first messages go to.

        It runs in a session of its own, out of Ctrl-C's way. Raises: OSError.
        """
        _children[:] = [child for child in _children if child.poll() is None]
        process = subprocess.Popen(
            launcher_arguments(command, directory=directory, account=account, lock=self.lock),
            stdin=subprocess.PIPE,
            stdout=errors,
            stderr=errors,
            env=server_environment(),
            start_new_session=True,
        )
        _children.append(process)
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it has ended already; its log says why
                process.stdin.write(text.encode())
                process.stdin.flush()
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        return process

    def stop(self, steps: Sequence[tuple[signal.Signals, float]]) -> None:
        """Send each signal in turn, waiting its seconds for every part of the server to end.

        Raises: StopError if the server still lives after the last; OSError.
        """
        for number, seconds in steps:
            pid = self.pid()
            if pid is not None:
                # The lock is held, so the id in it is the server's own, unless only its children are left.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            if self._ended(seconds):
                return
        raise StopError(f"The server with process id {self.pid()} did not end. End it by hand and try again.")

    def _ended(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        for child in _children:
            child.poll()
        return True
