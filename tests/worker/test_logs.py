"""Log lines: what they look like, and that no secret gets into one."""

from __future__ import annotations

import io
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
from pydantic import SecretStr

from tests.support.simulators import GraphSimulator
from worker.logs import Redactor, log_context, secrets_of, set_up_logging
from worker.settings import Settings

# Each setting that is or holds a secret, and what of it must not be seen.
HIDDEN = {
    "secret_key": "MARKEDSECRETKEY",
    "facebook_app_secret": "MARKEDAPPSECRET",
    "facebook_access_token": "EAAMARKEDCOMMONTOKEN",
    "facebook_account_tokens": "EAAMARKEDACCOUNTTOKEN",
    "notion_api_token": "ntn_MARKEDNOTION",
    "flower_basic_auth": "MARKEDFLOWERPASSWORD",
    "database_url": "MARKEDDATABASEPASSWORD",
    "redis_url": "MARKEDREDISPASSWORD",
    "celery_broker_url": "MARKEDBROKERPASSWORD",
    "celery_result_backend": "MARKEDBACKENDPASSWORD",
}


def hiding_settings(**values: Any) -> Settings:
    held: dict[str, Any] = {
        "secret_key": HIDDEN["secret_key"],
        "facebook_app_secret": HIDDEN["facebook_app_secret"],
        "facebook_access_token": HIDDEN["facebook_access_token"],
        "facebook_account_tokens": {"act_7": HIDDEN["facebook_account_tokens"]},
        "notion_api_token": HIDDEN["notion_api_token"],
        "flower_basic_auth": f"ops:{HIDDEN['flower_basic_auth']}",
        "database_url": f"postgresql://u:{HIDDEN['database_url']}@db.test/x",
        "redis_url": f"redis://:{HIDDEN['redis_url']}@redis.test/0",
        "celery_broker_url": f"amqp://u:{HIDDEN['celery_broker_url']}@mq.test//",
        "celery_result_backend": f"redis://:{HIDDEN['celery_result_backend']}@redis.test/1",
    }
    return Settings(**{**held, **values})


@pytest.fixture
def untouched_logging() -> Iterator[None]:
    """Put the root logger, and the levels of all, back as they were."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    loggers = [one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger)]
    levels = {one: one.level for one in loggers}
    # Otherwise `force` would close the handlers that pytest looks through.
    root.handlers = []
    yield
    root.handlers = handlers
    root.setLevel(level)
    for one in logging.root.manager.loggerDict.values():
        if isinstance(one, logging.Logger):
            one.setLevel(levels.get(one, logging.NOTSET))


@pytest.fixture
def stream(untouched_logging: None) -> io.StringIO:
    """What is logged, with every secret set."""
    stream = io.StringIO()
    set_up_logging(hiding_settings(), stream)
    return stream


def test_every_secret_setting_is_among_the_hidden() -> None:
    """A new secret setting must be added to what is taken out of the lines."""
    secret = {
        name
        for name, of in Settings.model_fields.items()
        if "SecretStr" in str(of.annotation) or of.annotation is SecretStr
    }
    assert secret == set(HIDDEN)
    assert set(HIDDEN.values()) <= set(secrets_of(hiding_settings()))


@pytest.mark.parametrize("name", HIDDEN)
def test_no_secret_gets_into_a_line(stream: io.StringIO, name: str) -> None:
    secret = HIDDEN[name]
    log = logging.getLogger("some.library")
    log.info(f"in the message {secret}")  # noqa: G004
    log.info("as an argument %s and in a repr %r", secret, {"key": [secret]})
    log.info("in an address https://graph.test/v1?x=%s&y=1", secret)
    with log_context(where=secret):
        log.info("in the context")
    try:
        raise ValueError(f"in an exception {secret}")
    except ValueError:
        log.exception("caught")
        log.warning("with its trace", exc_info=True)
    try:
        try:
            raise OSError(secret)
        except OSError as error:
            raise RuntimeError("outer") from error
    except RuntimeError:
        log.exception("in the cause")
    log.warning("with the stack", stack_info=True)
    text = stream.getvalue()
    assert secret not in text
    assert text.count("[secret]") >= 8
    assert "Traceback" in text


def test_a_password_is_hidden_as_it_is_written_in_the_address_and_as_it_is(
    untouched_logging: None,
) -> None:
    stream = io.StringIO()
    url = SecretStr("postgresql://u:MARKED%40pass%2Fword@db.test/x")
    set_up_logging(hiding_settings(database_url=url), stream)
    logging.getLogger("x").info("refused: MARKED@pass/word, also MARKED%%40pass%%2Fword, and %s", "more")
    assert "MARKED" not in stream.getvalue()
    assert "and more" in stream.getvalue()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("GET /me?access_token=EAAunknown&limit=5", "GET /me?access_token=[secret]&limit=5"),
        ("input_token=EAAunknown'", "input_token=[secret]'"),
        ("appsecret_proof=abcdef0123", "appsecret_proof=[secret]"),
        ("Authorization: Bearer ntn_unknown.x-y~z", "Authorization: Bearer [secret]"),
        ("authorization: bearer abc", "authorization: bearer [secret]"),
        ("redis://:unknown@h:1/0", "redis://:[secret]@h:1/0"),
        ("postgresql+psycopg2://u:unknown@h/d", "postgresql+psycopg2://u:[secret]@h/d"),
        ("redis://127.0.0.1:6379/0 is fine", "redis://127.0.0.1:6379/0 is fine"),
        ("Task x[1] received at 10:30:00 by a@b", "Task x[1] received at 10:30:00 by a@b"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out_without_being_known(text: str, left: str) -> None:
    assert Redactor([])(text) == left


def test_a_secret_that_holds_another_is_taken_out_whole() -> None:
    assert Redactor(["secret1", "secret1-longer"])("a secret1-longer b") == "a [secret] b"


def test_very_short_values_do_not_black_out_the_text() -> None:
    assert Redactor(["a", "", "abc"])("abc at last") == "abc at last"


def test_a_line_has_the_time_in_utc_the_level_and_the_name(
    stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        record = logging.LogRecord("a.b", logging.WARNING, "f", 1, "said %d", (3,), None)
        record.created = 0.0
        logging.getLogger().handle(record)
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()
    assert stream.getvalue() == "1970-01-01T00:00:00Z WARNING a.b said 3\n"


def test_the_context_is_on_every_line_inside_and_on_none_after(stream: io.StringIO) -> None:
    log = logging.getLogger("x")
    with log_context(task="t", id=1):
        log.info("one")
        with log_context(slice=7, id=2):
            log.info("two")
        log.info("three")
    log.info("four")
    lines = [line.split(" ", 3)[3] for line in stream.getvalue().splitlines()]
    assert lines == ["[task=t id=1] one", "[task=t id=2 slice=7] two", "[task=t id=1] three", "four"]


def test_the_context_is_cleared_when_the_block_raises(stream: io.StringIO) -> None:
    with pytest.raises(ValueError, match="x"), log_context(task="t"):
        raise ValueError("x")
    logging.getLogger("x").info("after")
    assert "task=t" not in stream.getvalue()


def test_the_context_is_of_its_own_thread(stream: io.StringIO) -> None:
    with log_context(task="t"):
        thread = threading.Thread(target=lambda: logging.getLogger("x").info("elsewhere"))
        thread.start()
        thread.join()
    assert "task=t" not in stream.getvalue()


def test_http_libraries_say_nothing_of_addresses_even_at_debug(
    untouched_logging: None, graph: GraphSimulator
) -> None:
    stream = io.StringIO()
    set_up_logging(hiding_settings(log_level="DEBUG"), stream)
    # Not among the known secrets: only silence can hide it.
    address = f"{graph.url}/v26.0/me?marker=MARKEDINADDRESS"
    with requests.Session() as session:
        session.trust_env = False
        session.get(address, timeout=30)
    httpx.get(address, trust_env=False, timeout=30)
    assert len(graph.log()) == 2
    logging.getLogger("kombu.connection").debug("MARKEDINADDRESS")
    logging.getLogger("notion_client").info("MARKEDINADDRESS")
    logging.getLogger("our.own").debug("but we are heard")
    assert "MARKEDINADDRESS" not in stream.getvalue()
    assert "but we are heard" in stream.getvalue()


def test_setting_up_again_replaces_what_was_there(untouched_logging: None) -> None:
    first, second = io.StringIO(), io.StringIO()
    set_up_logging(hiding_settings(), first)
    set_up_logging(hiding_settings(log_level="ERROR"), second)
    logging.getLogger("x").error("once")
    logging.getLogger("x").warning("below the level")
    assert first.getvalue() == ""
    assert second.getvalue().count("\n") == 1
