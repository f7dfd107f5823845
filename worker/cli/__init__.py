"""The command line: `adtempo`."""

from __future__ import annotations

import signal
import sys

import typer

from worker.cli.commands import app
from worker.cli.console import say
from worker.cli.exits import Exit, explain

__all__ = ["app", "main"]


def main() -> None:
    """Run the command; every error becomes one clear line and the exit code of its kind."""
    # By default SIGTERM ends Python at once, and what was started for the command would go on without it.
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(run(sys.argv[1:]))


def _terminate(*_: object) -> None:
    # A second one must not cut the clean-up short.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(128 + signal.SIGTERM)


def run(arguments: list[str]) -> int:
    """Run with these arguments; the exit code."""
    try:
        code = app(arguments, prog_name="adtempo", standalone_mode=False)
        return int(code or 0)
    except typer.Exit as stop:
        return stop.exit_code
    except typer.Abort:
        say("interrupted")
        return 130
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    except BrokenPipeError:
        # `adtempo insights | head` is no failure.
        sys.stderr.close()
        return Exit.DONE
    except typer.TyperException as error:
        # A wrong option or argument.
        say(f"{error.format_message()} (see `adtempo --help`)")
        return Exit.BAD_INPUT
    except Exception as error:
        explained = explain(error)
        if explained is None:
            raise
        say(explained[1])
        return explained[0]
