"""The way in and out: token, version, body, rate limit, faults."""

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from simulator.notion import Settings

if TYPE_CHECKING:
    from tests.simulator.notion.conftest import Api


@pytest.mark.parametrize("header", [None, "", "Basic abc", "Bearer wrong", "Bearer"])
def test_without_the_right_token(api: "Api", header: str | None) -> None:
    headers = {"Notion-Version": "2025-09-03"} | ({"Authorization": header} if header is not None else {})
    answer = httpx.get(f"{api.url}/v1/users/me", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthorized"


def test_without_a_version(api: "Api") -> None:
    answer = httpx.get(f"{api.url}/v1/users/me", headers={"Authorization": "Bearer ntn_test"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "missing_version"
    message = api.refused("GET", "/v1/users/me", None, headers={"Notion-Version": "2020-01-01"})
    assert "Notion-Version header should be" in message


def test_the_later_version_speaks_of_trash_and_position(api: "Api", paragraph: Any) -> None:
    later = {"Notion-Version": "2026-03-11"}
    page = api.page(children=[paragraph("x")])["id"]
    assert "archived" not in api.get(f"/v1/pages/{page}", headers=later)
    assert "should be not present" in api.refused(
        "PATCH", f"/v1/pages/{page}", {"archived": True}, headers=later
    )
    body = {"children": [paragraph("y")], "after": api.children(page)[0]["id"]}
    assert "body.after should be not present" in api.refused(
        "PATCH", f"/v1/blocks/{page}/children", body, headers=later
    )
    assert api.patch(f"/v1/pages/{page}", {"in_trash": True}, headers=later)["in_trash"] is True


@pytest.mark.parametrize(("content", "code"), [(b"{", "invalid_json"), (b"[]", "validation_error")])
def test_bodies_that_are_no_object(api: "Api", content: bytes, code: str) -> None:
    answer = api.http.post("/v1/search", content=content)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_the_rate_limit(api: "Api", settings: Settings) -> None:
    settings.rate_limit = 3.0
    statuses = [api.http.get("/v1/users/me") for _ in range(12)]
    refused = [one for one in statuses if one.status_code == 429]
    assert refused
    assert 3 <= len(statuses) - len(refused) <= 8
    assert refused[0].json()["code"] == "rate_limited"
    assert refused[0].headers["Retry-After"] == "1"
    log = api.get("/_control/log?path=/v1/users/me")["requests"]
    assert sum(entry.get("limited", False) for entry in log) == len(refused)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("conflict_error", 409),
        ("service_overload", 529),
        ("internal_server_error", 500),
        ("service_unavailable", 503),
        ("gateway_timeout", 504),
        ("unauthorized", 401),
        ("restricted_resource", 403),
        ("validation_error", 400),
        ("object_not_found", 404),
    ],
)
def test_errors_on_demand(api: "Api", kind: str, status: int) -> None:
    api.fault(kind, method="POST", path="/v1/pages")
    body = {"parent": {"page_id": api.root}}
    answer = api.post("/v1/pages", body, status)
    assert (answer["object"], answer["status"], answer["code"]) == ("error", status, kind)
    assert api.children(api.root) == []
    api.post("/v1/pages", body)


def test_being_told_to_wait(api: "Api") -> None:
    api.fault("rate_limited", parameters={"retry_after": 90})
    answer = api.http.get("/v1/users/me")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "90")
    assert answer.json()["code"] == "rate_limited"
    api.fault("rate_limited_html", parameters={"retry_after": 4})
    page = api.http.get("/v1/users/me")
    assert (page.status_code, page.headers["Retry-After"]) == (429, "4")
    assert page.headers["content-type"].startswith("text/html")


def test_an_error_after_the_write_was_done(api: "Api") -> None:
    api.fault("gateway_timeout", parameters={"after_write": True})
    api.post("/v1/pages", {"parent": {"page_id": api.root}}, 504)
    assert len(api.children(api.root)) == 1


def test_a_cut_after_the_write_was_done(api: "Api") -> None:
    api.fault("partial_write")
    with pytest.raises(httpx.TransportError):
        api.http.post("/v1/pages", json={"parent": {"page_id": api.root}})
    assert len(api.children(api.root)) == 1


@pytest.mark.parametrize("status", [500, 502, 504])
def test_only_the_first_blocks_of_an_append_are_kept(api: "Api", paragraph: Any, status: int) -> None:
    page = api.page()["id"]
    api.fault("partial_append", parameters={"blocks": 2, "status": status})
    blocks = [paragraph(str(number)) for number in range(5)]
    answer = api.http.patch(f"/v1/blocks/{page}/children", json={"children": blocks})
    assert answer.status_code == status
    assert api.texts(page) == ["0", "1"]


def test_a_page_can_be_made_with_some_of_its_blocks(api: "Api", paragraph: Any) -> None:
    api.fault("partial_append", parameters={"blocks": 1})
    body = {"parent": {"page_id": api.root}, "children": [paragraph("0"), paragraph("1")]}
    api.post("/v1/pages", body, 500)
    page = api.children(api.root)[0]["id"]
    assert api.texts(page) == ["0"]


def test_faults_of_the_api_spare_the_pages_for_people(api: "Api") -> None:
    api.fault("internal_server_error")
    assert api.http.get("/view/").status_code == 200
    api.get("/v1/users/me", 500)


def test_the_log_holds_no_token(api: "Api") -> None:
    api.get("/v1/users/me")
    assert "ntn_test" not in api.http.get("/_control/log").text
