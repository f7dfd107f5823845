"""`python -m worker.tether PID COMMAND…`: become COMMAND, and end when the process PID ends.

Linux sends the signal itself when the parent dies (PR_SET_PDEATHSIG, kept over exec); elsewhere the command
runs untethered.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != int(parent):
            # It died before the line above.
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606  no shell is wanted


if __name__ == "__main__":
    main()
