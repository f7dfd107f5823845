"""The application: every endpoint at its address."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from aiohttp import web

from simulator.control import Control
from simulator.notion import (
    block_routes,
    comments,
    databases,
    files,
    markdown_routes,
    pages,
    people,
    views,
)
from simulator.notion.checks import Json
from simulator.notion.control_routes import ControlRoutes
from simulator.notion.errors import ApiError
from simulator.notion.gate import FAULTS, PARTIAL, Call, Gate, describe, is_api, writes_blocks
from simulator.notion.settings import Settings
from simulator.notion.store import Store
from simulator.notion.view import HumanView

_BODY_BYTES = 64 * 1024 * 1024

_ENDPOINTS = (
    ("GET", "/v1/users/me", people.retrieve_me),
    ("GET", "/v1/users", people.list_users),
    ("GET", "/v1/users/{user_id}", people.retrieve_user),
    ("POST", "/v1/search", people.search),
    ("POST", "/v1/pages", pages.create_page),
    ("GET", "/v1/pages/{page_id}", pages.retrieve_page),
    ("PATCH", "/v1/pages/{page_id}", pages.update_page),
    ("GET", "/v1/pages/{page_id}/properties/{property_id}", pages.retrieve_property),
    ("GET", "/v1/pages/{page_id}/markdown", markdown_routes.retrieve_markdown),
    ("PATCH", "/v1/pages/{page_id}/markdown", markdown_routes.update_markdown),
    ("POST", "/v1/databases", databases.create_database),
    ("GET", "/v1/databases/{database_id}", databases.retrieve_database),
    ("PATCH", "/v1/databases/{database_id}", databases.update_database),
    ("POST", "/v1/data_sources", databases.create_source),
    ("GET", "/v1/data_sources/{data_source_id}", databases.retrieve_source),
    ("PATCH", "/v1/data_sources/{data_source_id}", databases.update_source),
    ("POST", "/v1/data_sources/{data_source_id}/query", databases.query_source),
    ("GET", "/v1/blocks/{block_id}", block_routes.retrieve_block),
    ("PATCH", "/v1/blocks/{block_id}", block_routes.update_block),
    ("DELETE", "/v1/blocks/{block_id}", block_routes.delete_block),
    ("GET", "/v1/blocks/{block_id}/children", block_routes.list_children),
    ("PATCH", "/v1/blocks/{block_id}/children", block_routes.append_children),
    ("POST", "/v1/comments", comments.create_comment),
    ("GET", "/v1/comments", comments.list_comments),
    ("GET", "/v1/comments/{comment_id}", comments.retrieve_comment),
    ("PATCH", "/v1/comments/{comment_id}", comments.update_comment),
    ("DELETE", "/v1/comments/{comment_id}", comments.delete_comment),
    ("POST", "/v1/file_uploads", files.create_upload),
    ("GET", "/v1/file_uploads", files.list_uploads),
    ("GET", "/v1/file_uploads/{file_upload_id}", files.retrieve_upload),
    ("POST", "/v1/views", views.create_view),
    ("GET", "/v1/views", views.list_views),
    ("GET", "/v1/views/{view_id}", views.retrieve_view),
    ("PATCH", "/v1/views/{view_id}", views.update_view),
    ("DELETE", "/v1/views/{view_id}", views.delete_view),
)


def create_app(
    *,
    state: Path | None = None,
    seed: int = 0,
    token: str | None = None,
    rate_limit: float | None = None,
    latency_seconds: float = 0.0,
    settings: Settings | None = None,
    now: Callable[[], datetime] | None = None,
) -> web.Application:
    """A Notion workspace with one root page, as an HTTP application.

    ``state``: SQLite file that keeps the workspace between starts. ``seed`` fixes every id. ``token``: the
    only one let in; None lets any in. ``rate_limit``: requests a second for one token. ``latency_seconds`` is
    added to every request. ``now`` replaces the clock (aware, UTC). Raises `StateError` when the state file
    cannot be used.
    """
    settings = settings or Settings()
    if rate_limit is not None:
        settings.rate_limit = rate_limit
    store = Store(state, seed, now)
    gate = Gate(store, settings, token)
    app = web.Application(client_max_size=_BODY_BYTES)
    kinds = dict.fromkeys(FAULTS, is_api) | {PARTIAL: writes_blocks}
    Control(seed, describe, kinds=kinds, latency_seconds=latency_seconds).install(app)
    ControlRoutes(store, settings).install(app)
    HumanView(store).install(app)
    for method, path, endpoint in _ENDPOINTS:
        app.router.add_route(method, path, gate(endpoint))
    app.router.add_post("/v1/file_uploads/{file_upload_id}/send", gate(files.send_upload, form=True))
    app.router.add_route("*", "/v1/{rest:.*}", gate(_unknown))

    async def close(_app: web.Application) -> None:
        store.close()

    app.on_cleanup.append(close)
    return app


def _unknown(_call: Call) -> Json:
    raise ApiError(400, "invalid_request_url", "Invalid request URL.")
