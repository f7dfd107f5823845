"""Routes for tests and operators: what is there, settings, and acting as a person in the workspace.

- ``GET /_control/info``: ids of the root page, the integration and the person; the settings
- ``POST /_control/settings``: change some of the settings
- ``GET /_control/pages``: every page with its whole tree of blocks, in the trash or not
- ``POST /_control/edit``: done by the person. ``{"page_id", "properties"}`` sets values; with ``block_id`` or
  ``page_id``, ``{"children"}`` appends blocks, ``{"comment"}`` comments and ``{"trash": true}`` deletes
"""

from dataclasses import asdict, fields, replace
from typing import Any

from aiohttp import web

from simulator.control import bad_control, json_answer, read_json
from simulator.notion.blocks import BlockReader
from simulator.notion.checks import Json, an_id
from simulator.notion.comments import add_comment
from simulator.notion.errors import ApiError
from simulator.notion.gate import base_url
from simulator.notion.lookup import find_in_tree
from simulator.notion.properties import parse_values, schema_of
from simulator.notion.rich_text import text_item
from simulator.notion.settings import Settings
from simulator.notion.shapes import Shapes
from simulator.notion.store import Store
from simulator.notion.tree import check_editable, children, insert, touch_page, trash


class ControlRoutes:
    """The routes of one simulator."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def install(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/_control/info", self._info)
        app.router.add_post("/_control/settings", self._change_settings)
        app.router.add_get("/_control/pages", self._pages)
        app.router.add_post("/_control/edit", self._edit)

    async def _info(self, request: web.Request) -> web.Response:
        store = self._store
        return json_answer(
            {
                "root_page_id": store.root_id,
                "bot_id": store.bot_id,
                "person_id": store.person_id,
                "workspace_id": store.workspace_id,
                "seed": store.seed,
                "view_url": f"{base_url(request)}/view/",
                "settings": asdict(self._settings),
            }
        )

    async def _change_settings(self, request: web.Request) -> web.Response:
        given = await read_json(request)
        names = {one.name for one in fields(Settings)}
        if not isinstance(given, dict) or set(given) - names:
            raise bad_control(f"settings are an object with some of {sorted(names)}")
        for name, value in given.items():
            wanted: tuple[type, ...] = (bool,) if name == "charts_allowed" else (int, float)
            if name == "rate_limit":
                wanted = (*wanted, type(None))
            if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
                raise bad_control(f"{name} cannot be {value!r}")
        changed = replace(self._settings, **given)
        for name in names:
            setattr(self._settings, name, getattr(changed, name))
        return json_answer(asdict(self._settings))

    async def _pages(self, request: web.Request) -> web.Response:
        shapes = Shapes(self._store, base_url(request))
        pages = [
            shapes.page(page) | {"children": self._tree(page, shapes)} for page in self._store.of_kind("page")
        ]
        return json_answer({"pages": pages})

    def _tree(self, parent: Json, shapes: Shapes) -> list[Json]:
        return [
            shapes.block(child)
            | {"children": self._tree(child, shapes) if child["object"] == "block" else []}
            for child in children(self._store, parent)
        ]

    async def _edit(self, request: web.Request) -> web.Response:
        given = await read_json(request)
        try:
            if not isinstance(given, dict):
                raise bad_control("an edit is an object")
            target = find_in_tree(
                self._store, an_id(given.get("block_id", given.get("page_id")), "body.block_id")
            )
            changed = self._apply(target, given)
            self._store.flush()
        except ApiError as error:
            self._store.discard()
            raise bad_control(error.message) from None
        return json_answer(changed)

    def _apply(self, target: Json, given: dict[str, Any]) -> Json:
        store, person = self._store, self._store.person_id
        check_editable(store, target)
        if "properties" in given:
            if target["object"] != "page":
                raise bad_control("properties belong to a page")
            parse_values(given["properties"], "body.properties", schema_of(target, store), store).commit(
                store, target
            )
            store.touch(target, by=person)
        elif "children" in given:
            kind = target["type"] if target["object"] == "block" else None
            drafts = BlockReader(store).children(given["children"], "body.children", kind)
            created = insert(store, target, drafts, by=person)
            return {"id": target["id"], "created": [record["id"] for record in created]}
        elif "comment" in given:
            comment = add_comment(store, target, [text_item(str(given["comment"]))], by=person)
            return {"id": target["id"], "created": [comment["id"]]}
        elif given.get("trash") is True:
            trash(store, target, by=person)
        else:
            raise bad_control("an edit has properties, children, comment or trash")
        touch_page(store, target, by=person)
        return {"id": target["id"], "created": []}
