"""A server that gives the answers it was told to give, and a guard that keeps what it was asked."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web
from pydantic import SecretStr

from agent.errors import AgentError
from simulator.serving import Server


@dataclass(frozen=True)
class Answer:
    """What to send: a status, a body as it goes over the wire, headers, and for how long to keep silent."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    silent_seconds: float = 0.0


def answer(document: object, status: int = 200, **headers: str) -> Answer:
    """A JSON answer; an underscore in a header's name stands for a hyphen."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(orjson.dumps(document), status, {"Content-Type": "application/json", **named})


def error(
    code: int | None, subcode: int | None = None, *, status: int = 400, more: Mapping[str, Any] | None = None
) -> Answer:
    """Graph's answer for an error; `more` are further fields of it."""
    document: dict[str, Any] = {"message": "Something is wrong", "type": "OAuthException", "code": code}
    if subcode is not None:
        document["error_subcode"] = subcode
    return answer({"error": {**document, **(more or {})}}, status)


@dataclass(frozen=True)
class Seen:
    """A request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]


class HandMade:
    """Gives its answers in order, and the last one from then on."""

    def __init__(self) -> None:
        self.answers: deque[Answer] = deque()
        self.requests: list[Seen] = []
        self.url = ""

    def give(self, *answers: Answer) -> None:
        self.answers = deque(answers)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.requests.append(Seen(request.method, request.path, dict(request.query), form))
        chosen = self.answers.popleft() if len(self.answers) > 1 else self.answers[0]
        await asyncio.sleep(chosen.silent_seconds)
        return web.Response(body=chosen.body, status=chosen.status, headers=chosen.headers)


@contextmanager
def hand_made() -> Iterator[HandMade]:
    found = HandMade()
    with Server(found.app) as server:
        found.url = server.url
        yield found


class RecordingGuard:
    """Lets every token pass, or refuses with `refusal`; keeps what it was asked and told."""

    def __init__(self) -> None:
        self.checked: list[str] = []
        self.deaths: list[tuple[str, str]] = []
        self.refusal: AgentError | None = None

    def check(self, token: SecretStr) -> None:
        self.checked.append(token.get_secret_value())
        if self.refusal is not None:
            raise self.refusal

    def died(self, token: SecretStr, reason: str) -> None:
        self.deaths.append((token.get_secret_value(), reason))
