"""File locks (flock) that a kill -9 releases and a forked child does not keep."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from worker.embedded.errors import StartTimeoutError

_held: dict[int, FileLock] = {}
_hooked = False


class FileLock:
    """A lock on one file, held until `release` or the end of the process that took it.

    A lock belongs to the open file, which a fork shares: a child that kept the descriptor would keep the lock
    after its parent's death. So the child closes its copy at once, and no program it runs inherits one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    @property
    def held(self) -> bool:
        """True in the process that took the lock; False in its forked children."""
        return self._fd is not None

    def try_shared(self) -> bool:
        """Take the lock together with others. False if someone holds it alone. Raises: OSError."""
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        """Take the lock alone, also when it is held shared by this object. Raises: OSError.

        False if someone else holds it; a shared lock this object had may be lost then.
        """
        return self._try(fcntl.LOCK_EX)

    def exclusive(self, timeout: float) -> None:
        """Take the lock alone, waiting at most `timeout` seconds. Raises: StartTimeoutError, OSError."""
        deadline = time.monotonic() + timeout
        while not self.try_exclusive():
            if time.monotonic() > deadline:
                raise StartTimeoutError(
                    f"Another process has been starting or stopping this server for over {timeout:.0f} "
                    f"seconds (it holds {self.path}). Wait for it, or end it, and try again."
                )
            time.sleep(0.02)

    def release(self) -> None:
        """Give the lock up, also for copies of the descriptor made by a fork in progress."""
        if self._fd is not None:
            fcntl.flock(self._fd, fcntl.LOCK_UN)
            self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _try(self, operation: int) -> bool:
        fresh = self._fd is None
        fd = self._open() if self._fd is None else self._fd
        try:
            fcntl.flock(fd, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            if fresh:
                self._close()
            return False
        except BaseException:
            self._close()
            raise
        return True

    def _open(self) -> int:
        global _hooked
        if not _hooked:
            os.register_at_fork(after_in_child=_close_in_child)
            _hooked = True
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _held[self._fd] = self
        return self._fd

    def _close(self) -> None:
        if self._fd is not None:
            fd, self._fd = self._fd, None
            _held.pop(fd, None)
            os.close(fd)


def is_locked(path: Path) -> bool:
    """Whether someone holds `path` alone. Writes nothing. Raises: OSError, but not for a missing file."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def _close_in_child() -> None:
    # Closing a copy leaves the parent's lock alone; unlocking it would not.
    for lock in list(_held.values()):
        lock._close()
