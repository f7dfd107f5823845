"""The properties of a data source: which types there are, and requests that define, change and remove them.

Stored as ``{property id: {id, name, description, type, config}}`` in the order of creation. Formulas, rollups
and two-way relations are refused: nothing here would compute them.
"""

from typing import Any

from simulator.notion import limits
from simulator.notion.checks import (
    MISSING,
    Json,
    a_list,
    a_string,
    an_id,
    an_object,
    failed,
    one_of,
    only_keys,
    wrong,
)
from simulator.notion.errors import invalid
from simulator.notion.store import Store

OPTION_COLORS = ("default", "gray", "brown", "orange", "yellow", "green", "blue", "purple", "pink", "red")
COMPUTED = frozenset({"created_time", "created_by", "last_edited_time", "last_edited_by", "unique_id"})
_EMPTY_CONFIG = [
    "title",
    "rich_text",
    "date",
    "checkbox",
    "url",
    "email",
    "phone_number",
    "people",
    "files",
    "created_time",
    "created_by",
    "last_edited_time",
    "last_edited_by",
]
_UNSUPPORTED = frozenset({"formula", "rollup", "button", "verification", "location", "place"})
TYPES = frozenset({*_EMPTY_CONFIG, "number", "select", "multi_select", "status", "relation", "unique_id"})
_NUMBER_FORMATS = frozenset(
    [
        "number",
        "number_with_commas",
        "percent",
        "dollar",
        "australian_dollar",
        "canadian_dollar",
        "singapore_dollar",
        "euro",
        "pound",
        "yen",
        "ruble",
        "rupee",
        "won",
        "yuan",
        "real",
        "lira",
        "rupiah",
        "franc",
        "hong_kong_dollar",
        "new_zealand_dollar",
        "krona",
        "norwegian_krone",
        "mexican_peso",
        "rand",
        "new_taiwan_dollar",
        "danish_krone",
        "zloty",
        "baht",
        "forint",
        "koruna",
        "shekel",
        "chilean_peso",
        "philippine_peso",
        "dirham",
        "colombian_peso",
        "riyal",
        "ringgit",
        "leu",
        "argentine_peso",
        "uruguayan_peso",
        "peruvian_sol",
    ]
)
_DEFAULT_STATUSES = (("Not started", "default"), ("In progress", "blue"), ("Done", "green"))
_STATUS_GROUPS = (("To-do", "gray"), ("In progress", "blue"), ("Complete", "green"))


def create_schema(value: Any, path: str, store: Store) -> dict[str, Json]:
    """Properties of a new data source; exactly one of them is the title."""
    given = an_object(value, path)
    schema: dict[str, Json] = {}
    titles = 0
    for name, one in given.items():
        prop = _create(name, one, f"{path}.{name}", store, schema)
        titles += prop["type"] == "title"
        schema[prop["id"]] = prop
    if titles != 1:
        raise invalid(f"{path}: a data source has exactly one title property, instead were {titles}.")
    return schema


def default_schema() -> dict[str, Json]:
    """What a database made without properties has."""
    return {"title": _record("title", "Name", "title", {}, None)}


def find_property(schema: dict[str, Json], name: str) -> Json | None:
    """A property by its id or by its name."""
    return schema.get(name) or next((prop for prop in schema.values() if prop["name"] == name), None)


def update_schema(value: Any, path: str, store: Store, schema: dict[str, Json]) -> dict[str, Json]:
    """A changed copy of the schema: null removes, ``name`` renames, a type changes or creates."""
    changed = {key: dict(prop) for key, prop in schema.items()}
    for key, one in an_object(value, path).items():
        where = f"{path}.{key}"
        prop = find_property(changed, key)
        if one is None:
            if prop is None:
                raise invalid(f"Could not find property with name or id: {key}")
            if prop["type"] == "title":
                raise invalid("Cannot delete the title property.")
            del changed[prop["id"]]
        elif prop is None:
            created = _create(key, one, where, store, changed)
            if created["type"] == "title":
                raise invalid(f"{where}: a data source has exactly one title property.")
            changed[created["id"]] = created
        else:
            _change(prop, an_object(one, where), where, store, changed)
    return changed


def add_option(store: Store, prop: Json, name: str, color: str | None = None) -> Json:
    """A new option of a select or multi-select property."""
    options = prop["config"]["options"]
    option = {
        "id": store.new_id(4),
        "name": name,
        "color": color or OPTION_COLORS[len(options) % len(OPTION_COLORS)],
        "description": None,
    }
    options.append(option)
    return option


def parse_option_name(value: Any, path: str) -> str:
    """The name of an option: at most 100 characters and no comma."""
    name = a_string(value, path, longest=limits.OPTION_NAME_LENGTH)
    if "," in name:
        raise invalid(f"Invalid select option, commas not allowed: {name}")
    if not name:
        raise wrong(path, "a non-empty string", value)
    return name


def _record(key: str, name: str, kind: str, config: Json, description: str | None) -> Json:
    return {"id": key, "name": name, "description": description, "type": kind, "config": config}


def _create(name: str, value: Any, path: str, store: Store, schema: dict[str, Json]) -> Json:
    given = an_object(value, path)
    kind = _type_of(given, path)
    only_keys(given, path, ("type", "name", "description", kind))
    name = a_string(given.get("name", name), f"{path}.name", longest=limits.TEXT_LENGTH)
    if find_property(schema, name):
        raise invalid(f"{path}: a property named {name!r} exists already.")
    key = "title" if kind == "title" else _new_key(store, schema)
    config = _parse_config(kind, given[kind], f"{path}.{kind}", store, None)
    return _record(key, name, kind, config, _description(given, path))


def _change(prop: Json, given: Json, path: str, store: Store, schema: dict[str, Json]) -> None:
    kinds = [key for key in given if key in TYPES or key in _UNSUPPORTED]
    only_keys(given, path, ("type", "name", "description", "id", *kinds[:1]))
    if "name" in given:
        name = a_string(given["name"], f"{path}.name", longest=limits.TEXT_LENGTH)
        other = find_property(schema, name)
        if other is not None and other["id"] != prop["id"]:
            raise invalid(f"{path}.name: a property named {name!r} exists already.")
        prop["name"] = name
    if "description" in given:
        prop["description"] = _description(given, path)
    if kinds:
        kind = _type_of(given, path)
        if "title" in (kind, prop["type"]) and kind != prop["type"]:
            raise invalid(f"{path}: the type of the title property cannot be changed.")
        before = prop["config"] if kind == prop["type"] else None
        prop["type"], prop["config"] = kind, _parse_config(kind, given[kind], f"{path}.{kind}", store, before)


def _type_of(given: Json, path: str) -> str:
    kinds = [key for key in given if key in TYPES or key in _UNSUPPORTED]
    if "type" in given and given["type"] not in kinds:
        one_of(given["type"], f"{path}.type", sorted(TYPES))
        raise wrong(f"{path}.{given['type']}", "defined", MISSING)
    if not kinds:
        raise failed(
            *(f"{path}.{kind} should be defined, instead was `undefined`." for kind in sorted(TYPES))
        )
    if kinds[0] in _UNSUPPORTED:
        raise invalid(f"{path}: this simulator has no {kinds[0]} properties.")
    return kinds[0]


def _description(given: Json, path: str) -> str | None:
    value = given.get("description")
    return None if value is None else a_string(value, f"{path}.description", longest=280)


def _new_key(store: Store, schema: dict[str, Json]) -> str:
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    while True:
        number = int(store.new_id().replace("-", ""), 16)
        key = "".join(letters[(number >> (12 * place)) % len(letters)] for place in range(4))
        if key not in schema:
            return key


def _parse_config(kind: str, value: Any, path: str, store: Store, before: Json | None) -> Json:
    config = an_object(value, path)
    if kind == "number":
        only_keys(config, path, ("format",))
        default = before["format"] if before else "number"
        return {"format": one_of(config.get("format", default), f"{path}.format", sorted(_NUMBER_FORMATS))}
    if kind in {"select", "multi_select"}:
        only_keys(config, path, ("options",))
        return {"options": _parse_options(config.get("options", []), f"{path}.options", store, before)}
    if kind == "status":
        only_keys(config, path, ("options",))
        return _parse_status(config, path, store, before)
    if kind == "relation":
        only_keys(config, path, ("data_source_id", "type", "single_property", "dual_property"))
        if "dual_property" in config:
            raise invalid(f"{path}.dual_property: this simulator has one-way relations only.")
        an_object(config.get("single_property", MISSING), f"{path}.single_property")
        target = an_id(config.get("data_source_id", MISSING), f"{path}.data_source_id")
        found = store.get(target, "data_source")
        if found is None:
            raise invalid(f"Could not find data source with ID: {target}.")
        return {
            "database_id": found["parent"]["database_id"],
            "data_source_id": target,
            "type": "single_property",
            "single_property": {},
        }
    if kind == "unique_id":
        only_keys(config, path, ("prefix",))
        prefix = config.get("prefix")
        return {"prefix": None if prefix is None else a_string(prefix, f"{path}.prefix", longest=10)}
    only_keys(config, path, ())
    return {}


def _parse_options(value: Any, path: str, store: Store, before: Json | None) -> list[Json]:
    known = {option["name"]: option for option in (before or {"options": []})["options"]}
    by_id = {option["id"]: option for option in known.values()}
    options: list[Json] = []
    for index, one in enumerate(a_list(value, path)):
        where = f"{path}[{index}]"
        given = an_object(one, where)
        only_keys(given, where, ("id", "name", "color", "description"))
        old = by_id.get(given.get("id", ""))
        if old is None or "name" in given:
            name = parse_option_name(given.get("name", MISSING), f"{where}.name")
        else:
            name = old["name"]
        old = old or known.get(name)
        if any(option["name"] == name for option in options):
            raise invalid(f"{path}: option names must be unique, {name!r} is there twice.")
        color = given.get("color", old["color"] if old else OPTION_COLORS[index % len(OPTION_COLORS)])
        options.append(
            {
                "id": old["id"] if old else store.new_id(4),
                "name": name,
                "color": one_of(color, f"{where}.color", OPTION_COLORS),
                "description": _description(given, where),
            }
        )
    return options


def _parse_status(config: Json, path: str, store: Store, before: Json | None) -> Json:
    if "options" in config:
        parsed = _parse_options(config["options"], f"{path}.options", store, before)
        old = before or {"options": [], "groups": []}
        given = {option["id"] for option in parsed}
        # Options left out of an update stay: the API can add to a status and not take away.
        options = [option for option in old["options"] if option["id"] not in given] + parsed
        placed = {one: group["name"] for group in old["groups"] for one in group["option_ids"]}
        group_of = {option["id"]: placed.get(option["id"], "To-do") for option in options}
    elif before:
        return before
    else:
        options = [
            {"id": store.new_id(4), "name": name, "color": color, "description": None}
            for name, color in _DEFAULT_STATUSES
        ]
        names = [name for name, _ in _STATUS_GROUPS]
        group_of = {option["id"]: name for option, name in zip(options, names, strict=True)}
    groups = []
    for name, color in _STATUS_GROUPS:
        members = [option["id"] for option in options if group_of[option["id"]] == name]
        groups.append({"id": store.new_id(4), "name": name, "color": color, "option_ids": members})
    return {"options": options, "groups": groups}
