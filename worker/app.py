"""The Celery app: `celery -A worker.app worker|beat|flower|inspect …`."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import celery
import redis
from celery import signals

from worker.process import Process
from worker.services import connected_settings
from worker.shared_counter import SharedCounter

# Flower looks for its options where it is started, and without them it would be open to everybody.
os.environ.setdefault("FLOWER_CONF", str(Path(__file__).resolve().parent.parent / "flowerconfig.py"))

app = celery.Celery(
    "adtempo",
    task_cls="worker.task:Task",
    include=[
        "tasks.collectors",
        "tasks.maintenance",
        "tasks.processors",
        "tasks.reports",
        "worker.control",
    ],
)
app.config_from_object("celeryconfig")

# Made before a worker forks its children, who all see it move (worker.control).
agent_generation = SharedCounter()

_process: Process | None = None


def current_process() -> Process:
    """This process's parts; a forked child gets its own."""
    global _process
    if _process is None or _process.pid != os.getpid():
        _process = Process(connected_settings(), app, generation=agent_generation.value)
    return _process


def _addresses() -> dict[str, Any]:
    """Where the broker and the result backend are. Called when the configuration is first needed."""
    settings = connected_settings()
    return {
        "broker_url": settings.broker_url.get_secret_value(),
        "result_backend": settings.result_backend.get_secret_value(),
    }


app.add_defaults(_addresses)


@signals.setup_logging.connect
def _set_up_logging(**_: object) -> None:
    from worker.logs import set_up_logging

    # The connected settings know the embedded servers' passwords, which must be redacted too.
    set_up_logging(connected_settings())


@signals.worker_process_init.connect
def _forget_the_parent(**_: object) -> None:
    """The parent's connections stay the parent's: a child only drops its references to them."""
    global _process
    if _process is not None and "engine" in _process.__dict__:
        _process.engine.dispose(close=False)
    _process = None


@signals.worker_process_shutdown.connect
@signals.worker_shutdown.connect
def _close(**_: object) -> None:
    if _process is not None and _process.pid == os.getpid():
        if "agents" in _process.__dict__:
            with contextlib.suppress(redis.RedisError):
                _process.agent_board.remove(_process.name)
        _process.close()


@signals.task_postrun.connect
def _show_agents(**_: object) -> None:
    """Write what this process's cache holds, for `adtempo agents`; Redis being away spoils no task."""
    if _process is not None and "agents" in _process.__dict__:
        with contextlib.suppress(redis.RedisError):
            _process.agent_board.write(
                _process.name, _process.agents, ttl_seconds=2 * _process.settings.agent_ttl_seconds
            )
