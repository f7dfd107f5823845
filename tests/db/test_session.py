"""What every connection is like."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, insert, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from db.models import Job, JobKind
from db.session import build_engine


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("timezone", "UTC"),
        ("statement_timeout", "10min"),
        ("lock_timeout", "1min"),
        ("idle_in_transaction_session_timeout", "10min"),
        ("application_name", "adtempo"),
    ],
)
def test_settings_of_a_connection(engine: Engine, setting: str, value: str) -> None:
    with engine.connect() as connection:
        assert connection.scalar(text(f"SHOW {setting}")) == value


@pytest.mark.parametrize("scheme", ["postgres://", "postgresql://", "postgresql+psycopg2://"])
def test_every_spelling_of_the_scheme_is_understood(database_url: str, scheme: str) -> None:
    engine = build_engine(scheme + database_url.split("://", 1)[1], application_name="spelling")
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW application_name")) == "spelling"
    engine.dispose()


def test_a_connection_that_died_in_the_pool_is_replaced(engine: Engine) -> None:
    with engine.connect() as connection:
        process = connection.scalar(text("SELECT pg_backend_pid()"))
    other = build_engine(engine.url.render_as_string(hide_password=False))
    with other.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:process, 5000)"), {"process": process})
    other.dispose()
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) != process


def test_values_stay_out_of_errors(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(IntegrityError) as caught:
        connection.execute(insert(Job).values(kind=JobKind.COLLECT, requested_by="a secret", attempts=None))
    assert "hidden" in str(caught.value)
    assert "[parameters: {" not in str(caught.value)


def test_the_password_stays_out_of_errors() -> None:
    engine = build_engine("postgresql://somebody:hunter2secret@127.0.0.1:1/nowhere")
    with pytest.raises(OperationalError) as caught:
        engine.connect()
    assert "hunter2secret" not in f"{caught.value} {caught.value!r} {engine!r}"


def test_objects_can_be_read_after_the_commit(sessions: sessionmaker[Session]) -> None:
    with sessions() as session:
        job = Job(kind=JobKind.COLLECT)
        session.add(job)
        session.commit()
        assert not session.in_transaction()
        assert job.id is not None
        assert not session.in_transaction()
