"""A number that a process shares with the children it forks.

A worker's remote control commands run in its parent process, while the cached agents live in its children.
The parent raises this counter, and the children see it at once, without a message and without Redis.
"""

from __future__ import annotations

import mmap
import struct

_FORMAT = struct.Struct("=Q")


class SharedCounter:
    """Made before the fork. Reading costs well under a microsecond; only one process may write."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _FORMAT.size)

    def value(self) -> int:
        number: int = _FORMAT.unpack_from(self._memory)[0]
        return number

    def increase(self) -> int:
        """Add one; the new value."""
        number = self.value() + 1
        _FORMAT.pack_into(self._memory, 0, number)
        return number
