"""Uploads: their life, their limits, and what shows them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from simulator.notion import Settings, create_app
from simulator.serving import Server

if TYPE_CHECKING:
    from tests.simulator.notion.conftest import Api


def _created(api: "Api", **more: Any) -> str:
    body = {"filename": "chart.png", "content_type": "image/png"} | more
    return str(api.post("/v1/file_uploads", body)["id"])


def _send(api: "Api", upload: str, content: bytes = b"png", kind: str = "image/png") -> Any:
    files = {"file": ("chart.png", content, kind)}
    return api.http.post(f"/v1/file_uploads/{upload}/send", files=files)


def _image(upload: str) -> dict[str, Any]:
    return {"children": [{"image": {"type": "file_upload", "file_upload": {"id": upload}}}]}


def test_a_file_larger_than_the_plan_allows(api: "Api", settings: Settings) -> None:
    settings.upload_limit_bytes = 1000
    upload = _created(api)
    answer = _send(api, upload, b"x" * 1001)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
    assert "limit of 1000 bytes" in answer.json()["message"]
    assert _send(api, upload, b"x" * 1000).json()["content_length"] == 1000
    me = api.get("/v1/users/me")["bot"]["workspace_limits"]
    assert me == {"max_file_upload_size_in_bytes": 1000}


def test_bytes_are_taken_once_and_as_declared(api: "Api") -> None:
    upload = _created(api)
    assert "not the one the upload" in _send(api, upload, kind="text/plain").json()["message"]
    assert "is empty" in _send(api, upload, b"").json()["message"]
    assert _send(api, upload).json()["status"] == "uploaded"
    assert "only a `pending` one takes bytes" in _send(api, upload).json()["message"]
    assert "multipart/form-data" in api.refused("POST", f"/v1/file_uploads/{_created(api)}/send", {})


def test_only_what_was_sent_can_be_shown(api: "Api") -> None:
    upload = _created(api)
    address = f"/v1/blocks/{api.root}/children"
    assert "has status `pending`" in api.refused("PATCH", address, _image(upload))
    _send(api, upload)
    shown = api.patch(address, _image(upload))["results"][0]["image"]
    assert shown["type"] == "file"
    assert api.http.get(shown["file"]["url"]).content == b"png"
    assert api.get(f"/v1/file_uploads/{upload}")["expiry_time"] is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"mode": "multi_part", "number_of_parts": 2}, "not part of this workspace's plan"),
        ({"mode": "carrier_pigeon"}, "body.mode should be `"),
        ({"content_type": "png"}, "body.content_type should be a MIME type"),
        ({"filename": "x" * 901}, "body.filename should be at most `900` bytes"),
        ({"size": 3}, "body.size should be not present"),
    ],
)
def test_wrong_uploads_are_refused(api: "Api", body: Any, message: str) -> None:
    assert message in api.refused("POST", "/v1/file_uploads", body)


class _Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def api(clock: _Clock, settings: Settings, connect: Callable[[str], "Api"]) -> Iterator["Api"]:
    """A client of a simulator whose clock the test sets."""
    with Server(lambda: create_app(seed=7, token="ntn_test", settings=settings, now=clock)) as server:
        yield connect(server.url)


def test_what_nothing_shows_expires(api: "Api", clock: _Clock) -> None:
    pending, unused, shown = _created(api), _created(api), _created(api)
    _send(api, unused)
    _send(api, shown)
    api.patch(f"/v1/blocks/{api.root}/children", _image(shown))
    clock.time += timedelta(hours=1, seconds=1)
    states = [api.get(f"/v1/file_uploads/{one}")["status"] for one in (pending, unused, shown)]
    assert states == ["expired", "expired", "uploaded"]
    assert "has status `expired`" in _send(api, pending).json()["message"]
    assert "has status `expired`" in api.refused("PATCH", f"/v1/blocks/{api.root}/children", _image(unused))
    listed = api.get("/v1/file_uploads?status=uploaded")["results"]
    assert [one["id"] for one in listed] == [shown]


def test_a_refused_request_does_not_keep_an_upload_alive(api: "Api", clock: _Clock, paragraph: Any) -> None:
    upload = _created(api)
    _send(api, upload)
    body = {"children": [*_image(upload)["children"], paragraph("x" * 2001)]}
    api.refused("PATCH", f"/v1/blocks/{api.root}/children", body)
    api.page()
    clock.time += timedelta(hours=2)
    assert api.get(f"/v1/file_uploads/{upload}")["status"] == "expired"
