"""Asynchronous report runs: how far each is, and how it ends."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulator.graph.insights import Query
from simulator.graph.noise import key
from simulator.graph.world import World

NOT_STARTED, STARTED, RUNNING = "Job Not Started", "Job Started", "Job Running"
COMPLETED, FAILED, SKIPPED = "Job Completed", "Job Failed", "Job Skipped"
FATES = ("async_failed", "async_skipped", "async_stuck", "async_not_started")


@dataclass
class Run:
    """One report run. ``fate`` is the fault that befalls it, if any; ``ends_at`` is on the runs' clock."""

    id: str
    query: Query
    created: int
    fate: str | None
    error: dict[str, Any]
    polls_needed: int
    ends_at: float
    polls: int = 0
    completed: int = 0


class Runs:
    """All report runs.

    A run is complete at its ``polls``-th poll and not before ``seconds`` after its start.
    """

    def __init__(
        self, world: World, polls: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._world = world
        self._clock = clock
        self._runs: dict[str, Run] = {}
        self.polls = polls
        self.seconds = seconds

    def start(self, query: Query, fate: str | None, error: dict[str, Any]) -> Run:
        """A new run; its parameters are kept, its rows are made when read."""
        count = len(self._runs)
        run_id = str(700_000_000_000_000 + key(self._world.seed, 71, count) % 10**14 * 10 + count % 10)
        now = int(self._world.now().timestamp())
        run = Run(run_id, query, now, fate, error, self.polls, self._clock() + self.seconds)
        self._runs[run_id] = run
        return run

    def find(self, run_id: str) -> Run | None:
        """The run with this id."""
        return self._runs.get(run_id)

    def is_complete(self, run: Run) -> bool:
        """Whether the rows can be read."""
        return run.fate is None and run.polls >= run.polls_needed and self._clock() >= run.ends_at

    def poll(self, run: Run, version: float) -> dict[str, Any]:
        """The run's node, one poll further; ``version`` is the API's (errors are told from 25 on)."""
        run.polls += 1
        status, percent = self._progress(run)
        node: dict[str, Any] = {
            "id": run.id,
            "account_id": run.query.account.id,
            "time_ref": run.created,
            "async_status": status,
            "async_percent_completion": percent,
            "date_start": run.query.since.isoformat(),
            "date_stop": run.query.until.isoformat(),
        }
        if status == COMPLETED:
            run.completed = run.completed or int(self._world.now().timestamp())
            node["time_completed"] = run.completed
        if status == FAILED and version >= 25:
            node["error_code"] = int(run.error.get("error_code", 2))
            node["error_message"] = str(
                run.error.get("error_message", "The report could not be made, please start it again.")
            )
            if "error_subcode" in run.error:
                node["error_subcode"] = int(run.error["error_subcode"])
        return node

    def _progress(self, run: Run) -> tuple[str, int]:
        if run.fate == "async_not_started":
            return NOT_STARTED, 0
        if self.is_complete(run):
            return COMPLETED, 100
        ended = run.polls >= run.polls_needed and self._clock() >= run.ends_at
        if ended:
            return {
                "async_failed": (FAILED, 0),
                "async_skipped": (SKIPPED, 0),
                "async_stuck": (RUNNING, 100),
            }[run.fate or "async_stuck"]
        steps = (NOT_STARTED, STARTED, RUNNING)
        by_polls = run.polls / max(run.polls_needed, 1)
        remaining = max(0.0, run.ends_at - self._clock())
        by_time = 1.0 - remaining / self.seconds if self.seconds else 1.0
        share = min(by_polls, by_time, 0.99)
        step = steps[min(run.polls - 1, 2)] if run.polls_needed > 2 else RUNNING
        return step, 0 if step == NOT_STARTED else int(share * 100)
