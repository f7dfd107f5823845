"""The Graph API as an aiohttp application."""

import random
from typing import Any

import numpy as np
from aiohttp import web
from aiohttp.typedefs import Handler

from simulator.control import Control, Fault, RequestFacts, fault_of, json_answer, note
from simulator.graph import faults, paging
from simulator.graph.calls import LOGGED, Call, fields, json_list, names, read_call
from simulator.graph.controls import GraphControls
from simulator.graph.delivery import Deliveries
from simulator.graph.errors import (
    GraphError,
    bad_parameter,
    dead_version,
    no_token,
    not_permitted,
    report_not_ready,
    trace_id,
    unknown_object,
)
from simulator.graph.insights import Insights, Position, Query
from simulator.graph.objects import account_object, entities, listed
from simulator.graph.queries import as_list, filter_parts, insights_query
from simulator.graph.reports import FATES, Run, Runs
from simulator.graph.rows import Renderer
from simulator.graph.tokens import Tokens
from simulator.graph.usage import EVERYONE, Usage
from simulator.graph.world import AD, AD_SET, CAMPAIGN, Account, World

OLDEST_VERSION = 22.0

_CALL: web.RequestKey[Call] = web.RequestKey("call", Call)
_EDGES = {"campaigns": CAMPAIGN, "adsets": AD_SET, "ads": AD}
_LEVEL_NAMES = {CAMPAIGN: "campaign", AD_SET: "adset", AD: "ad"}
_FILTER_PREFIXES = ("campaign.", "adset.", "ad.")


class Graph:
    """The service: a world, and what is known of tokens, quotas and report runs."""

    def __init__(self, world: World, app_secret: str | None, polls: int, seconds: float, tier: str) -> None:
        self.world = world
        self.deliveries = Deliveries()
        self.insights = Insights(self.deliveries)
        self.tokens = Tokens(world, app_secret)
        self.usage = Usage(tier)
        self.runs = Runs(world, polls, seconds)
        self._chance = random.Random(world.seed)

    async def describe(self, request: web.Request) -> RequestFacts:
        """Take the request apart before any fault is chosen."""
        call = await read_call(request, self.world, self.runs)
        request[_CALL] = call
        shown = {name: call.params[name] for name in LOGGED if name in call.params}
        return RequestFacts(call.account.id if call.account else None, call.token, shown)

    @web.middleware
    async def errors_and_usage(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turn errors into answers, and put the usage headers on every answer."""
        if request.path.startswith("/_control/"):
            return await handler(request)
        call = request[_CALL]
        self.usage.count(call.account)
        regain: float | None = None
        trace = trace_id(self._chance)
        response: web.StreamResponse
        try:
            self._admit(call, request)
            if (fault := fault_of(request, *faults.IMMEDIATE)) is not None:
                if fault.kind == "throttled":
                    regain = fault.number("regain", 0.0)
                    self._block(call, fault.number("block_seconds", 0.0), fault)
                raise faults.error_of(fault)
            response = await handler(request)
        except GraphError as error:
            note(request, code=error.code, subcode=error.subcode)
            response = error.response(trace)
        response.headers.update(self.usage.headers(call.account, call.is_insights, regain))
        response.headers["facebook-api-version"] = call.version_text or f"v{OLDEST_VERSION}"
        response.headers["x-fb-trace-id"] = trace
        return response

    def _admit(self, call: Call, request: web.Request) -> None:
        if call.version and call.version < OLDEST_VERSION:
            raise dead_version(call.version_text)
        if call.token is None:
            raise no_token()
        if error := self.tokens.error(call.token):
            raise error
        self.tokens.check_proof(call.token, call.params.get("appsecret_proof"))
        if error := self.usage.refuse(call.account):
            note(request, fault="blocked")
            raise error
        if call.account is not None and not self.tokens.may_see(call.token, call.account):
            raise not_permitted()

    def _block(self, call: Call, seconds: float, fault: Fault) -> None:
        if seconds <= 0:
            return
        whole_app = fault.parameters.get("scope") == "app" or call.account is None
        place = EVERYONE if whole_app or call.account is None else call.account.id
        extend = fault.number("extend_seconds", 0.0)
        self.usage.block(place, seconds, faults.error_of(fault), extend, fault.number("regain", 0.0))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Every Graph route."""
        call = request[_CALL]
        if request.method == "GET":
            return json_answer(self._get(call, request))
        if request.method == "POST" and call.path[1:] == ("insights",) and call.run is None:
            return json_answer({"report_run_id": self._start_report(call, request).id})
        raise unknown_object(call.path[0] if call.path else "", request.method.lower())

    def _get(self, call: Call, request: web.Request) -> dict[str, Any]:
        path = call.path
        token = call.token or ""
        if path == ("me",):
            return {"name": "Simulated User", "id": "100000000000001"}
        if path == ("me", "adaccounts"):
            return self._accounts(call, request)
        if path == ("debug_token",):
            return {"data": self.tokens.describe(call.params.get("input_token", token))}
        if not path:
            raise GraphError(2500, "(#2500) An unknown path was requested: nothing was named in it")
        if call.account is None:
            raise unknown_object(path[0])
        if len(path) == 1:
            return self._node(call)
        if len(path) == 2 and path[1] == "insights":
            return self._insights(call, request)
        if len(path) == 2 and path[1] in _EDGES and call.run is None:
            return self._list(call, call.account, request)
        raise GraphError(2500, f"(#2500) Unknown path components: /{'/'.join(path[1:])}")

    def _node(self, call: Call) -> dict[str, Any]:
        if call.run is not None:
            return self.runs.poll(call.run, call.version or OLDEST_VERSION)
        found = self.world.find(call.path[0])
        if found is None:
            assert call.account is not None
            return account_object(call.account, fields(call.params))
        account, kind, number = found
        return entities(account, kind, [number], fields(call.params))[0]

    def _accounts(self, call: Call, request: web.Request) -> dict[str, Any]:
        token = call.token or ""
        seen = [account for account in self.world.accounts if self.tokens.may_see(token, account)]
        first, more = self._window(call, [account.index for account in seen], request)
        rows = [account_object(self.world.accounts[index], fields(call.params)) for index in first]
        return self._page(call, rows, first, more)

    def _list(self, call: Call, account: Account, request: web.Request) -> dict[str, Any]:
        kind = _EDGES[call.path[1]]
        numbers = np.arange(account.count(kind), dtype=np.int64)
        if (found := self.world.find(call.path[0])) is not None:
            _, above, number = found
            if above >= kind:
                raise GraphError(2500, f"(#2500) Unknown path components: /{call.path[1]}")
            low, high = account.bounds(above, number)
            if kind == AD_SET:
                starts = account.set_starts
                numbers = numbers[(starts >= low) & (starts < high)]
            else:
                numbers = numbers[low:high]
        statuses, updated_after, chosen = self._conditions(call, account, kind)
        if chosen is not None:
            numbers = numbers[np.isin(numbers, list(chosen))]
        first, more = self._window(call, listed(account, kind, numbers, statuses, updated_after), request)
        return self._page(call, entities(account, kind, first, fields(call.params)), first, more)

    def _conditions(
        self, call: Call, account: Account, kind: int
    ) -> tuple[frozenset[str] | None, float | None, frozenset[int] | None]:
        """Statuses, lowest updated time (excluded, unix seconds) and numbers that a list is limited to."""
        asked = names(call.params, "effective_status")
        statuses = frozenset(asked) if asked else None
        updated_after: float | None = None
        chosen: frozenset[int] | None = None
        for item in json_list(call.params, "filtering"):
            name, operator, value = filter_parts(item)
            own = f"{_LEVEL_NAMES[kind]}."
            plain = name.removeprefix(own)
            if plain in {"effective_status", "delivery_info"} and operator in {"IN", "EQUAL"}:
                statuses = frozenset(as_list(value)) & (
                    statuses if statuses is not None else frozenset(as_list(value))
                )
            elif plain == "updated_time" and operator == "GREATER_THAN":
                try:
                    updated_after = float(value)
                except (TypeError, ValueError):
                    raise bad_parameter("updated_time is compared with unix seconds") from None
            elif plain == "id" and operator in {"IN", "EQUAL"}:
                known = [self.world.find(one) for one in as_list(value)]
                chosen = frozenset(one[2] for one in known if one and one[0] is account and one[1] == kind)
            else:
                raise bad_parameter(f"Filtering field {name} with operation {operator} is invalid")
        return statuses, updated_after, chosen

    def _window(self, call: Call, numbers: list[int], request: web.Request) -> tuple[list[int], bool]:
        """One page of a list of numbers in rising order, and whether more follow."""
        limit = paging.limit_of(call.params)
        text = paging.decode(call.params["after"]) if call.params.get("after") else "-1"
        if not text.removeprefix("-").isdigit():
            raise bad_parameter(
                "Invalid cursors values. Please use the cursors returned by the previous page"
            )
        rest = [number for number in numbers if number > int(text)]
        if fault_of(request, "empty_page_with_next") is not None:
            return [], bool(rest)
        return rest[:limit], len(rest) > limit

    def _page(self, call: Call, rows: list[Any], numbers: list[int], more: bool) -> dict[str, Any]:
        if numbers:
            cursors = (paging.encode(str(numbers[0])), paging.encode(str(numbers[-1])))
        else:  # an empty page that has a next one: go on from where it began
            here = call.params.get("after") or paging.encode("-1")
            cursors = (here, here)
        return paging.page(rows, call.base, call.params, call.token or "", cursors, more)

    def _query(self, call: Call) -> Query:
        assert call.account is not None
        found = self.world.find(call.path[0])
        if found is None:
            return insights_query(call.account, (0, call.account.ads), "account", call.params)
        account, kind, number = found
        return insights_query(account, account.bounds(kind, number), _LEVEL_NAMES[kind], call.params)

    def _start_report(self, call: Call, request: web.Request) -> Run:
        if call.account is None:
            raise unknown_object(call.path[0], "post")
        fate = fault_of(request, *FATES)
        return self.runs.start(
            self._query(call), fate.kind if fate else None, fate.parameters if fate else {}
        )

    def _insights(self, call: Call, request: web.Request) -> dict[str, Any]:
        if call.run is not None and not self.runs.is_complete(call.run):
            raise report_not_ready()
        query = call.run.query if call.run is not None else self._query(call)
        limit = paging.limit_of(call.params)
        at = _position(call.params.get("after"))
        if fault_of(request, "empty_page_with_next") is not None:
            here = paging.encode(f"{at.bucket}.{at.row}")
            return paging.page([], call.base, call.params, call.token or "", (here, here), True)
        parts, following = self.insights.page(query, at, limit)
        renderer = Renderer(query)
        rows = [row for block, first, past in parts for row in renderer.rows(block, first, past)]
        end = following or Position(len(query.buckets()), 0)
        cursors = (paging.encode(f"{at.bucket}.{at.row}"), paging.encode(f"{end.bucket}.{end.row}"))
        return paging.page(rows, call.base, call.params, call.token or "", cursors, following is not None)


def _position(cursor: str | None) -> Position:
    if not cursor:
        return Position()
    bucket, _, row = paging.decode(cursor).partition(".")
    if not (bucket.isdigit() and row.isdigit()):
        raise bad_parameter("Invalid cursors values. Please use the cursors returned by the previous page")
    return Position(int(bucket), int(row))


def create_app(
    world: World,
    *,
    app_secret: str | None = None,
    latency_seconds: float = 0.0,
    async_polls: int = 2,
    async_seconds: float = 0.0,
    tier: str = "standard_access",
) -> web.Application:
    """The application around a world.

    With ``app_secret`` every call needs its ``appsecret_proof``. A report run is complete at its
    ``async_polls``-th poll and not before ``async_seconds`` after its start. ``tier`` is ``standard_access``
    or ``development_access``.
    """
    graph = Graph(world, app_secret, async_polls, async_seconds, tier)
    app = web.Application(client_max_size=16 * 2**20)
    kinds = faults.kinds(lambda request: request[_CALL])
    control = Control(world.seed, graph.describe, kinds=kinds, latency_seconds=latency_seconds)
    app.middlewares.append(graph.errors_and_usage)
    control.install(app)
    GraphControls(world, graph.deliveries, graph.tokens, graph.usage, graph.runs).install(app)
    app.router.add_route("*", "/{path:.*}", graph.answer)
    return app
