"""Inserting jobs once everything that they need is there, and waiting for them with a progress bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.orm import Session

from worker.cli.console import err, say


def ask_and_wait(
    ask: Callable[[Session], list[int]],
    *,
    title: str = "working",
    accounts: Sequence[int] = (),
    collected: bool = False,
    wait: bool = True,
) -> list[int]:
    """Call `ask` in a transaction, in which it inserts jobs, and wait for these; their ids.

    Whatever is missing (the schema, the broker, a worker, an account) is raised before anything is written:
    SchemaOutdated, ServiceUnavailable, BadInput and the errors of agent.errors. `accounts` are the ones that
    a person named; with `collected` they must have been collected before.
    """
    from db.migrate import require_head
    from worker.accounts import require_accounts
    from worker.app import app, current_process
    from worker.waiting import require_broker, require_worker, wait_for_jobs

    process = current_process()
    require_head(process.engine)
    require_broker(app)
    if wait:
        require_worker(app)
    require_accounts(process, accounts, collected=collected)
    with process.session() as session, session.begin():
        job_ids = ask(session)
    if wait:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=err(), transient=True) as bar:
            step = bar.add_task(title, total=None)
            try:
                wait_for_jobs(
                    process,
                    app,
                    job_ids,
                    on_progress=lambda now: bar.update(step, completed=now.over, total=now.steps),
                )
            except KeyboardInterrupt:
                say("not waiting any more; the work goes on, see `adtempo status`")
                raise
    return job_ids
