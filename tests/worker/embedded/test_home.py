"""PostgreSQL for root, which it refuses to run as."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from worker.embedded import EmbeddedPostgres, RootDirectoryError
from worker.embedded.binaries import PostgresBinaries, find_postgres
from worker.embedded.home import CAP_DAC_READ_SEARCH, find_home, unprivileged_account
from worker.embedded.process import run_program

if TYPE_CHECKING:
    from tests.worker.embedded.conftest import Watch

CHECKOUT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="what root does cannot be seen as an ordinary user")


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A directory every user can pass through to."""
    place = Path(tempfile.mkdtemp(prefix="adtempo-open-"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


@pytest.fixture
def closed_place(open_place: Path) -> Path:
    """A directory below one that root alone can pass through."""
    closed = open_place / "closed"
    closed.mkdir(mode=0o700)
    return closed


def copied_binaries(place: Path) -> PostgresBinaries:
    real = find_postgres()
    package = place / "package"
    shutil.copytree(real.prefix, package / real.prefix.name, ignore=shutil.ignore_patterns("include", "*.a"))
    assert real.libraries is not None
    shutil.copytree(real.libraries, place / real.libraries.name)
    return PostgresBinaries(package / real.prefix.name, place / real.libraries.name)


def modes(*paths: Path) -> list[int]:
    return [stat.S_IMODE(path.stat().st_mode) for path in paths]


def test_in_an_open_place_without_any_privilege(open_place: Path, watch: Watch) -> None:
    look = run_program(
        ["/bin/ls", str(find_postgres().prefix)], directory=Path("/"), account=unprivileged_account()
    )
    if look.returncode != 0:
        pytest.skip("the installed packages are in a closed place")
    root = open_place / ".adtempo"
    with EmbeddedPostgres(root):
        pid = watch.pid(root, EmbeddedPostgres)
        assert psutil.Process(pid).uids().real != 0
        assert capabilities(pid) == 0
    assert modes(open_place, root, root / "postgres") == [0o755, 0o711, 0o711]
    assert modes(root / "postgres" / "data", root / "postgres" / "password") == [0o700, 0o600]


def capabilities(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("CapEff")).split()[1], 16)


def test_below_a_closed_directory_with_programs_in_one_too(closed_place: Path, watch: Watch) -> None:
    binaries = copied_binaries(closed_place)
    root = closed_place / ".adtempo"
    with EmbeddedPostgres(root, prefix=binaries.prefix) as server:
        pid = watch.pid(root, EmbeddedPostgres)
        assert psutil.Process(pid).uids().real == unprivileged_account().uid
        assert capabilities(pid) in (1 << CAP_DAC_READ_SEARCH, 1 << 1)
        assert server.is_running()
    assert modes(closed_place, root) == [0o700, 0o700]
    assert not (root / "postgres" / "outside").exists()


WITHOUT_CAPABILITIES = """
import ctypes, os, sys
from pathlib import Path
from worker.embedded import EmbeddedPostgres, running
import worker.embedded.binaries as binaries
assert ctypes.CDLL(None).prctl(28, 1 << 6, 0, 0, 0) == 0  # no ambient capabilities, as in some containers
root, outside, prefix, libraries = map(Path, sys.argv[1:])
real = binaries.PostgresBinaries(prefix, libraries)
import worker.embedded.postgres_server as module
module.find_postgres = lambda _: real
import psycopg2
for turn in range(2):
    with EmbeddedPostgres(root, outside=[outside]) as server:
        connection = psycopg2.connect(server.url.replace("+psycopg2", ""))
        with connection, connection.cursor() as cursor:
            if turn == 0:
                cursor.execute("CREATE TABLE kept AS SELECT 42 AS answer")
            else:
                cursor.execute("SELECT answer FROM kept")
                print(cursor.fetchone()[0])
        connection.close()
"""


def test_outside_where_capabilities_cannot_be_kept(open_place: Path, closed_place: Path) -> None:
    binaries = copied_binaries(closed_place)
    root, outside = closed_place / ".adtempo", open_place / "outside"
    result = subprocess.run(
        [
            sys.executable,
            "-c",
            WITHOUT_CAPABILITIES,
            *map(str, (root, outside, binaries.prefix, binaries.libraries)),
        ],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.stdout.strip() == "42", result.stderr
    place = Path((root / "postgres" / "outside").read_text())
    assert place.parent == outside
    assert modes(closed_place, root, outside, place) == [0o700, 0o700, 0o711, 0o700]
    assert (place / "data" / "PG_VERSION").exists()
    assert not (root / "postgres" / "data").exists()


def test_nowhere_is_one_clear_error(closed_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = closed_place / ".adtempo" / "postgres"
    server.mkdir(parents=True)
    broken = PostgresBinaries(closed_place / "no-such-programs", None)
    with pytest.raises(RootDirectoryError, match="Run adtempo as an ordinary user"):
        find_home(server, broken, outside=[closed_place / "file" / "nowhere"])


def test_an_outside_that_others_can_write_is_refused(open_place: Path, closed_place: Path) -> None:
    server = closed_place / ".adtempo" / "postgres"
    server.mkdir(parents=True)
    outside = open_place / "writable"
    outside.mkdir()
    outside.chmod(0o777)
    with pytest.raises(RootDirectoryError):
        find_home(server, PostgresBinaries(closed_place / "no-such-programs", None), outside=[outside])
    assert list(outside.iterdir()) == []


def test_data_that_a_copy_made_roots_own_is_given_back(root: Path) -> None:
    with EmbeddedPostgres(root):
        pass
    data = root / "postgres" / "data"
    for path in [data, *data.rglob("*")]:
        os.chown(path, 0, 0)
    with EmbeddedPostgres(root) as server:
        assert server.is_running()
    assert data.stat().st_uid == unprivileged_account().uid


def test_no_account_to_run_as_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(name: str) -> pwd.struct_passwd:
        raise KeyError(name)

    monkeypatch.setattr(pwd, "getpwnam", nobody)
    with pytest.raises(RootDirectoryError, match="ordinary user"):
        unprivileged_account()


def test_signals_reach_a_server_of_another_account(root: Path, watch: Watch) -> None:
    with EmbeddedPostgres(root):
        os.kill(watch.pid(root, EmbeddedPostgres), signal.SIGHUP)
