"""Servers in a thread and in a process of their own."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from simulator.serving import Server, ServerError

DEADLINE = 30.0


def app() -> web.Application:
    async def hello(_request: web.Request) -> web.Response:
        return web.Response(text="hello")

    found = web.Application()
    found.router.add_get("/", hello)
    return found


def test_it_serves_inside_the_block_and_not_after() -> None:
    threads = threading.active_count()
    with Server(app) as server:
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert httpx.get(server.url).text == "hello"
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url)
    assert threading.active_count() == threads


def test_two_at_once_and_closing_twice() -> None:
    with Server(app) as one, Server(app) as other:
        assert one.port != other.port
        assert httpx.get(other.url).text == "hello"
        one.close()
        assert httpx.get(other.url).text == "hello"


def test_a_taken_port_and_a_broken_application_are_told() -> None:
    with Server(app) as server, pytest.raises(ServerError, match="could not start"):
        Server(app, port=server.port).start()

    def broken() -> web.Application:
        raise RuntimeError("no application today")

    with pytest.raises(ServerError, match="no application today"):
        Server(broken).start()


def test_it_ends_though_a_connection_is_open() -> None:
    server = Server(app).start()
    with socket.create_connection(("127.0.0.1", server.port)):
        started = time.monotonic()
        server.close()
        assert time.monotonic() - started < 10


@contextmanager
def process(*arguments: str, stdin: int | None = subprocess.DEVNULL) -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(
        [sys.executable, "-m", "simulator", *arguments],
        stdin=stdin,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()
        for stream in (child.stdin, child.stderr):
            if stream is not None:
                stream.close()


def port_in(file: Path) -> int:
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if file.exists():
            return int(file.read_text())
        time.sleep(0.02)
    raise AssertionError("no port was written in time")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_writes_its_port_and_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    file = tmp_path / "port"
    file.write_text("1")  # left over from a run that was killed
    arguments = ("graph", "--port-file", str(file), "--seed", "5", "--accounts", "2", "--campaigns", "4")
    with process(*arguments, "--now", "2026-11-20T12:00:00+00:00") as child:
        end = time.monotonic() + DEADLINE
        while port_in(file) == 1 and time.monotonic() < end:
            time.sleep(0.02)
        port = port_in(file)
        world = httpx.get(f"http://127.0.0.1:{port}/_control/world", timeout=20).json()
        assert (world["seed"], len(world["accounts"]), len(world["accounts"][0]["campaigns"])) == (5, 2, 4)
        assert world["accounts"][1]["today"] == "2026-11-20"
        child.send_signal(number)
        assert child.wait(DEADLINE) == 0
    assert list(tmp_path.iterdir()) == []


def test_the_end_of_standard_input_ends_it(tmp_path: Path) -> None:
    file = tmp_path / "port"
    with process("graph", "--port-file", str(file), "--until-stdin-closes", stdin=subprocess.PIPE) as child:
        port_in(file)
        assert child.poll() is None
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(DEADLINE) == 0


def test_a_killed_parent_leaves_no_orphan(tmp_path: Path) -> None:
    file, pid_file = tmp_path / "port", tmp_path / "pid"
    script = (
        "import pathlib, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-m', 'simulator', 'graph', '--until-stdin-closes',\n"
        f"    '--port-file', {str(file)!r}], stdin=subprocess.PIPE)\n"
        f"pathlib.Path({str(pid_file)!r}).write_text(str(child.pid))\n"
        "time.sleep(300)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL
    )
    try:
        port = port_in(file)
    finally:
        parent.kill()
        parent.wait()
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        try:
            httpx.get(f"http://127.0.0.1:{port}/v26.0/me", timeout=5)
        except httpx.TransportError:
            return
        time.sleep(0.05)
    os.kill(int(pid_file.read_text()), signal.SIGKILL)
    raise AssertionError("the simulator outlived its parent")


def test_a_secret_in_the_environment_asks_for_proofs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMULATOR_APP_SECRET", "hush")
    file = tmp_path / "port"
    with process("graph", "--port-file", str(file)):
        answer = httpx.get(f"http://127.0.0.1:{port_in(file)}/v26.0/me", params={"access_token": "x"}).json()
        assert "appsecret_proof" in answer["error"]["message"]


@pytest.mark.parametrize("now", ["yesterday", "2026-11-20T12:00:00"])
def test_a_time_without_an_offset_is_refused(now: str) -> None:
    with process("graph", "--now", now) as child:
        assert child.wait(DEADLINE) == 2
