"""What a task works with: the process's parts, one transaction of its own, and short ones beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from sqlalchemy.orm import Session

from worker.process import Process


class UnitOfWork:
    """Handed to every task as its first argument.

    `session` begins with its first use and is committed when the task returns, rolled back when it
    raises. Work in several steps (claim a row, stream, swap) uses `transaction()` for each.
    """

    def __init__(self, process: Process, *, task_id: str) -> None:
        self.process = process
        self.settings = process.settings
        # Who holds the leases that this task takes.
        self.owner = f"{process.name}:{task_id}"
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """The task's own transaction."""
        if self._session is None:
            self._session = self.process.session()
        return self._session

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A short transaction: committed at the end of the block, rolled back if it raises."""
        with self.process.session() as session, session.begin():
            yield session

    def __enter__(self) -> UnitOfWork:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is None:
            return
        with self._session as session:
            if kind is None:
                session.commit()
            else:
                session.rollback()
