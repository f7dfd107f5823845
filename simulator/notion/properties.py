"""Values of page properties: requests to the stored form, and the stored form to answers.

Stored by property id, so that a rename touches no page; options, people and related pages by their ids.
"""

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
    an_id,
    an_object,
    failed,
    one_of,
    only_keys,
    shown,
)
from simulator.notion.dates import parse_date, to_minute
from simulator.notion.errors import invalid
from simulator.notion.media import parse_files
from simulator.notion.rich_text import parse_rich_text
from simulator.notion.schema import (
    COMPUTED,
    OPTION_COLORS,
    add_option,
    default_schema,
    find_property,
    parse_option_name,
)
from simulator.notion.store import Store

_LISTS = frozenset({"title", "rich_text", "multi_select", "people", "files", "relation"})
_WRITABLE = [
    "title",
    "rich_text",
    "number",
    "url",
    "select",
    "multi_select",
    "people",
    "email",
    "phone_number",
    "date",
    "checkbox",
    "relation",
    "files",
    "status",
]


@dataclass(frozen=True)
class NewOption:
    """An option of a select or multi-select property that the write creates."""

    prop: Json
    name: str
    color: str | None

    def option_id(self, store: Store) -> str:
        """Its id; the first call creates it."""
        for option in self.prop["config"]["options"]:
            if option["name"] == self.name:
                return str(option["id"])
        return str(add_option(store, self.prop, self.name, self.color)["id"])


@dataclass
class Values:
    """Checked values by property id. Nothing is stored before `commit`."""

    values: Json = field(default_factory=dict)

    def commit(self, store: Store, page: Json) -> None:
        """Create the new options and write the values into the page."""
        for key, value in self.values.items():
            page["values"][key] = _stored(value, store)
        source = store.get(page["parent"].get("data_source_id", ""), "data_source")
        if source is not None:
            store.changed(source)


def _stored(value: Any, store: Store) -> Any:
    if isinstance(value, NewOption):
        return value.option_id(store)
    return [_stored(one, store) for one in value] if isinstance(value, list) else value


def schema_of(page: Json, store: Store) -> dict[str, Json]:
    """The properties a page has; a page outside a data source has its title only."""
    source = store.get(page["parent"].get("data_source_id", ""), "data_source")
    if source is not None:
        return dict(source["schema"])
    schema = default_schema()
    schema["title"]["name"] = "title"
    return schema


def parse_values(value: Any, path: str, schema: dict[str, Json], store: Store) -> Values:
    """Check property values against the schema. Raises `ApiError`."""
    parsed = Values()
    problems: list[str] = []
    for name, given in an_object(value, path).items():
        where = f"{path}.{name}"
        kind, inner = _inner(given, where)
        prop = find_property(schema, name)
        if prop is None:
            problems.append(f"{name} is not a property that exists.")
        elif prop["type"] in COMPUTED:
            problems.append(f"{name} cannot be updated: its value is computed.")
        elif kind not in (prop["type"], None):
            problems.append(f"{name} is expected to be {prop['type']}.")
        else:
            at = f"{where}.{prop['type']}" if kind else where
            parsed.values[prop["id"]] = _parse_value(prop, inner, at, store)
    if problems:
        raise invalid(" ".join(problems))
    return parsed


def _inner(given: Any, path: str) -> tuple[str | None, Any]:
    """The type a value names and what is under it; a bare list is taken for a title or text."""
    if isinstance(given, list):
        return None, given
    value = an_object(given, path)
    kinds = [key for key in value if key in _WRITABLE or key in COMPUTED]
    if not kinds:
        raise failed(*(f"{path}.{kind} should be defined, instead was `undefined`." for kind in _WRITABLE))
    only_keys(value, path, ("id", "type", kinds[0], *(("has_more",) if kinds[0] == "relation" else ())))
    if value.get("type", kinds[0]) != kinds[0]:
        raise failed(f'{path}.type should be `"{kinds[0]}"`, instead was {shown(value["type"])}.')
    return kinds[0], value[kinds[0]]


def _parse_value(prop: Json, value: Any, path: str, store: Store) -> Any:
    kind = prop["type"]
    if kind in {"title", "rich_text"}:
        return parse_rich_text(value, path, store)
    if kind == "checkbox":
        return a_boolean(value, path)
    if kind == "multi_select":
        return [
            _parse_option(prop, one, f"{path}[{index}]")
            for index, one in enumerate(a_list(value, path, longest=limits.LIST_ELEMENTS))
        ]
    if kind == "people":
        return [
            an_id(an_object(one, f"{path}[{index}]").get("id", MISSING), f"{path}[{index}].id")
            for index, one in enumerate(a_list(value, path, longest=limits.LIST_ELEMENTS))
        ]
    if kind == "files":
        return parse_files(value, path, store)
    if kind == "relation":
        return [
            _parse_related(prop, one, f"{path}[{index}]", store)
            for index, one in enumerate(a_list(value, path, longest=limits.LIST_ELEMENTS))
        ]
    return None if value is None else _parse_nullable(prop, value, path)


def _parse_nullable(prop: Json, value: Any, path: str) -> Any:
    kind = prop["type"]
    if kind == "number":
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise failed(f"{path} should be a number or `null`, instead was {shown(value)}.")
        return a_number(value, path)
    if kind == "date":
        return parse_date(value, path)
    if kind in {"select", "status"}:
        return _parse_option(prop, value, path)
    longest = {"url": limits.URL_LENGTH, "email": limits.EMAIL_LENGTH, "phone_number": limits.PHONE_LENGTH}
    return a_string(value, path, longest=longest[kind])


def _parse_option(prop: Json, value: Any, path: str) -> str | NewOption:
    """The id of an option, or the option that has to be created first."""
    given = an_object(value, path)
    only_keys(given, path, ("id", "name", "color", "description"))
    options = prop["config"]["options"]
    if "id" in given:
        if any(option["id"] == given["id"] for option in options):
            return str(given["id"])
        raise invalid(f"{prop['name']}: there is no option with id {shown(given['id'])}.")
    name = parse_option_name(given.get("name", MISSING), f"{path}.name")
    found = next((option for option in options if option["name"] == name), None)
    if found:
        return str(found["id"])
    if prop["type"] == "status":
        raise invalid(f'Invalid status option. Status option "{name}" does not exist".')
    color = one_of(given["color"], f"{path}.color", OPTION_COLORS) if "color" in given else None
    return NewOption(prop, name, color)


def _parse_related(prop: Json, value: Any, path: str, store: Store) -> str:
    given = an_object(value, path)
    only_keys(given, path, ("id",))
    page_id = an_id(given.get("id", MISSING), f"{path}.id")
    page = store.get(page_id, "page")
    if page is None or page["parent"].get("data_source_id") != prop["config"]["data_source_id"]:
        raise invalid(f"{path}.id: page {page_id} is not in the data source this relation points to.")
    return page_id


def raw_value(page: Json, prop: Json) -> Any:
    """What is stored for a property, or what its type is computed from; empty lists and false for nothing."""
    kind = prop["type"]
    computed = {
        "created_time": "created",
        "last_edited_time": "edited",
        "created_by": "created_by",
        "last_edited_by": "edited_by",
        "unique_id": "number",
    }
    if kind in computed:
        return page.get(computed[kind])
    value = page["values"].get(prop["id"])
    if value is None or (kind in _LISTS) != isinstance(value, list):
        # Nothing written, or written while the property had another type.
        value = [] if kind in _LISTS else (False if kind == "checkbox" else None)
    return value


def option_of(prop: Json, option_id: Any) -> Json | None:
    """An option by id; None when it was removed."""
    return next((one for one in prop["config"]["options"] if one["id"] == option_id), None)


def answer_value(page: Json, prop: Json) -> Any:
    """The value as answers show it, under the name of its type."""
    kind, value = prop["type"], raw_value(page, prop)
    if kind in {"select", "status"}:
        return _answer_option(prop, value)
    if kind == "multi_select":
        return [shown_option for one in value if (shown_option := _answer_option(prop, one))]
    if kind == "relation":
        return [{"id": one} for one in value]
    if kind == "people":
        return [{"object": "user", "id": one} for one in value]
    if kind in {"created_by", "last_edited_by"}:
        return {"object": "user", "id": value}
    if kind in {"created_time", "last_edited_time"}:
        return to_minute(value)
    if kind == "unique_id":
        return {"prefix": prop["config"]["prefix"], "number": value}
    return value


def _answer_option(prop: Json, option_id: Any) -> Json | None:
    option = option_of(prop, option_id)
    return {key: option[key] for key in ("id", "name", "color")} if option else None
