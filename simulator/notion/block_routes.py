"""Endpoints of blocks: retrieve, update, delete, and the children of one."""

from simulator.notion.blocks import KINDS, BlockReader, check_row_widths, parse_content
from simulator.notion.checks import MISSING, Json, an_id, an_object, one_of, only_keys, wrong
from simulator.notion.errors import invalid
from simulator.notion.gate import VERSIONS, Call, fail_partially, partial_blocks
from simulator.notion.lookup import find_in_tree
from simulator.notion.pages import index_after, trash_wanted
from simulator.notion.paging import envelope, one_page
from simulator.notion.tree import check_editable, children, insert, restore, touch_page, trash


def retrieve_block(call: Call) -> Json:
    """``GET /v1/blocks/{block_id}``"""
    return call.shapes.block(find_in_tree(call.store, call.path_id("block_id")))


def update_block(call: Call) -> Json:
    """``PATCH /v1/blocks/{block_id}``"""
    store, body = call.store, call.body
    record = find_in_tree(store, call.path_id("block_id"))
    kind = record["type"] if record["object"] == "block" else ""
    only_keys(body, "body", ("type", *call.trash_keys, *KINDS))
    for key in body:
        if key in KINDS and key != kind:
            raise invalid(
                f"body.{key}: the block is a {kind or record['object']}; its type cannot be changed."
            )
    trashed = trash_wanted(call)
    content = None
    if kind and kind in body:
        content = parse_content(
            kind, an_object(body[kind], f"body.{kind}"), f"body.{kind}", store, record["content"]
        )
        if kind == "table" and content["table_width"] != record["content"]["table_width"]:
            raise invalid("body.table.table_width cannot be changed.")
        if kind == "table_row":
            _check_width(call, record, content)
    if trashed is False:
        restore(store, record)
    elif content is not None:
        check_editable(store, record)
    if content is not None:
        record["content"] = content
        touch_page(store, record)
    if trashed:
        trash(store, record)
    return call.shapes.block(record)


def delete_block(call: Call) -> Json:
    """``DELETE /v1/blocks/{block_id}``: to the trash."""
    record = find_in_tree(call.store, call.path_id("block_id"))
    if record["id"] == call.store.root_id:
        raise invalid("Archiving workspace level pages via API not supported.")
    check_editable(call.store, record)
    trash(call.store, record)
    return call.shapes.block(record)


def list_children(call: Call) -> Json:
    """``GET /v1/blocks/{block_id}/children``"""
    parent = find_in_tree(call.store, call.path_id("block_id"))
    return one_page(children(call.store, parent), call.query, "query", "block", call.shapes.block)


def append_children(call: Call) -> Json:
    """``PATCH /v1/blocks/{block_id}/children``"""
    store, body = call.store, call.body
    parent = find_in_tree(store, call.path_id("block_id"))
    # Version 2026-03-11 took `after` away; `position` says the same and more.
    after = ("after",) if call.version == VERSIONS[0] else ()
    only_keys(body, "body", ("children", "position", *after))
    kind = parent["type"] if parent["object"] == "block" else None
    if parent["object"] == "database" or (kind and KINDS[kind].children == "none"):
        raise invalid("Block does not support children.")
    if kind and kind.startswith("heading") and not parent["content"]["is_toggleable"]:
        raise invalid("Block does not support children: the heading is not toggleable.")
    drafts = BlockReader(store).children(body.get("children", MISSING), "body.children", kind)
    if kind == "table":
        check_row_widths(drafts, parent["content"]["table_width"])
    index = _index(call, parent)
    check_editable(store, parent)
    created = insert(store, parent, drafts[: partial_blocks(call)], index=index)
    fail_partially(call)
    return envelope([call.shapes.block(record) for record in created], "block")


def _index(call: Call, parent: Json) -> int | None:
    body = call.body
    if "after" in body and "position" in body:
        raise wrong("body.position", "not present", body["position"])
    if "after" in body:
        return index_after(call.store, parent, an_id(body["after"], "body.after"))
    if "position" not in body:
        return None
    given = an_object(body["position"], "body.position")
    kind = one_of(given.get("type", MISSING), "body.position.type", ("start", "end", "after_block"))
    only_keys(given, "body.position", ("type", "after_block"))
    if kind != "after_block":
        return 0 if kind == "start" else None
    where = "body.position.after_block"
    target = an_object(given.get("after_block", MISSING), where)
    return index_after(call.store, parent, an_id(target.get("id", MISSING), f"{where}.id"))


def _check_width(call: Call, row: Json, content: Json) -> None:
    table = call.store.objects[row["parent"]["block_id"]]
    if len(content["cells"]) != table["content"]["table_width"]:
        raise invalid("Number of cells in table row must match the table width of the parent table.")
