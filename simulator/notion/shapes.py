"""Stored objects to answers: the keys, their order and their types are those of the real service."""

from datetime import timedelta
from typing import Any

from simulator.notion.checks import Json
from simulator.notion.dates import to_millisecond, to_minute
from simulator.notion.properties import answer_value, schema_of
from simulator.notion.rich_text import plain_text
from simulator.notion.store import Store
from simulator.notion.uploads import upload_status

_LINK_SECONDS = 3600


class Shapes:
    """Makes answers for one request. ``base_url`` is where the client reached this server; links point there.

    ``archived`` is the old name of ``in_trash``: answers have it up to version 2025-09-03.
    """

    def __init__(self, store: Store, base_url: str, *, archived: bool = True) -> None:
        self._store = store
        self._base = base_url
        self._archived = archived

    def page(self, page: Json, only: list[str] | None = None) -> Json:
        """A page with its properties, or those of them whose id or name is listed."""
        properties = {}
        for prop in schema_of(page, self._store).values():
            if only is None or prop["id"] in only or prop["name"] in only:
                properties[prop["name"]] = self.value(page, prop)
        return self._whole(
            page,
            {
                "object": "page",
                "id": page["id"],
                "created_time": to_minute(page["created"]),
                "last_edited_time": to_minute(page["edited"]),
                "created_by": _user(page["created_by"]),
                "last_edited_by": _user(page["edited_by"]),
                "cover": self.resolve(page["cover"]),
                "icon": self.resolve(page["icon"]),
                "parent": page["parent"],
                "in_trash": page["in_trash"],
                "is_archived": False,
                "is_locked": page["is_locked"],
                "properties": properties,
                "url": self.page_url(page),
                "public_url": None,
            },
        )

    def value(self, page: Json, prop: Json) -> Json:
        """One property of a page."""
        kind = prop["type"]
        value = self.resolve(answer_value(page, prop))
        shaped = {"id": prop["id"], "type": kind, kind: value}
        return shaped | {"has_more": False} if kind == "relation" else shaped

    def block(self, record: Json) -> Json:
        """A block; a page or a database in the place of one."""
        kind, content = self._content(record)
        return self._whole(
            record,
            {
                "object": "block",
                "id": record["id"],
                "parent": record["parent"],
                "created_time": to_minute(record["created"]),
                "last_edited_time": to_minute(record["edited"]),
                "created_by": _user(record["created_by"]),
                "last_edited_by": _user(record["edited_by"]),
                "has_children": bool(self._store.children_ids(record["id"])),
                "in_trash": record["in_trash"],
                "type": kind,
                kind: content,
            },
        )

    def database(self, database: Json) -> Json:
        """A database with the names of its data sources."""
        sources = [
            {"id": one["id"], "name": plain_text(one["title"])}
            for one in self._store.members("data_source", database["id"])
            if not one["in_trash"]
        ]
        return self._whole(
            database,
            {
                "object": "database",
                "id": database["id"],
                "title": database["title"],
                "description": database["description"],
                "parent": database["parent"],
                "is_inline": database["is_inline"],
                "in_trash": database["in_trash"],
                "is_locked": database["is_locked"],
                "created_time": to_millisecond(database["created"]),
                "last_edited_time": to_millisecond(database["edited"]),
                "data_sources": sources,
                "icon": self.resolve(database["icon"]),
                "cover": self.resolve(database["cover"]),
                "url": self.database_url(database["id"]),
                "public_url": None,
            },
        )

    def data_source(self, source: Json) -> Json:
        """A data source with its properties."""
        database = self._store.objects[source["parent"]["database_id"]]
        return self._whole(
            source,
            {
                "object": "data_source",
                "id": source["id"],
                "cover": self.resolve(database["cover"]),
                "icon": self.resolve(source["icon"]),
                "created_time": to_minute(source["created"]),
                "created_by": _user(source["created_by"]),
                "last_edited_by": _user(source["edited_by"]),
                "last_edited_time": to_minute(source["edited"]),
                "title": source["title"],
                "description": source["description"],
                "is_inline": database["is_inline"],
                "properties": {
                    prop["name"]: {key: prop[key] for key in ("id", "name", "description", "type")}
                    | {prop["type"]: prop["config"]}
                    for prop in source["schema"].values()
                },
                "parent": source["parent"],
                "database_parent": database["parent"],
                "url": self.database_url(database["id"]),
                "public_url": None,
                "in_trash": source["in_trash"],
            },
        )

    def view(self, view: Json) -> Json:
        """A view of a database."""
        return {
            "object": "view",
            "id": view["id"],
            "parent": view["parent"],
            "data_source_id": view["data_source_id"],
            "name": view["name"],
            "type": view["type"],
            "created_time": to_millisecond(view["created"]),
            "created_by": _user(view["created_by"]),
            "last_edited_time": to_millisecond(view["edited"]),
            "last_edited_by": _user(view["edited_by"]),
            "url": f"{self.database_url(view['parent']['database_id'])}?v={view['id'].replace('-', '')}",
            "filter": view["filter"],
            "sorts": view["sorts"],
            "quick_filters": view["quick_filters"],
            "configuration": view["configuration"],
        }

    def comment(self, comment: Json) -> Json:
        """A comment."""
        return {
            "object": "comment",
            "id": comment["id"],
            "parent": comment["parent"],
            "discussion_id": comment["discussion_id"],
            "created_time": to_minute(comment["created"]),
            "last_edited_time": to_minute(comment["edited"]),
            "created_by": _user(comment["created_by"]),
            "rich_text": comment["rich_text"],
            "display_name": comment["display_name"],
        }

    def file_upload(self, upload: Json) -> Json:
        """An upload; with the address to send to while it is pending."""
        status = upload_status(upload, self._store)
        shaped = {
            "object": "file_upload",
            "id": upload["id"],
            "created_time": to_minute(upload["created"]),
            "created_by": {"id": upload["created_by"], "type": "bot"},
            "last_edited_time": to_minute(upload["edited"]),
            "expiry_time": None if upload["attached"] else to_minute(upload["expires"]),
        }
        if status == "pending":
            shaped["upload_url"] = f"{self._base}/v1/file_uploads/{upload['id']}/send"
        shaped |= {
            "in_trash": upload["in_trash"],
            "status": status,
            "filename": upload["filename"],
            "content_type": upload["content_type"],
            "content_length": upload["content_length"],
        }
        return self._whole(upload, shaped)

    def page_url(self, page: Json) -> str:
        """Where a person sees the page: title and id, as the real addresses have them."""
        title = plain_text(page["values"]["title"])
        words = "".join(one if one.isascii() and one.isalnum() else " " for one in title).split()
        return f"{self._base}/view/page/{'-'.join([*words, page['id'].replace('-', '')])}"

    def database_url(self, database_id: str) -> str:
        """Where a person sees the database."""
        return f"{self._base}/view/database/{database_id.replace('-', '')}"

    def resolve(self, value: Any) -> Any:
        """Uploads turned into links that expire, wherever they are in the value; own paths into addresses."""
        if isinstance(value, list):
            return [self.resolve(one) for one in value]
        if not isinstance(value, dict):
            return value
        if value.get("type") == "file_upload":
            upload_id = value["file_upload"]["id"]
            expires = (self._store.now() + timedelta(seconds=_LINK_SECONDS)).isoformat(
                timespec="microseconds"
            )
            link = {"url": f"{self._base}/view/file/{upload_id}", "expiry_time": to_minute(expires)}
            rest = {
                key: self.resolve(one) for key, one in value.items() if key not in ("type", "file_upload")
            }
            return rest | {"type": "file", "file": link}
        resolved = {key: self.resolve(one) for key, one in value.items()}
        if value.get("type") == "mention" and str(value.get("href") or "").startswith("/view/"):
            resolved["href"] = f"{self._base}{value['href']}"
        return resolved

    def _content(self, record: Json) -> tuple[str, Any]:
        if record["object"] == "page":
            return "child_page", {"title": plain_text(record["values"]["title"])}
        if record["object"] == "database":
            return "child_database", {"title": plain_text(record["title"])}
        return record["type"], self.resolve(record["content"])

    def _whole(self, record: Json, shaped: Json) -> Json:
        return shaped | {"archived": record["in_trash"]} if self._archived else shaped


def _user(user_id: str) -> Json:
    return {"object": "user", "id": user_id}
