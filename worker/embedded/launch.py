"""Become a server: take its lock, give up root, and run its program in place of this one.

Run as a script by `process.py`, with one argument: a JSON object. It imports the standard library alone, so
that it starts in milliseconds. Because the lock is taken here and stays open in the program, a server can
be seen for as long as any part of it lives, whatever became of the process that started it.

PostgreSQL refuses to run as root, and the account it runs as instead may be unable to pass through the
directories above the checkout (`/root`, for one). It then keeps one capability, to search and read. In
access(2), by which PostgreSQL finds itself, Linux leaves ordinary users no capability, unless it is told
not to fix capabilities up.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import sys
import time
from typing import NoReturn

FAILED = 97
LOCK_SECONDS = 10.0

_PR_GET_SECUREBITS, _PR_SET_SECUREBITS, _PR_CAP_AMBIENT = 27, 28, 47
_PR_CAP_AMBIENT_RAISE = 2
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_CAPABILITY_VERSION_3 = 0x20080522


def take_lock(path: str) -> None:
    """Hold `path` for the life of this process and of the program it becomes, and write its id there."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            # Someone may just be looking, or the last parts of a killed server may still be ending.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
    os.ftruncate(fd, 0)
    os.pwrite(fd, str(os.getpid()).encode(), 0)
    os.set_inheritable(fd, True)


def become(uid: int, gid: int, groups: list[int], capability: int | None) -> None:
    """Give up root for good, keeping at most one capability. Raises: OSError."""
    libc = ctypes.CDLL(None, use_errno=True)

    def checked(result: int) -> int:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result

    if capability is not None:
        bits = checked(libc.prctl(_PR_GET_SECUREBITS, 0, 0, 0, 0))
        checked(libc.prctl(_PR_SET_SECUREBITS, bits | _SECBIT_NO_SETUID_FIXUP, 0, 0, 0))
    os.setgroups(groups)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if capability is not None:
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
        low = 1 << capability
        # Effective, permitted and inheritable, for capabilities 0 to 31 and then 32 to 63.
        sets = (ctypes.c_uint32 * 6)(low, low, low, 0, 0, 0)
        checked(libc.capset(header, sets))
        checked(libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0))


def main(argument: str) -> NoReturn:
    """Do what the JSON object says and run its `command`. Raises: OSError."""
    plan = json.loads(argument)
    os.umask(0o077)
    if plan["lock"] is not None:
        take_lock(plan["lock"])
    os.chdir(plan["directory"])
    if plan["account"] is not None:
        become(**plan["account"])
        for path in plan["reach"]:
            os.stat(os.path.join(path, "."))  # noqa: PTH116, PTH118 (pathlib drops the dot)
    os.execv(plan["command"][0], plan["command"])  # noqa: S606 (no shell is what we want)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except OSError as error:
        sys.stderr.write(f"could not start: {error}\n")
        sys.exit(FAILED)
