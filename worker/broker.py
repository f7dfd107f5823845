"""Asking all workers something through the broker, with a bounded wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import celery
import kombu.exceptions
import redis
from kombu.connection import Connection

from worker.errors import ServiceUnavailable

# Seconds. Workers answer from their parent process, which is never busy for long.
ANSWER_WITHIN = 2.0
CONNECT_WITHIN = 5.0


@contextmanager
def broker_connection(app: celery.Celery) -> Iterator[Connection]:
    """A connection to the broker that is known to work and waits for no answer for long.

    Raises ServiceUnavailable when the broker cannot be reached.
    """
    options = {"socket_timeout": CONNECT_WITHIN, "socket_connect_timeout": CONNECT_WITHIN}
    with app.connection_for_write(transport_options=options, connect_timeout=CONNECT_WITHIN) as connection:
        try:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=CONNECT_WITHIN)
        except (kombu.exceptions.OperationalError, redis.RedisError, OSError):
            raise ServiceUnavailable(
                "the broker cannot be reached; check CELERY_BROKER_URL or REDIS_URL and that it runs"
            ) from None
        yield connection


def broadcast(app: celery.Celery, command: str, *, timeout: float = ANSWER_WITHIN) -> dict[str, Any]:
    """Send a remote control command to every worker; the answers by worker, as far as they came in time.

    Raises ServiceUnavailable when the broker cannot be reached.
    """
    with broker_connection(app) as connection:
        answers = app.control.broadcast(command, reply=True, timeout=timeout, connection=connection)
    return {worker: answer for reply in answers or () for worker, answer in reply.items()}
