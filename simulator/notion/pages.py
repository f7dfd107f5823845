"""Endpoints of pages: create, retrieve, update, one property."""

from collections.abc import Sequence
from typing import Any

from simulator.notion.blocks import BlockReader, Draft
from simulator.notion.checks import (
    MISSING,
    Json,
    a_boolean,
    a_string,
    an_id,
    an_object,
    failed,
    one_of,
    only_keys,
    wrong,
)
from simulator.notion.errors import ApiError, invalid
from simulator.notion.gate import Call, fail_partially, partial_blocks
from simulator.notion.lookup import find
from simulator.notion.markdown import read_markdown
from simulator.notion.media import parse_cover, parse_icon
from simulator.notion.paging import one_page
from simulator.notion.properties import parse_values, schema_of
from simulator.notion.schema import find_property
from simulator.notion.store import Store
from simulator.notion.tree import check_editable, erase, insert, restore, touch_page, trash

_CREATE_KEYS = (
    "parent",
    "properties",
    "icon",
    "cover",
    "content",
    "children",
    "markdown",
    "template",
    "position",
)
_PAGED_TYPES = ("title", "rich_text", "relation", "people")


def create_page(call: Call) -> Json:
    """``POST /v1/pages``"""
    body, store = call.body, call.store
    only_keys(body, "body", _CREATE_KEYS)
    parent = _parent(call)
    check_editable(store, parent)
    page: Json = {"parent": _reference(parent), "values": {"title": []}}
    values = parse_values(body.get("properties", {}), "body.properties", schema_of(page, store), store)
    icon = parse_icon(body.get("icon"), "body.icon", store)
    cover = parse_cover(body.get("cover"), "body.cover", store)
    drafts = _drafts(call)
    index = _position(call, parent)
    _check_template(body.get("template"))

    record: Json = {"object": "page", "icon": icon, "cover": cover, "is_locked": False} | page
    if parent["object"] == "data_source":
        record |= {
            "belongs_to": parent["id"],
            "number": len(store.members("page", parent["id"])) + 1,
        }
        record = store.add(record)
    else:
        record = store.add(record | {"rank": 0.0})
        store.place(record, parent["id"], index)
        touch_page(store, parent)
    values.commit(store, record)
    insert(store, record, drafts[: partial_blocks(call)])
    fail_partially(call)
    return call.shapes.page(record)


def retrieve_page(call: Call) -> Json:
    """``GET /v1/pages/{page_id}``"""
    page = find(call.store, "page", call.path_id("page_id"))
    return call.shapes.page(page, call.query_list("filter_properties"))


def update_page(call: Call) -> Json:
    """``PATCH /v1/pages/{page_id}``"""
    body, store = call.body, call.store
    page = find(store, "page", call.path_id("page_id"))
    only_keys(
        body,
        "body",
        ("properties", "icon", "cover", "is_locked", "template", "erase_content", *call.trash_keys),
    )
    values = parse_values(body.get("properties", {}), "body.properties", schema_of(page, store), store)
    fields: Json = {}
    if "icon" in body:
        fields["icon"] = parse_icon(body["icon"], "body.icon", store)
    if "cover" in body:
        fields["cover"] = parse_cover(body["cover"], "body.cover", store)
    if "is_locked" in body:
        fields["is_locked"] = a_boolean(body["is_locked"], "body.is_locked")
    erased = a_boolean(body.get("erase_content", False), "body.erase_content")
    trashed = trash_wanted(call)
    _check_template(body.get("template"))
    if page["id"] == store.root_id and trashed:
        raise invalid("Archiving workspace level pages via API not supported.")
    if trashed is False:
        restore(store, page)
    elif fields or erased or values.values:
        check_editable(store, page)
    values.commit(store, page)
    page.update(fields)
    if erased:
        erase(store, page)
    if fields or erased or values.values:
        store.touch(page)
    if trashed:
        trash(store, page)
    return call.shapes.page(page)


def retrieve_property(call: Call) -> Json:
    """``GET /v1/pages/{page_id}/properties/{property_id}``"""
    store = call.store
    page = find(store, "page", call.path_id("page_id"))
    name = call.request.match_info["property_id"]
    prop = find_property(schema_of(page, store), name)
    if prop is None:
        raise ApiError(404, "object_not_found", f"Could not find property with ID: {name}.")
    shaped = call.shapes.value(page, prop)
    kind = prop["type"]
    if kind not in _PAGED_TYPES:
        return {"object": "property_item"} | shaped
    items = [{"id": f"{prop['id']}-{index}", "value": one} for index, one in enumerate(shaped[kind])]

    def item(entry: Json) -> Json:
        return {"object": "property_item", "id": prop["id"], "type": kind, kind: entry["value"]}

    answer = one_page(items, call.query, "query", "property_item", item)
    address = f"{call.request.scheme}://{call.request.host}{call.request.path}"
    following = answer["next_cursor"]
    answer["property_item"] = {
        "id": prop["id"],
        "next_url": f"{address}?start_cursor={following}" if following else None,
        "type": kind,
        kind: {},
    }
    return answer


def trash_wanted(call: Call) -> bool | None:
    """What the body says of the trash, by either name; None when it says nothing."""
    given = [a_boolean(call.body[key], f"body.{key}") for key in call.trash_keys if key in call.body]
    if len(set(given)) > 1:
        raise wrong("body.archived", "equal to in_trash", call.body["archived"])
    return given[0] if given else None


def _parent(call: Call) -> Json:
    given = an_object(call.body.get("parent", MISSING), "body.parent")
    kinds = [key for key in ("page_id", "database_id", "data_source_id", "workspace") if key in given]
    if not kinds:
        raise failed(
            *(
                f"body.parent.{one} should be defined, instead was `undefined`."
                for one in ("page_id", "database_id", "data_source_id", "workspace")
            )
        )
    kind = kinds[0]
    only_keys(given, "body.parent", ("type", kind))
    if "type" in given:
        one_of(given["type"], "body.parent.type", (kind,))
    if kind == "workspace":
        raise invalid(
            "Internal integrations aren't owned by a single user, so creating workspace-level private pages "
            "is not supported."
        )
    parent = find(call.store, kind.removesuffix("_id"), an_id(given[kind], f"body.parent.{kind}"))
    return _only_source(call.store, parent) if kind == "database_id" else parent


def _only_source(store: Store, database: Json) -> Json:
    """The data source of a database named as a parent; there has to be one alone."""
    sources = [one for one in store.members("data_source", database["id"]) if not one["in_trash"]]
    if len(sources) != 1:
        raise ApiError(
            400,
            "validation_error",
            "Databases with multiple data sources are not supported in this API version.",
            additional_data={
                "error_type": "multiple_data_sources_for_database",
                "database_id": database["id"],
                "child_data_source_ids": [one["id"] for one in sources],
                "minimum_api_version": "2025-09-03",
            },
        )
    return sources[0]


def _reference(parent: Json) -> Json:
    kind = f"{parent['object']}_id"
    reference = {"type": kind, kind: parent["id"]}
    if parent["object"] == "data_source":
        reference["database_id"] = parent["parent"]["database_id"]
    return reference


def _drafts(call: Call) -> Sequence[Draft]:
    given = [key for key in ("children", "content", "markdown") if key in call.body]
    if len(given) > 1:
        raise wrong(f"body.{given[1]}", "not present", call.body[given[1]])
    if not given:
        return []
    if given[0] == "markdown":
        return read_markdown(a_string(call.body["markdown"], "body.markdown"))
    return BlockReader(call.store).children(call.body[given[0]], f"body.{given[0]}")


def _position(call: Call, parent: Json) -> int | None:
    value: Any = call.body.get("position")
    if value is None:
        return None
    given = an_object(value, "body.position")
    kind = one_of(given.get("type", MISSING), "body.position.type", ("after_block", "page_start", "page_end"))
    only_keys(given, "body.position", ("type", "after_block"))
    if parent["object"] != "page":
        raise wrong("body.position", "not present", value)
    if kind != "after_block":
        return 0 if kind == "page_start" else None
    where = "body.position.after_block"
    block_id = an_id(an_object(given.get("after_block", MISSING), where).get("id", MISSING), f"{where}.id")
    return index_after(call.store, parent, block_id)


def index_after(store: Store, parent: Json, block_id: str) -> int:
    """The place among the parent's children just after one of them."""
    siblings = store.children_ids(parent["id"])
    if block_id not in siblings:
        raise invalid(f"Block to append children after {block_id} is not parented by {parent['id']}.")
    return siblings.index(block_id) + 1


def _check_template(value: Any) -> None:
    if value is not None and an_object(value, "body.template").get("type") != "none":
        raise invalid("body.template: this simulator has no templates.")
