"""Real servers, a database for each test, and the command line as a function."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import Engine, Executable
from sqlalchemy.orm import Session

import worker.app
from simulator.notion import create_app as create_notion
from simulator.serving import Server
from worker.cli import run
from worker.embedded import EmbeddedServers
from worker.services import connected_settings
from worker.settings import Settings, get_settings

CHECKOUT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Result:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as the one JSON document that it must be."""
        return json.loads(self.out)

    @property
    def line(self) -> str:
        """Standard error as the one line that it must be."""
        assert self.err.endswith("\n")
        assert self.err.count("\n") == 1, self.err
        return self.err.rstrip("\n")


@dataclass(frozen=True)
class Place:
    """One test's own database and Redis keys, and the environment that names them."""

    environment: dict[str, str]
    engine: Engine
    redis: redis.Redis
    prefix: str

    def add(self, *rows: Any) -> None:
        """Insert these models' objects (or run these statements), each after the ones before it.

        The objects can be read afterwards.
        """
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            for row in rows:
                if isinstance(row, Executable):
                    session.execute(row)
                else:
                    session.add(row)
                    session.flush()


@pytest.fixture
def place(servers: EmbeddedServers, database_url: str, redis_prefix: str, engine: Engine) -> Iterator[Place]:
    client = redis.Redis.from_url(servers.redis_url, decode_responses=True)
    environment = {
        "ADTEMPO_ENV_FILE": os.devnull,
        "DATABASE_URL": database_url,
        "REDIS_URL": servers.redis_url,
        "REDIS_KEY_PREFIX": redis_prefix,
        "COLUMNS": "250",
    }
    yield Place(environment, engine, client, redis_prefix)
    for key in client.scan_iter(match=f"{redis_prefix}*"):
        client.delete(key)
    client.close()


@pytest.fixture
def adtempo(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Result]]:
    """`adtempo("campaigns", "--json", SETTING="value")`: a command in this process, on the test's servers."""

    def forget() -> None:
        # The settings and what hangs on them are read once in a process.
        process, worker.app._process = worker.app._process, None
        if process is not None:
            process.close()
        get_settings.cache_clear()
        connected_settings.cache_clear()

    def call(*arguments: str, **settings: str) -> Result:
        forget()
        with monkeypatch.context() as patch:
            for name in Settings.model_fields:
                patch.delenv(name.upper(), raising=False)
            for name, value in {**place.environment, **settings}.items():
                patch.setenv(name, value)
            capsys.readouterr()
            code = run(list(arguments))
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    yield call
    forget()


@pytest.fixture
def adtempo_process(place: Place) -> Callable[..., Result]:
    """The same as a process of its own, for commands that need Celery with the test's own settings."""

    def call(*arguments: str, **settings: str) -> Result:
        done = subprocess.run(
            [sys.executable, "-c", "from worker.cli import main; main()", *arguments],
            cwd=CHECKOUT,
            env={**_neutral_environment(), **place.environment, **settings},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture
def start_worker(place: Place, tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Starts a real worker on some queues and waits until it is ready; it is ended with the test."""
    running: list[subprocess.Popen[str]] = []

    def start(name: str, *queues: str) -> None:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "celery", "-A", "worker.app", "worker", "--pool", "solo"),
                *("--without-mingle", "--without-gossip", "-n", f"{name}@test", "-Q", ",".join(queues)),
            ],
            cwd=CHECKOUT,
            env={**_neutral_environment(), **place.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if "ready." in line:
                return
        raise AssertionError("the worker ended: " + "".join(said))

    yield start
    for process in running:
        process.terminate()
        # Reads the rest, so that a full pipe cannot keep it from ending.
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@pytest.fixture
def notion() -> Iterator[Server]:
    """A Notion that lets one token in."""
    with Server(lambda: create_notion(token="ntn_right_token")) as server:
        yield server


def _neutral_environment() -> dict[str, str]:
    """This process's environment without any setting of the program."""
    ours = {name.upper() for name in Settings.model_fields}
    return {name: value for name, value in os.environ.items() if name not in ours} | {
        "PYTHONPATH": str(CHECKOUT)
    }
