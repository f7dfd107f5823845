"""Waiting for something to become true, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(look: Callable[[], T | None], *, timeout: float = 20.0, what: str = "it") -> T:
    """The first true value that `look` returns. Fails the test after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        if found := look():
            return found
        assert time.monotonic() < deadline, f"{what} did not happen within {timeout:g} seconds"
        time.sleep(0.05)
