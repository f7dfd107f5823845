"""Endpoints of databases and of their data sources."""

from simulator.notion import limits
from simulator.notion.checks import MISSING, Json, a_boolean, an_id, an_object, one_of, only_keys
from simulator.notion.filters import FilterReader
from simulator.notion.gate import Call
from simulator.notion.lookup import find
from simulator.notion.media import parse_cover, parse_icon
from simulator.notion.pages import trash_wanted
from simulator.notion.paging import one_page
from simulator.notion.rich_text import parse_rich_text
from simulator.notion.schema import create_schema, default_schema, update_schema
from simulator.notion.sorts import sort_pages
from simulator.notion.store import Store
from simulator.notion.tree import check_editable, restore, touch_page, trash

_QUERY_KEYS = ("sorts", "filter", "start_cursor", "page_size", "result_type")


def create_database(call: Call) -> Json:
    """``POST /v1/databases``: the database, its first data source and a table view of it."""
    store, body = call.store, call.body
    only_keys(
        body,
        "body",
        ("parent", "title", "description", "is_inline", "initial_data_source", "icon", "cover"),
    )
    given = an_object(body.get("parent", MISSING), "body.parent")
    only_keys(given, "body.parent", ("type", "page_id"))
    parent = find(store, "page", an_id(given.get("page_id", MISSING), "body.parent.page_id"))
    check_editable(store, parent)
    fields = _fields(call) | {"is_locked": False}
    first = an_object(body.get("initial_data_source", {}), "body.initial_data_source")
    only_keys(first, "body.initial_data_source", ("properties",))
    if "properties" in first:
        schema = create_schema(first["properties"], "body.initial_data_source.properties", store)
    else:
        schema = default_schema()
    database = store.add(
        {
            "object": "database",
            "parent": {"type": "page_id", "page_id": parent["id"]},
            "title": [],
            "description": [],
            "is_inline": False,
            "icon": None,
            "cover": None,
            "rank": 0.0,
        }
        | fields,
        version=4,
    )
    store.place(database, parent["id"])
    touch_page(store, parent)
    source = _add_source(store, database, schema, database["title"], None, version=4)
    store.add(
        {
            "object": "view",
            "belongs_to": database["id"],
            "parent": {"type": "database_id", "database_id": database["id"]},
            "data_source_id": source["id"],
            "name": "Default view",
            "type": "table",
            "filter": None,
            "sorts": None,
            "quick_filters": None,
            "configuration": {"type": "table"},
        },
        version=4,
    )
    return call.shapes.database(database)


def retrieve_database(call: Call) -> Json:
    """``GET /v1/databases/{database_id}``"""
    return call.shapes.database(find(call.store, "database", call.path_id("database_id")))


def update_database(call: Call) -> Json:
    """``PATCH /v1/databases/{database_id}``"""
    store, body = call.store, call.body
    database = find(store, "database", call.path_id("database_id"))
    only_keys(
        body, "body", ("title", "description", "is_inline", "icon", "cover", "is_locked", *call.trash_keys)
    )
    fields = _fields(call)
    if "is_locked" in body:
        fields["is_locked"] = a_boolean(body["is_locked"], "body.is_locked")
    _apply(call, database, fields)
    return call.shapes.database(database)


def create_source(call: Call) -> Json:
    """``POST /v1/data_sources``"""
    store, body = call.store, call.body
    only_keys(body, "body", ("parent", "properties", "title", "icon"))
    given = an_object(body.get("parent", MISSING), "body.parent")
    only_keys(given, "body.parent", ("type", "database_id"))
    database = find(store, "database", an_id(given.get("database_id", MISSING), "body.parent.database_id"))
    check_editable(store, database)
    schema = create_schema(body.get("properties", MISSING), "body.properties", store)
    title = parse_rich_text(body.get("title", []), "body.title", store)
    icon = parse_icon(body.get("icon"), "body.icon", store)
    return call.shapes.data_source(_add_source(store, database, schema, title, icon))


def retrieve_source(call: Call) -> Json:
    """``GET /v1/data_sources/{data_source_id}``"""
    return call.shapes.data_source(find(call.store, "data_source", call.path_id("data_source_id")))


def update_source(call: Call) -> Json:
    """``PATCH /v1/data_sources/{data_source_id}``: title, icon, properties added, renamed or removed."""
    store, body = call.store, call.body
    source = find(store, "data_source", call.path_id("data_source_id"))
    only_keys(body, "body", ("title", "icon", "properties", *call.trash_keys))
    fields: Json = {}
    if "title" in body:
        fields["title"] = parse_rich_text(body["title"], "body.title", store)
    if "icon" in body:
        fields["icon"] = parse_icon(body["icon"], "body.icon", store)
    if "properties" in body:
        fields["schema"] = update_schema(body["properties"], "body.properties", store, source["schema"])
    _apply(call, source, fields)
    return call.shapes.data_source(source)


def query_source(call: Call) -> Json:
    """``POST /v1/data_sources/{data_source_id}/query``: newest first unless sorted; at most 10,000."""
    store, body = call.store, call.body
    source = find(store, "data_source", call.path_id("data_source_id"))
    only_keys(body, "body", (*_QUERY_KEYS, *call.trash_keys))
    if "result_type" in body:
        one_of(body["result_type"], "body.result_type", ("page", "data_source"))
    pages = [
        page
        for page in reversed(store.members("page", source["id"]))
        if page["in_trash"] == bool(trash_wanted(call))
    ]
    if body.get("filter") is not None:
        matches = FilterReader(source["schema"], store.now().date()).read(body["filter"], "body.filter")
        pages = [page for page in pages if matches(page)]
    if body.get("sorts") is not None:
        pages = sort_pages(pages, body["sorts"], "body.sorts", source["schema"])
    only = call.query_list("filter_properties")
    capped = len(pages) > limits.QUERY_RESULTS
    answer = one_page(
        pages[: limits.QUERY_RESULTS],
        body,
        "body",
        "page_or_data_source",
        lambda page: call.shapes.page(page, only),
    )
    if capped:
        answer["request_status"] = {
            "type": "incomplete",
            "incomplete_reason": "query_result_limit_reached",
        }
    return answer


def _fields(call: Call) -> Json:
    """What a body says of a database's own fields."""
    store, body = call.store, call.body
    fields: Json = {}
    for key in ("title", "description"):
        if key in body:
            fields[key] = parse_rich_text(body[key], f"body.{key}", store)
    if "is_inline" in body:
        fields["is_inline"] = a_boolean(body["is_inline"], "body.is_inline")
    if "icon" in body:
        fields["icon"] = parse_icon(body["icon"], "body.icon", store)
    if "cover" in body:
        fields["cover"] = parse_cover(body["cover"], "body.cover", store)
    return fields


def _apply(call: Call, record: Json, fields: Json) -> None:
    """Write the fields of an update, and move to the trash or back."""
    store = call.store
    trashed = trash_wanted(call)
    if trashed is False:
        restore(store, record)
    elif fields:
        check_editable(store, record)
    if fields:
        record.update(fields)
        store.touch(record)
    if trashed:
        trash(store, record)


def _add_source(
    store: Store,
    database: Json,
    schema: dict[str, Json],
    title: list[Json],
    icon: Json | None,
    *,
    version: int = 8,
) -> Json:
    return store.add(
        {
            "object": "data_source",
            "belongs_to": database["id"],
            "parent": {"type": "database_id", "database_id": database["id"]},
            "title": title,
            "description": [],
            "icon": icon,
            "schema": schema,
        },
        version=version,
    )
