"""Texts and blocks in Notion's form and within its limits.

Notion counts characters as JavaScript does, in UTF-16 code units: most emoji are two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

Json = dict[str, Any]

# Code units in one rich text object; objects in one list.
TEXT_UNITS = 2000
LIST_LENGTH = 100


def units(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text) + sum(letter > "\uffff" for letter in text)


def cut(text: str, limit: int) -> str:
    """The text if it has at most `limit` code units, else its beginning and an ellipsis."""
    if units(text) <= limit:
        return text
    return next(_pieces(text, limit - 1)).rstrip() + "…"


def rich_text(text: str, *, bold: bool = False, color: str = "default") -> list[Json]:
    """A list of rich text objects, as many as the length needs; longer texts than a list holds are cut."""
    styles: Json = {}
    if bold:
        styles["bold"] = True
    if color != "default":
        styles["color"] = color
    return [
        {"type": "text", "text": {"content": piece}} | ({"annotations": styles} if styles else {})
        for piece in _pieces(cut(text, TEXT_UNITS * (LIST_LENGTH // 2)), TEXT_UNITS)
    ]


def block(kind: str, text: Sequence[Json] | None = None, **fields: Any) -> Json:
    """A block of a kind, with its text if it has one."""
    content = {} if text is None else {"rich_text": list(text)}
    return {"type": kind, kind: content | fields}


def table(rows: Iterable[Sequence[str]]) -> Json:
    """A table whose first row is its head; every row has the same number of cells."""
    lines = [block("table_row", cells=[rich_text(cell) for cell in row]) for row in rows]
    width = len(lines[0]["table_row"]["cells"])
    return block("table", table_width=width, has_column_header=True, has_row_header=False, children=lines)


def _pieces(text: str, limit: int) -> Iterator[str]:
    """The text in parts of at most `limit` code units, never between the two of one character."""
    start = length = 0
    for index, letter in enumerate(text):
        size = 2 if letter > "\uffff" else 1
        if length + size > limit:
            yield text[start:index]
            start, length = index, 0
        length += size
    if start < len(text):
        yield text[start:]
