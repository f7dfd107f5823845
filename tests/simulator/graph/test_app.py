"""Objects, tokens, versions, report runs and headers, over HTTP."""

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

import httpx
import pytest

CAMPAIGN_FIELDS = (
    "id,name,status,effective_status,objective,daily_budget,lifetime_budget,created_time,updated_time"
)


def test_the_accounts_of_a_token(graph: Any) -> None:
    rows = graph.all_rows(
        "me/adaccounts", fields="id,account_id,name,currency,timezone_name,account_status", limit=2
    )
    assert [(row["currency"], row["timezone_name"]) for row in rows] == [
        ("BRL", "America/Sao_Paulo"),
        ("USD", "America/New_York"),
        ("JPY", "Asia/Tokyo"),
    ]
    assert all(row["id"] == f"act_{row['account_id']}" and len(row["account_id"]) == 15 for row in rows)
    assert graph.get(rows[0]["id"]).json() == {"account_id": rows[0]["account_id"], "id": rows[0]["id"]}


def test_campaigns_as_graph_writes_them(graph: Any) -> None:
    rows = graph.all_rows(f"{graph.account}/campaigns", fields=CAMPAIGN_FIELDS, limit=3)
    for row in rows:
        assert ("daily_budget" in row) != ("lifetime_budget" in row)
        assert row.get("daily_budget", row.get("lifetime_budget")).isdigit()
        created, updated = (
            datetime.strptime(row[name], "%Y-%m-%dT%H:%M:%S%z") for name in ("created_time", "updated_time")
        )
        assert created <= updated <= graph.world.now()
        assert row["created_time"].endswith("-0300")
    names = "".join(campaign.name for account in graph.world.accounts for campaign in account.campaigns)
    assert "ç" in names
    assert any(ord(character) > 0xFFFF for character in names), "an emoji"


def test_archived_and_deleted_are_listed_only_when_asked_for(graph: Any) -> None:
    account = graph.world.accounts[0]
    hidden = {c.id for c in account.campaigns if c.status in {"ARCHIVED", "DELETED"}}
    assert hidden
    path = f"{graph.account}/campaigns"
    assert not hidden & {row["id"] for row in graph.all_rows(path)}
    statuses = ["ACTIVE", "PAUSED", "ARCHIVED", "DELETED"]
    asked = graph.all_rows(path, effective_status=json.dumps(statuses))
    assert {row["id"] for row in asked} == {c.id for c in account.campaigns}
    filtering = [{"field": "effective_status", "operator": "IN", "value": ["ARCHIVED", "DELETED"]}]
    assert {row["id"] for row in graph.all_rows(path, filtering=json.dumps(filtering))} == hidden
    campaign = hidden.pop()
    assert graph.get(campaign, fields="effective_status").json()["effective_status"] in {
        "ARCHIVED",
        "DELETED",
    }
    assert graph.error(graph.get(path, effective_status='["ASLEEP"]')) == (100, None)


@pytest.mark.parametrize("edge", ["campaigns", "adsets", "ads"])
def test_only_what_was_changed_since(graph: Any, edge: str) -> None:
    statuses = json.dumps(
        ["ACTIVE", "PAUSED", "ARCHIVED", "DELETED"] + (["CAMPAIGN_PAUSED"] if edge != "campaigns" else [])
    )
    shared = {"fields": "updated_time", "effective_status": statuses, "limit": 500}
    rows = graph.all_rows(f"{graph.account}/{edge}", **shared)
    times = sorted(datetime.strptime(row["updated_time"], "%Y-%m-%dT%H:%M:%S%z").timestamp() for row in rows)
    middle = int(times[len(times) // 2])
    filtering = json.dumps([{"field": "updated_time", "operator": "GREATER_THAN", "value": middle}])
    later = graph.all_rows(f"{graph.account}/{edge}", filtering=filtering, **shared)
    assert 0 < len(later) == sum(time > middle for time in times) < len(rows)


def test_ads_know_their_parents(graph: Any) -> None:
    ads = graph.all_rows(
        f"{graph.account}/ads", fields="campaign_id,adset_id,name,creative{id,name}", limit=4
    )
    sets = {row["id"]: row for row in graph.all_rows(f"{graph.account}/adsets", fields="campaign_id,name")}
    assert len({ad["id"] for ad in ads}) == len(ads)
    for ad in ads:
        assert sets[ad["adset_id"]]["campaign_id"] == ad["campaign_id"]
        assert ad["creative"]["id"].isdigit()
    of_one = graph.all_rows(f"{ads[0]['campaign_id']}/ads", fields="campaign_id")
    assert {ad["campaign_id"] for ad in of_one} == {ads[0]["campaign_id"]}


def test_unknown_things(graph: Any) -> None:
    assert graph.error(graph.get("act_123456789012345")) == (100, 33)
    assert graph.error(graph.get("120000000000000001")) == (100, 33)
    assert graph.error(graph.get("act_123456789012345/insights")) == (100, 33)
    assert graph.error(graph.get(graph.account, fields="nonsense")) == (100, None)
    assert graph.error(graph.get(f"{graph.account}/campaigns", fields="id,nonsense")) == (100, None)
    assert graph.error(graph.get(f"{graph.account}/nonsense")) == (2500, None)
    assert graph.error(graph.get(f"{graph.account}/campaigns", limit="many")) == (100, None)
    assert graph.error(graph.post(f"{graph.account}/campaigns", name="x")) == (100, 33)


@pytest.mark.parametrize(
    ("version", "dead"), [("v19.0", True), ("v21.0", True), ("v22.0", False), ("v26.0", False)]
)
def test_old_versions_are_dead(graph: Any, version: str, dead: bool) -> None:
    graph.version = version
    response = graph.get("me")
    assert (response.status_code == 400) is dead
    if dead:
        assert graph.error(response) == (2635, None)


def test_a_token_that_is_missing_dead_or_expired(graph: Any) -> None:
    assert graph.error(graph.http.get("/v26.0/me")) == (190, None)
    graph.control("tokens", {"dead": graph.token, "subcode": 460})
    response = graph.get(f"{graph.account}/insights")
    assert response.status_code == 401
    assert graph.error(response) == (190, 460)
    graph.control("tokens", {"alive": graph.token})
    assert graph.get("me").status_code == 200
    graph.control("tokens", {"token": graph.token, "expires_at": int(graph.world.now().timestamp()) - 1})
    assert graph.error(graph.get("me")) == (190, 463)


def test_debug_token_tells_of_another_token(graph: Any) -> None:
    graph.control("tokens", {"dead": "EAAdead", "subcode": 467})
    good = graph.get("debug_token", input_token="EAAother").json()["data"]
    assert good["is_valid"] is True
    assert "ads_read" in good["scopes"]
    assert good["expires_at"] > graph.world.now().timestamp()
    dead = graph.get("debug_token", input_token="EAAdead").json()["data"]
    assert dead["is_valid"] is False
    assert dead["error"]["subcode"] == 467


def test_accounts_a_token_may_not_see(graph: Any) -> None:
    seen = graph.world.accounts[1].id
    graph.control("tokens", {"token": graph.token, "accounts": [seen]})
    assert [row["id"] for row in graph.all_rows("me/adaccounts")] == [f"act_{seen}"]
    response = graph.get(f"{graph.account}/insights")
    assert response.status_code == 403
    assert graph.error(response) == (200, None)
    assert graph.get(f"act_{seen}").status_code == 200


def test_a_token_may_come_in_the_header(graph: Any) -> None:
    response = graph.http.get("/v26.0/me", headers={"Authorization": f"Bearer {graph.token}"})
    assert response.status_code == 200


def test_with_an_app_secret_every_call_needs_its_proof(open_graph: Any) -> None:
    graph = open_graph(app_secret="the app's secret")
    proof = hmac.new(b"the app's secret", graph.token.encode(), hashlib.sha256).hexdigest()
    assert graph.get("me", appsecret_proof=proof).status_code == 200
    wrong = graph.get("me", appsecret_proof="0" * 64)
    assert graph.error(wrong) == (100, None)
    assert "Invalid appsecret_proof" in wrong.json()["error"]["message"]
    assert graph.error(graph.get("me")) == (100, None)
    body = graph.get(f"{graph.account}/ads", limit=2, appsecret_proof=proof).json()
    assert "appsecret_proof" not in body["paging"]["next"]


def report(graph: Any, **params: Any) -> str:
    run: str = graph.post(f"{graph.account}/insights", level="campaign", time_increment=1, **params).json()[
        "report_run_id"
    ]
    return run


def test_a_report_run_from_start_to_rows(open_graph: Any) -> None:
    graph = open_graph(async_polls=4)
    run = report(graph, fields="campaign_id,spend", date_preset="last_7d")
    assert graph.error(graph.get(f"{run}/insights")) == (2601, 1815107)
    nodes = [graph.get(run).json() for _ in range(4)]
    assert [node["async_status"] for node in nodes] == [
        "Job Not Started",
        "Job Started",
        "Job Running",
        "Job Completed",
    ]
    percents = [node["async_percent_completion"] for node in nodes]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert len(graph.get(f"{run}/insights").json()["data"]) == 25
    direct = graph.all_rows(
        f"{graph.account}/insights",
        level="campaign",
        time_increment=1,
        fields="campaign_id,spend",
        date_preset="last_7d",
    )
    assert graph.all_rows(f"{run}/insights", limit=9) == direct


def test_a_report_run_can_take_its_time(graph: Any) -> None:
    graph.control("async", {"polls": 1, "seconds": 600})
    run = report(graph)
    assert {graph.get(run).json()["async_status"] for _ in range(5)} == {"Job Running"}


def test_a_wrong_report_is_refused_at_its_start(graph: Any) -> None:
    assert graph.error(graph.post(f"{graph.account}/insights", fields="nonsense")) == (100, None)
    assert graph.error(graph.get("700000000000001")) == (100, 33)


def test_usage_headers_on_answers_and_errors(graph: Any) -> None:
    account = graph.account.removeprefix("act_")
    for response in (
        graph.get(f"{graph.account}/insights"),
        graph.get(f"{graph.account}/insights", fields="x"),
    ):
        business = json.loads(response.headers["X-Business-Use-Case-Usage"])[account][0]
        assert set(business) >= {"type", "call_count", "total_cputime", "total_time"}
        assert business["type"] == "ads_insights"
        assert business["estimated_time_to_regain_access"] == 0
        assert {"acc_id_util_pct", "reset_time_duration"} <= set(
            json.loads(response.headers["X-Ad-Account-Usage"])
        )
        assert "app_id_util_pct" in json.loads(response.headers["x-fb-ads-insights-throttle"])
        assert "call_count" in json.loads(response.headers["X-App-Usage"])


def test_usage_grows_with_the_calls_of_the_account(open_graph: Any) -> None:
    graph = open_graph(tier="development_access")

    def percent() -> float:
        response: httpx.Response = graph.get(f"{graph.account}/insights", limit=1)
        found: float = json.loads(response.headers["X-Ad-Account-Usage"])["acc_id_util_pct"]
        return found

    first = percent()
    for _ in range(100):
        last = percent()
    assert last > first
    graph.control("usage", {"account": graph.account, "acc_id_util_pct": 140, "call_count": 95})
    assert percent() == 140
