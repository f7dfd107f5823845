"""Waiting for something no longer than so many seconds, whatever it is stuck in."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T]) -> T:
    """What `work` returns or raises, if that takes at most so many seconds.

    Raises TimeoutError after that. The work itself cannot be stopped: it goes on in a thread that does not
    keep the process from ending, so it should be harmless when its result is not wanted any more.
    """
    outcome: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcome.put((work(), None))
        except BaseException as error:  # noqa: BLE001  handed to the caller
            outcome.put((None, error))

    threading.Thread(target=run, name="bounded", daemon=True).start()
    try:
        value, error = outcome.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no answer within {seconds:g} seconds") from None
    if error is not None:
        raise error
    return value  # type: ignore[return-value]  # no error, so there is a value
