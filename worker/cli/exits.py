"""Exit codes, and what each error means to the person at the command line."""

from __future__ import annotations

import enum

import kombu.exceptions
import redis
import sqlalchemy.exc

from agent import errors as agent_errors
from db import errors as db_errors
from worker import errors as worker_errors
from worker.embedded.errors import EmbeddedServerError


class Exit(enum.IntEnum):
    DONE = 0
    FAILED = 1
    BAD_INPUT = 2
    UNREACHABLE = 3
    NOT_ALLOWED = 4


# The kinds of error that rows of work keep, as far as they mean more than "it failed".
_KINDS = {
    "not_possible": Exit.BAD_INPUT,
    agent_errors.TokenDead.kind: Exit.NOT_ALLOWED,
    agent_errors.TokenRefused.kind: Exit.NOT_ALLOWED,
    agent_errors.PermissionMissing.kind: Exit.NOT_ALLOWED,
}


def exit_of_kind(kind: str | None) -> Exit:
    """The exit code for work that failed with this kind of error."""
    return _KINDS.get(kind or "", Exit.FAILED)


def explain(error: Exception) -> tuple[Exit, str] | None:
    """The exit code and the line to print for an error; None for one that is a fault of the program."""
    text = "\n".join(line for line in str(error).splitlines() if line.strip())
    match error:
        case worker_errors.SettingsError() | worker_errors.BadInput():
            return Exit.BAD_INPUT, text
        case worker_errors.NotAllowed():
            return Exit.NOT_ALLOWED, text
        case agent_errors.TokenDead():
            return Exit.NOT_ALLOWED, f"the access token is dead: {text}; set a new FACEBOOK_ACCESS_TOKEN"
        case agent_errors.TokenRefused():
            return Exit.NOT_ALLOWED, f"{text}; set a new token, or see `adtempo tokens`"
        case agent_errors.PermissionMissing():
            return Exit.NOT_ALLOWED, f"Meta does not allow it: {text}"
        case agent_errors.TokenStateUnknown() | worker_errors.ServiceUnavailable() | EmbeddedServerError():
            return Exit.UNREACHABLE, text
        case agent_errors.Transient() | agent_errors.Throttled():
            return Exit.UNREACHABLE, f"Meta cannot be asked now: {text}"
        case db_errors.SchemaOutdated() | db_errors.MigrationBusy():
            return Exit.UNREACHABLE, text
        case redis.AuthenticationError():
            return Exit.UNREACHABLE, "Redis refuses the password; check REDIS_URL"
        case redis.ConnectionError() | redis.TimeoutError():
            return Exit.UNREACHABLE, "Redis cannot be reached; check REDIS_URL and that the server runs"
        case kombu.exceptions.OperationalError():
            return Exit.UNREACHABLE, "the broker cannot be reached; check CELERY_BROKER_URL or REDIS_URL"
        case sqlalchemy.exc.OperationalError():
            return Exit.UNREACHABLE, f"PostgreSQL cannot be used; check DATABASE_URL ({_first_line(error)})"
        case worker_errors.WorkerError() | agent_errors.AgentError() | db_errors.DatabaseError():
            return Exit.FAILED, text
        case _:
            return None


def _first_line(error: sqlalchemy.exc.OperationalError) -> str:
    # The driver's text names host, port and reason, never the password.
    return str(error.orig).strip().splitlines()[0]
