"""Run an aiohttp application as a real HTTP server: inside a test, or as a process of its own."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

AppFactory = Callable[[], web.Application]

# How long an open request may still run when the server is told to end.
_DRAIN_SECONDS = 0.5
_START_SECONDS = 30.0


class ServerError(Exception):
    """The server did not come up or did not go down; the text says why."""


@contextlib.asynccontextmanager
async def _listening(factory: AppFactory, host: str, port: int) -> AsyncIterator[int]:
    """Serve the application while inside the block; yields the port it listens on."""
    runner = web.AppRunner(factory(), access_log=None, shutdown_timeout=_DRAIN_SECONDS)
    await runner.setup()
    listener: socket.socket | None = None
    try:
        listener = socket.create_server((host, port), backlog=1024)
        await web.SockSite(runner, listener).start()
        yield int(listener.getsockname()[1])
    finally:
        if listener is not None:
            # Accept no more, and let a connection accepted in this very turn become known to the runner.
            # Closing the listener at once would leave that connection's socket open for ever.
            asyncio.get_running_loop().remove_reader(listener)
            for _ in range(4):
                await asyncio.sleep(0)
        await runner.cleanup()
        if listener is not None:
            listener.close()
        # Closed transports let go of their sockets in the next turn.
        await asyncio.sleep(0)


class Server:
    """An application served by a thread with an event loop of its own.

    ``with Server(factory) as server: httpx.get(server.url + "/x")``. The factory is called inside that
    thread. Port 0 takes a free one. ``start`` raises `ServerError` when the application cannot be built or
    the port is taken.
    """

    def __init__(self, factory: AppFactory, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._factory = factory
        self._host = host
        self._port = port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None

    @property
    def port(self) -> int:
        """The port listened on; the one asked for before the start."""
        return self._port

    @property
    def url(self) -> str:
        """Base address without a trailing slash, such as ``http://127.0.0.1:41234``."""
        return f"http://{self._host}:{self._port}"

    def start(self) -> Self:
        """Start and return once connections are accepted."""
        if self._thread is not None:
            raise ServerError("the server is running already; close() it first")
        self._ready.clear()
        self._failure = None
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        self._thread.start()
        if not self._ready.wait(_START_SECONDS):
            raise ServerError(f"the server did not listen within {_START_SECONDS:.0f} s")
        if self._failure is not None:
            self._thread.join()
            self._thread = None
            raise ServerError(f"the server could not start: {self._failure}") from self._failure
        return self

    def close(self) -> None:
        """Stop listening, cut what is still open and end the thread. Closing twice is allowed."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                loop.call_soon_threadsafe(stop.set)
        thread.join(_START_SECONDS)
        if thread.is_alive():
            raise ServerError(f"the server did not end within {_START_SECONDS:.0f} s")
        if self._failure is not None:
            raise ServerError(f"the server did not end cleanly: {self._failure}") from self._failure

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that called start()
            self._failure = error
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        async with _listening(self._factory, self._host, self._port) as port:
            self._port = port
            self._ready.set()
            await self._stop.wait()


def serve_forever(
    factory: AppFactory,
    port: int = 0,
    port_file: Path | None = None,
    until_stdin_closes: bool = False,
    *,
    host: str = "127.0.0.1",
) -> None:
    """Serve in the foreground until SIGTERM or SIGINT, and then end cleanly.

    ``port_file`` receives the port in decimal, whole or not at all, once connections are accepted; one left
    over from an earlier run is removed first. With ``until_stdin_closes`` the end of standard input ends the
    server as well, so that a parent that was killed leaves no orphan.
    """
    asyncio.run(_serve(factory, host, port, port_file, until_stdin_closes))


async def _serve(
    factory: AppFactory, host: str, port: int, port_file: Path | None, until_stdin_closes: bool
) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if port_file is not None:
        port_file.unlink(missing_ok=True)
    async with _listening(factory, host, port) as chosen:
        if port_file is not None:
            _write_whole(port_file, f"{chosen}\n")
        sys.stderr.write(f"listening on http://{host}:{chosen}\n")
        sys.stderr.flush()
        if until_stdin_closes:
            threading.Thread(target=_await_stdin_end, args=(loop, stop), daemon=True).start()
        await stop.wait()
    if port_file is not None:
        port_file.unlink(missing_ok=True)


def _await_stdin_end(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    # A thread, as the event loop cannot watch a standard input that is a file or /dev/null.
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        pass
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(stop.set)


def _write_whole(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    temporary.replace(path)
