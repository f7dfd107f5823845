"""Use counted over processes: who starts a server, who stops it, and what a kill leaves."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil
import pytest

from worker.embedded import (
    EmbeddedPostgres,
    EmbeddedRedis,
    NotAcquiredError,
    RootDirectoryError,
    StartTimeoutError,
)
from worker.embedded.locks import FileLock
from worker.embedded.ports import free_port, is_free

if TYPE_CHECKING:
    from tests.worker.embedded.conftest import Server, User, Watch

    Start = Callable[..., User]


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def test_starts_on_acquire_and_stops_on_release(root: Path, kind: type[Server], watch: Watch) -> None:
    server = kind(root)
    with pytest.raises(NotAcquiredError):
        server.url  # noqa: B018
    with server:
        pid = watch.pid(root, kind)
        assert server.is_running()
        assert urlsplit(server.url).hostname == "127.0.0.1"
    assert watch.until(lambda: watch.gone(pid))
    assert not server.is_running()
    with pytest.raises(NotAcquiredError):
        server.url  # noqa: B018


def test_nested_uses_count(root: Path, kind: type[Server]) -> None:
    first, second = kind(root), kind(root)
    with first:
        with first, second:
            assert first.url == second.url
        assert first.is_running()
    assert not first.is_running()
    first.release()  # one too many does nothing


def test_a_second_start_is_quick_and_takes_the_same_port_and_password(root: Path, kind: type[Server]) -> None:
    with kind(root) as server:
        url = server.url
    began = time.monotonic()
    with kind(root) as server:
        assert time.monotonic() - began < 2.0
        assert server.url == url


def test_the_last_process_stops_it(root: Path, kind: type[Server], start_user: Start, watch: Watch) -> None:
    first, second = start_user(kind), start_user(kind)  # both start at the same time
    assert first.line() == second.line()
    pid = watch.pid(root, kind)
    assert first.go_on() == 0
    assert kind(root).is_running()
    assert watch.pid(root, kind) == pid
    assert second.go_on() == 0
    assert watch.until(lambda: watch.gone(pid))


def test_a_server_left_by_a_killed_user_is_taken_over_and_stopped(
    root: Path, kind: type[Server], start_user: Start, watch: Watch
) -> None:
    user = start_user(kind)
    url = user.line()
    pid = watch.pid(root, kind)
    user.process.kill()
    user.process.wait(30)
    assert kind(root).is_running()
    with kind(root) as server:
        assert server.url == url
        assert watch.pid(root, kind) == pid
    assert watch.until(lambda: watch.gone(pid))


def test_a_killed_user_does_not_count(
    root: Path, kind: type[Server], start_user: Start, watch: Watch
) -> None:
    user = start_user(kind)
    user.line()
    with kind(root):
        user.process.kill()
        user.process.wait(30)
    assert not watch.alive(root, kind)


def test_starts_after_everything_was_killed(
    root: Path, kind: type[Server], start_user: Start, watch: Watch
) -> None:
    user = start_user(kind)
    user.line()
    user.process.kill()
    user.process.wait(30)
    watch.kill(root, kind)
    with kind(root) as server:
        assert server.is_running()


def test_restarts_when_only_remains_of_a_killed_server_live(
    root: Path, kind: type[Server], start_user: Start, watch: Watch
) -> None:
    user = start_user(kind)
    user.line()
    os.kill(watch.pid(root, kind), signal.SIGKILL)  # its children may still be ending when we acquire
    with kind(root) as server:
        assert server.is_running()
        user.end()


def test_a_stale_process_id_that_is_someone_elses_by_now_is_left_alone(
    root: Path, kind: type[Server], watch: Watch
) -> None:
    with kind(root):
        pass
    # Of the same user as the server: PostgreSQL takes no other for itself.
    owner = (root / kind.name / "data").stat().st_uid
    stranger = subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, user=owner)
    try:
        (root / kind.name / "server.lock").write_text(str(stranger.pid))
        if kind is EmbeddedPostgres:
            lines = [
                str(stranger.pid),
                str(root / "postgres/data"),
                "1",
                "5432",
                "",
                "127.0.0.1",
                "",
                "ready",
            ]
            (root / "postgres/data/postmaster.pid").write_text("\n".join(lines))
        else:
            (root / "redis/data/redis.pid").write_text(str(stranger.pid))
        assert not kind(root).is_running()
        with kind(root):
            assert watch.pid(root, kind) != stranger.pid
        assert stranger.poll() is None
    finally:
        stranger.communicate(timeout=30)


@pytest.mark.parametrize(
    ("then", "code"),
    [
        ("", 0),
        ("sys.exit(7)", 7),
        ("raise RuntimeError('the program fails')", 1),
        ("signal.signal(signal.SIGTERM, lambda *_: sys.exit(5)); os.kill(os.getpid(), signal.SIGTERM)", 5),
        ("os.kill(os.getpid(), signal.SIGINT); signal.pause()", -signal.SIGINT),
    ],
    ids=["end", "sys.exit", "exception", "SIGTERM", "Ctrl-C"],
)
def test_no_process_is_left_however_the_user_ends(
    root: Path, kind: type[Server], start_user: Start, watch: Watch, then: str, code: int
) -> None:
    user = start_user(kind, f"sys.stdin.readline(); sys.stderr.close(); {then}")
    user.line()
    pid = watch.pid(root, kind)
    family = [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    assert user.go_on() == code
    assert not watch.alive(root, kind)
    assert watch.until(lambda: all(watch.gone(one) for one in family))


def test_ctrl_c_in_the_terminal_does_not_reach_the_server(
    root: Path, kind: type[Server], start_user: Start, watch: Watch
) -> None:
    user = start_user(kind)
    user.line()
    assert os.getpgid(watch.pid(root, kind)) != os.getpgid(user.process.pid)
    assert os.getsid(watch.pid(root, kind)) != os.getsid(user.process.pid)
    user.go_on()


FORK = """
import time
child = os.fork()
if child == 0:
    server.release()
    sys.exit(0)  # runs what is registered with atexit
os.waitpid(child, 0)
print("forked", flush=True)
sys.stdin.readline()
"""


def test_a_forked_child_stops_nothing(root: Path, kind: type[Server], start_user: Start) -> None:
    user = start_user(kind, FORK)
    user.line()
    assert user.line() == "forked"
    assert kind(root).is_running()
    user.go_on()
    assert not kind(root).is_running()


LINGERING_FORK = """
if os.fork() == 0:
    print(os.getpid(), server.url, flush=True)
    sys.stdin.readline()
    os._exit(0)
sys.stdin.readline()
"""


def test_a_forked_child_does_not_keep_the_server_for_its_dead_parent(
    root: Path, kind: type[Server], start_user: Start, watch: Watch
) -> None:
    user = start_user(kind, LINGERING_FORK)
    url = user.line()
    child, child_url = user.line().split()
    assert child_url == url
    try:
        user.process.kill()
        user.process.wait(30)
        with kind(root):
            pass
        assert not watch.alive(root, kind)
        assert not watch.gone(int(child))
    finally:
        os.kill(int(child), signal.SIGKILL)


FORKED_USER = """
if os.fork() == 0:
    server.acquire()
    print("child", flush=True)
    sys.stdin.readline()
    server.release()
    os._exit(0)
sys.stdin.readline()
"""


def test_a_forked_child_may_be_a_user_of_its_own(
    root: Path, kind: type[Server], start_user: Start, watch: Watch
) -> None:
    user = start_user(kind, FORKED_USER)
    user.line()
    assert user.line() == "child"
    user.process.kill()
    user.process.wait(30)
    with kind(root):
        pass
    assert kind(root).is_running()
    user.go_on()  # the child reads the same pipe
    assert watch.until(lambda: not watch.alive(root, kind))


def test_the_server_inherits_no_lock_of_its_users(root: Path, kind: type[Server], watch: Watch) -> None:
    with kind(root):
        links = Path(f"/proc/{watch.pid(root, kind)}/fd")
        if not links.is_dir():
            pytest.skip("needs /proc")
        names = {os.path.basename(os.readlink(link)) for link in links.iterdir()}  # noqa: PTH115, PTH119
    assert "server.lock" in names
    assert not names & {"users.lock", "start.lock"}


def test_a_port_taken_between_choosing_and_binding_is_given_up(root: Path, kind: type[Server]) -> None:
    with closing(socket.socket()) as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        taken = stranger.getsockname()[1]
        asked: list[int | None] = []

        def choose(last: int | None) -> int:
            asked.append(last)
            return taken if len(asked) < 3 else free_port()

        if kind is EmbeddedRedis:  # left by a kill -9, it must not vouch for who has the port now
            (root / "redis" / "data").mkdir(parents=True)
            (root / "redis" / "data" / "redis.pid").write_text("1\n")
        with kind(root, choose_port=choose) as server:
            assert port_of(server.url) != taken
        assert asked == [None, None, None]
        stranger.setblocking(False)
        with pytest.raises(BlockingIOError):
            stranger.accept()  # nobody came, let alone with a password


def test_another_port_if_the_last_is_taken(root: Path, kind: type[Server]) -> None:
    with kind(root) as server:
        last = port_of(server.url)
    with closing(socket.socket()) as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", last))
        stranger.listen()
        with kind(root) as server:
            assert port_of(server.url) != last
    assert is_free(last)


def test_two_roots_side_by_side(root: Path, tmp_path: Path, kind: type[Server], watch: Watch) -> None:
    other = tmp_path / "other" / ".adtempo"
    with kind(root) as one:
        with kind(other) as two:
            assert one.url != two.url
        assert one.is_running()
        assert watch.stop_all(other) == []


@pytest.mark.parametrize("name", ["with spaces, 'quotes' and ações", "x" * 120], ids=["unicode", "long"])
def test_any_path(tmp_path: Path, kind: type[Server], name: str) -> None:
    with kind(tmp_path / name / ".adtempo") as server:
        assert server.is_running()


def test_a_copy_beside_the_running_original_has_a_server_of_its_own(
    root: Path, tmp_path: Path, kind: type[Server], watch: Watch
) -> None:
    copy = tmp_path / "copy"
    with kind(root) as original:
        subprocess.run(["cp", "-r", str(root), str(copy)], check=True)
        assert not kind(copy).is_running()
        with kind(copy) as server:
            assert port_of(server.url) != port_of(original.url)
            assert watch.pid(copy, kind) != watch.pid(root, kind)
        assert original.is_running()


def test_secrets_are_private_and_in_no_argument_environment_or_log(
    root: Path, kind: type[Server], watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEBOOK_ACCESS_TOKEN", "a-token-of-ours")
    with kind(root) as server:
        password = urlsplit(server.url).password
        assert password is not None
        assert len(password) >= 43
        process = psutil.Process(watch.pid(root, kind))
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):  # some live for a moment only
                assert password not in " ".join(one.cmdline())
        with contextlib.suppress(psutil.AccessDenied):
            assert "FACEBOOK_ACCESS_TOKEN" not in process.environ()
    files = [path for path in (root / kind.name).glob("*") if path.is_file()]
    files += [*(root / kind.name).glob("log/*"), *(root / kind.name).glob("data/*.conf")]
    assert [path.name for path in files if password in path.read_text(errors="replace")] == ["password"]
    for path in files:
        assert path.stat().st_mode & 0o077 == 0, path
    for path in (root, root / kind.name):
        assert path.stat().st_mode & 0o066 == 0
    assert password not in repr(server)


def test_looking_writes_nothing(root: Path, kind: type[Server]) -> None:
    assert not kind(root).is_running()
    assert not root.exists()


def test_a_file_in_the_place_of_the_directory_is_one_clear_error(tmp_path: Path, kind: type[Server]) -> None:
    path = tmp_path / ".adtempo"
    path.write_text("")
    with pytest.raises(RootDirectoryError, match=str(path)):
        kind(path).acquire()


def test_waiting_for_another_start_is_bounded(root: Path, kind: type[Server]) -> None:
    (root / kind.name).mkdir(parents=True, mode=0o700)
    server = kind(root, start_timeout=0.2, stop_timeout=0.1)
    with FileLock(root / kind.name / "start.lock") as other:
        other.exclusive(1)
        with pytest.raises(StartTimeoutError, match=r"start\.lock"):
            server.acquire()


def test_a_server_that_no_longer_answers_is_one_clear_error(
    root: Path, kind: type[Server], watch: Watch
) -> None:
    with kind(root):
        pid = watch.pid(root, kind)
        os.kill(pid, signal.SIGSTOP)
        try:
            with pytest.raises(StartTimeoutError, match=f"process {pid}"):
                kind(root, start_timeout=0.5).acquire()
        finally:
            os.kill(pid, signal.SIGCONT)


def test_threads_share_one_object(root: Path, kind: type[Server]) -> None:
    server = kind(root)
    urls: list[str] = []

    def use() -> None:
        with server:
            urls.append(server.url)

    with server:
        threads = [threading.Thread(target=use) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert server.is_running()
    assert urls == [urls[0]] * 4
    assert not server.is_running()


def test_ends_the_server_when_its_directory_was_removed(root: Path, kind: type[Server], watch: Watch) -> None:
    server = kind(root)
    server.acquire()
    pid = watch.pid(root, kind)
    root.rename(root.with_name("gone"))
    server.release()
    assert watch.until(lambda: watch.gone(pid))
