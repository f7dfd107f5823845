"""What the commands print: tables for people, one JSON document for programs, messages on stderr."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")]

# Made anew for each use, so that a replaced stdout (a pipe, a test) is honoured.


class OutputClosed(Exception):
    """Who reads the output has seen enough, as `head` does. No OSError, which Typer would end with 1."""


class _Output(Console):
    def on_broken_pipe(self) -> None:
        """Rich would end the program with 1 here."""
        raise OutputClosed


def out() -> Console:
    return _Output(file=sys.stdout, highlight=False)


def err() -> Console:
    return Console(file=sys.stderr, highlight=False)


def say(message: str) -> None:
    """A message for the person, on stderr; the text is printed as it is, without markup."""
    err().print(Text(message), soft_wrap=True)


def print_json(document: Any) -> None:
    """One JSON document on stdout. Decimals are written as strings, so that no digit is lost."""
    text = orjson.dumps(document, default=_plain, option=orjson.OPT_INDENT_2) + b"\n"
    try:
        sys.stdout.buffer.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise OutputClosed from None


def print_rows(
    rows: Sequence[Mapping[str, Any]], *, title: str, columns: Mapping[str, str], as_json: bool, empty: str
) -> None:
    """Rows as a table with `columns` (key to heading), or as a JSON list of whole rows.

    `empty` is what a person is told when there is none.
    """
    if as_json:
        print_json(list(rows))
        return
    if not rows:
        say(empty)
        return
    table = Table(title=title, title_justify="left")
    for key, heading in columns.items():
        number = all(isinstance(row.get(key), int | float | Decimal | None) for row in rows)
        # A number cut in two can be neither read nor copied.
        whole = number or all(str(row.get(key) or "0").isdigit() for row in rows)
        table.add_column(heading, justify="right" if number else "left", overflow="fold", no_wrap=whole)
    for row in rows:
        # Text: a campaign's name may look like markup.
        table.add_row(*(Text(_cell(row.get(key))) for key in columns))
    out().print(table)


def _cell(value: object) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M UTC")
        case int():
            return f"{value:,}"
        case float() | Decimal():
            return f"{value:,.2f}"
        case list() | tuple():
            return ", ".join(map(str, value))
        case _:
            return str(value)


def _plain(value: object) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
