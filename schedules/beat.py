"""When things run. Every entry asks for work by inserting a row for its time slot, so two beats ask once.

Times are UTC, except that a report is due at 08:00 of its account's own zone; the entry only looks, every
five minutes, for accounts whose hour has come.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from celery.schedules import crontab


def _every(task: str, schedule: crontab | timedelta, *, expires: timedelta) -> dict[str, Any]:
    # A tick that nobody took before the next one came is of no use any more.
    return {"task": task, "schedule": schedule, "options": {"expires": expires.total_seconds()}}


BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "collect": _every(
        "tasks.maintenance.request_collection", crontab(minute="*/30"), expires=timedelta(minutes=25)
    ),
    "analyze": _every(
        "tasks.maintenance.request_analysis", crontab(minute="10"), expires=timedelta(minutes=55)
    ),
    "report": _every(
        "tasks.maintenance.request_reports", crontab(minute="*/5"), expires=timedelta(minutes=4)
    ),
    "clean-up": _every(
        "tasks.maintenance.request_cleanup",
        crontab(minute="0", hour="2", day_of_week="sunday"),
        expires=timedelta(hours=12),
    ),
    "check-tokens": _every(
        "tasks.maintenance.request_token_check", crontab(minute="20", hour="3"), expires=timedelta(hours=12)
    ),
    "reconcile": _every("tasks.maintenance.reconcile", timedelta(minutes=1), expires=timedelta(seconds=55)),
}
