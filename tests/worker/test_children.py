"""Child processes: gone when their parent is gone, however it went."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

import worker.children
from tests.support.polling import until
from tests.support.workers import CHECKOUT
from worker.children import Child, stop_all
from worker.errors import WorkFailed

READY = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text('ready'); "
SLEEP = "time.sleep(300)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + READY + SLEEP


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    """Starts Python programs as children; they are killed with the test if they still run."""
    children: list[Child] = []

    def make(program: str, name: str = "helper", **env: str) -> Child:
        child = Child(
            name,
            [sys.executable, "-c", program, str(tmp_path / f"{name}.ready")],
            env={**os.environ, "PYTHONPATH": str(CHECKOUT), **env},
            log=tmp_path / "logs" / f"{name}.log",
        )
        children.append(child)
        return child

    yield make
    for child in children:
        if child._process.poll() is None:
            child._process.kill()
            child._process.wait()


def gone(pid: int) -> bool:
    """Whether the process has ended, collected or not."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_a_child_gets_its_environment_and_writes_to_its_log(start: Callable[..., Child]) -> None:
    child = start("import os; print(os.environ['MARK'])", MARK="seen")
    until(lambda: child._process.poll() is not None)
    assert child.log.read_text() == "seen\n"


def test_the_file_that_says_ready_is_waited_for(start: Callable[..., Child], tmp_path: Path) -> None:
    child = start(READY + SLEEP)
    assert child.wait_for_file(tmp_path / "helper.ready", timeout=30) == "ready"
    child.require_running()


def test_a_child_that_never_gets_ready_is_told_with_its_log(
    start: Callable[..., Child], tmp_path: Path
) -> None:
    child = start("import time; " + SLEEP)
    with pytest.raises(WorkFailed, match=r"helper was not ready after 0 s; see .*helper\.log"):
        child.wait_for_file(tmp_path / "helper.ready", timeout=0.3)


def test_a_child_that_ends_is_told_with_the_end_of_its_log(
    start: Callable[..., Child], tmp_path: Path
) -> None:
    child = start("import sys; [print('line', n, flush=True) for n in range(20)]; sys.exit('no such port')")
    with pytest.raises(WorkFailed) as caught:
        child.wait_for_file(tmp_path / "helper.ready", timeout=30)
    text = str(caught.value)
    assert text.startswith("helper ended with code 1: ")
    assert text.endswith("line 18 | line 19 | no such port")
    assert "line 15 " not in text
    assert "\n" not in text


def test_stopping_sends_sigterm(start: Callable[..., Child], tmp_path: Path) -> None:
    program = (
        "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(print('said goodbye'))); "
    )
    child = start(program + READY + SLEEP)
    child.wait_for_file(tmp_path / "helper.ready", timeout=30)
    child.stop()
    assert gone(child.pid)
    assert child.log.read_text() == "said goodbye\n"
    # A second time is no error.
    child.stop()


def test_a_child_that_ignores_sigterm_is_killed_with_all_it_started(
    start: Callable[..., Child], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker.children, "_PATIENCE", 0.5)
    program = (
        "import subprocess, sys; "
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)']).pid, flush=True); "
    )
    child = start(program + STUBBORN)
    child.wait_for_file(tmp_path / "helper.ready", timeout=30)
    grandchild = int(child.log.read_text())
    began = time.monotonic()
    child.stop()
    assert time.monotonic() - began < 10
    assert child._process.returncode == -signal.SIGKILL
    until(lambda: gone(grandchild), what="the end of what it started")


def test_the_last_started_is_stopped_first(start: Callable[..., Child], tmp_path: Path) -> None:
    order = tmp_path / "order"
    program = (
        "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: "
        f"(open({str(order)!r}, 'a').write(sys.argv[1][-7] + ' '), sys.exit())); "
    )
    children = [start(program + READY + SLEEP, name=name) for name in ("1", "2", "3")]
    for child in children:
        child.wait_for_file(tmp_path / f"{child.name}.ready", timeout=30)
    stop_all(children)
    assert order.read_text() == "3 2 1 "


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    script = f"""
import sys, time, os
from pathlib import Path
from worker.children import Child
command = [sys.executable, "-c", {READY + SLEEP!r}, {str(ready)!r}]
child = Child("helper", command, env=os.environ, log=Path({str(tmp_path / "log")!r}))
child.wait_for_file(Path({str(ready)!r}), timeout=30)
print(child.pid, flush=True)
time.sleep(300)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not gone(pid)
        parent.kill()
        parent.wait()
    until(lambda: gone(pid), what="the end of the child")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_a_child_whose_parent_died_before_it_began_does_not_begin(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    # A process id that is certainly not its parent's: its own child's would be, this is our parent's.
    done = subprocess.run(
        [sys.executable, "-m", "worker.tether", str(os.getppid()), "touch", str(mark)],
        cwd=CHECKOUT,
        check=False,
        timeout=30,
    )
    assert done.returncode == 1
    assert not mark.exists()
