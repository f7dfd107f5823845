"""The simulator answers recorded requests as the real service did: same keys, order, types and values."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.simulator.notion.conftest import Api

_RECORDINGS = json.loads((Path(__file__).parent / "recorded.json").read_text(encoding="utf-8"))["recordings"]
_PARENT = "393abc1e-edcd-80f3-813b-e205934558c6"
_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_TIMES = frozenset({"created_time", "last_edited_time", "expiry_time"})
_OWN_NAMES = frozenset({"url", "upload_url", "request_id", "workspace_name"})


def _compare(expected: Any, actual: Any, path: str, ids: dict[str, str]) -> None:
    assert type(actual) is type(expected), path
    key = path.rsplit(".", 1)[-1]
    if isinstance(expected, dict):
        assert list(actual) == list(expected), path
        for name in expected:
            _compare(expected[name], actual[name], f"{path}.{name}", ids)
    elif isinstance(expected, list):
        assert len(actual) == len(expected), path
        for index, (one, other) in enumerate(zip(expected, actual, strict=True)):
            _compare(one, other, f"{path}[{index}]", ids)
    elif key in _TIMES:
        assert re.sub(r"\d", "0", actual) == re.sub(r"\d", "0", expected), path
    elif isinstance(expected, str) and _UUID.fullmatch(expected):
        assert _UUID.fullmatch(actual), path
        assert ids.setdefault(expected, actual) == actual or key == "request_id", path
    elif key == "message":
        assert _UUID.sub("", actual).partition('"')[0] == _UUID.sub("", expected).partition('"')[0], path
    elif key not in _OWN_NAMES and path != "answer.name":
        assert actual == expected, path


def _translate(value: Any, ids: dict[str, str]) -> Any:
    text = json.dumps(value)
    for old, new in ids.items():
        text = text.replace(old, new).replace(old.replace("-", ""), new.replace("-", ""))
    return json.loads(text)


@pytest.mark.parametrize("recording", _RECORDINGS, ids=lambda recording: str(recording["name"]))
def test_answers_like_the_real_service(api: "Api", recording: dict[str, Any]) -> None:
    ids = {_PARENT: api.root}
    for number, exchange in enumerate(recording["exchanges"]):
        body, path = _translate(exchange["body"], ids), _translate(exchange["path"], ids)
        headers = {"Authorization": "Bearer wrong"} if exchange["status"] == 401 else {}
        more: dict[str, Any] = {"json": body}
        if isinstance(body, dict) and "multipart" in body:
            more = {"files": {"file": ("test_file_small.txt", body["multipart"].encode(), "text/plain")}}
        response = api.http.request(exchange["method"], path, headers=headers, **more)
        assert response.status_code == exchange["status"], (number, response.text)
        assert response.headers["content-type"] == "application/json; charset=utf-8"
        _compare(exchange["answer"], response.json(), "answer", ids)
