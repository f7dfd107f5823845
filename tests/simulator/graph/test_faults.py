"""Each way of the Graph API to fail."""

import json
from typing import Any

import httpx
import pytest


def insights(graph: Any, **params: Any) -> httpx.Response:
    response: httpx.Response = graph.get(f"{graph.account}/insights", **params)
    return response


@pytest.mark.parametrize(
    ("parameters", "expected", "status"),
    [
        ({}, (80000, 2446079), 400),
        ({"code": 17}, (17, 2446079), 400),
        ({"code": 4, "subcode": 1504022}, (4, 1504022), 403),
        ({"code": 613, "subcode": 1487742}, (613, 1487742), 400),
    ],
)
def test_throttled(graph: Any, parameters: dict[str, Any], expected: tuple[int, int], status: int) -> None:
    graph.fault("throttled", times=1, parameters={"regain": 19, **parameters})
    response = insights(graph)
    assert response.status_code == status
    assert graph.error(response) == expected
    usage = json.loads(response.headers["X-Business-Use-Case-Usage"])[graph.account.removeprefix("act_")][0]
    assert usage["estimated_time_to_regain_access"] == 19
    assert usage["call_count"] > 100
    assert insights(graph).status_code == 200


def test_a_blocked_account_refuses_everything_and_the_log_tells(graph: Any) -> None:
    other = f"act_{graph.world.accounts[1].id}"
    graph.fault("throttled", account=graph.account, times=1, parameters={"block_seconds": 600})
    insights(graph)
    for response in (insights(graph), graph.get(graph.account), graph.get(f"{graph.account}/ads")):
        assert graph.error(response) == (80000, 2446079)
    assert graph.get(other).status_code == 200
    log = graph.control("log", account=graph.account)["requests"]
    assert [entry["fault"] for entry in log] == ["throttled", "blocked", "blocked", "blocked"]
    graph.control("unblock", {})
    assert insights(graph).status_code == 200


def test_calling_while_blocked_lengthens_the_block(graph: Any) -> None:
    graph.fault(
        "throttled", times=1, parameters={"block_seconds": 0.05, "extend_seconds": 600, "scope": "app"}
    )
    insights(graph)
    assert graph.error(graph.get("me")) == (80000, 2446079)
    usage = json.loads(insights(graph).headers["X-Business-Use-Case-Usage"])
    assert usage[graph.account.removeprefix("act_")][0]["estimated_time_to_regain_access"] >= 10


def test_too_much_data_for_large_pages_only(graph: Any) -> None:
    graph.fault("too_much_data", parameters={"limit_above": 100})
    response = insights(graph, limit=101)
    assert response.status_code == 500
    assert graph.error(response) == (1, None)
    assert "reduce the amount of data" in response.json()["error"]["message"]
    assert insights(graph, limit=100).status_code == 200
    assert insights(graph).status_code == 200


def test_too_much_data_for_long_ranges_only(graph: Any) -> None:
    graph.fault("too_much_data", parameters={"days_above": 7, "code": 100, "subcode": 1487534})
    assert graph.error(insights(graph, date_preset="last_14d")) == (100, 1487534)
    assert insights(graph, date_preset="last_7d").status_code == 200


def test_too_much_data_in_the_middle_of_paging(graph: Any) -> None:
    graph.fault("too_much_data", after=1, times=1)
    first = insights(graph, level="ad", time_increment=1, limit=10).json()
    link = first["paging"]["next"]
    assert graph.error(graph.http.get(link)) == (1, None)
    assert len(graph.http.get(link).json()["data"]) == 10


def test_transient_errors(graph: Any) -> None:
    graph.fault("transient", times=1, parameters={"code": -2, "subcode": 2490547})
    response = insights(graph)
    assert graph.error(response) == (-2, 2490547)
    assert response.json()["error"]["is_transient"] is True


def test_missing_permissions_of_one_account(graph: Any) -> None:
    graph.fault("missing_permissions", account=graph.account)
    assert graph.error(insights(graph)) == (200, None)
    assert graph.get(f"act_{graph.world.accounts[1].id}/insights").status_code == 200


def test_any_error(graph: Any) -> None:
    graph.fault(
        "graph_error", times=1, parameters={"code": 3018, "status": 400, "message": "too old", "title": "Old"}
    )
    error = insights(graph).json()["error"]
    assert (error["code"], error["message"], error["error_user_title"]) == (3018, "too old", "Old")
    assert "is_transient" not in error


@pytest.mark.parametrize("edge", ["insights", "ads"])
def test_an_empty_page_with_a_next_link_loses_nothing(graph: Any, edge: str) -> None:
    params = {"limit": 5, **({"level": "ad", "fields": "ad_id"} if edge == "insights" else {})}
    path = f"{graph.account}/{edge}"
    whole = graph.all_rows(path, **params)
    graph.fault("empty_page_with_next", after=1, times=2)
    first = graph.get(path, **params).json()
    empty = graph.http.get(first["paging"]["next"]).json()
    assert empty["data"] == []
    assert empty["paging"]["next"]
    graph.control("faults")
    rows, body = first["data"], empty
    while "next" in body["paging"]:
        body = graph.http.get(body["paging"]["next"]).json()
        rows += body["data"]
    assert rows == whole


@pytest.mark.parametrize(
    ("kind", "status", "percent"),
    [
        ("async_failed", "Job Failed", 0),
        ("async_skipped", "Job Skipped", 0),
        ("async_stuck", "Job Running", 100),
        ("async_not_started", "Job Not Started", 0),
    ],
)
def test_how_report_runs_end_badly(graph: Any, kind: str, status: str, percent: int) -> None:
    graph.fault(kind, times=1, parameters={"error_code": 1, "error_message": "it broke"})
    run = graph.post(f"{graph.account}/insights").json()["report_run_id"]
    for _ in range(4):
        node = graph.get(run).json()
    assert (node["async_status"], node["async_percent_completion"]) == (status, percent)
    assert (node.get("error_message") == "it broke") is (kind == "async_failed")
    assert graph.error(graph.get(f"{run}/insights")) == (2601, 1815107)
    again = graph.post(f"{graph.account}/insights").json()["report_run_id"]
    graph.get(again)
    assert graph.get(again).json()["async_status"] == "Job Completed"


def test_before_version_25_a_failed_run_does_not_say_why(graph: Any) -> None:
    graph.fault("async_failed", times=1, parameters={"error_code": 1})
    graph.version = "v24.0"
    run = graph.post(f"{graph.account}/insights").json()["report_run_id"]
    graph.get(run)
    node = graph.get(run).json()
    assert node["async_status"] == "Job Failed"
    assert "error_code" not in node


def test_a_fault_of_an_account_strikes_its_report_runs_too(graph: Any) -> None:
    run = graph.post(f"{graph.account}/insights").json()["report_run_id"]
    graph.fault("transient", account=graph.account, path=run, times=1)
    assert graph.error(graph.get(run)) == (2, None)
