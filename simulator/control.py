"""What both simulators share: faults on demand, and a log of the requests that were made.

Routes (JSON in and out; none of them is logged or hit by a fault):

- ``POST /_control/faults`` one fault or a list of them, ``GET`` what is armed and what fired, ``DELETE``
  (``?id=``) disarm
- ``GET /_control/log`` (``?account=&path=&method=&since=<number>``), ``DELETE`` forget it

A simulator calls ``Control(...).install(app)``. The faults named in `GENERIC_KINDS` are done here; for a kind
of its own the simulator asks `fault_of(request)`.
"""

import asyncio
import hashlib
import random
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

GENERIC_KINDS = frozenset(
    {"http_502_html", "http_503_html", "cut", "cut_body", "slow", "truncated_json", "partial_write"}
)

_LOG_LENGTH = 200_000
_HTML = """<!DOCTYPE html>
<html lang="en"><head><title>{status} {reason}</title></head>
<body><h1>Sorry, something went wrong.</h1><p>{status} {reason}{remark}</p></body></html>
"""


class FaultError(ValueError):
    """A fault that cannot be armed; the text says which part is wrong."""


@dataclass(frozen=True)
class RequestFacts:
    """What the simulator knows of a request before it is handled. ``params`` must hold nothing secret."""

    account: str | None = None
    token: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """One thing to go wrong.

    It applies to requests whose method equals ``method``, whose path contains ``path`` and whose account
    equals ``account`` (None: any). The first ``after`` such requests pass; then it fires ``times`` times
    (None: for ever), each time with ``probability`` (None: always). ``parameters`` belong to the kind, for
    example ``{"seconds": 2}`` for ``slow``. An ad account's id is written without ``act_``.
    """

    kind: str
    method: str | None = None
    path: str | None = None
    account: str | None = None
    times: int | None = None
    after: int = 0
    probability: float | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    id: int = 0
    matched: int = 0
    fired: int = 0

    def matches(self, method: str, path: str, account: str | None) -> bool:
        """Whether the request is one of those meant, without regard to how often it fired."""
        return (
            (self.method is None or self.method == method)
            and (self.path is None or self.path in path)
            and (self.account is None or self.account == account)
        )

    def number(self, name: str, default: float) -> float:
        """A numeric parameter."""
        return float(self.parameters.get(name, default))


_FAULT_KEY: web.RequestKey[Fault | None] = web.RequestKey("fault", Fault)
_ENTRY_KEY: web.RequestKey[dict[str, Any]] = web.RequestKey("entry", dict)
_FACTS_KEY: web.RequestKey[RequestFacts] = web.RequestKey("facts", RequestFacts)

Applies = Callable[[Fault, web.Request, RequestFacts], bool]


def _always(_fault: Fault, _request: web.Request, _facts: RequestFacts) -> bool:
    return True


def _is_write(_fault: Fault, request: web.Request, _facts: RequestFacts) -> bool:
    return request.method not in {"GET", "HEAD"}


class FaultPlan:
    """The armed faults, oldest first. Chance comes from the seed: the same requests meet the same faults."""

    def __init__(self, seed: int, kinds: Mapping[str, Applies]) -> None:
        self._random = random.Random(seed)
        self._kinds = kinds
        self._faults: list[Fault] = []
        self._next_id = 1
        self.fired: Counter[str] = Counter()

    def add(self, document: Mapping[str, Any]) -> Fault:
        """Arm one fault from its JSON form. Raises `FaultError`."""
        names = {"kind", "method", "path", "account", "times", "after", "probability", "parameters"}
        if unknown := set(document) - names:
            raise FaultError(f"unknown keys {sorted(unknown)}; a fault has {sorted(names)}")
        kind = document.get("kind")
        if kind not in self._kinds:
            raise FaultError(f"unknown kind {kind!r}; there are {sorted(self._kinds)}")
        method, account = document.get("method"), document.get("account")
        probability, times = document.get("probability"), document.get("times")
        if probability is not None and not 0 <= probability <= 1:
            raise FaultError("probability lies between 0 and 1")
        if times is not None and times < 1:
            raise FaultError("times is 1 or more, or null for no limit")
        fault = Fault(
            kind=str(kind),
            method=method.upper() if method else None,
            path=document.get("path"),
            account=str(account).removeprefix("act_") if account else None,
            times=times,
            after=int(document.get("after") or 0),
            probability=probability,
            parameters=dict(document.get("parameters") or {}),
            id=self._next_id,
        )
        self._next_id += 1
        self._faults.append(fault)
        return fault

    def remove(self, fault_id: int | None = None) -> None:
        """Disarm one fault, or all; the counts of what fired stay."""
        self._faults = [fault for fault in self._faults if fault_id is not None and fault.id != fault_id]

    def pick(self, request: web.Request, facts: RequestFacts) -> tuple[list[Fault], Fault | None]:
        """The delays and the first other fault that fire for this request."""
        account = facts.account.removeprefix("act_") if facts.account else None
        delays: list[Fault] = []
        for fault in self._faults:
            if fault.times is not None and fault.fired >= fault.times:
                continue
            if not fault.matches(request.method, request.path, account):
                continue
            if not self._kinds[fault.kind](fault, request, facts):
                continue
            fault.matched += 1
            if fault.matched <= fault.after:
                continue
            if fault.probability is not None and self._random.random() >= fault.probability:
                continue
            fault.fired += 1
            self.fired[fault.kind] += 1
            if fault.kind != "slow":
                return delays, fault
            delays.append(fault)
        return delays, None

    def document(self) -> dict[str, Any]:
        """The state as JSON: every armed fault with its counts, and the total per kind."""
        return {"faults": [asdict(fault) for fault in self._faults], "fired": dict(self.fired)}


class Control:
    """Faults and request log of one simulator.

    ``describe`` finds account, token and loggable parameters of a request; it may read the body (aiohttp
    keeps it). ``kinds`` names the simulator's own fault kinds, each with a predicate that says to which
    requests it can apply at all (None: to every one). ``latency_seconds`` is added to every request.
    """

    def __init__(
        self,
        seed: int,
        describe: Callable[[web.Request], Awaitable[RequestFacts]],
        *,
        kinds: Mapping[str, Applies | None] | None = None,
        latency_seconds: float = 0.0,
    ) -> None:
        known: dict[str, Applies] = dict.fromkeys(GENERIC_KINDS, _always)
        known["partial_write"] = _is_write
        known.update({kind: applies or _always for kind, applies in (kinds or {}).items()})
        self.plan = FaultPlan(seed, known)
        self.log: deque[dict[str, Any]] = deque(maxlen=_LOG_LENGTH)
        self._describe = describe
        self._latency = latency_seconds
        self._number = 0

    def install(self, app: web.Application) -> None:
        """Add the routes, and the middleware as the outermost one of those installed so far."""
        app.middlewares.insert(0, self._middleware)
        app.router.add_post("/_control/faults", self._post_faults)
        app.router.add_get("/_control/faults", self._get_faults)
        app.router.add_delete("/_control/faults", self._delete_faults)
        app.router.add_get("/_control/log", self._get_log)
        app.router.add_delete("/_control/log", self._delete_log)

    @property
    def _middleware(self) -> Middleware:
        @web.middleware
        async def faults_and_log(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.startswith("/_control/"):
                return await handler(request)
            facts = await self._describe(request)
            entry = self._open_entry(request, facts)
            delays, fault = self.plan.pick(request, facts)
            request[_ENTRY_KEY], request[_FACTS_KEY], request[_FAULT_KEY] = entry, facts, fault
            if delays or fault:
                entry["fault"] = fault.kind if fault else "slow"
            started = time.perf_counter()
            try:
                delay = self._latency + sum(slow.number("seconds", 1.0) for slow in delays)
                if delay:
                    await asyncio.sleep(delay)
                response = await self._answer(request, handler, fault)
                entry["status"] = None if _is_cut(request) else response.status
                return response
            except web.HTTPException as error:
                entry["status"] = error.status
                raise
            finally:
                entry["seconds"] = round(time.perf_counter() - started, 6)

        return faults_and_log

    def _open_entry(self, request: web.Request, facts: RequestFacts) -> dict[str, Any]:
        self._number += 1
        token = facts.token
        entry: dict[str, Any] = {
            "number": self._number,
            "time": datetime.now(UTC).isoformat(),
            "method": request.method,
            "path": request.path,
            "params": dict(facts.params),
            "account": facts.account,
            "token_sha": hashlib.sha256(token.encode()).hexdigest()[:12] if token else None,
            "status": None,
            "fault": None,
            "seconds": None,
        }
        self.log.append(entry)
        return entry

    async def _answer(
        self, request: web.Request, handler: Handler, fault: Fault | None
    ) -> web.StreamResponse:
        kind = fault.kind if fault else None
        if kind == "http_502_html":
            return _html(502, "Bad Gateway", ".")
        if kind == "http_503_html":
            # Clients have been seen to take any answer that holds this word for a good one.
            return _html(503, "Service Unavailable", ": no success.")
        if kind == "cut":
            return cut(request)
        response = await handler(request)
        if kind == "partial_write":
            return cut(request)
        if kind in {"cut_body", "truncated_json"} and isinstance(response, web.Response):
            body = response.body if isinstance(response.body, bytes) else b""
            half = body[: len(body) // 2]
            if kind == "truncated_json":
                response.body = half
                return response
            return await _cut_in_body(request, response, half, len(body))
        return response

    async def _post_faults(self, request: web.Request) -> web.Response:
        document = await read_json(request)
        many = document if isinstance(document, list) else [document]
        try:
            added = [asdict(self.plan.add(one)) for one in many]
        except (FaultError, TypeError, AttributeError) as error:
            raise bad_control(str(error)) from None
        return json_answer(added if isinstance(document, list) else added[0])

    async def _get_faults(self, _request: web.Request) -> web.Response:
        return json_answer(self.plan.document())

    async def _delete_faults(self, request: web.Request) -> web.Response:
        wanted = request.query.get("id")
        if wanted is not None and not wanted.isdigit():
            raise bad_control("id is the number a fault was given when it was armed")
        self.plan.remove(int(wanted) if wanted else None)
        return json_answer(self.plan.document())

    async def _get_log(self, request: web.Request) -> web.Response:
        query = request.query
        since = int(query["since"]) if query.get("since", "").isdigit() else 0
        account = query.get("account", "").removeprefix("act_")
        chosen = [
            entry
            for entry in self.log
            if entry["number"] > since
            and (not account or str(entry["account"] or "").removeprefix("act_") == account)
            and query.get("path", "") in entry["path"]
            and query.get("method", entry["method"]) == entry["method"]
        ]
        return json_answer({"requests": chosen, "count": len(chosen), "last": self._number})

    async def _delete_log(self, _request: web.Request) -> web.Response:
        self.log.clear()
        return json_answer({"requests": [], "count": 0, "last": self._number})


def fault_of(request: web.Request, *kinds: str) -> Fault | None:
    """The simulator's own fault that fires for this request, if it is one of ``kinds``."""
    fault = request.get(_FAULT_KEY)
    return fault if fault is not None and fault.kind in kinds else None


def facts_of(request: web.Request) -> RequestFacts:
    """What ``describe`` found for this request."""
    return request[_FACTS_KEY]


def note(request: web.Request, **fields: Any) -> None:
    """Add to the log entry of this request, for instance ``fault="blocked"``. Nothing secret."""
    entry = request.get(_ENTRY_KEY)
    if entry is not None:
        entry.update(fields)


def json_answer(data: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON response."""
    return web.Response(
        body=orjson.dumps(data, option=orjson.OPT_NON_STR_KEYS),
        status=status,
        headers=headers,
        content_type="application/json",
        charset="utf-8",
    )


async def read_json(request: web.Request) -> Any:
    """The body of a control request; HTTP 400 when it is not JSON."""
    try:
        return orjson.loads(await request.read() or b"{}")
    except orjson.JSONDecodeError as error:
        raise bad_control(f"the body is not JSON: {error}") from None


def bad_control(message: str) -> web.HTTPBadRequest:
    """The error a control route raises for wrong input."""
    return web.HTTPBadRequest(text=orjson.dumps({"error": message}).decode(), content_type="application/json")


def cut(request: web.Request) -> web.Response:
    """Abort the connection; the returned response never reaches the client."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _is_cut(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _html(status: int, reason: str, remark: str) -> web.Response:
    return web.Response(
        text=_HTML.format(status=status, reason=reason, remark=remark),
        status=status,
        content_type="text/html",
    )


async def _cut_in_body(
    request: web.Request, whole: web.Response, half: bytes, length: int
) -> web.StreamResponse:
    response = web.StreamResponse(status=whole.status, headers=whole.headers)
    response.content_length = length
    await response.prepare(request)
    await response.write(half)
    if request.transport is not None:
        # Not abort(): what was written shall arrive, so that the client dies in the middle and not before.
        request.transport.close()
    return response
