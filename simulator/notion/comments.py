"""Endpoints of comments: create, list, retrieve, change, delete."""

from simulator.notion.checks import MISSING, Json, a_string, an_id, an_object, failed, only_keys, wrong
from simulator.notion.errors import invalid
from simulator.notion.gate import Call
from simulator.notion.lookup import INTEGRATION, find, find_in_tree
from simulator.notion.paging import one_page
from simulator.notion.rich_text import parse_rich_text, text_item
from simulator.notion.store import Store
from simulator.notion.tree import check_editable

_PERSON = "Person"


def create_comment(call: Call) -> Json:
    """``POST /v1/comments``: on a page or block, or in a discussion that is there already."""
    store, body = call.store, call.body
    only_keys(
        body, "body", ("parent", "discussion_id", "rich_text", "markdown", "attachments", "display_name")
    )
    if body.get("attachments"):
        raise invalid("body.attachments: this simulator has no attachments of comments.")
    text = _text(call)
    if ("parent" in body) == ("discussion_id" in body):
        raise failed(
            "body.parent should be defined, instead was `undefined`.",
            "body.discussion_id should be defined, instead was `undefined`.",
        )
    if "discussion_id" in body:
        discussion = an_id(body["discussion_id"], "body.discussion_id")
        first = next((one for one in store.of_kind("comment") if one["discussion_id"] == discussion), None)
        if first is None:
            raise invalid(f"Could not find discussion with ID: {discussion}.")
        target = store.objects[first["belongs_to"]]
    else:
        discussion = None
        target = _target(call)
    check_editable(store, target)
    return call.shapes.comment(add_comment(store, target, text, discussion=discussion))


def add_comment(
    store: Store, target: Json, text: list[Json], *, discussion: str | None = None, by: str | None = None
) -> Json:
    """Store a comment on a page or block."""
    kind = f"{target['object']}_id"
    name = (
        {"type": "user", "resolved_name": _PERSON}
        if by
        else {"type": "integration", "resolved_name": INTEGRATION}
    )
    return store.add(
        {
            "object": "comment",
            "belongs_to": target["id"],
            "parent": {"type": kind, kind: target["id"]},
            "discussion_id": discussion or store.new_id(),
            "rich_text": text,
            "display_name": name,
        },
        by=by,
    )


def list_comments(call: Call) -> Json:
    """``GET /v1/comments?block_id=``, oldest first"""
    target = find_in_tree(call.store, an_id(call.query.get("block_id", MISSING), "query.block_id"))
    comments = [one for one in call.store.members("comment", target["id"]) if not one["in_trash"]]
    return one_page(comments, call.query, "query", "comment", call.shapes.comment)


def retrieve_comment(call: Call) -> Json:
    """``GET /v1/comments/{comment_id}``"""
    return call.shapes.comment(find(call.store, "comment", call.path_id("comment_id")))


def update_comment(call: Call) -> Json:
    """``PATCH /v1/comments/{comment_id}``"""
    comment = find(call.store, "comment", call.path_id("comment_id"))
    only_keys(call.body, "body", ("rich_text", "markdown"))
    comment["rich_text"] = _text(call)
    call.store.touch(comment)
    return call.shapes.comment(comment)


def delete_comment(call: Call) -> Json:
    """``DELETE /v1/comments/{comment_id}``"""
    comment = find(call.store, "comment", call.path_id("comment_id"))
    comment["in_trash"] = True
    call.store.touch(comment)
    return call.shapes.comment(comment)


def _text(call: Call) -> list[Json]:
    body = call.body
    if "markdown" in body:
        if "rich_text" in body:
            raise wrong("body.markdown", "not present", body["markdown"])
        return [text_item(a_string(body["markdown"], "body.markdown", longest=2000))]
    return parse_rich_text(body.get("rich_text", MISSING), "body.rich_text", call.store)


def _target(call: Call) -> Json:
    given = an_object(call.body["parent"], "body.parent")
    kind = "page_id" if "page_id" in given else "block_id"
    only_keys(given, "body.parent", ("type", kind))
    target = an_id(given.get(kind, MISSING), f"body.parent.{kind}")
    return find(call.store, "page", target) if kind == "page_id" else find_in_tree(call.store, target)
