"""Private directories and small private files, written whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from worker.embedded.errors import RootDirectoryError

# Read and write for the owner alone. Passing through may be opened for the account PostgreSQL runs as.
_WIDEST = 0o711


@contextmanager
def readable_errors(root: Path) -> Iterator[None]:
    """Turn an `OSError` inside the block into a `RootDirectoryError` that names the path and the way out."""
    try:
        yield
    except OSError as error:
        where = error.filename or root
        raise RootDirectoryError(
            f"The embedded servers cannot use {where}: {error.strerror or error}. Make {root} a directory "
            "this user owns and may write to, or set DATABASE_URL and REDIS_URL to servers of your own."
        ) from error


def private_directory(path: Path) -> None:
    """Make `path` and its parents; 0700 if it is new, never readable by others if it is not.

    Raises: OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)
    status = path.stat()
    mode = status.st_mode & 0o777
    if mode & ~_WIDEST and status.st_uid == os.geteuid():
        path.chmod(mode & _WIDEST)


def write_private(path: Path, text: str) -> None:
    """Replace `path` with `text` in one step, mode 0600, on the disk before this returns. Raises: OSError."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def read_private(path: Path) -> str | None:
    """The text of `path` without the space around it; None if it is missing or empty. Raises: OSError."""
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


def tail(paths: list[Path], *, lines: int = 20, hide: str | None = None) -> str:
    """The last `lines` lines of the files that exist, for an error text; `hide` is blotted out."""
    parts: list[str] = []
    for path in paths:
        try:
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - 16_384))
                parts += file.read().decode("utf-8", "replace").splitlines()[-lines:]
        except OSError:
            continue
    text = "\n".join(parts[-lines:])
    return text.replace(hide, "***") if hide else text


def drop_when_large(path: Path, limit: int = 10_000_000) -> None:
    """Keep one old copy of a log that has grown past `limit` bytes, and begin it anew. Raises: OSError."""
    if path.exists() and path.stat().st_size > limit:
        path.replace(path.with_name(f"{path.name}.1"))
