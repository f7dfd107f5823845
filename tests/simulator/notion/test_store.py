"""State: ids from the seed, and a workspace that survives restarts."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.notion import StateError, create_app
from simulator.serving import Server, ServerError

_HEADERS = {"Authorization": "Bearer any", "Notion-Version": "2025-09-03"}


def _call(url: str, method: str, path: str, body: Any = None) -> Any:
    answer = httpx.request(method, url + path, json=body, headers=_HEADERS)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _ids(state: Path | None, seed: int) -> list[str]:
    with Server(lambda: create_app(state=state, seed=seed)) as server:
        root = _call(server.url, "GET", "/_control/info")["root_page_id"]
        made = [_call(server.url, "POST", "/v1/pages", {"parent": {"page_id": root}})["id"] for _ in range(3)]
        return [root, *made]


def test_the_seed_fixes_the_ids() -> None:
    assert _ids(None, 7) == _ids(None, 7)
    assert not set(_ids(None, 7)) & set(_ids(None, 8))


def test_the_workspace_survives_a_restart(tmp_path: Path, paragraph: Any) -> None:
    state = tmp_path / "notion.state"
    with Server(lambda: create_app(state=state, seed=7)) as server:
        root = _call(server.url, "GET", "/_control/info")["root_page_id"]
        body = {"parent": {"page_id": root}, "children": [paragraph("a"), paragraph("c")]}
        page = _call(server.url, "POST", "/v1/pages", body)["id"]
        blocks = _call(server.url, "GET", f"/v1/blocks/{page}/children")["results"]
        inserted = {"children": [paragraph("b")], "after": blocks[0]["id"]}
        _call(server.url, "PATCH", f"/v1/blocks/{page}/children", inserted)
        upload = _call(server.url, "POST", "/v1/file_uploads", {"filename": "x.txt"})["id"]
        files = {"file": ("x.txt", b"bytes", "text/plain")}
        httpx.post(f"{server.url}/v1/file_uploads/{upload}/send", files=files, headers=_HEADERS)
        before = httpx.get(f"{server.url}/_control/pages").json()["pages"]
    with Server(lambda: create_app(state=state, seed=7)) as server:
        after = httpx.get(f"{server.url}/_control/pages").json()["pages"]
        for one in (*before, *after):
            one.pop("url")  # another port
        assert after == before
        texts = _call(server.url, "GET", f"/v1/blocks/{page}/children")["results"]
        assert [one["paragraph"]["rich_text"][0]["plain_text"] for one in texts] == ["a", "b", "c"]
        assert httpx.get(f"{server.url}/view/file/{upload}").content == b"bytes"
        fresh = _call(server.url, "POST", "/v1/pages", {"parent": {"page_id": root}})["id"]
        assert fresh not in {page, upload, *(one["id"] for one in blocks)}


def test_a_write_is_on_disk_before_it_is_answered(tmp_path: Path) -> None:
    state = tmp_path / "notion.state"
    with Server(lambda: create_app(state=state, seed=7)) as server:
        root = _call(server.url, "GET", "/_control/info")["root_page_id"]
        page = _call(server.url, "POST", "/v1/pages", {"parent": {"page_id": root}})["id"]
        files = [one.read_bytes() for one in tmp_path.iterdir()]
        assert any(page.encode() in content for content in files)


def test_what_a_failed_append_kept_is_on_disk(tmp_path: Path, paragraph: Any) -> None:
    state = tmp_path / "notion.state"
    with Server(lambda: create_app(state=state, seed=7)) as server:
        root = _call(server.url, "GET", "/_control/info")["root_page_id"]
        httpx.post(f"{server.url}/_control/faults", json={"kind": "partial_append", "times": 1})
        body = {"children": [paragraph("kept"), paragraph("lost")]}
        answer = httpx.patch(f"{server.url}/v1/blocks/{root}/children", json=body, headers=_HEADERS)
        assert answer.status_code == 500
        content = b"".join(one.read_bytes() for one in tmp_path.iterdir())
        assert b"kept" in content
        assert b"lost" not in content


def test_the_order_of_many_insertions_survives(tmp_path: Path, paragraph: Any) -> None:
    state = tmp_path / "notion.state"

    def texts(url: str, page: str) -> list[str]:
        blocks = _call(url, "GET", f"/v1/blocks/{page}/children")["results"]
        return [one["paragraph"]["rich_text"][0]["plain_text"] for one in blocks]

    with Server(lambda: create_app(state=state, seed=7)) as server:
        root = _call(server.url, "GET", "/_control/info")["root_page_id"]
        body = {"children": [paragraph("first"), paragraph("last")]}
        newest = _call(server.url, "PATCH", f"/v1/blocks/{root}/children", body)["results"][0]["id"]
        for number in range(70):
            body = {"children": [paragraph(str(number))], "after": newest}
            newest = _call(server.url, "PATCH", f"/v1/blocks/{root}/children", body)["results"][0]["id"]
        before = texts(server.url, root)
    assert before == ["first", *(str(number) for number in range(70)), "last"]
    with Server(lambda: create_app(state=state, seed=7)) as server:
        assert texts(server.url, root) == before


def test_two_simulators_do_not_share_a_state(tmp_path: Path) -> None:
    state = tmp_path / "notion.state"
    with (
        Server(lambda: create_app(state=state, seed=7)),
        pytest.raises(ServerError, match="end the other simulator"),
    ):
        Server(lambda: create_app(state=state, seed=7)).start()


def test_a_state_of_another_seed_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "notion.state"
    _ids(state, 7)
    with pytest.raises(StateError, match="start with --seed 7"):
        create_app(state=state, seed=8)


def test_a_file_that_is_no_state_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "notes.txt"
    state.write_text("not a state file " * 100)
    with pytest.raises(StateError, match="not a state file"):
        create_app(state=state, seed=7)
    assert state.read_text().startswith("not a state file")
