"""The way into the API and out of it: token, version, rate limit, faults, body, errors."""

import hmac
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import BodyPartReader, web

from simulator.control import Fault, RequestFacts, fault_of, json_answer, note
from simulator.notion import limits
from simulator.notion.checks import Json, an_id, failed
from simulator.notion.errors import PLAIN_CODES, ApiError, HtmlError, invalid, plain, rate_limited
from simulator.notion.lookup import not_found
from simulator.notion.settings import Settings
from simulator.notion.shapes import Shapes
from simulator.notion.store import Store

VERSIONS = ("2025-09-03", "2026-03-11")
_HTML = """<!DOCTYPE html>
<html lang="en"><head><title>{title}</title></head>
<body><h1>{title}</h1><p>Not an answer of the API: {status}.</p></body></html>
"""
FAULTS = (*sorted(PLAIN_CODES), "rate_limited", "rate_limited_html", "object_not_found")
PARTIAL = "partial_append"


@dataclass(frozen=True)
class Call:
    """One request that was let in. ``body`` is the JSON object, or the fields of a form."""

    request: web.Request
    store: Store
    settings: Settings
    version: str
    shapes: Shapes
    body: Json

    def path_id(self, name: str) -> str:
        """An id in the path, dashed. Raises `ApiError` when it is none."""
        return an_id(self.request.match_info[name], f"path.{name}")

    @property
    def query(self) -> Json:
        """The query string, one value each."""
        return dict(self.request.query)

    def query_list(self, name: str) -> list[str] | None:
        """All values of a repeated query parameter; None when it is not there."""
        values = [*self.request.query.getall(name, []), *self.request.query.getall(f"{name}[]", [])]
        return values or None

    @property
    def trash_keys(self) -> tuple[str, ...]:
        """Names the trash goes by in bodies of this version."""
        return ("in_trash", "archived") if self.version == VERSIONS[0] else ("in_trash",)


Endpoint = Callable[[Call], Json]
WebHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gate:
    """Turns endpoints into web handlers. ``token`` is the only one let in; None lets any in."""

    def __init__(self, store: Store, settings: Settings, token: str | None) -> None:
        self._store = store
        self._settings = settings
        self._token = token
        self._allowance: dict[str, tuple[float, float]] = {}

    def __call__(self, endpoint: Endpoint, *, form: bool = False) -> WebHandler:
        """The web handler of an endpoint that takes JSON, or a form."""

        async def handle(request: web.Request) -> web.StreamResponse:
            request_id = self._store.request_id()
            headers = {"x-notion-request-id": request_id}
            try:
                answer = await self._enter(request, endpoint, form)
                return json_answer(answer | {"request_id": request_id}, headers=headers)
            except ApiError as error:
                self._store.discard()
                return json_answer(
                    error.document(request_id), status=error.status, headers=headers | error.headers
                )
            except HtmlError as error:
                text = _HTML.format(title=error.title, status=error.status)
                return web.Response(
                    text=text, status=error.status, content_type="text/html", headers=error.headers
                )

        return handle

    async def _enter(self, request: web.Request, endpoint: Endpoint, form: bool) -> Json:
        token = bearer(request)
        if token is None or (
            self._token is not None and not hmac.compare_digest(token.encode(), self._token.encode())
        ):
            raise plain("unauthorized")
        version = _version(request)
        fault = fault_of(request, *FAULTS)
        after = fault is not None and bool(fault.parameters.get("after_write"))
        if fault is not None and not after:
            raise _fault_error(fault, self._store)
        self._take(token, request)
        body = await self._form(request) if form else await _json(request)
        shapes = Shapes(self._store, base_url(request), archived=version == VERSIONS[0])
        answer = endpoint(Call(request, self._store, self._settings, version, shapes, body))
        self._store.flush()
        if fault is not None:
            raise _fault_error(fault, self._store)
        return answer

    def _take(self, token: str, request: web.Request) -> None:
        """Spend one request of the token's allowance: a bucket that holds one second's worth."""
        rate = self._settings.rate_limit
        if not rate:
            return
        now, size = time.monotonic(), max(1.0, rate)
        left, then = self._allowance.get(token, (size, now))
        left = min(size, left + (now - then) * rate)
        if left < 1:
            self._allowance[token] = (left, now)
            note(request, limited=True)
            raise rate_limited(math.ceil((1 - left) / rate))
        self._allowance[token] = (left - 1, now)

    async def _form(self, request: web.Request) -> Json:
        """The parts of a multipart form: a file as (name, content type, bytes), anything else as text."""
        if not request.content_type.startswith("multipart/"):
            raise invalid("The body of this endpoint is multipart/form-data with a `file` part.")
        fields: Json = {}
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.name is None:
                continue
            if part.filename is None and part.name != "file":
                fields[part.name] = await part.text()
                continue
            content = bytearray()
            while chunk := await part.read_chunk(1 << 16):
                # One byte past the limit is enough to refuse; the rest is read and dropped.
                if len(content) <= self._settings.upload_limit_bytes:
                    content += chunk
            kind = part.headers.get("Content-Type", "application/octet-stream")
            fields[part.name] = (part.filename, kind, bytes(content))
        return fields


def bearer(request: web.Request) -> str | None:
    """The token a request carries."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def base_url(request: web.Request) -> str:
    """The address the client used to reach this server."""
    return f"{request.scheme}://{request.host}"


async def describe(request: web.Request) -> RequestFacts:
    """What the log keeps of a request."""
    return RequestFacts(token=bearer(request), params=dict(request.query))


def is_api(_fault: Fault, request: web.Request, _facts: RequestFacts) -> bool:
    """Whether a fault of the API can hit the request."""
    return request.path.startswith("/v1/")


def writes_blocks(_fault: Fault, request: web.Request, _facts: RequestFacts) -> bool:
    """Whether the request stores a list of blocks."""
    method, path = request.method, request.path
    return (method == "PATCH" and path.endswith("/children")) or (method == "POST" and path == "/v1/pages")


def partial_blocks(call: Call) -> int | None:
    """How many of the request's blocks are to be stored before it fails; None for all."""
    fault = fault_of(call.request, PARTIAL)
    return None if fault is None else int(fault.number("blocks", 1))


def fail_partially(call: Call) -> None:
    """Keep what was stored and answer with an error all the same."""
    fault = fault_of(call.request, PARTIAL)
    if fault is not None:
        call.store.flush()
        raise _by_status(int(fault.number("status", 500)))


def _by_status(status: int) -> Exception:
    codes = {
        500: "internal_server_error",
        503: "service_unavailable",
        504: "gateway_timeout",
        409: "conflict_error",
        529: "service_overload",
    }
    return plain(codes[status]) if status in codes else HtmlError(status, "Bad Gateway")


def _fault_error(fault: Fault, store: Store) -> Exception:
    wait = int(fault.number("retry_after", 1))
    if fault.kind == "rate_limited":
        return rate_limited(wait)
    if fault.kind == "rate_limited_html":
        return HtmlError(429, "Too Many Requests", {"Retry-After": str(wait)})
    if fault.kind == "object_not_found":
        return not_found(store, "page", store.root_id)
    error = plain(fault.kind)
    if message := fault.parameters.get("message"):
        error.message = str(message)
    return error


def _version(request: web.Request) -> str:
    version = request.headers.get("Notion-Version")
    if version is None:
        raise ApiError(
            400,
            "missing_version",
            "Notion-Version header failed validation: Notion-Version header should be defined, instead was "
            "`undefined`.",
        )
    if version not in VERSIONS:
        known = " or ".join(f'`"{one}"`' for one in VERSIONS)
        raise invalid(
            f"Notion-Version header failed validation: Notion-Version header should be {known}, instead was "
            f'`"{version}"`.'
        )
    return version


async def _json(request: web.Request) -> Json:
    if request.method not in {"POST", "PATCH", "PUT"}:
        return {}
    raw = await request.read()
    if len(raw) > limits.REQUEST_BYTES:
        raise failed(f"body.length should be ≤ `{limits.REQUEST_BYTES}`, instead was `{len(raw)}`.")
    try:
        body: Any = orjson.loads(raw) if raw else {}
    except orjson.JSONDecodeError:
        raise ApiError(400, "invalid_json", "Error parsing JSON body.") from None
    if not isinstance(body, dict):
        raise failed("body should be an object.")
    return body
