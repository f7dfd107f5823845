"""PostgreSQL's data directory: made whole or not at all, and the one role in it."""

from __future__ import annotations

import secrets
import shutil
import subprocess
from pathlib import Path

from worker.embedded.binaries import POSTGRES_MAJOR
from worker.embedded.errors import DataVersionError, StartError, StartTimeoutError
from worker.embedded.home import Home
from worker.embedded.process import run_program

ROLE = "adtempo"
DATABASE = "adtempo"

# The superuser cannot log in at all; what it does is done in single-user mode, before the server listens.
_ACCESS = f"host all {ROLE} 127.0.0.1/32 scram-sha-256\n"


def check_version(data: Path) -> None:
    """Raises: DataVersionError if `data` was made by another major version; OSError."""
    version = (data / "PG_VERSION").read_text(encoding="ascii").strip()
    if version != str(POSTGRES_MAJOR):
        raise DataVersionError(
            f"{data} was made by PostgreSQL {version}, and the embedded server is {POSTGRES_MAJOR}. Dump it "
            f"with version {version} and load it again, or move the directory away to begin with an empty "
            "database."
        )


def create(home: Home, password: str) -> None:
    """Make `home.data` with the role and the database in it, under another name first.

    A kill at any time leaves no data directory, or a whole one.
    Raises: StartError, StartTimeoutError, OSError.
    """
    for leftover in home.directory.glob("data.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    draft = home.directory / f"data.new-{secrets.token_hex(4)}"
    draft.mkdir(mode=0o700)
    try:
        home.give(draft)
        _run(
            home,
            [
                str(home.binaries.initdb),
                *("-D", str(draft), "-U", "postgres", "--auth=reject", "--encoding=UTF8"),
                *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            ],
            "initdb",
            hide=password,
        )
        (draft / "pg_hba.conf").write_text(_ACCESS, encoding="ascii")
        commands = [
            f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{password}'",
            f"CREATE DATABASE {DATABASE} OWNER {ROLE}",
        ]
        _single_user(home, draft, commands, lock=None, hide=password)
        draft.rename(home.data)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def set_password(home: Home, password: str, lock: Path) -> None:
    """Give the role a new password while the server is down.

    Raises: StartError, StartTimeoutError, OSError.
    """
    command = f"ALTER ROLE {ROLE} PASSWORD '{password}'"
    _single_user(home, home.data, [command], lock=lock, hide=password)


def _single_user(home: Home, data: Path, commands: list[str], *, lock: Path | None, hide: str) -> None:
    # A failed command would otherwise be repeated, with its password, in the message.
    arguments = [
        str(home.binaries.postgres),
        "--single",
        "-D",
        str(data),
        "-c",
        "log_min_error_statement=panic",
    ]
    arguments += ["-c", "logging_collector=off", "-c", "password_encryption=scram-sha-256", "postgres"]
    output = _run(
        home, arguments, "preparing the database", text="\n".join(commands) + "\n", lock=lock, hide=hide
    )
    # In this mode a failed command does not end the program, and its exit code is 0.
    if any(word in output for word in ("ERROR:", "FATAL:", "PANIC:")):
        raise StartError(f"PostgreSQL could not prepare its database:\n{output.replace(hide, '***').strip()}")


def _run(
    home: Home, command: list[str], what: str, *, text: str = "", lock: Path | None = None, hide: str
) -> str:
    try:
        result = run_program(
            command, directory=home.directory, account=home.account, text=text, lock=lock, timeout=180.0
        )
    except subprocess.TimeoutExpired as error:
        raise StartTimeoutError(
            f"PostgreSQL's {what} took over {error.timeout:.0f} seconds. Is the disk full or very slow?"
        ) from None
    output: str = result.stdout
    if result.returncode != 0:
        raise StartError(
            f"PostgreSQL's {what} failed (code {result.returncode}):\n{output.replace(hide, '***').strip()}"
        )
    return output
