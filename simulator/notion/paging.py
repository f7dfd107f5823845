"""Lists: page size, cursor and the envelope around results."""

from collections.abc import Callable, Sequence
from typing import Any

from simulator.notion import limits
from simulator.notion.checks import Json, a_string, at_most, wrong
from simulator.notion.errors import invalid


def envelope(results: list[Any], kind: str, next_cursor: str | None = None) -> Json:
    """The list object around results."""
    return {
        "object": "list",
        "results": results,
        "next_cursor": next_cursor,
        "has_more": next_cursor is not None,
        "type": kind,
        kind: {},
    }


def one_page(items: Sequence[Json], given: Json, part: str, kind: str, shape: Callable[[Json], Json]) -> Json:
    """The page of a list that ``start_cursor`` and ``page_size`` of the body or query string ask for.

    A cursor is the id of the first item of the next page; one that is in the list no longer is refused.
    """
    size = _page_size(given.get("page_size"), f"{part}.page_size")
    first = 0
    cursor = given.get("start_cursor")
    if cursor is not None:
        text = a_string(cursor, f"{part}.start_cursor")
        first = next((index for index, item in enumerate(items) if item["id"] == text), -1)
        if first < 0:
            raise invalid(f"The start_cursor provided is invalid: {text}")
    following = items[first + size]["id"] if first + size < len(items) else None
    return envelope([shape(item) for item in items[first : first + size]], kind, following)


def _page_size(value: Any, path: str) -> int:
    if value is None:
        return limits.PAGE_SIZE
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong(path, "a number", value)
    if value < 1:
        raise wrong(path, "≥ `1`", value)
    at_most(value, limits.PAGE_SIZE, path)
    return value
