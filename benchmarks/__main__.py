"""`python -m benchmarks [MODULE…]`: every public generator of outcomes in the modules of this folder."""

from __future__ import annotations

import argparse
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterator

import benchmarks
from benchmarks.measure import Outcome, readable

_NOT_MEASURED = {"__main__", "measure"}


def modules() -> list[str]:
    """The names of the modules that hold benchmarks."""
    found = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    return sorted(set(found) - _NOT_MEASURED)


def functions(name: str) -> list[Callable[[], Iterator[Outcome]]]:
    """A module's own public generators that need no argument, in the order of the file."""
    module = importlib.import_module(f"benchmarks.{name}")
    return [
        function
        for attribute, function in vars(module).items()
        if inspect.isgeneratorfunction(function)
        and function.__module__ == module.__name__
        and not attribute.startswith("_")
        and not inspect.signature(function).parameters
    ]


def main() -> int:
    """Run and print; the exit code is 1 when a figure is not within its bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=benchmarks.__doc__)
    parser.add_argument("module", nargs="*", help=f"of {', '.join(modules())}; all if none is named")
    wanted = parser.parse_args().module or modules()
    if unknown := set(wanted) - set(modules()):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(modules())}")
    kept = True
    for name in wanted:
        for function in functions(name):
            for outcome in function():
                kept &= outcome.kept
                print(_line(name, outcome), flush=True)
    return 0 if kept else 1


def _line(module: str, outcome: Outcome) -> str:
    text = (
        f"{module}: {outcome.name} {readable(outcome.seconds)},"
        f" {outcome.yardstick} {readable(outcome.yardstick_seconds)}, {outcome.ratio:,.3g} times"
    )
    if outcome.bound is None:
        return text
    return f"{text} ({'under' if outcome.kept else 'NOT under'} {readable(outcome.bound)})"


if __name__ == "__main__":
    sys.exit(main())
