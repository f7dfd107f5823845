"""Endpoints of users and of search."""

from datetime import timedelta

from simulator.notion.checks import MISSING, Json, a_string, an_object, one_of, only_keys
from simulator.notion.errors import ApiError
from simulator.notion.gate import Call
from simulator.notion.lookup import INTEGRATION
from simulator.notion.paging import one_page
from simulator.notion.rich_text import plain_text
from simulator.notion.tree import in_trash


def retrieve_me(call: Call) -> Json:
    """``GET /v1/users/me``: the integration itself"""
    return _bot(call)


def list_users(call: Call) -> Json:
    """``GET /v1/users``"""
    return one_page([_person(call), _bot(call)], call.query, "query", "user", lambda user: user)


def retrieve_user(call: Call) -> Json:
    """``GET /v1/users/{user_id}``"""
    user_id = call.path_id("user_id")
    user = next((one for one in (_person(call), _bot(call)) if one["id"] == user_id), None)
    if user is None:
        raise ApiError(404, "object_not_found", f"Could not find user with ID: {user_id}.")
    return user


def search(call: Call) -> Json:
    """``POST /v1/search``: by title; new objects are found only after the index delay."""
    store, body = call.store, call.body
    only_keys(body, "body", ("query", "sort", "filter", "start_cursor", "page_size"))
    text = a_string(body.get("query", ""), "body.query").casefold()
    newest_first = _newest_first(body)
    kinds = _kinds(body)
    known = (store.now() - timedelta(seconds=call.settings.index_delay_seconds)).isoformat(
        timespec="microseconds"
    )
    found = [
        one
        for kind in kinds
        for one in store.of_kind(kind)
        if one["created"] <= known and text in _title(one).casefold() and not in_trash(store, one)
    ]
    found.sort(key=lambda one: str(one["edited"]), reverse=newest_first)

    def shape(one: Json) -> Json:
        return call.shapes.page(one) if one["object"] == "page" else call.shapes.data_source(one)

    return one_page(found, body, "body", "page_or_data_source", shape)


def _newest_first(body: Json) -> bool:
    if "sort" not in body:
        return True
    sort = an_object(body["sort"], "body.sort")
    only_keys(sort, "body.sort", ("timestamp", "direction"))
    one_of(sort.get("timestamp", "last_edited_time"), "body.sort.timestamp", ("last_edited_time",))
    directions = ("ascending", "descending")
    return one_of(sort.get("direction", MISSING), "body.sort.direction", directions) == "descending"


def _kinds(body: Json) -> tuple[str, ...]:
    if "filter" not in body:
        return ("page", "data_source")
    given = an_object(body["filter"], "body.filter")
    only_keys(given, "body.filter", ("property", "value"))
    one_of(given.get("property", MISSING), "body.filter.property", ("object",))
    return (one_of(given.get("value", MISSING), "body.filter.value", ("page", "data_source")),)


def _title(record: Json) -> str:
    return plain_text(record["values"]["title"] if record["object"] == "page" else record["title"])


def _bot(call: Call) -> Json:
    return {
        "object": "user",
        "id": call.store.bot_id,
        "name": INTEGRATION,
        "avatar_url": None,
        "type": "bot",
        "bot": {
            "owner": {"type": "workspace", "workspace": True},
            "workspace_name": "Local workspace",
            "workspace_id": call.store.workspace_id,
            "workspace_limits": {"max_file_upload_size_in_bytes": call.settings.upload_limit_bytes},
        },
    }


def _person(call: Call) -> Json:
    return {
        "object": "user",
        "id": call.store.person_id,
        "name": "Person",
        "avatar_url": None,
        "type": "person",
        "person": {"email": "person@example.com"},
    }
