"""Endpoints of views: create, list, retrieve, update, delete."""

from typing import Any

from simulator.notion.charts import parse_chart
from simulator.notion.checks import MISSING, Json, a_string, an_id, an_object, one_of, only_keys, wrong
from simulator.notion.errors import ApiError, invalid
from simulator.notion.filters import FilterReader
from simulator.notion.gate import Call
from simulator.notion.lookup import find
from simulator.notion.paging import one_page
from simulator.notion.sorts import sort_pages
from simulator.notion.tree import check_editable

_TYPES = ("table", "board", "list", "calendar", "timeline", "gallery", "form", "chart", "map")
_CONFIG_BYTES = 20_000


def create_view(call: Call) -> Json:
    """``POST /v1/views``: a view of a data source in its database. A plan without charts refuses those."""
    store, body = call.store, call.body
    only_keys(
        body,
        "body",
        (
            "data_source_id",
            "name",
            "type",
            "database_id",
            "filter",
            "sorts",
            "quick_filters",
            "configuration",
        ),
    )
    source = find(store, "data_source", an_id(body.get("data_source_id", MISSING), "body.data_source_id"))
    database = find(store, "database", an_id(body.get("database_id", MISSING), "body.database_id"))
    if source["parent"]["database_id"] != database["id"]:
        raise invalid(f"Data source {source['id']} does not belong to database {database['id']}.")
    kind = one_of(body.get("type", MISSING), "body.type", _TYPES)
    name = a_string(body.get("name", MISSING), "body.name", longest=2000)
    if kind == "chart" and not call.settings.charts_allowed:
        raise ApiError(403, "restricted_resource", "Chart views are not part of this workspace's plan.")
    if kind == "chart" and "configuration" not in body:
        raise wrong("body.configuration", "defined", MISSING)
    fields = _fields(call, kind, source["schema"])
    check_editable(store, database)
    view = store.add(
        {
            "object": "view",
            "belongs_to": database["id"],
            "parent": {"type": "database_id", "database_id": database["id"]},
            "data_source_id": source["id"],
            "name": name,
            "type": kind,
            "filter": None,
            "sorts": None,
            "quick_filters": None,
            "configuration": {"type": kind},
        }
        | fields
    )
    return call.shapes.view(view)


def list_views(call: Call) -> Json:
    """``GET /v1/views?database_id=`` or ``?data_source_id=``: ids only"""
    store, query = call.store, call.query
    if "database_id" in query:
        database = find(store, "database", an_id(query["database_id"], "query.database_id"))
        views = store.members("view", database["id"])
    else:
        source_id = an_id(query.get("data_source_id", MISSING), "query.data_source_id")
        source = find(store, "data_source", source_id)
        members = store.members("view", source["parent"]["database_id"])
        views = [view for view in members if view["data_source_id"] == source_id]
    live = [view for view in views if not view["in_trash"]]
    return one_page(live, query, "query", "view", lambda view: {"object": "view", "id": view["id"]})


def retrieve_view(call: Call) -> Json:
    """``GET /v1/views/{view_id}``"""
    return call.shapes.view(_find(call))


def update_view(call: Call) -> Json:
    """``PATCH /v1/views/{view_id}``"""
    view, body = _find(call), call.body
    only_keys(body, "body", ("name", "filter", "sorts", "quick_filters", "configuration"))
    source = find(call.store, "data_source", view["data_source_id"])
    fields = _fields(call, view["type"], source["schema"])
    if "name" in body:
        fields["name"] = a_string(body["name"], "body.name", longest=2000)
    view.update(fields)
    call.store.touch(view)
    return call.shapes.view(view)


def delete_view(call: Call) -> Json:
    """``DELETE /v1/views/{view_id}``"""
    view = _find(call)
    view["in_trash"] = True
    call.store.touch(view)
    return {key: view[key] for key in ("object", "id", "parent", "type")}


def _find(call: Call) -> Json:
    view = find(call.store, "view", call.path_id("view_id"))
    if view["in_trash"]:
        raise ApiError(404, "object_not_found", f"Could not find view with ID: {view['id']}.")
    return view


def _fields(call: Call, kind: str, schema: dict[str, Json]) -> Json:
    body = call.body
    fields: Json = {}
    if body.get("filter") is not None:
        FilterReader(schema, call.store.now().date()).read(body["filter"], "body.filter")
    if body.get("sorts") is not None:
        sort_pages([], body["sorts"], "body.sorts", schema)
    for key in ("filter", "sorts"):
        if key in body:
            fields[key] = body[key]
    if "quick_filters" in body:
        quick = body["quick_filters"]
        fields["quick_filters"] = None if quick is None else an_object(quick, "body.quick_filters")
    if "configuration" in body:
        fields["configuration"] = _configuration(body["configuration"], kind, schema)
    return fields


def _configuration(value: Any, kind: str, schema: dict[str, Json]) -> Json:
    path = "body.configuration"
    given = an_object(value, path)
    one_of(given.get("type", MISSING), f"{path}.type", (kind,))
    if kind == "chart":
        return parse_chart(given, path, schema)
    if len(str(given)) > _CONFIG_BYTES:
        raise invalid(f"{path} is too large.")
    return given
