from __future__ import annotations

import stat
from pathlib import Path

import pytest

from worker.embedded.directory import (
    drop_when_large,
    private_directory,
    read_private,
    readable_errors,
    tail,
    write_private,
)
from worker.embedded.errors import RootDirectoryError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_private_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "password"
    assert read_private(path) is None
    write_private(path, "one")
    write_private(path, "two")
    assert read_private(path) == "two"
    assert mode(path) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["password"]


def test_nothing_is_left_when_a_file_cannot_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "password").mkdir()
    with pytest.raises(OSError, match="password"):
        write_private(tmp_path / "password", "one")
    assert [each.name for each in tmp_path.iterdir()] == ["password"]


def test_directories_are_private_or_made_so(tmp_path: Path) -> None:
    private_directory(tmp_path / "a" / "new")
    assert mode(tmp_path / "a" / "new") == 0o700
    (tmp_path / "old").mkdir()
    (tmp_path / "old").chmod(0o755)
    private_directory(tmp_path / "old")
    assert mode(tmp_path / "old") == 0o711


def test_an_os_error_names_the_path_and_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(RootDirectoryError, match=r"in-the-way.*DATABASE_URL"), readable_errors(tmp_path):
        (tmp_path / "in-the-way").read_text()


def test_the_tail_hides_the_password_and_survives_missing_files(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("\n".join(f"line {number} s3cret" for number in range(100)))
    text = tail([tmp_path / "missing", log], lines=3, hide="s3cret")
    assert text.splitlines() == ["line 97 ***", "line 98 ***", "line 99 ***"]


def test_a_large_log_is_begun_anew_with_one_old_copy(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("12345")
    drop_when_large(log, limit=5)
    assert log.exists()
    drop_when_large(log, limit=4)
    assert not log.exists()
    assert (tmp_path / "log.1").read_text() == "12345"
