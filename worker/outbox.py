"""Messages that leave only after the transaction that gave reason for them has committed.

If the broker cannot be reached then, the message is dropped with a warning: the row is the truth, and the
reconciler sends its id again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import celery
import kombu.exceptions
from sqlalchemy import event
from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

_KEY = "adtempo.outbox"


@dataclass(frozen=True, slots=True)
class _Message:
    task: str
    args: tuple[int | str, ...]
    countdown: float


class Outbox:
    """Sends the messages of the sessions it is attached to."""

    def __init__(self, app: celery.Celery) -> None:
        self._app = app

    def attach(self, session: Session) -> Session:
        event.listen(session, "after_commit", self._send)
        event.listen(session, "after_rollback", _forget)
        return session

    def _send(self, session: Session) -> None:
        if session.in_nested_transaction():
            # The end of a savepoint is not yet a commit.
            return
        messages = session.info.pop(_KEY, [])
        for number, message in enumerate(messages):
            try:
                self._app.send_task(message.task, args=message.args, countdown=message.countdown, retry=False)
            except (kombu.exceptions.OperationalError, OSError) as error:
                # The others are not tried: each would wait for the broker as long again.
                log.warning(
                    "%s%s was not sent, nor %d more (%s); the reconciler will send them",
                    message.task,
                    message.args,
                    len(messages) - number - 1,
                    type(error).__name__,
                )
                return


def send_after_commit(session: Session, task: str, *args: int | str, countdown: float = 0.0) -> None:
    """Send a task (by name, with ids and ISO dates only) once the session's transaction has committed.

    `countdown` is in seconds and must stay well under the broker's visibility timeout.
    """
    session.info.setdefault(_KEY, []).append(_Message(task, args, countdown))


def _forget(session: Session) -> None:
    if session.in_nested_transaction():
        # What was said before the savepoint still holds; a message about a row that is gone does nothing.
        return
    session.info.pop(_KEY, None)
