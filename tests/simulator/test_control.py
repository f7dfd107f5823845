"""Faults and the log, on a small application of their own."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from aiohttp import web

from simulator.control import Control, RequestFacts, fault_of, json_answer, note
from simulator.serving import Server

WRITES: web.AppKey[list[str]] = web.AppKey("writes", list[str])


def build(seed: int = 1, latency: float = 0.0) -> web.Application:
    """An application that keeps what is posted to it; its own fault kind answers 418, and only to /tea."""

    async def describe(request: web.Request) -> RequestFacts:
        return RequestFacts(
            request.query.get("account"), request.query.get("token"), {"a": request.query.get("a", "")}
        )

    async def read(request: web.Request) -> web.Response:
        if fault_of(request, "teapot") is not None:
            note(request, code=418)
            return json_answer({"tea": True}, 418)
        kept: list[str] = request.app[WRITES]
        return json_answer({"kept": kept, "filler": "x" * 5_000})

    async def write(request: web.Request) -> web.Response:
        request.app[WRITES].append(await request.text())
        return json_answer({"ok": True})

    app = web.Application()
    app[WRITES] = []
    kinds = {"teapot": lambda _fault, request, _facts: request.path == "/tea"}
    Control(seed, describe, kinds=kinds, latency_seconds=latency).install(app)
    for path in ("/tea", "/things"):
        app.router.add_get(path, read)
        app.router.add_post(path, write)
    return app


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with Server(build) as server, httpx.Client(base_url=server.url, timeout=10) as found:
        yield found


def arm(client: httpx.Client, kind: str, **document: Any) -> None:
    assert client.post("/_control/faults", json={"kind": kind, **document}).status_code == 200


@pytest.mark.parametrize("status", [502, 503])
def test_pages_of_html(client: httpx.Client, status: int) -> None:
    arm(client, f"http_{status}_html", times=1)
    response = client.get("/things")
    assert response.status_code == status
    assert response.headers["Content-Type"].startswith("text/html")
    assert client.get("/things").status_code == 200


def test_cut_before_any_answer_and_before_the_write(client: httpx.Client) -> None:
    arm(client, "cut", times=1)
    with pytest.raises(httpx.TransportError):
        client.post("/things", content="one")
    assert client.get("/things").json()["kept"] == []


def test_partial_write_is_done_and_yet_unanswered(client: httpx.Client) -> None:
    arm(client, "partial_write", times=1)
    assert client.get("/things").status_code == 200, "a read is not meant"
    with pytest.raises(httpx.TransportError):
        client.post("/things", content="one")
    assert client.get("/things").json()["kept"] == ["one"]


def test_cut_in_the_body(client: httpx.Client) -> None:
    arm(client, "cut_body", times=1)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        client.get("/things")


def test_truncated_json_is_a_whole_answer_that_is_no_json(client: httpx.Client) -> None:
    arm(client, "truncated_json", times=1)
    response = client.get("/things")
    assert response.status_code == 200
    with pytest.raises(ValueError, match=r".+"):
        response.json()


def test_slow_goes_together_with_another_fault(client: httpx.Client) -> None:
    arm(client, "slow", times=1, parameters={"seconds": 0.3})
    arm(client, "http_502_html", times=1)
    response = client.get("/things")
    assert response.elapsed.total_seconds() >= 0.3
    assert response.status_code == 502


def test_latency_is_added_to_every_request() -> None:
    with Server(lambda: build(latency=0.2)) as server:
        assert httpx.get(f"{server.url}/things").elapsed.total_seconds() >= 0.2


def test_own_kinds_strike_where_they_can(client: httpx.Client) -> None:
    arm(client, "teapot", times=1)
    assert client.get("/things").status_code == 200
    assert client.get("/tea").status_code == 418
    assert client.get("/tea").status_code == 200


def test_matching_by_method_path_and_account_after_a_while(client: httpx.Client) -> None:
    arm(client, "http_502_html", method="get", path="thin", account="act_7", after=1, times=2)
    assert client.post("/things?account=7").status_code == 200
    assert client.get("/tea?account=7").status_code == 200
    assert client.get("/things?account=8").status_code == 200
    statuses = [client.get("/things?account=7").status_code for _ in range(5)]
    assert statuses == [200, 502, 502, 200, 200]
    state = client.get("/_control/faults").json()
    assert state["fired"] == {"http_502_html": 2}


def test_the_same_seed_gives_the_same_chance() -> None:
    def outcomes(seed: int) -> list[int]:
        with Server(lambda: build(seed)) as server, httpx.Client(base_url=server.url) as client:
            arm(client, "http_503_html", probability=0.5)
            return [client.get("/things").status_code for _ in range(40)]

    first = outcomes(4)
    assert first == outcomes(4)
    assert first != outcomes(5)
    assert 8 < first.count(503) < 32


def test_faults_can_be_disarmed(client: httpx.Client) -> None:
    one = client.post("/_control/faults", json=[{"kind": "http_502_html"}, {"kind": "http_503_html"}]).json()
    assert client.get("/things").status_code == 502
    client.delete("/_control/faults", params={"id": one[0]["id"]})
    assert client.get("/things").status_code == 503
    client.delete("/_control/faults")
    assert client.get("/things").status_code == 200


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "none such"},
        {"kind": "cut", "probability": 2},
        {"kind": "cut", "times": 0},
        {"kind": "cut", "x": 1},
        5,
    ],
)
def test_a_wrong_fault_is_refused(client: httpx.Client, document: Any) -> None:
    response = client.post("/_control/faults", json=document)
    assert response.status_code == 400
    assert response.json()["error"]
    assert client.post("/_control/faults", content=b"{").status_code == 400


def test_the_log(client: httpx.Client) -> None:
    arm(client, "teapot", times=1)
    arm(client, "cut", path="things", times=1)
    client.get("/tea?account=7&token=verysecret&a=b")
    with pytest.raises(httpx.TransportError):
        client.get("/things")
    client.get("/nowhere")
    log = client.get("/_control/log").json()
    assert "verysecret" not in str(log)
    first, second, third = log["requests"]
    assert [entry["number"] for entry in log["requests"]] == [1, 2, 3]
    assert (first["status"], first["fault"], first["account"], first["params"]) == (
        418,
        "teapot",
        "7",
        {"a": "b"},
    )
    assert first["code"] == 418
    assert len(first["token_sha"]) == 12
    assert (second["status"], second["fault"]) == (None, "cut")
    assert (third["status"], third["fault"]) == (404, None)
    assert first["time"].endswith("+00:00")
    assert client.get("/_control/log?account=act_7").json()["count"] == 1
    assert client.get("/_control/log?since=2").json()["count"] == 1
    client.delete("/_control/log")
    assert client.get("/_control/log").json()["requests"] == []
