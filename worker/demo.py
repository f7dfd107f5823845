"""The demo: everything on this machine, with simulators in place of Meta and Notion.

It keeps its own data under `<ADTEMPO_DATA_DIR>/demo` and reads neither `.env` nor the addresses of the
environment, so that it cannot touch anything real.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from worker.children import Child, stop_all
from worker.embedded import EmbeddedServers
from worker.embedded.ports import free_port
from worker.errors import BadInput, WorkFailed
from worker.settings import Settings

# The world of the Graph simulator; another seed is another world.
SEED = 7
ACCOUNTS = 3
# Secrets that the demo takes from the environment if they are set, and makes up if not.
_SECRETS = (
    "FACEBOOK_ACCESS_TOKEN",
    "FACEBOOK_APP_SECRET",
    "NOTION_API_TOKEN",
    "SECRET_KEY",
    "FLOWER_BASIC_AUTH",
)
_START = 60.0


@dataclass(frozen=True, slots=True)
class DemoPlace:
    """Where the demo runs: its folder, the simulators' addresses and the environment of its processes."""

    root: Path
    graph_url: str
    notion_url: str
    env: dict[str, str]


@contextmanager
def demo_place(root: Path, *, say: Callable[[str], None]) -> Iterator[DemoPlace]:
    """Servers and simulators for the time of the block; afterwards nothing runs any more.

    Raises worker.embedded's errors and WorkFailed when a part does not start.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"the demo cannot use {root}: {error.strerror}; set ADTEMPO_DATA_DIR") from None
    with _alone(root), EmbeddedServers(root) as servers:
        say("PostgreSQL and Redis run")
        env = _environment(root, servers.database_url, servers.redis_url)
        children: list[Child] = []
        try:
            say("starting the simulators of Graph and Notion")
            graph = _simulator("graph", root, env, children, "--accounts", str(ACCOUNTS))
            notion = _simulator("notion", root, env, children, "--state", str(root / "notion.state"))
            info = _get(f"{notion}/_control/info")
            env |= {
                "FACEBOOK_GRAPH_URL": graph,
                "NOTION_API_URL": notion,
                "NOTION_PARENT_PAGE_ID": str(info["root_page_id"]),
            }
            yield DemoPlace(root, graph, notion, env)
        finally:
            stop_all(children)


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """One demo at a time in a folder: the lock ends with the process, however that ends."""
    with (root / "demo.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise WorkFailed(f"another demo runs in {root}; end it first, or set ADTEMPO_DATA_DIR") from None
        yield


@contextmanager
def celery_processes(place: DemoPlace, *commands: tuple[str, list[str]]) -> Iterator[list[Child]]:
    """Run `celery -A worker.app …` commands, given as name and arguments, for the time of the block."""
    children: list[Child] = []
    try:
        for name, arguments in commands:
            command = [sys.executable, "-m", "celery", "-A", "worker.app", *arguments]
            children.append(Child(name, command, env=place.env, log=place.root / "logs" / f"{name}.log"))
        yield children
    finally:
        stop_all(children)


def save_page(url: str, path: Path) -> None:
    """Keep a copy of a page that the Notion simulator shows, for looking at it when the demo is over."""
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  our own simulator on loopback
        content = answer.read()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _environment(root: Path, database_url: str, redis_url: str) -> dict[str, str]:
    names = {name.upper() for name in Settings.model_fields} | {"FACEBOOK_AD_ACCOUNT_ID"}
    env = {name: value for name, value in os.environ.items() if name.upper() not in names}
    for name in _SECRETS:
        made_up = (
            f"demo:{secrets.token_urlsafe(12)}" if name == "FLOWER_BASIC_AUTH" else secrets.token_urlsafe(32)
        )
        env[name] = os.environ.get(name) or made_up
    return env | {
        "ADTEMPO_ENV_FILE": os.devnull,
        "ADTEMPO_DATA_DIR": str(root),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SIMULATOR_APP_SECRET": env["FACEBOOK_APP_SECRET"],
        "REMAP_SIGTERM": "SIGQUIT",
    }


def _simulator(kind: str, root: Path, env: dict[str, str], children: list[Child], *more: str) -> str:
    """Start a simulator, at the same address as the last time if it is free; its address."""
    port_file, last_file = root / f"{kind}.port", root / f"{kind}.last-port"
    last = last_file.read_text().strip() if last_file.exists() else ""
    port = str(free_port(int(last) if last.isdigit() else None))
    port_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "simulator", kind, "--port", port, "--port-file", str(port_file)]
    command += ["--seed", str(SEED), *more]
    child = Child(f"{kind} simulator", command, env=env, log=root / "logs" / f"{kind}.log")
    children.append(child)
    taken = child.wait_for_file(port_file, timeout=_START)
    last_file.write_text(taken)
    return f"http://127.0.0.1:{taken}"


def _get(url: str) -> dict[str, object]:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  our own simulator on loopback
        document = orjson.loads(answer.read())
    assert isinstance(document, dict), "the simulator answers with an object"
    return document
