"""The embedded PostgreSQL."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, ClassVar

import psycopg2

from worker.embedded import cluster
from worker.embedded.binaries import find_postgres
from worker.embedded.directory import drop_when_large, read_private, write_private
from worker.embedded.errors import StartError
from worker.embedded.home import OUTSIDE, Home, find_home
from worker.embedded.ports import HOST, free_port
from worker.embedded.server import EmbeddedServer, new_password

# Given at every start, so that nothing in the data directory depends on where it lies.
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "fsync": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    # A file a day, each begun anew after a week; drop_when_large bounds them when starts are rare.
    "logging_collector": "on",
    "log_directory": "../log",
    "log_filename": "postgresql-%a.log",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
    "log_line_prefix": "%m [%p] ",
    # A statement may hold a password; the error above it does not.
    "log_min_error_statement": "panic",
}


class EmbeddedPostgres(EmbeddedServer):
    """PostgreSQL 18 on 127.0.0.1, with the database `adtempo` and its owner, the role `adtempo`.

    The role may create databases and is no superuser. There is no socket file, so the length of `root` does
    not matter. `prefix` is an installation to use in place of the wheel's; `outside` lists where root's data
    may go if the account PostgreSQL runs as cannot reach `root` (see `home.py`).

        >>> with EmbeddedPostgres(Path(".adtempo")) as server:
        ...     engine = create_engine(server.url)
    """

    name: ClassVar[str] = "postgres"
    title: ClassVar[str] = "PostgreSQL"

    def __init__(
        self,
        root: Path,
        *,
        prefix: Path | None = None,
        outside: Sequence[Path] = OUTSIDE,
        start_timeout: float = 60.0,
        stop_timeout: float = 30.0,
        choose_port: Callable[[int | None], int] = free_port,
    ) -> None:
        super().__init__(
            root, start_timeout=start_timeout, stop_timeout=stop_timeout, choose_port=choose_port
        )
        self._prefix = prefix
        self._outside = outside
        self._home: Home | None = None

    def _prepare(self, password: str | None) -> str:
        home = self._home = find_home(self.directory, find_postgres(self._prefix), outside=self._outside)
        if home.data.exists():
            cluster.check_version(home.data)
            home.give(home.data)
            # The lock is free, so no server of ours lives and the process id in it may be anyone's by now.
            (home.data / "postmaster.pid").unlink(missing_ok=True)
        log = home.directory / "log"
        log.mkdir(mode=0o700, exist_ok=True)
        home.give(log)
        for file in log.glob("*.log"):
            drop_when_large(file)
        if password is not None and home.data.exists():
            return password
        if home.data.exists():
            # Set before it is written down: a kill in between leaves no file, and it is set again.
            password = new_password()
            cluster.set_password(home, password, self._process.lock)
            write_private(self._password_file, password)
            return password
        if password is None:
            password = new_password()
            write_private(self._password_file, password)
        cluster.create(home, password)
        return password

    def _launch(self, port: int, password: str, errors: IO[Any]) -> subprocess.Popen[bytes]:  # noqa: ARG002
        home = self._home
        if home is None:
            raise StartError("PostgreSQL was not prepared.")
        command = [str(home.binaries.postgres), "-D", str(home.data), "-c", f"port={port}"]
        for setting, value in _SETTINGS.items():
            command += ["-c", f"{setting}={value}"]
        return self._process.launch(command, directory=home.data, account=home.account, errors=errors)

    def _answers(self, port: int, password: str) -> bool:
        if not self._says_it_is_ready(port):
            return False
        try:
            connection = psycopg2.connect(
                host=HOST,
                port=port,
                user=cluster.ROLE,
                password=password,
                dbname=cluster.DATABASE,
                connect_timeout=5,
                sslmode="disable",
            )
        except psycopg2.OperationalError as error:
            if "password authentication failed" in str(error):
                raise StartError(
                    f"The embedded PostgreSQL refuses the password in {self._password_file}. Stop it and "
                    "remove that file; the next start makes a new one."
                ) from None
            # It is up, only full; nobody is let in for now.
            return "too many clients" in str(error) or "remaining connection slots" in str(error)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
                return bool(cursor.fetchone() == (1,))
        except psycopg2.Error:
            return False
        finally:
            connection.close()

    def _address(self, port: int, password: str) -> str:
        return f"postgresql+psycopg2://{cluster.ROLE}:{password}@{HOST}:{port}/{cluster.DATABASE}"

    def _stop_steps(self) -> Sequence[tuple[signal.Signals, float]]:
        # Fast (ends sessions, writes a checkpoint), immediate (recovers at the next start), and by force.
        return [(signal.SIGINT, self._stop_timeout), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)]

    def _says_it_is_ready(self, port: int) -> bool:
        """Whether the server that holds the lock has this port and lets clients in, by its own file.

        Before it does, a stranger may have the port, with whom we had better not talk.
        """
        told = (read_private(self._place / "data" / "postmaster.pid") or "").splitlines()
        # Process id, data directory, start, port, socket directory, address, shared memory, state.
        if len(told) < 8 or told[7].strip() != "ready":
            return False
        return told[0] == str(self._process.pid()) and told[3] == str(port)

    @property
    def _place(self) -> Path:
        outside = read_private(self.directory / "outside")
        return Path(outside) if outside else self.directory

    def _logs(self) -> list[Path]:
        log = self._place / "log"
        return sorted(log.glob("*.log"), key=lambda file: file.stat().st_mtime)[-1:]
