"""The command line: `adtempo`."""

from __future__ import annotations

import io
import os
import signal
import sys

import typer

from worker.cli.commands import app
from worker.cli.console import OutputClosed, say
from worker.cli.exits import Exit, explain

__all__ = ["app", "main"]

# What a shell expects of a command that Ctrl-C ended.
_INTERRUPTED = 128 + signal.SIGINT


def main() -> None:
    """Run the command; every error becomes one clear line and the exit code of its kind."""
    # By default SIGTERM ends Python at once, and what was started for the command would go on without it.
    # So does SIGHUP, when the terminal is closed.
    signal.signal(signal.SIGTERM, _terminate)
    signal.signal(signal.SIGHUP, _terminate)
    for stream in (sys.stdout, sys.stderr):
        # A campaign's name may hold what this terminal cannot show.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    sys.exit(run(sys.argv[1:]))


def _terminate(number: int, _frame: object) -> None:
    # A second one must not cut the clean-up short.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    sys.exit(128 + number)


def run(arguments: list[str]) -> int:
    """Run with these arguments; the exit code."""
    try:
        code = app(arguments, prog_name="adtempo", standalone_mode=False)
        return int(code or 0)
    except typer.Exit as stop:
        if stop.exit_code == _INTERRUPTED:
            say("interrupted")
        return stop.exit_code
    except typer.Abort:
        say("interrupted")
        return _INTERRUPTED
    except KeyboardInterrupt:
        say("interrupted")
        return _INTERRUPTED
    except OutputClosed:
        # `adtempo insights | head` is no failure; what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    except typer.TyperException as error:
        # A wrong option or argument; without any, the help is shown already and there is no message.
        if error.format_message():
            say(f"{error.format_message()} (see `adtempo --help`)")
        return Exit.BAD_INPUT
    except OSError as error:
        # The disk behind a redirected output is full, say.
        say(f"cannot go on: {error.strerror or error}")
        return Exit.FAILED
    except Exception as error:
        explained = explain(error)
        if explained is None:
            raise
        say(explained[1])
        return explained[0]
