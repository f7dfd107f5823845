"""A Graph API object on a server of hand-made answers or on the simulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from agent.graph import GraphApi
from tests.agent.answers import HandMade, RecordingGuard, hand_made
from tests.conftest import TOKEN

SECRET = "the-secret-of-the-app"

MakeApi = Callable[..., GraphApi]


@pytest.fixture
def server() -> Iterator[HandMade]:
    with hand_made() as running:
        yield running


@pytest.fixture
def guard() -> RecordingGuard:
    return RecordingGuard()


@pytest.fixture
def make_api(guard: RecordingGuard) -> Iterator[MakeApi]:
    """An API object on an address; other arguments of `GraphApi` by name."""
    made: list[GraphApi] = []

    def make(url: str, **values: Any) -> GraphApi:
        arguments: dict[str, Any] = {"guard": guard, "graph_url": url, "api_version": "v26.0", **values}
        made.append(GraphApi(SecretStr(TOKEN), **arguments))
        return made[-1]

    yield make
    for api in made:
        api.close()


@pytest.fixture
def api(server: HandMade, make_api: MakeApi) -> GraphApi:
    """On the server of hand-made answers, with a secret."""
    return make_api(server.url, app_id="1234", app_secret=SecretStr(SECRET))
