"""Remote control commands that every worker answers: `celery -A worker.app control agents_invalidate`."""

from __future__ import annotations

from typing import Any

from celery.worker.control import control_command

from worker.app import agent_generation


@control_command()
def agents_invalidate(state: Any) -> dict[str, Any]:  # noqa: ARG001  Celery calls it with its state
    """Make every process of this worker build its ad agents anew."""
    return {"ok": "ad agents will be built anew", "generation": agent_generation.increase()}
