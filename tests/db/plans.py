"""PostgreSQL's plans for the statements that the code really sends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event, text


@contextmanager
def plans_of(connection: Connection) -> Iterator[dict[str, str]]:
    """Plans of what is executed inside the block, by statement, where reading a whole table is no choice."""
    found: dict[str, str] = {}
    connection.execute(text("SET LOCAL enable_seqscan = off"))

    def explain(
        _connection: Connection, cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
    ) -> None:
        if statement.lstrip().startswith(("SELECT", "INSERT", "UPDATE", "DELETE")):
            with cursor.connection.cursor() as own:
                own.execute(b"EXPLAIN " + own.mogrify(statement, parameters))
                found[" ".join(statement.split())] = "\n".join(row[0] for row in own.fetchall())

    event.listen(connection, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        event.remove(connection, "before_cursor_execute", explain)
