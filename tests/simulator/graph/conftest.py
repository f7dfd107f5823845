"""A Graph simulator with a frozen clock, and a client for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from simulator.graph import World, create_app
from simulator.serving import Server

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
TOKEN = "EAAtestTokenNumberOne"


@dataclass
class Client:
    """Calls a simulator as a collector would, and its control routes."""

    world: World
    url: str
    http: httpx.Client
    token: str = TOKEN
    version: str = "v26.0"

    @property
    def account(self) -> str:
        return f"act_{self.world.accounts[0].id}"

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.http.get(f"/{self.version}/{path}", params={"access_token": self.token, **params})

    def post(self, path: str, **params: Any) -> httpx.Response:
        return self.http.post(f"/{self.version}/{path}", data={"access_token": self.token, **params})

    def control(self, path: str, document: Any = None, **params: Any) -> Any:
        if document is None:
            response = self.http.get(f"/_control/{path}", params=params)
        else:
            response = self.http.post(f"/_control/{path}", json=document)
        assert response.status_code == 200, response.text
        return response.json()

    def fault(self, kind: str, **document: Any) -> None:
        self.control("faults", {"kind": kind, **document})

    def error(self, response: httpx.Response) -> tuple[int, int | None]:
        error = response.json()["error"]
        assert {"message", "type", "code", "fbtrace_id"} <= set(error)
        return error["code"], error.get("error_subcode")

    def all_rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """Every row of an edge, following the next links as they are."""
        rows: list[dict[str, Any]] = []
        body = self.get(path, **params).json()
        for _ in range(10_000):
            rows += body["data"]
            link = body.get("paging", {}).get("next")
            if link is None:
                return rows
            body = self.http.get(link).json()
        raise AssertionError("the pages never ended")


Open = Callable[..., Client]


@pytest.fixture
def open_graph() -> Iterator[Open]:
    """Start simulators with the options given, each with a world of its own."""
    servers: list[Server] = []
    clients: list[httpx.Client] = []

    def open_one(*, world: World | None = None, app_secret: str | None = None, **options: Any) -> Client:
        known = world or World(7, now=NOW)
        server = Server(lambda: create_app(known, app_secret=app_secret, **options)).start()
        servers.append(server)
        clients.append(httpx.Client(base_url=server.url, timeout=20))
        return Client(known, server.url, clients[-1])

    yield open_one
    for client in clients:
        client.close()
    for server in servers:
        server.close()


@pytest.fixture
def graph(open_graph: Open) -> Client:
    return open_graph()
