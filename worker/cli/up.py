"""`adtempo up` and `adtempo migrate`."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Annotated

import typer

from worker.cli.console import JsonFlag, print_json, say
from worker.cli.exits import Exit
from worker.errors import BadInput, WorkFailed

# Seconds from the first process's end to the killing of those that are left.
_PATIENCE = 40
# What Honcho returns after Ctrl-C and SIGTERM; both end all processes.
_STOPPED_BY_SIGNAL = (128 + signal.SIGINT, 128 + signal.SIGTERM)


def migrate(as_json: JsonFlag = False) -> int:
    """Bring the database's schema to the newest revision."""
    from db.migrate import upgrade
    from worker.app import current_process

    before, after = upgrade(current_process().engine)
    if as_json:
        print_json({"before": before, "after": after})
    else:
        came_from = " (as it was)" if before == after else f", before at {before}" if before else ""
        say(f"the schema is at {after}{came_from}")
    return Exit.DONE


def up(
    procfile: Annotated[Path, typer.Option(help="Which processes to run.")] = Path("Procfile"),
) -> int:
    """Run the Procfile's processes until Ctrl-C, with embedded servers where no address is set."""
    from honcho import manager as honcho
    from honcho.environ import parse_procfile

    from db.migrate import upgrade
    from worker.app import current_process

    if not procfile.is_file():
        raise BadInput(f"{procfile} is not a file; run this in the project's folder or use --procfile")
    process = current_process()
    settings = process.settings
    upgrade(process.engine)
    # The children share this process's servers: they are stopped when the last of all has gone.
    addresses = {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "REDIS_URL": settings.redis_url.get_secret_value(),
    }
    # A worker has half a minute for its running tasks; Honcho's five seconds would cut them off.
    honcho.KILL_WAIT = _PATIENCE
    manager = honcho.Manager()
    for name, command in parse_procfile(procfile.read_text()).processes.items():
        manager.add_process(name, command, env={**os.environ, **addresses})
    manager.loop()
    if manager.returncode not in _STOPPED_BY_SIGNAL:
        raise WorkFailed("a process ended by itself, so all were stopped; its output is above")
    return Exit.DONE
