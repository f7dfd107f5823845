"""One Graph call taken apart: version, path, parameters, token, and the account it is about."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from simulator.graph.errors import bad_parameter
from simulator.graph.reports import Run, Runs
from simulator.graph.world import Account, World

# What the request log shows; everything else, tokens and proofs above all, stays out.
LOGGED = (
    "fields",
    "level",
    "time_range",
    "since",
    "until",
    "date_preset",
    "time_increment",
    "breakdowns",
    "action_breakdowns",
    "action_attribution_windows",
    "filtering",
    "effective_status",
    "limit",
    "after",
)

_VERSION = re.compile(r"v(\d{1,3})\.(\d{1,2})")
_FIELD = re.compile(r"\s*([A-Za-z0-9_]+)")


@dataclass(frozen=True)
class Call:
    """A request to the Graph API.

    ``version`` is 0 when the path has none. ``account`` is None when none is meant.
    """

    method: str
    version: float
    version_text: str
    path: tuple[str, ...]
    params: Mapping[str, str]
    token: str | None
    account: Account | None
    run: Run | None
    base: str

    @property
    def is_insights(self) -> bool:
        """Whether it counts against the insights quota."""
        return self.run is not None or self.path[-1:] == ("insights",)


async def read_call(request: web.Request, world: World, runs: Runs) -> Call:
    """Take a request apart.

    Parameters may come in the query, a form or a JSON body; the token in a header too.
    """
    params = dict(request.query)
    if request.method == "POST":
        if request.content_type == "application/json":
            params |= await _json_params(request)
        else:
            params |= {
                name: value for name, value in (await request.post()).items() if isinstance(value, str)
            }
    token = params.pop("access_token", None)
    header = request.headers.get("Authorization", "")
    if token is None and header.lower().startswith("bearer "):
        token = header[7:].strip()
    segments = [segment for segment in request.path.split("/") if segment]
    version, version_text = 0.0, ""
    if segments and (found := _VERSION.fullmatch(segments[0])):
        version, version_text = float(f"{found[1]}.{found[2]}"), segments.pop(0)
    run = runs.find(segments[0]) if segments else None
    account = run.query.account if run else _account_of(segments[0], world) if segments else None
    return Call(
        request.method,
        version,
        version_text,
        tuple(segments),
        params,
        token or None,
        account,
        run,
        f"{request.scheme}://{request.host}{request.path}",
    )


async def _json_params(request: web.Request) -> dict[str, str]:
    try:
        document = orjson.loads(await request.read() or b"{}")
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(document, dict):
        return {}
    return {
        str(name): value if isinstance(value, str) else orjson.dumps(value).decode()
        for name, value in document.items()
    }


def _account_of(segment: str, world: World) -> Account | None:
    if segment.startswith("act_"):
        return world.account(segment)
    found = world.find(segment)
    return found[0] if found else None


def names(params: Mapping[str, str], name: str) -> tuple[str, ...]:
    """A list parameter, as JSON or with commas."""
    text = params.get(name, "").strip()
    if not text:
        return ()
    if text.startswith("["):
        return tuple(str(item) for item in json_list(params, name))
    return tuple(part.strip() for part in text.split(",") if part.strip())


def json_list(params: Mapping[str, str], name: str) -> list[Any]:
    """A list parameter in JSON; error 100 for anything else."""
    try:
        value = orjson.loads(params.get(name) or "[]")
    except orjson.JSONDecodeError:
        raise bad_parameter(f"Param {name} must be an array.") from None
    if not isinstance(value, list):
        raise bad_parameter(f"Param {name} must be an array.")
    return value


def fields(params: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the fields asked for; what stands in braces behind a name is not looked at."""
    text = params.get("fields", "").strip()
    if text.startswith("["):
        return names(params, "fields")
    found: list[str] = []
    depth, start = 0, 0
    for place, character in enumerate(text + ","):
        depth += (character in "{(") - (character in "})")
        if character == "," and depth == 0:
            if (match := _FIELD.match(text[start:place])) is not None:
                found.append(match[1])
            start = place + 1
    if depth:
        raise bad_parameter("Syntax error in the fields parameter")
    return tuple(found)
