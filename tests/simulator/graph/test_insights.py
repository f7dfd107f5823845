"""Insights over HTTP against the world's own truth."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from simulator.graph import World

RANGE = '{"since":"2026-11-08","until":"2026-11-20"}'
SUMS = ("impressions", "clicks", "spend", "purchases", "revenue")


def first_present(row: dict[str, Any], name: str) -> Decimal:
    """A purchase is counted once: the first of the three names that is there."""
    found = {element["action_type"]: element["value"] for element in row.get(name, []) if "value" in element}
    for kind in ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase"):
        if kind in found:
            return Decimal(found[kind])
    return Decimal(0)


def total(rows: list[dict[str, Any]]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = dict.fromkeys(SUMS, Decimal(0))
    for row in rows:
        for name in ("impressions", "clicks", "spend"):
            sums[name] += Decimal(row.get(name, "0"))
        sums["purchases"] += first_present(row, "actions")
        sums["revenue"] += first_present(row, "action_values")
    return sums


def truth(graph: Any, account: str, level: str, since: str, until: str) -> dict[str, Any]:
    found: dict[str, Any] = graph.control("truth", account=account, level=level, since=since, until=until)
    return found


FIELDS = "campaign_id,adset_id,ad_id,impressions,clicks,spend,reach,actions,action_values"


@pytest.mark.parametrize("level", ["account", "campaign", "adset", "ad"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_all_pages_add_up_to_the_truth_of_every_day(graph: Any, level: str, place: int) -> None:
    account = f"act_{graph.world.accounts[place].id}"
    rows = graph.all_rows(
        f"{account}/insights", level=level, time_range=RANGE, time_increment=1, limit=7, fields=FIELDS
    )
    by_day: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        assert row["date_start"] == row["date_stop"]
        by_day[row["date_start"]].append(row)
    days = truth(graph, account, level, "2026-11-08", "2026-11-20")["days"]
    assert len(days) == 13
    for day in days:
        assert len(by_day[day["date"]]) == day["rows"]
        assert total(by_day[day["date"]]) == {name: Decimal(day[name]) for name in SUMS}
    if level != "account":
        ids = [(row["date_start"], row[f"{level}_id"]) for row in rows]
        assert len(set(ids)) == len(ids)


def test_every_metric_is_a_text_and_a_zero_is_left_out(graph: Any) -> None:
    rows = graph.all_rows(
        f"{graph.account}/insights", level="ad", time_range=RANGE, time_increment=1, limit=500, fields=FIELDS
    )
    assert any("action_values" not in row for row in rows), "some days sell nothing"
    for row in rows:
        for name, value in row.items():
            if isinstance(value, list):
                assert value
                assert all(isinstance(text, str) for element in value for text in element.values())
                assert all(element.get("value") != "0" for element in value)
            else:
                assert isinstance(value, str)
                assert value != "0" or name == "clicks"
        assert int(row["reach"]) <= int(row["impressions"])


def test_some_elements_lack_their_value_but_never_a_purchase(graph: Any) -> None:
    rows = graph.all_rows(
        f"{graph.account}/insights",
        level="ad",
        time_range=RANGE,
        time_increment=1,
        limit=500,
        fields="actions",
    )
    bare = {e["action_type"] for row in rows for e in row["actions"] if "value" not in e}
    assert bare
    assert not any("purchase" in kind for kind in bare)


def test_no_clicks_are_left_out_or_written_as_zero(graph: Any) -> None:
    rows = graph.all_rows(
        f"{graph.account}/insights",
        level="ad",
        breakdowns="publisher_platform,platform_position",
        time_increment=1,
        limit=1000,
        fields="impressions,clicks",
    )
    assert {row.get("clicks") for row in rows} >= {None, "0"}


def test_only_the_fields_asked_for_come(graph: Any) -> None:
    row = graph.get(f"{graph.account}/insights", fields="spend", date_preset="yesterday").json()["data"][0]
    assert set(row) == {"spend", "date_start", "date_stop"}
    response = graph.get(f"{graph.account}/insights", fields="spend,nonsense")
    assert response.status_code == 400
    assert graph.error(response) == (100, None)


def test_ids_below_the_level_are_left_out(graph: Any) -> None:
    row = graph.get(f"{graph.account}/insights", level="campaign", fields="campaign_id,ad_id,spend").json()[
        "data"
    ][0]
    assert "campaign_id" in row
    assert "ad_id" not in row


def test_ratios_follow_from_the_counts(graph: Any) -> None:
    row = graph.get(
        f"{graph.account}/insights", fields="impressions,clicks,reach,spend,ctr,cpc,cpm,frequency"
    ).json()["data"][0]
    impressions, clicks, spend = int(row["impressions"]), int(row["clicks"]), float(row["spend"])
    assert float(row["ctr"]) == pytest.approx(100 * clicks / impressions, abs=1e-5)
    assert float(row["cpc"]) == pytest.approx(spend / clicks, abs=1e-5)
    assert float(row["cpm"]) == pytest.approx(1000 * spend / impressions, abs=1e-5)
    assert float(row["frequency"]) == pytest.approx(impressions / int(row["reach"]), abs=1e-5)


@pytest.mark.parametrize(
    "breakdowns",
    [
        "age",
        "gender",
        "age,gender",
        "country",
        "region",
        "publisher_platform",
        "publisher_platform,platform_position",
        "impression_device",
        "hourly_stats_aggregated_by_advertiser_time_zone",
    ],
)
def test_a_breakdown_adds_up_to_the_whole(graph: Any, breakdowns: str) -> None:
    shared = {"level": "campaign", "time_range": RANGE, "time_increment": 1, "limit": 1000, "fields": FIELDS}
    whole = graph.all_rows(f"{graph.account}/insights", **shared)
    parts = graph.all_rows(f"{graph.account}/insights", breakdowns=breakdowns, **shared)
    assert len(parts) > len(whole)
    names = breakdowns.split(",")
    keys = [(row["date_start"], row["campaign_id"], *(row[name] for name in names)) for row in parts]
    assert len(set(keys)) == len(keys)
    assert total(parts) == total(whole)


def test_breakdowns_that_cannot_be_combined_are_refused_with_code_2(graph: Any) -> None:
    response = graph.get(f"{graph.account}/insights", breakdowns="age,country")
    assert graph.error(response) == (2, 1504041)
    assert graph.error(graph.get(f"{graph.account}/insights", breakdowns="dma")) == (100, None)


def test_reach_of_a_campaign_lies_between_its_best_ad_and_the_sum(graph: Any) -> None:
    shared = {"time_range": RANGE, "time_increment": 1, "limit": 1000, "fields": "campaign_id,reach"}
    ads: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in graph.all_rows(f"{graph.account}/insights", level="ad", **shared):
        ads[row["date_start"], row["campaign_id"]].append(int(row["reach"]))
    less = 0
    for row in graph.all_rows(f"{graph.account}/insights", level="campaign", **shared):
        parts = ads[row["date_start"], row["campaign_id"]]
        assert max(parts) <= int(row["reach"]) <= sum(parts)
        less += int(row["reach"]) < sum(parts)
    assert less > 20


def test_attribution_windows_come_when_asked_for(graph: Any) -> None:
    path = f"{graph.account}/insights"
    plain = graph.get(path, fields="actions").json()["data"][0]["actions"]
    split = graph.get(path, fields="actions", action_attribution_windows='["7d_click","1d_view"]').json()
    click = next(e for e in split["data"][0]["actions"] if e["action_type"] == "link_click")
    assert all(set(element) <= {"action_type", "value"} for element in plain)
    assert int(click["7d_click"]) + int(click["1d_view"]) == int(click["value"])
    assert graph.error(graph.get(path, action_attribution_windows='["28d_view"]')) == (100, None)


def test_campaigns_are_chosen_by_filtering(graph: Any) -> None:
    wanted = [campaign.id for campaign in graph.world.accounts[0].campaigns[1:3]]
    text = '[{"field":"campaign.id","operator":"IN","value":["' + '","'.join(wanted) + '"]}]'
    rows = graph.all_rows(
        f"{graph.account}/insights",
        level="ad",
        filtering=text,
        time_increment=1,
        fields="campaign_id",
        limit=100,
    )
    assert {row["campaign_id"] for row in rows} == set(wanted)


@pytest.mark.parametrize("status", ["ARCHIVED", "DELETED"])
def test_insights_of_hidden_campaigns_come_all_the_same(graph: Any, status: str) -> None:
    account, campaign = next(
        (account, c) for account in graph.world.accounts for c in account.campaigns if c.status == status
    )
    rows = graph.all_rows(
        f"act_{account.id}/insights", level="campaign", date_preset="last_30d", fields="campaign_id"
    )
    assert campaign.id in {row["campaign_id"] for row in rows}
    listed = graph.all_rows(f"act_{account.id}/campaigns")
    assert campaign.id not in {row["id"] for row in listed}


def test_periods(graph: Any) -> None:
    path = f"{graph.account}/insights"
    one = graph.get(path, since="2026-10-01", until="2026-11-10", fields="spend").json()["data"]
    assert [(row["date_start"], row["date_stop"]) for row in one] == [("2026-10-01", "2026-11-10")]
    months = graph.get(path, since="2026-10-15", until="2026-11-10", time_increment="monthly").json()["data"]
    assert [row["date_stop"] for row in months] == ["2026-10-31", "2026-11-10"]
    weeks = graph.get(path, since="2026-11-01", until="2026-11-10", time_increment=7).json()["data"]
    assert [row["date_start"] for row in weeks] == ["2026-11-01", "2026-11-08"]
    assert graph.get(path, since="2026-11-21", until="2026-12-01").json() == {"data": []}
    assert graph.error(graph.get(path, since="2023-01-01", until="2023-01-02")) == (3018, None)
    assert graph.error(graph.get(path, since="2026-11-02", until="2026-11-01")) == (100, None)
    assert graph.error(graph.get(path, time_range="[]")) == (100, None)


def test_the_default_page_has_25_rows_and_the_link_goes_on(graph: Any) -> None:
    body = graph.get(f"{graph.account}/insights", level="ad", time_increment=1, fields="ad_id").json()
    assert len(body["data"]) == 25
    assert f"access_token={graph.token}" in body["paging"]["next"]
    after = graph.get(
        f"{graph.account}/insights",
        level="ad",
        time_increment=1,
        fields="ad_id",
        after=body["paging"]["cursors"]["after"],
    ).json()
    assert graph.http.get(body["paging"]["next"]).json()["data"] == after["data"]
    assert after["data"][0] not in body["data"]
    assert graph.error(graph.get(f"{graph.account}/insights", after="%%%")) == (100, None)


def test_the_last_page_has_no_next_link(graph: Any) -> None:
    body = graph.get(f"{graph.account}/insights", level="campaign", limit=500).json()
    assert "next" not in body["paging"]


def test_yen_are_whole(graph: Any) -> None:
    account = graph.world.accounts[2]
    rows = graph.all_rows(
        f"act_{account.id}/insights", level="ad", fields="spend,action_values,account_currency"
    )
    assert rows[0]["account_currency"] == "JPY"
    texts = [row["spend"] for row in rows]
    texts += [element["value"] for row in rows for element in row.get("action_values", [])]
    assert texts
    assert not any("." in text for text in texts)


def test_an_ad_can_be_asked_for_by_itself(graph: Any) -> None:
    account = graph.world.accounts[0]
    ad = account.entity_id(3, 4)
    rows = graph.all_rows(f"{ad}/insights", fields="ad_id,spend", date_preset="last_30d")
    assert [row["ad_id"] for row in rows] == [ad]


def test_a_large_world_answers_its_first_page_soon(open_graph: Any) -> None:
    graph = open_graph(world=World(3, accounts=1, campaigns=200, ads_per_campaign=500))
    body = graph.get(
        f"{graph.account}/insights", level="ad", time_increment=1, limit=500, fields=FIELDS
    ).json()
    assert len(body["data"]) == 500
    assert "next" in body["paging"]
