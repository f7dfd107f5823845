"""The Graph API's own ways to fail, to be armed through ``/_control/faults``.

| kind | parameters |
|---|---|
| ``throttled`` | ``code`` (80000), ``subcode``, ``regain`` minutes; ``block_seconds``: how long all later |
| | calls of the account are refused; ``extend_seconds``: each refused one adds them; ``scope`` ``app``: all |
| ``too_much_data`` | ``code`` (1), ``subcode``; ``limit_above``, ``days_above``: only larger requests fail |
| ``transient`` | ``code`` (2), ``subcode``, ``status`` (500), ``message`` |
| ``missing_permissions`` | none |
| ``graph_error`` | any error: ``status``, ``code``, ``subcode``, ``message``, ``type``, ``is_transient``,
``title`` | | ``empty_page_with_next`` | none; the page has no rows and its next link begins where it did
itself | | ``async_failed`` | ``error_code``, ``error_subcode``, ``error_message`` | | ``async_skipped``,
``async_stuck``, ``async_not_started`` | none; they strike at the start of a report run |
"""

from collections.abc import Callable

from aiohttp import web

from simulator.control import Applies, Fault, RequestFacts
from simulator.graph.calls import Call
from simulator.graph.errors import GraphError, not_permitted, throttled, too_much_data
from simulator.graph.paging import DEFAULT_LIMIT
from simulator.graph.queries import period
from simulator.graph.reports import FATES

IMMEDIATE = ("throttled", "too_much_data", "transient", "missing_permissions", "graph_error")

CallOf = Callable[[web.Request], Call]


def kinds(call_of: CallOf) -> dict[str, Applies | None]:
    """The kinds, each with the requests it can strike."""

    def is_large(fault: Fault, request: web.Request, _facts: RequestFacts) -> bool:
        return _is_large(fault, call_of(request))

    def starts_report(_fault: Fault, request: web.Request, _facts: RequestFacts) -> bool:
        return request.method == "POST" and call_of(request).is_insights

    def is_list(_fault: Fault, request: web.Request, _facts: RequestFacts) -> bool:
        call = call_of(request)
        return request.method == "GET" and len(call.path) == 2

    found: dict[str, Applies | None] = dict.fromkeys(IMMEDIATE)
    found["too_much_data"] = is_large
    found["empty_page_with_next"] = is_list
    found.update(dict.fromkeys(FATES, starts_report))
    return found


def _is_large(fault: Fault, call: Call) -> bool:
    if not call.is_insights or call.path[-1:] != ("insights",):
        return False
    if "limit_above" in fault.parameters:
        text = call.params.get("limit", "")
        if (int(text) if text.isdigit() else DEFAULT_LIMIT) <= fault.number("limit_above", 0):
            return False
    if "days_above" in fault.parameters and call.account is not None:
        if call.run is not None:
            since, until = call.run.query.since, call.run.query.until
        else:
            try:
                since, until = period(call.account, call.params)
            except GraphError:
                return False
        return (until - since).days + 1 > fault.number("days_above", 0)
    return True


def error_of(fault: Fault) -> GraphError:
    """The answer of one of the `IMMEDIATE` faults."""
    given = fault.parameters
    subcode = int(given["subcode"]) if given.get("subcode") is not None else None
    if fault.kind == "throttled":
        code = int(given.get("code", 80000))
        if subcode is None and code in {17, 80000, 80003, 80004}:
            subcode = 2446079
        return throttled(code, subcode)
    if fault.kind == "too_much_data":
        return too_much_data(int(given.get("code", 1)), subcode)
    if fault.kind == "missing_permissions":
        return not_permitted()
    transient = fault.kind == "transient"
    return GraphError(
        int(given.get("code", 2)),
        str(given.get("message", "An unexpected error has occurred. Please retry your request later.")),
        subcode,
        status=int(given.get("status", 500)),
        type=str(given.get("type", "OAuthException")),
        is_transient=bool(given.get("is_transient", transient))
        if transient or "is_transient" in given
        else None,
        title=given.get("title"),
    )
