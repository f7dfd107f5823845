"""Where PostgreSQL's data and programs are, and the account it runs as.

For an ordinary user: in place, as that user. PostgreSQL refuses to run as root, so root runs it as
`postgres` or `nobody`, which may be unable to pass through the directories above the data or the programs.
No directory but our own is opened up for that. Tried in this order:

1. in place, with no privilege at all, our own directories open for passing through (0711);
2. in place, with the one capability to search and read directories;
3. programs and data in a private directory below /var, remembered in the file `outside`.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from worker.embedded.binaries import PostgresBinaries
from worker.embedded.directory import read_private, write_private
from worker.embedded.errors import RootDirectoryError
from worker.embedded.process import Account, run_program

CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
OUTSIDE = (Path("/var/lib/adtempo"), Path("/var/tmp/adtempo"))  # noqa: S108 (refused unless root's own)


@dataclass(frozen=True)
class Home:
    """`directory` holds `data` and `log`; `account` is None for the account this process has."""

    binaries: PostgresBinaries
    directory: Path
    account: Account | None

    @property
    def data(self) -> Path:
        return self.directory / "data"

    def give(self, path: Path) -> None:
        """Make `path` and all below it the account's own, where it is not yet. Raises: OSError."""
        if self.account is None:
            return
        for place, _, files in os.walk(path):
            for name in (place, *(os.path.join(place, file) for file in files)):  # noqa: PTH118
                if os.lstat(name).st_uid != self.account.uid:
                    os.chown(name, self.account.uid, self.account.gid, follow_symlinks=False)


def unprivileged_account() -> Account:
    """`postgres` if the machine has it, else `nobody`. Raises: RootDirectoryError."""
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, tuple(os.getgrouplist(name, entry.pw_gid)))
    raise RootDirectoryError(
        "PostgreSQL does not run as root, and this machine has neither a user `postgres` nor `nobody` to run "
        "it as. Make one of them, or run adtempo as an ordinary user."
    )


def find_home(server: Path, binaries: PostgresBinaries, *, outside: Sequence[Path] = OUTSIDE) -> Home:
    """The home of the PostgreSQL of the existing directory `server`.

    Raises: RootDirectoryError if the account PostgreSQL must run as cannot be used or cannot reach the
    data; OSError.
    """
    if os.geteuid() != 0:
        data = server / "data"
        if data.exists() and data.stat().st_uid != os.geteuid():
            raise RootDirectoryError(
                f"{data} belongs to user {data.stat().st_uid}, so user {os.geteuid()} cannot run PostgreSQL "
                "on it. Run adtempo as the user that made it, or as root, or move the directory away."
            )
        return Home(binaries, server, None)

    account = unprivileged_account()
    has_data = (server / "data").exists()
    if has_data and (owner := (server / "data").stat()).st_uid != 0:
        # Made by another user or on another machine: PostgreSQL runs as whoever owns its data.
        if owner.st_uid != account.uid:
            account = Account(owner.st_uid, owner.st_gid, (owner.st_gid,))
    elif not has_data and (recorded := read_private(server / "outside")):
        return _outside_home(Path(recorded), binaries, account)

    if _reaches(account, binaries, server.parent.parent):
        for ours in (server.parent, server):
            ours.chmod(stat.S_IMODE(ours.stat().st_mode) | 0o011)
        if _reaches(account, binaries, server):
            return Home(binaries, server, account)
    for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        capable = replace(account, capability=capability)
        if _reaches(capable, binaries, server):
            return Home(binaries, server, capable)
    if has_data:
        raise RootDirectoryError(
            f"User {account.uid}, as which PostgreSQL must run, cannot reach {server}. Run adtempo as an "
            "ordinary user, or move the directory to where every user can pass through to it."
        )
    for base in outside:
        if (place := _make_outside(base, account)) is not None:
            write_private(server / "outside", str(place))
            return _outside_home(place, binaries, account)
    raise RootDirectoryError(
        f"User {account.uid}, as which PostgreSQL must run, cannot reach {server} or any of "
        f"{', '.join(map(str, outside))}. Run adtempo as an ordinary user."
    )


def _reaches(account: Account, binaries: PostgresBinaries, directory: Path) -> bool:
    """Whether the program runs as the account and the account can search `directory`: tried, not computed."""
    try:
        result = run_program(
            [str(binaries.postgres), "-V"],
            directory=Path("/"),
            account=account,
            reach=[directory, binaries.prefix / "share"],
            timeout=30.0,
        )
    except (subprocess.TimeoutExpired, OSError):
        return False
    return result.returncode == 0


def _make_outside(base: Path, account: Account) -> Path | None:
    try:
        base.mkdir(mode=0o711, exist_ok=True)
        status = base.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != 0 or status.st_mode & 0o022:
            return None
        place = base / secrets.token_hex(8)
        place.mkdir(mode=0o700)
        os.chown(place, account.uid, account.gid)
    except OSError:
        return None
    return place


def _outside_home(place: Path, binaries: PostgresBinaries, account: Account) -> Home:
    """The home at `place`, with the programs copied there if they are not yet, or have changed since."""
    if place.is_dir() and (place / "data").exists():
        owner = (place / "data").stat()
        account = replace(account, uid=owner.st_uid, gid=owner.st_gid)
    elif not place.is_dir():
        raise RootDirectoryError(
            f"The PostgreSQL of this directory keeps its data in {place}, which is gone. Bring it back, or "
            "remove the file `postgres/outside` to begin with an empty database."
        )
    built = binaries.postgres.stat()
    copy = place / f"programs-{built.st_size:x}-{built.st_mtime_ns:x}"
    home = Home(PostgresBinaries(copy / "package" / binaries.prefix.name, None), place, account)
    if not copy.exists():
        for old in place.glob("programs-*"):
            shutil.rmtree(old, ignore_errors=True)
        draft = place / f"programs-new-{secrets.token_hex(4)}"
        # The programs look for their libraries beside the package, by a relative path.
        target = draft / "package" / binaries.prefix.name
        shutil.copytree(binaries.prefix, target, ignore=shutil.ignore_patterns("include", "*.a", "pgxs"))
        if binaries.libraries is not None:
            shutil.copytree(binaries.libraries, draft / binaries.libraries.name)
        home.give(draft)
        draft.replace(copy)
    if not _reaches(account, home.binaries, place):
        raise RootDirectoryError(
            f"User {account.uid} cannot run PostgreSQL in {place}. Run adtempo as an ordinary user."
        )
    return home
