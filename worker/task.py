"""The base of every task: a unit of work around it, its name and id on every line it logs."""

from __future__ import annotations

from typing import Any

import celery

from worker.logs import log_context
from worker.unit import UnitOfWork


class Task(celery.Task):
    """A task is a function of a unit of work and ids or ISO dates.

    The caller gives only the ids and dates; the unit is put in front here, with a transaction that commits
    when the function returns.
    """

    abstract = True
    # The function has one argument more than its callers give, so Celery cannot check them.
    typing = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from worker.app import current_process

        task_id = self.request.id or "direct"
        with log_context(task=self.name, id=task_id), UnitOfWork(current_process(), task_id=task_id) as unit:
            return self.run(unit, *args, **kwargs)
