"""Endpoints that read and write a page as Markdown."""

from simulator.notion.checks import (
    MISSING,
    Json,
    a_boolean,
    a_list,
    a_string,
    an_object,
    one_of,
    only_keys,
    wrong,
)
from simulator.notion.errors import invalid
from simulator.notion.gate import Call
from simulator.notion.lookup import find
from simulator.notion.markdown import read_markdown, write_markdown
from simulator.notion.tree import check_editable, children, erase, insert

_COMMANDS = ("insert_content", "replace_content", "update_content")


def retrieve_markdown(call: Call) -> Json:
    """``GET /v1/pages/{page_id}/markdown``"""
    return _answer(call, find(call.store, "page", call.path_id("page_id")))


def update_markdown(call: Call) -> Json:
    """``PATCH /v1/pages/{page_id}/markdown``: insert at the end, replace all, or replace some strings."""
    store, body = call.store, call.body
    page = find(store, "page", call.path_id("page_id"))
    kind = one_of(body.get("type", MISSING), "body.type", _COMMANDS)
    only_keys(body, "body", ("type", kind))
    where = f"body.{kind}"
    given = an_object(body.get(kind, MISSING), where)
    check_editable(store, page)
    if kind == "insert_content":
        only_keys(given, where, ("content", "position"))
        start = _at_start(given, where)
        drafts = read_markdown(a_string(given.get("content", MISSING), f"{where}.content"))
        insert(store, page, drafts, index=0 if start else None)
        return _answer(call, page)
    only_keys(given, where, ("new_str", "content_updates", "allow_deleting_content"))
    if kind == "replace_content":
        text = a_string(given.get("new_str", MISSING), f"{where}.new_str")
    else:
        text = _replaced(write_markdown(store, page)[0], given, where)
    allowed = a_boolean(given.get("allow_deleting_content", False), f"{where}.allow_deleting_content")
    if not allowed and any(child["object"] != "block" for child in children(store, page)):
        raise invalid(
            f"{where}: this would delete child pages or databases; set allow_deleting_content to allow that."
        )
    drafts = read_markdown(text)
    erase(store, page)
    insert(store, page, drafts)
    return _answer(call, page)


def _at_start(given: Json, where: str) -> bool:
    if "position" not in given:
        return False
    position = an_object(given["position"], f"{where}.position")
    return one_of(position.get("type", MISSING), f"{where}.position.type", ("start", "end")) == "start"


def _replaced(text: str, given: Json, where: str) -> str:
    updates = a_list(given.get("content_updates", MISSING), f"{where}.content_updates")
    for index, one in enumerate(updates):
        path = f"{where}.content_updates[{index}]"
        update = an_object(one, path)
        only_keys(update, path, ("old_str", "new_str", "replace_all_matches"))
        old = a_string(update.get("old_str", MISSING), f"{path}.old_str")
        new = a_string(update.get("new_str", MISSING), f"{path}.new_str")
        every = a_boolean(update.get("replace_all_matches", False), f"{path}.replace_all_matches")
        count = text.count(old) if old else 0
        if count == 0:
            raise wrong(f"{path}.old_str", "in the page's content", old)
        if count > 1 and not every:
            raise invalid(
                f"{path}.old_str is {count} times in the page; set replace_all_matches to replace them all."
            )
        text = text.replace(old, new)
    return text


def _answer(call: Call, page: Json) -> Json:
    text, unknown = write_markdown(call.store, page)
    return {
        "object": "page_markdown",
        "id": page["id"],
        "markdown": text,
        "truncated": False,
        "unknown_block_ids": unknown,
    }
