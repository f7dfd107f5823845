r"""The text format of PostgreSQL's COPY: tab-separated, `\N` for NULL, backslash escapes."""

from __future__ import annotations

from collections.abc import Iterable

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copy_line(values: Iterable[str | None]) -> str:
    r"""One row. None becomes NULL; the text `\N` stays that text."""
    return "\t".join("\\N" if value is None else value.translate(_ESCAPES) for value in values) + "\n"
