"""Both servers at once, as root in awkward places and as an ordinary user."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest

from worker.embedded import EmbeddedServerError, EmbeddedServers, Running, running

if TYPE_CHECKING:
    from tests.worker.embedded.conftest import Watch

CHECKOUT = Path(__file__).resolve().parents[3]
PACKAGES = Path(psycopg2.__file__).parents[1]


def test_both_start_and_stop_together(root: Path) -> None:
    assert running(root) == Running(postgres=False, redis=False)
    with EmbeddedServers(root) as servers:
        assert running(root) == Running(postgres=True, redis=True)
        assert servers.database_url.startswith("postgresql+psycopg2://adtempo:")
        assert servers.database_url.endswith("/adtempo")
        assert servers.redis_url.startswith("redis://:")
        assert servers.redis_url.endswith("/0")
    assert running(root) == Running(postgres=False, redis=False)


def test_neither_is_left_when_one_cannot_start(root: Path) -> None:
    (root / "redis").mkdir(parents=True)
    (root / "redis" / "data").write_text("in the way")
    with pytest.raises(EmbeddedServerError, match="redis/data"):
        EmbeddedServers(root).acquire()
    assert running(root) == Running(postgres=False, redis=False)


SCRIPT = """
import os, sys
from pathlib import Path
from worker.embedded import EmbeddedServers, running
root = Path(sys.argv[1])
with EmbeddedServers(root) as servers:
    look = running(root)
    print(os.geteuid(), look.postgres, look.redis)
print(running(root).postgres or running(root).redis)
"""


@pytest.fixture
def nobody_place() -> Iterator[Path]:
    """A directory of the user `nobody`, which that user can reach."""
    if os.geteuid() != 0:
        pytest.skip("needs root to become someone else; as an ordinary user every other test shows it")
    nobody = pwd.getpwnam("nobody")
    place = Path(tempfile.mkdtemp(prefix="adtempo-nobody-"))
    os.chown(place, nobody.pw_uid, nobody.pw_gid)
    yield place
    shutil.rmtree(place)


def as_nobody(
    python: Path, home: Path | None, place: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    nobody = pwd.getpwnam("nobody")
    environment = {"PYTHONPATH": f"{CHECKOUT}:{PACKAGES}", "HOME": "", "PATH": os.defpath}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    if home is not None:
        environment |= {"PYTHONHOME": str(home), "LD_LIBRARY_PATH": str(home / "lib")}
    options: dict[str, Any] = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    return subprocess.run(
        [str(python), "-c", *arguments],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    )


def python_for_nobody(place: Path) -> tuple[Path, Path | None]:
    """This Python, or, where that user cannot reach it, a copy of its program and standard library."""
    found: tuple[Path, Path | None] = (Path(sys.executable), None)
    try:
        if as_nobody(*found, place, "import worker.embedded").returncode == 0:
            return found
    except OSError:
        pass
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    base = Path(sys.base_prefix)
    home = place / "python"
    (home / "bin").mkdir(parents=True)
    shutil.copy(base / "bin" / name, home / "bin" / name)
    unneeded = shutil.ignore_patterns(
        "test", "site-packages", "config-*", "idlelib", "ensurepip", "__pycache__"
    )
    shutil.copytree(base / "lib" / name, home / "lib" / name, ignore=unneeded)
    for library in (base / "lib").glob("libpython*.so*"):
        shutil.copy(library, home / "lib" / library.name)
    found = (home / "bin" / name, home)
    tried = as_nobody(*found, place, "import worker.embedded")
    if tried.returncode != 0:
        pytest.skip(
            f"`nobody` can run neither this Python with its packages nor a copy: {tried.stderr[-200:]}"
        )
    return found


def test_as_an_ordinary_user_without_a_home(nobody_place: Path, watch: Watch) -> None:
    python = python_for_nobody(nobody_place)
    root = nobody_place / ".adtempo"
    result = as_nobody(*python, nobody_place, SCRIPT, str(root))
    assert result.stdout.split() == [str(pwd.getpwnam("nobody").pw_uid), "True", "True", "False"], (
        result.stderr
    )
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    assert watch.stop_all(root) == []

    # Root, too, runs PostgreSQL as the owner of its data, and changes no owner.
    shutil.rmtree(root / "redis")
    with EmbeddedServers(root) as servers:
        assert servers.postgres.is_running()
    assert {path.stat().st_uid for path in (root / "postgres" / "data").iterdir()} == {root.stat().st_uid}
    assert watch.stop_all(root) == []

    # What cannot be written is said in one line.
    nobody_place.chmod(0o500)
    refused = as_nobody(*python, nobody_place, SCRIPT, str(nobody_place / "other"))
    last = refused.stderr.strip().splitlines()[-1]
    assert "RootDirectoryError" in last
    assert str(nobody_place / "other") in last
