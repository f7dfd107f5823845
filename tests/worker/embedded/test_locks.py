from __future__ import annotations

import os
from pathlib import Path

import pytest

from worker.embedded.errors import StartTimeoutError
from worker.embedded.locks import FileLock, is_locked


def test_shared_with_others_but_alone_with_none(tmp_path: Path) -> None:
    one, two = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert one.try_shared()
    assert two.try_shared()
    assert not one.try_exclusive()
    two.release()
    assert one.try_exclusive()
    assert not two.try_shared()
    assert not two.held
    one.release()


def test_looking_sees_a_lock_held_alone_and_makes_no_file(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_locked(path)
    assert not path.exists()
    with FileLock(path) as lock:
        lock.exclusive(1)
        assert is_locked(path)
    assert not is_locked(path)


def test_waiting_ends(tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock") as lock, FileLock(tmp_path / "lock") as late:
        lock.exclusive(1)
        with pytest.raises(StartTimeoutError):
            late.exclusive(0.05)


def test_a_forked_child_holds_nothing_and_releases_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = FileLock(path)
    lock.exclusive(1)
    child = os.fork()
    if child == 0:
        held = lock.held
        lock.release()
        os._exit(1 if held else 0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert lock.held
    assert is_locked(path)
    lock.release()


def test_a_child_that_lives_on_does_not_keep_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    reader, writer = os.pipe()
    lock = FileLock(path)
    lock.exclusive(1)
    child = os.fork()
    if child == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    os.close(lock._fd or -1)  # as the end of this process would: closed, not unlocked
    lock._fd = None
    try:
        # The child closes its copy before it does anything else, but may not have got to it.
        with FileLock(path) as other:
            other.exclusive(10)
    finally:
        os.close(writer)
        os.close(reader)
        os.waitpid(child, 0)
