"""A simulator on a port of its own, and a client that speaks plain HTTP to it."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from simulator.notion import Settings, create_app
from simulator.serving import Server

TOKEN = "ntn_test"
VERSION = "2025-09-03"
Json = dict[str, Any]


class Api:
    """Plain requests to a simulator; every method returns the JSON answer and checks the status."""

    def __init__(self, url: str) -> None:
        self.url = url
        headers = {"Authorization": f"Bearer {TOKEN}", "Notion-Version": VERSION}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=30)
        self.root: str = self.get("/_control/info")["root_page_id"]

    def close(self) -> None:
        self.http.close()

    def send(self, method: str, path: str, body: Any = None, status: int = 200, **more: Any) -> Json:
        response = self.http.request(method, path, json=body, **more)
        assert response.status_code == status, response.text
        answer = response.json()
        assert isinstance(answer, dict)
        return answer

    def get(self, path: str, status: int = 200, **more: Any) -> Json:
        return self.send("GET", path, None, status, **more)

    def post(self, path: str, body: Any, status: int = 200, **more: Any) -> Json:
        return self.send("POST", path, body, status, **more)

    def patch(self, path: str, body: Any, status: int = 200, **more: Any) -> Json:
        return self.send("PATCH", path, body, status, **more)

    def refused(self, method: str, path: str, body: Any, **more: Any) -> str:
        """The message of a validation error."""
        answer = self.send(method, path, body, 400, **more)
        assert answer["code"] == "validation_error"
        assert answer["object"] == "error"
        return str(answer["message"])

    def page(self, title: str = "Page", **more: Any) -> Json:
        body = {"parent": {"page_id": self.root}, "properties": {"title": [{"text": {"content": title}}]}}
        return self.post("/v1/pages", body | more)

    def database(self, properties: Json, title: str = "Reports") -> tuple[str, str]:
        """Ids of a new database and of its data source."""
        made = self.post(
            "/v1/databases",
            {
                "parent": {"type": "page_id", "page_id": self.root},
                "title": [{"text": {"content": title}}],
                "initial_data_source": {"properties": properties},
            },
        )
        return made["id"], made["data_sources"][0]["id"]

    def row(self, source: str, properties: Json, **more: Any) -> Json:
        parent = {"type": "data_source_id", "data_source_id": source}
        return self.post("/v1/pages", {"parent": parent, "properties": properties} | more)

    def children(self, block: str) -> list[Json]:
        return list(self.get(f"/v1/blocks/{block}/children")["results"])

    def texts(self, block: str) -> list[str]:
        """The text of every child paragraph."""
        return [
            "".join(item["plain_text"] for item in one["paragraph"]["rich_text"])
            for one in self.children(block)
        ]

    def fault(self, kind: str, **more: Any) -> None:
        self.post("/_control/faults", {"kind": kind, "times": 1} | more)


def _paragraph(text: str) -> Json:
    return {"paragraph": {"rich_text": [{"text": {"content": text}}]}}


@pytest.fixture
def paragraph() -> Any:
    """Makes a paragraph block of a text."""
    return _paragraph


@pytest.fixture
def settings() -> Settings:
    """Settings of the test's simulator; search knows of new objects at once."""
    return Settings(index_delay_seconds=0.0)


@pytest.fixture
def connect() -> Iterator[Callable[[str], Api]]:
    """Makes a client of a running simulator."""
    with contextlib.ExitStack() as stack:
        yield lambda url: stack.enter_context(contextlib.closing(Api(url)))


@pytest.fixture
def api(settings: Settings, connect: Callable[[str], Api]) -> Iterator[Api]:
    """A client of a fresh simulator with seed 7."""
    with Server(lambda: create_app(seed=7, token=TOKEN, settings=settings)) as server:
        yield connect(server.url)
