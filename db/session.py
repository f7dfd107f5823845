"""Engines and sessions. An engine belongs to the process that built it and is never shared over a fork."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker


def build_engine(url: str, *, application_name: str = "adtempo", pool_size: int = 2) -> Engine:
    """An engine on PostgreSQL that notices dead connections and bounds its waits.

    A statement may take ten minutes and wait one minute for a lock. TCP keepalives end a half-open
    connection after about a minute.
    """
    url = url.replace("postgres://", "postgresql://", 1)
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg2://", 1)
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=4,
        pool_pre_ping=True,
        pool_recycle=1800,
        hide_parameters=True,
        connect_args={
            "application_name": application_name,
            "connect_timeout": 5,
            "keepalives": 1,
            "keepalives_idle": 20,
            "keepalives_interval": 10,
            "keepalives_count": 4,
            "options": (
                "-c timezone=UTC -c statement_timeout=600s -c lock_timeout=60s"
                " -c idle_in_transaction_session_timeout=600s"
            ),
        },
    )


def session_factory(engine: Engine) -> sessionmaker[Session]:
    return sessionmaker(engine, expire_on_commit=False)
