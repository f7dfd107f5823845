"""What a person gets for asking wrongly, or when something is missing: one line, and the right exit code."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from db.models import CollectionRun, Insight, Job
from tests.conftest import TOKEN
from tests.support.databases import fresh_database
from tests.support.simulators import GraphSimulator
from worker.embedded import EmbeddedServers

TOMORROW = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def env(
    servers: EmbeddedServers, database_url: str, redis_prefix: str, graph: GraphSimulator, tmp_path: Path
) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "ADTEMPO_ENV_FILE": os.devnull,
        "ADTEMPO_DATA_DIR": str(tmp_path / ".adtempo"),
        "DATABASE_URL": database_url,
        "REDIS_URL": servers.redis_url,
        "REDIS_KEY_PREFIX": redis_prefix,
        "FACEBOOK_ACCESS_TOKEN": TOKEN,
        "FACEBOOK_GRAPH_URL": graph.url,
    }


@pytest.fixture
def run(env: dict[str, str]) -> Run:
    def run_command(*arguments: str, **changed: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "worker.cli", *arguments],
            env={**env, **changed},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        assert TOKEN not in done.stderr
        return done.returncode, done.stderr.strip()

    return run_command


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def assert_nothing_was_written(engine: Engine) -> None:
    with engine.connect() as connection:
        for model in (Job, CollectionRun, Insight):
            assert connection.scalar(select(func.count()).select_from(model)) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--since", "22.11.2026"], "--since"),
        (["--since", "2026-02-30"], "--since"),
        (["--since", "2026-11-10", "--until", "2026-11-01"], "after"),
        (["--since", TOMORROW], "future"),
        (["--until", TOMORROW], "future"),
        (["--since", "1999-01-01"], "too long ago"),
        (["--account", "act_12x"], "'act_12x' is not an ad account id"),
        (["--account", "999"], "999"),
        (["--level", "adgroup"], "'adgroup' is not a level"),
        (["--breakdown", "shoe"], "'shoe' is not a breakdown"),
        (["--no-such-option"], "--no-such-option"),
    ],
)
def test_wrong_arguments(run: Run, engine: Engine, arguments: list[str], said: str) -> None:
    code, text = run("run", "collect", "--no-wait", *arguments)
    assert (code, len(text.splitlines())) == (2, 1), text
    assert said in text
    assert_nothing_was_written(engine)


def test_an_account_outside_of_the_list(run: Run, engine: Engine) -> None:
    code, text = run("run", "collect", "--no-wait", "--account", "77", FACEBOOK_AD_ACCOUNT_IDS="act_5")
    assert (code, text) == (2, "unknown ad account 77; known: 5")
    assert_nothing_was_written(engine)


def test_a_wrong_setting(run: Run) -> None:
    code, text = run("run", "collect", FACEBOOK_AD_ACCOUNT_IDS="abc")
    assert (code, text) == (
        2,
        "FACEBOOK_AD_ACCOUNT_IDS: 'abc' is not an ad account id (digits, with or without act_)",
    )


def test_no_database(run: Run, closed_port: int) -> None:
    url = f"postgresql://adtempo:hiddenpassword@127.0.0.1:{closed_port}/adtempo"
    code, text = run("run", "collect", DATABASE_URL=url)
    assert (code, len(text.splitlines())) == (3, 1), text
    assert "DATABASE_URL" in text
    assert "hiddenpassword" not in text


def test_no_redis(run: Run, engine: Engine, closed_port: int) -> None:
    code, text = run("run", "collect", REDIS_URL=f"redis://:hiddenpassword@127.0.0.1:{closed_port}/0")
    assert (code, len(text.splitlines())) == (3, 1), text
    assert "REDIS_URL" in text
    assert "hiddenpassword" not in text
    assert_nothing_was_written(engine)


def test_no_schema(run: Run, servers: EmbeddedServers) -> None:
    with fresh_database(servers.database_url, template="template1") as url:
        code, text = run("run", "collect", DATABASE_URL=url)
    assert (code, len(text.splitlines())) == (3, 1), text
    assert "adtempo migrate" in text


def test_no_worker(run: Run, engine: Engine) -> None:
    code, text = run("run", "collect")
    assert (code, len(text.splitlines())) == (3, 1), text
    assert "adtempo up" in text
    assert_nothing_was_written(engine)


def test_a_dead_token(run: Run, engine: Engine, graph: GraphSimulator) -> None:
    graph.post("tokens", dead=TOKEN, subcode=463)
    code, text = run("run", "collect", "--no-wait", "--account", str(graph.account_ids()[0]))
    assert (code, len(text.splitlines())) == (4, 1), text
    assert "FACEBOOK_ACCESS_TOKEN" in text
    assert_nothing_was_written(engine)


def test_a_revoked_token_is_refused_without_a_call(run: Run, engine: Engine, graph: GraphSimulator) -> None:
    account = str(graph.account_ids()[0])
    graph.post("tokens", dead=TOKEN, subcode=463)
    run("run", "collect", "--no-wait", "--account", account)
    calls = len(graph.log())
    code, text = run("run", "collect", "--no-wait", "--account", account)
    assert (code, len(text.splitlines())) == (4, 1), text
    assert len(graph.log()) == calls


def test_nothing_was_collected_yet(run: Run, engine: Engine) -> None:
    code, text = run("run", "analyze", "--no-wait")
    assert (code, len(text.splitlines())) == (2, 1), text
    assert "adtempo run collect" in text
    assert_nothing_was_written(engine)


def test_an_unknown_command(run: Run) -> None:
    code, text = run("colect")
    assert (code, len(text.splitlines())) == (2, 1), text


def test_no_token(run: Run, engine: Engine) -> None:
    for account in ([], ["--account", "5"]):
        code, text = run("run", "collect", "--no-wait", *account, FACEBOOK_ACCESS_TOKEN="")
        assert (code, len(text.splitlines())) == (2, 1), text
        assert "FACEBOOK_ACCESS_TOKEN" in text
    assert_nothing_was_written(engine)


def test_the_option_that_is_wrong_is_named(run: Run) -> None:
    code, text = run("run", "analyze", "--no-wait", "--date", TOMORROW)
    assert (code, text.split(":")[0]) == (2, "--date")


def test_a_reader_that_has_seen_enough_is_no_failure(env: dict[str, str]) -> None:
    script = 'set -o pipefail; "$0" -m worker.cli status --json | true'
    done = subprocess.run(
        ["bash", "-c", script, sys.executable],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
