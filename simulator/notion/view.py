"""The workspace for people: an index, pages, databases and files, as plain HTML without scripts."""

from html import escape
from uuid import UUID

from aiohttp import web

from simulator.notion.checks import Json
from simulator.notion.properties import schema_of
from simulator.notion.rich_text import plain_text
from simulator.notion.store import Store
from simulator.notion.tree import ancestors, in_trash
from simulator.notion.view_blocks import render_children, render_rows
from simulator.notion.view_style import document
from simulator.notion.view_text import icon, image, page_link, property_value, spans

_ID_LENGTH = 32
_POLICY = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self' http: https:; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}
# Shown in place; anything else is offered for download, so that no upload runs as a page of this server.
_SHOWN_TYPES = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml", "application/pdf"}
)


class HumanView:
    """The routes below ``/view/``. They need no token: the server listens on the local machine only."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def install(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/view/", self._index)
        app.router.add_get("/view/page/{id}", self._page)
        app.router.add_get("/view/database/{id}", self._database)
        app.router.add_get("/view/file/{id}", self._file)

    async def _index(self, _request: web.Request) -> web.Response:
        store = self._store
        databases = [one for one in store.of_kind("database") if not in_trash(store, one)]
        pages = [
            one
            for one in store.of_kind("page")
            if "data_source_id" not in one["parent"] and not in_trash(store, one)
        ]
        body = "<h1>Workspace</h1><h2>Pages</h2><ul>"
        body += "".join(f"<li>{page_link(page)}</li>" for page in pages)
        body += "</ul><h2>Databases</h2>"
        rows = [
            f"<li>{_database_link(one)} <span class='note'>{self._count(one)}</span></li>"
            for one in databases
        ]
        body += f"<ul>{''.join(rows)}</ul>" if rows else '<p class="note">None yet.</p>'
        return _html("Workspace", body)

    async def _page(self, request: web.Request) -> web.Response:
        store = self._store
        page = self._find(request, "page")
        title = plain_text(page["values"]["title"]) or "Untitled"
        body = self._head(page, title)
        rows = [
            f"<tr><th>{escape(prop['name'])}</th><td>{property_value(page, prop, store)}</td></tr>"
            for prop in schema_of(page, store).values()
            if prop["type"] != "title"
        ]
        body += f'<table class="props">{"".join(rows)}</table>' if rows else ""
        body += render_children(store, page)
        body += self._comments(page)
        return _html(title, body)

    async def _database(self, request: web.Request) -> web.Response:
        store = self._store
        database = self._find(request, "database")
        title = plain_text(database["title"]) or "Untitled"
        body = self._head(database, title)
        if database["description"]:
            body += f"<p>{spans(database['description'])}</p>"
        views = [one for one in store.members("view", database["id"]) if not one["in_trash"]]
        names = ", ".join(f"{escape(view['name'])} ({escape(view['type'])})" for view in views)
        body += f'<p class="note">Views: {names}</p>{render_rows(store, database)}'
        return _html(title, body, wide=True)

    async def _file(self, request: web.Request) -> web.Response:
        upload = self._find(request, "file_upload")
        content = self._store.read_file(upload["id"])
        if content is None:
            raise web.HTTPNotFound(text="No bytes have arrived for this upload.")
        kind = str(upload["content_type"]).split(";")[0].strip()
        headers = {
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
            "X-Content-Type-Options": "nosniff",
        }
        if kind not in _SHOWN_TYPES:
            headers["Content-Disposition"] = "attachment"
            kind = "application/octet-stream"
        return web.Response(body=content, content_type=kind, headers=headers)

    def _find(self, request: web.Request, kind: str) -> Json:
        """The object whose id ends the address; a title may stand before it."""
        text = request.match_info["id"].replace("-", "")[-_ID_LENGTH:]
        try:
            found = self._store.get(str(UUID(text)), kind)
        except ValueError:
            found = None
        if found is None:
            raise web.HTTPNotFound(
                text=document(
                    "Not found",
                    f"<h1>Not found</h1><p>There is no such {kind.replace('_', ' ')}. "
                    '<a href="/view/">All pages</a></p>',
                ),
                content_type="text/html",
            )
        return found

    def _head(self, record: Json, title: str) -> str:
        crumbs = ['<a href="/view/">Workspace</a>']
        for one in reversed(list(ancestors(self._store, record))):
            if one["object"] == "page" and one["id"] != self._store.root_id:
                crumbs.append(page_link(one))
            elif one["object"] == "database":
                crumbs.append(_database_link(one))
        head = f"<nav>{' › '.join(crumbs)}</nav>"
        if in_trash(self._store, record):
            head += '<div class="trash">In the trash</div>'
        if record["cover"]:
            head += image(record["cover"], "", "cover")
        if record["icon"]:
            head += f'<div class="icon">{icon(record["icon"])}</div>'
        return head + f"<h1>{escape(title)}</h1>"

    def _comments(self, page: Json) -> str:
        comments = [one for one in self._store.members("comment", page["id"]) if not one["in_trash"]]
        if not comments:
            return ""
        items = ""
        for one in comments:
            author = escape(one["display_name"]["resolved_name"])
            items += f'<li><span class="note">{author}</span> {spans(one["rich_text"])}</li>'
        return f"<h3>Comments</h3><ul>{items}</ul>"

    def _count(self, database: Json) -> str:
        sources = self._store.members("data_source", database["id"])
        count = sum(
            not page["in_trash"] for source in sources for page in self._store.members("page", source["id"])
        )
        return f"{count} page{'' if count == 1 else 's'}"


def _database_link(database: Json) -> str:
    title = escape(plain_text(database["title"]) or "Untitled")
    address = f"/view/database/{database['id'].replace('-', '')}"
    return f'{icon(database["icon"])} <a href="{address}">{title}</a>'.strip()


def _html(title: str, body: str, *, wide: bool = False) -> web.Response:
    return web.Response(text=document(title, body, wide=wide), content_type="text/html", headers=_POLICY)
