"""Messages leave after the commit and never without it; a broker that is away spoils no commit."""

from __future__ import annotations

import base64
import logging
import time
from collections.abc import Callable, Iterator

import celery
import orjson
import pytest
import redis
import sqlalchemy.exc
from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from db.models import Job, JobKind
from tests.support.network import refusing_port, silent_server
from tests.support.workers import client_app
from worker.embedded import EmbeddedServers
from worker.jobs import request_now
from worker.outbox import Outbox, send_after_commit
from worker.redis_client import redis_client
from worker.settings import Settings

TASK = "tasks.collectors.read_slice"


@pytest.fixture
def client(servers: EmbeddedServers) -> Iterator[redis.Redis]:
    with redis_client(SecretStr(servers.redis_url)) as client:
        yield client


@pytest.fixture
def app(make_settings: Callable[..., Settings]) -> Iterator[celery.Celery]:
    app = client_app(make_settings())
    yield app
    app.close()


@pytest.fixture
def session(app: celery.Celery, sessions: sessionmaker[Session]) -> Iterator[Session]:
    with sessions() as session:
        yield Outbox(app).attach(session)


@pytest.fixture
def sent(client: redis.Redis, redis_prefix: str) -> Callable[[], list[tuple[str, list[object]]]]:
    """What has reached the queue of collections so far: names and arguments, oldest first."""

    def read() -> list[tuple[str, list[object]]]:
        texts: list[str] = client.lrange(f"{redis_prefix}collect", 0, -1)  # type: ignore[assignment]
        found = []
        for message in map(orjson.loads, reversed(texts)):
            args = orjson.loads(base64.b64decode(message["body"]))[0]
            found.append((message["headers"]["task"], args))
        return found

    return read


def test_a_message_leaves_with_the_commit_and_not_before(
    session: Session, sent: Callable[[], list[object]]
) -> None:
    session.scalar(select(func.now()))
    send_after_commit(session, TASK, 7)
    send_after_commit(session, TASK, 8, "2026-11-22")
    session.flush()
    assert sent() == []
    session.commit()
    assert sent() == [(TASK, [7]), (TASK, [8, "2026-11-22"])]


def test_a_message_leaves_once(session: Session, sent: Callable[[], list[object]]) -> None:
    for number in (1, 2):
        session.scalar(select(func.now()))
        send_after_commit(session, TASK, number)
        session.commit()
    session.scalar(select(func.now()))
    session.commit()
    assert sent() == [(TASK, [1]), (TASK, [2])]


def test_a_rollback_forgets_the_messages(session: Session, sent: Callable[[], list[object]]) -> None:
    session.scalar(select(func.now()))
    send_after_commit(session, TASK, 7)
    session.rollback()
    session.scalar(select(func.now()))
    session.commit()
    assert sent() == []


def test_a_block_that_raises_sends_nothing(session: Session, sent: Callable[[], list[object]]) -> None:
    with pytest.raises(ValueError, match="x"), session.begin():  # noqa: PT012
        request_now(session, JobKind.COLLECT)
        raise ValueError("x")
    assert sent() == []


def test_a_commit_that_fails_sends_nothing(
    session: Session, sessions: sessionmaker[Session], sent: Callable[[], list[object]]
) -> None:
    request_now(session, JobKind.COLLECT)
    backend = session.scalar(select(func.pg_backend_pid()))
    with sessions() as other:
        other.scalar(select(func.pg_terminate_backend(backend)))
    with pytest.raises(sqlalchemy.exc.OperationalError):
        session.commit()
    session.rollback()
    assert sent() == []


def test_the_end_of_a_savepoint_is_no_commit(session: Session, sent: Callable[[], list[object]]) -> None:
    with session.begin():
        send_after_commit(session, TASK, 1)
        with session.begin_nested():
            session.scalar(select(func.now()))
            send_after_commit(session, TASK, 2)
        assert sent() == []
    assert sent() == [(TASK, [1]), (TASK, [2])]


def test_a_savepoint_that_is_rolled_back_keeps_what_was_said_before(
    session: Session, sent: Callable[[], list[object]]
) -> None:
    with session.begin():
        send_after_commit(session, TASK, 1)
        with pytest.raises(ValueError, match="x"), session.begin_nested():  # noqa: PT012
            session.scalar(select(func.now()))
            raise ValueError("x")
    assert sent() == [(TASK, [1])]


def test_a_transaction_that_ends_after_a_savepoint_did_is_still_forgotten(
    session: Session, sent: Callable[[], list[object]]
) -> None:
    with pytest.raises(ValueError, match="x"), session.begin():  # noqa: PT012
        with session.begin_nested():
            session.scalar(select(func.now()))
            send_after_commit(session, TASK, 2)
        raise ValueError("x")
    assert sent() == []


def test_sessions_do_not_send_each_others_messages(
    app: celery.Celery, sessions: sessionmaker[Session], sent: Callable[[], list[object]]
) -> None:
    outbox = Outbox(app)
    with outbox.attach(sessions()) as one, outbox.attach(sessions()) as other:
        one.scalar(select(func.now()))
        send_after_commit(one, TASK, 1)
        other.scalar(select(func.now()))
        other.commit()
        assert sent() == []
        one.commit()
    assert sent() == [(TASK, [1])]


def commit_without_broker(app: celery.Celery, sessions: sessionmaker[Session]) -> None:
    with Outbox(app).attach(sessions()) as session, session.begin():
        job = request_now(session, JobKind.COLLECT)
        for number in range(9):
            send_after_commit(session, TASK, number)
    with sessions() as session:
        assert session.get(Job, job) is not None


def test_a_broker_that_is_away_spoils_no_commit(
    make_settings: Callable[..., Settings], sessions: sessionmaker[Session], caplog: pytest.LogCaptureFixture
) -> None:
    url = SecretStr(f"redis://:hidden99@127.0.0.1:{refusing_port()}/0")
    app = client_app(make_settings(celery_broker_url=url))
    began = time.monotonic()
    commit_without_broker(app, sessions)
    # About six seconds for one try, however many messages there are.
    assert time.monotonic() - began < 15
    warned = [record for record in caplog.records if record.name == "worker.outbox"]
    assert [record.levelno for record in warned] == [logging.WARNING]
    assert "was not sent, nor 9 more" in warned[0].getMessage()
    assert "hidden99" not in caplog.text
    app.close()


def test_a_broker_that_never_answers_holds_a_commit_up_only_once(
    make_settings: Callable[..., Settings], sessions: sessionmaker[Session], caplog: pytest.LogCaptureFixture
) -> None:
    with silent_server() as port:
        app = client_app(make_settings(celery_broker_url=SecretStr(f"redis://:pw@127.0.0.1:{port}/0")))
        # As the worker has it, only shorter.
        app.conf.broker_transport_options["socket_timeout"] = 1
        began = time.monotonic()
        commit_without_broker(app, sessions)
        assert time.monotonic() - began < 15
        app.close()
    assert "was not sent" in caplog.text
