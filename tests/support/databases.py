"""A database of its own for every test, copied from one that is migrated once."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from db.migrate import upgrade
from db.session import build_engine
from tests.support.polling import until

TEMPLATE = "adtempo_template"


def url_of(server_url: str, database: str) -> str:
    return make_url(server_url).set(database=database).render_as_string(hide_password=False)


@contextmanager
def administration(server_url: str) -> Iterator[Connection]:
    engine = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def make_template(server_url: str) -> None:
    with administration(server_url) as connection:
        connection.execute(text(f"CREATE DATABASE {TEMPLATE}"))
    engine = build_engine(url_of(server_url, TEMPLATE))
    upgrade(engine)
    engine.dispose()


@contextmanager
def fresh_database(server_url: str, *, template: str = TEMPLATE) -> Iterator[str]:
    """The address of a new database that is dropped at the end of the block."""
    name = f"t_{secrets.token_hex(6)}"
    with administration(server_url) as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"))
    try:
        yield url_of(server_url, name)
    finally:
        with administration(server_url) as connection:
            until(lambda: _dropped(connection, name), what="the end of every connection to the database")


def _dropped(connection: Connection, name: str) -> bool:
    try:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    except ProgrammingError:
        # The server's own autovacuum is at work in it, which only a superuser may end.
        return False
    return True
