"""Real Celery processes for tests, and a client that speaks to them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import celery
import psutil
from kombu.entity import Queue as KombuQueue

from tests.support.polling import until
from worker.queues import ROUTES, Queue
from worker.settings import Settings

CHECKOUT = Path(__file__).resolve().parents[2]
QUEUES = tuple(queue.value for queue in Queue)
# A child that is killed for not ending in this many seconds has failed its test.
PATIENCE = 60.0


def client_app(settings: Settings) -> celery.Celery:
    """An app that sends to the settings' broker and under their prefix, with no task of its own."""
    app = celery.Celery("client", set_as_current=False)
    app.conf.update(
        broker_url=settings.broker_url.get_secret_value(),
        broker_transport_options={"global_keyprefix": settings.redis_key_prefix, "socket_connect_timeout": 5},
        task_routes=ROUTES,
        task_queues=[KombuQueue(name) for name in QUEUES],  # type: ignore[no-untyped-call]
        task_default_queue=Queue.CONTROL.value,
        task_create_missing_queues=False,
        task_ignore_result=True,
    )
    return app


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment of a process that shall have exactly these settings."""
    ours = {name.upper() for name in Settings.model_fields} | {"FACEBOOK_AD_ACCOUNT_ID"}
    env = {name: value for name, value in os.environ.items() if name not in ours}
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        text = value.get_secret_value() if hasattr(value, "get_secret_value") else value
        env[name.upper()] = ",".join(map(str, text)) if isinstance(text, tuple) else str(text)
    return env | {
        "ADTEMPO_ENV_FILE": os.devnull,
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONUNBUFFERED": "1",
        "REMAP_SIGTERM": "SIGQUIT",
    }


@dataclass
class CeleryProcess:
    """A `celery -A worker.app …` process, its output in a file."""

    process: subprocess.Popen[bytes]
    log: Path
    name: str

    @property
    def pid(self) -> int:
        return self.process.pid

    def text(self) -> str:
        """All that it has said so far."""
        return self.log.read_text(errors="replace")

    def children(self) -> set[int]:
        """The process ids of its pool."""
        return {child.pid for child in psutil.Process(self.pid).children()}

    def require_running(self) -> None:
        """Fails the test, with what the process said last, when it has ended."""
        assert self.process.poll() is None, f"{self.name} ended:\n{self.text()[-3000:]}"

    def stop(self) -> int:
        """SIGTERM, and its exit code; SIGKILL if it does not end."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end:\n{self.text()[-3000:]}") from None

    def kill(self) -> None:
        """SIGKILL to it and to its pool, whatever state they are in."""
        pool = psutil.Process(self.pid).children(recursive=True) if self.process.poll() is None else []
        self.process.kill()
        self.process.wait(PATIENCE)
        for child in pool:
            # psutil looks whether the id still is that process's.
            if child.is_running():
                child.kill()


@contextmanager
def celery_process(
    env: Mapping[str, str], folder: Path, name: str, arguments: Sequence[str]
) -> Iterator[CeleryProcess]:
    """Run `celery -A worker.app` with these arguments for the time of the block."""
    log = folder / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "worker.app", *arguments],
            cwd=CHECKOUT,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    running = CeleryProcess(process, log, name)
    try:
        yield running
        running.stop()
    finally:
        if process.poll() is None:
            running.kill()


@contextmanager
def running_worker(
    settings: Settings,
    folder: Path,
    *,
    name: str = "main",
    concurrency: int = 2,
    queues: Sequence[str] = QUEUES,
    env: Mapping[str, str] | None = None,
    conf: Sequence[str] = (),
) -> Iterator[CeleryProcess]:
    """A prefork worker that answers; it is stopped by SIGTERM at the end of the block.

    `folder` takes its log, `env` is added to the environment, and `conf` has Celery settings, such as
    `worker.soft_shutdown_timeout=8`.
    """
    node = f"{name}@test"
    arguments = ["worker", "--pool=prefork", f"--concurrency={concurrency}", f"--hostname={node}"]
    arguments += [f"--queues={','.join(queues)}", "--", *conf]
    whole = {**environment_of(settings), **(env or {})}
    with celery_process(whole, folder, name, arguments) as running:
        app = client_app(settings)

        def answers() -> bool:
            running.require_running()
            return bool(app.control.ping(destination=[node], timeout=0.5))

        until(answers, timeout=60, what=f"an answer of {node}")
        app.close()
        yield running
