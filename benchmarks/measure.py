"""Timing small things, and what a benchmark has to say in the end."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

ROUNDS = 7


@dataclass(frozen=True, slots=True)
class Outcome:
    """A figure and what it is measured against, both in seconds for one call.

    `bound` is what the figure must stay under, None where there is no such thing.
    """

    name: str
    seconds: float
    yardstick: str
    yardstick_seconds: float
    bound: float | None = None

    @property
    def ratio(self) -> float:
        """How many times the figure goes into the yardstick."""
        return self.yardstick_seconds / self.seconds

    @property
    def kept(self) -> bool:
        return self.bound is None or self.seconds < self.bound


def seconds_per_call(work: Callable[[], object], *, calls: int) -> float:
    """The median over some rounds of the mean time of a call, after one round that is not counted."""
    times = []
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(ROUNDS + 1):
            began = time.perf_counter()
            for _ in range(calls):
                work()
            times.append((time.perf_counter() - began) / calls)
    finally:
        if collecting:
            gc.enable()
    return statistics.median(times[1:])


def readable(seconds: float) -> str:
    """Seconds in the unit that a person would choose."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
