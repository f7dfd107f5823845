"""The queues, and which tasks go where.

The Procfile gives `control` and `report` a worker of their own: whatever a slow Graph does to the collecting,
lost work is still found and the report still written at eight.
"""

from __future__ import annotations

import enum


class Queue(enum.StrEnum):
    COLLECT = "collect"
    PROCESS = "process"
    REPORT = "report"
    CONTROL = "control"


# By task name; `tasks.maintenance.*` plans and watches, so nothing may stand in front of it.
ROUTES = {
    "tasks.collectors.*": {"queue": Queue.COLLECT.value},
    "tasks.processors.*": {"queue": Queue.PROCESS.value},
    "tasks.reports.*": {"queue": Queue.REPORT.value},
    "tasks.automation.*": {"queue": Queue.PROCESS.value},
    "tasks.maintenance.*": {"queue": Queue.CONTROL.value},
}
