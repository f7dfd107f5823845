"""Blocks: which kinds there are, what each may contain, and requests to drafts ready to be stored."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulator.notion import limits
from simulator.notion.checks import (
    MISSING,
    Json,
    a_boolean,
    a_list,
    a_number,
    a_string,
    an_address,
    an_id,
    an_object,
    at_most,
    failed,
    one_of,
    only_keys,
    wrong,
)
from simulator.notion.errors import creation_failed
from simulator.notion.languages import LANGUAGES
from simulator.notion.media import parse_icon, parse_media
from simulator.notion.rich_text import COLORS, parse_rich_text
from simulator.notion.store import Store

Parser = Callable[[Any, str, Store], Any]
Fields = dict[str, tuple[Parser, Any]]


@dataclass
class Draft:
    """A block that was checked and is not stored yet."""

    type: str
    content: Json
    children: list["Draft"] = field(default_factory=list)


@dataclass(frozen=True)
class Kind:
    """One kind of block: its fields in the order of the answers (parser, value if left out), its children."""

    fields: Fields
    children: str = "none"  # none, optional or required
    only: str | None = None  # the only kind of block allowed below
    whole: Parser | None = None  # parses the content at once, instead of the fields


def _color(value: Any, path: str, _store: Store) -> str:
    return one_of(value, path, COLORS)


def _flag(value: Any, path: str, _store: Store) -> bool:
    return a_boolean(value, path)


def _url(value: Any, path: str, _store: Store) -> str:
    return an_address(value, path, longest=limits.URL_LENGTH, what="block")


def _language(value: Any, path: str, _store: Store) -> str:
    return one_of(value, path, LANGUAGES)


def _expression(value: Any, path: str, _store: Store) -> str:
    return a_string(value, path, longest=limits.EQUATION_LENGTH)


def _width(value: Any, path: str, _store: Store) -> int:
    number = a_number(value, path)
    if not 1 <= number <= limits.LIST_ELEMENTS or number != int(number):
        raise wrong(path, "an integer between `1` and `100`", value)
    return int(number)


def _ratio(value: Any, path: str, _store: Store) -> float:
    number = a_number(value, path)
    if not 0 < number < 1:
        raise wrong(path, "a number between `0` and `1`", value)
    return number


def _cells(value: Any, path: str, store: Store) -> list[list[Json]]:
    cells = a_list(value, path)
    return [parse_rich_text(cell, f"{path}[{index}]", store) for index, cell in enumerate(cells)]


def _target(value: Any, path: str, _store: Store) -> Json:
    given = an_object(value, path)
    kind = next((one for one in ("page_id", "database_id", "comment_id") if one in given), None)
    if kind is None:
        raise failed(f"{path}.page_id should be defined, instead was `undefined`.")
    only_keys(given, path, ("type", kind))
    return {"type": kind, kind: an_id(given[kind], f"{path}.{kind}")}


def _origin(value: Any, path: str, store: Store) -> Json | None:
    if value is None:
        return None
    given = an_object(value, path)
    only_keys(given, path, ("type", "block_id"))
    block_id = an_id(given.get("block_id", MISSING), f"{path}.block_id")
    if store.get(block_id, "block") is None:
        raise creation_failed(f"Could not find block with ID: {block_id}.")
    return {"type": "block_id", "block_id": block_id}


_TEXT: Fields = {"rich_text": (parse_rich_text, MISSING)}
_COLOR: Fields = {"color": (_color, "default")}
_TEXT_COLOR = _TEXT | _COLOR
_CHECKED: Fields = {"checked": (_flag, False)}
_TOGGLEABLE: Fields = {"is_toggleable": (_flag, False)}
_ICON: Fields = {"icon": (parse_icon, None)}
_HEADING = Kind(_TEXT | _TOGGLEABLE | _COLOR, "optional")
_LINK = Kind({"caption": (parse_rich_text, []), "url": (_url, MISSING)})
_MEDIA = Kind({}, whole=lambda value, path, store: parse_media(an_object(value, path), path, store))

KINDS: dict[str, Kind] = {
    "embed": _LINK,
    "bookmark": _LINK,
    "image": _MEDIA,
    "video": _MEDIA,
    "pdf": _MEDIA,
    "file": _MEDIA,
    "audio": _MEDIA,
    "code": Kind(
        {
            "caption": (parse_rich_text, []),
            "rich_text": (parse_rich_text, MISSING),
            "language": (_language, MISSING),
        }
    ),
    "equation": Kind({"expression": (_expression, MISSING)}),
    "divider": Kind({}),
    "breadcrumb": Kind({}),
    "table_of_contents": Kind(_COLOR),
    "link_to_page": Kind({}, whole=_target),
    "table_row": Kind({"cells": (_cells, MISSING)}),
    "table": Kind(
        {
            "table_width": (_width, MISSING),
            "has_column_header": (_flag, False),
            "has_row_header": (_flag, False),
        },
        "required",
        only="table_row",
    ),
    "column_list": Kind({}, "required", only="column"),
    "column": Kind({"width_ratio": (_ratio, None)}, "required"),
    "heading_1": _HEADING,
    "heading_2": _HEADING,
    "heading_3": _HEADING,
    "heading_4": _HEADING,
    "paragraph": Kind(_TEXT | _ICON | _COLOR, "optional"),
    "bulleted_list_item": Kind(_TEXT_COLOR, "optional"),
    "numbered_list_item": Kind(_TEXT_COLOR, "optional"),
    "quote": Kind(_TEXT_COLOR, "optional"),
    "to_do": Kind(_TEXT | _CHECKED | _COLOR, "optional"),
    "toggle": Kind(_TEXT_COLOR, "optional"),
    "callout": Kind(_TEXT | _ICON | _COLOR, "optional"),
    "synced_block": Kind({"synced_from": (_origin, None)}, "optional"),
}
_ONLY_BELOW = {"table_row": "table", "column": "column_list"}


class BlockReader:
    """Checks the blocks of one request. Raises `ApiError`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._count = 0

    def children(
        self, value: Any, path: str, parent: str | None = None, room: int = limits.NESTING
    ) -> list[Draft]:
        """Blocks below ``parent`` (a kind, None for a page), with ``room`` more levels below them."""
        drafts = []
        for index, one in enumerate(a_list(value, path, longest=limits.LIST_ELEMENTS)):
            drafts.append(self._block(one, f"{path}[{index}]", parent, room))
        return drafts

    def _block(self, value: Any, path: str, parent: str | None, room: int) -> Draft:
        self._count += 1
        at_most(self._count, limits.REQUEST_BLOCKS, "body.children.blocks")
        block = an_object(value, path)
        kind_name = self._kind_name(block, path)
        self._check_parent(kind_name, parent, path)
        where = f"{path}.{kind_name}"
        content = an_object(block[kind_name], where)
        kind = KINDS[kind_name]
        draft = Draft(kind_name, parse_content(kind_name, content, where, self._store))
        draft.children = self._below(kind_name, kind, content, where, room)
        _check_content(draft)
        return draft

    def _kind_name(self, block: Json, path: str) -> str:
        if "type" in block:
            name = block["type"]
            known = [name] if isinstance(name, str) and name in KINDS else []
            if known and name not in block:
                raise wrong(f"{path}.{name}", "defined", MISSING)
        else:
            known = [key for key in block if key in KINDS]
        if not known:
            raise failed(*(f"{path}.{one} should be defined, instead was `undefined`." for one in KINDS))
        only_keys(block, path, ("object", "type", known[0]))
        if "object" in block:
            one_of(block["object"], f"{path}.object", ("block",))
        return known[0]

    def _check_parent(self, name: str, parent: str | None, path: str) -> None:
        if parent is not None and (only := KINDS[parent].only) and name != only:
            raise wrong(f"{path}.{only}", "defined", MISSING)
        if (wanted := _ONLY_BELOW.get(name)) and parent != wanted:
            raise creation_failed(f"{path}: a {name} block can only be a child of a {wanted} block.")

    def _below(self, name: str, kind: Kind, content: Json, where: str, room: int) -> list[Draft]:
        path = f"{where}.children"
        if "children" not in content:
            if kind.children == "required":
                raise wrong(path, "defined", MISSING)
            return []
        if kind.children == "none" or room == 0:
            raise wrong(path, "not present", content["children"])
        if name == "column_list" and room < limits.NESTING:
            raise wrong(where, "not present", content)
        # A list of columns uses up no level of its own: a column may hold a table with its rows.
        return self.children(content["children"], path, name, room if name == "column_list" else room - 1)


def parse_content(name: str, content: Json, path: str, store: Store, stored: Json | None = None) -> Json:
    """The fields of a block. With ``stored``, an update: fields left out keep what is stored."""
    kind = KINDS[name]
    if kind.whole is not None:
        return dict(kind.whole(content, path, store))
    allowed = (*kind.fields, "children") if kind.children != "none" and stored is None else tuple(kind.fields)
    only_keys(content, path, allowed)
    parsed: Json = {}
    for key, (parse, default) in kind.fields.items():
        if key in content:
            parsed[key] = parse(content[key], f"{path}.{key}", store)
        elif stored is not None:
            if key in stored:
                parsed[key] = stored[key]
        elif default is MISSING:
            raise wrong(f"{path}.{key}", "defined", MISSING)
        elif key != "width_ratio":
            parsed[key] = default
    return parsed


def _check_content(draft: Draft) -> None:
    if draft.type == "table":
        if not draft.children:
            raise creation_failed("Tables must have at least one row.")
        check_row_widths(draft.children, draft.content["table_width"])
    elif draft.type == "column_list" and len(draft.children) < 2:
        raise creation_failed("Column lists must have at least two columns.")
    elif draft.type.startswith("heading") and draft.children and not draft.content["is_toggleable"]:
        raise creation_failed("Headings can only have children when they are toggleable.")


def check_row_widths(rows: list[Draft], width: int) -> None:
    """Refuse a row whose number of cells is not the table's width."""
    if any(len(row.content["cells"]) != width for row in rows):
        raise creation_failed("Number of cells in table row must match the table width of the parent table.")
