"""Sorts of data source queries. Pages without a value come last, whatever the direction."""

from typing import Any

from simulator.notion.checks import MISSING, Json, a_list, a_string, an_object, one_of, only_keys
from simulator.notion.dates import moment
from simulator.notion.errors import invalid
from simulator.notion.properties import raw_value
from simulator.notion.rich_text import plain_text
from simulator.notion.schema import find_property

_STAMPS = {"created_time": "created", "last_edited_time": "edited"}


def sort_pages(pages: list[Json], value: Any, path: str, schema: dict[str, Json]) -> list[Json]:
    """The pages in the order asked for; the first sort counts most. Raises `ApiError`."""
    readers = []
    for index, one in enumerate(a_list(value, path)):
        where = f"{path}[{index}]"
        given = an_object(one, where)
        only_keys(given, where, ("property", "timestamp", "direction"))
        descending = (
            one_of(given.get("direction", MISSING), f"{where}.direction", ("ascending", "descending"))
            == "descending"
        )
        if "timestamp" in given:
            field = _STAMPS[one_of(given["timestamp"], f"{where}.timestamp", _STAMPS)]
            prop: Json = {"type": "stamp", "field": field}
        else:
            name = a_string(given.get("property", MISSING), f"{where}.property")
            found = find_property(schema, name)
            if found is None:
                raise invalid(f"Could not find sort property with name or id: {name}")
            prop = found
        readers.append((prop, descending))
    for prop, descending in reversed(readers):
        keyed = [(_sort_key(page, prop), page) for page in pages]
        filled = sorted(
            (pair for pair in keyed if pair[0] is not None), key=lambda pair: pair[0], reverse=descending
        )
        pages = [page for _, page in filled] + [page for key, page in keyed if key is None]
    return pages


def _sort_key(page: Json, prop: Json) -> Any:
    kind = prop["type"]
    if kind == "stamp":
        return page[prop["field"]]
    value = raw_value(page, prop)
    if value is None or value == []:
        return None
    if kind in {"title", "rich_text"}:
        return plain_text(value).casefold() or None
    if kind in {"select", "status", "multi_select"}:
        order = [option["id"] for option in prop["config"]["options"]]
        first = value[0] if isinstance(value, list) else value
        return order.index(first) if first in order else None
    if kind == "date":
        return moment(value["start"], value["time_zone"])
    if kind in {"people", "relation"}:
        return value[0]
    if kind == "files":
        return value[0]["name"]
    return value.casefold() if isinstance(value, str) else value
