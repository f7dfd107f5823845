"""Alembic's environment: the models' metadata, and the address given by the caller.

`db.migrate` calls Alembic with a connection; the `alembic` command line takes the address from
`DATABASE_URL`.
"""

from __future__ import annotations

import os

from alembic import context
from sqlalchemy import Connection

from db.migrate import locked
from db.models import Base
from db.session import build_engine


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


def main() -> None:
    connection = context.config.attributes.get("connection")
    if connection is not None:
        run(connection)
        return
    url = os.environ.get("DATABASE_URL")
    if not url:
        raise SystemExit("Set DATABASE_URL, or use `adtempo migrate`, which finds the embedded server.")
    engine = build_engine(url, application_name="adtempo-migrate")
    with locked(engine) as connection:
        run(connection)
    engine.dispose()


main()
