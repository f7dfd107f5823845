"""The control routes: figures that change, vanish, and the truth beside them."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

FIELDS = "campaign_id,impressions,clicks,spend,actions,action_values"


def rows(graph: Any, **params: Any) -> dict[tuple[str, str], dict[str, Any]]:
    found = graph.all_rows(
        f"{graph.account}/insights",
        level="campaign",
        time_increment=1,
        since="2026-11-01",
        until="2026-11-20",
        fields=FIELDS,
        limit=500,
        **params,
    )
    return {(row["date_start"], row["campaign_id"]): row for row in found}


def test_restating_changes_the_last_days_and_no_others(graph: Any) -> None:
    before = rows(graph)
    graph.control("restate", {"account": graph.account, "days": 5, "seed": 3})
    after = rows(graph)
    assert set(before) == set(after)
    changed = {day for (day, _), row in before.items() if row != after[day, _]}
    assert changed == {f"2026-11-{day}" for day in range(16, 21)}
    for place, row in before.items():
        assert after[place]["impressions"] == row["impressions"]
    day = graph.control("truth", account=graph.account, level="campaign", since="2026-11-18", by="entity")[
        "days"
    ][0]
    spends = {campaign: Decimal(figures["spend"]) for campaign, figures in day["entities"].items()}
    assert spends == {c: Decimal(row["spend"]) for (date, c), row in after.items() if date == "2026-11-18"}


def test_restating_is_repeatable_and_adds_up(open_graph: Any) -> None:
    documents = []
    for _ in range(2):
        graph = open_graph()
        graph.control("restate", {"days": 5, "seed": 3})
        graph.control("restate", {"days": 2, "seed": 9})
        documents.append(graph.control("truth", level="ad", since="2026-11-10"))
    assert documents[0] == documents[1]
    plain = open_graph().control("truth", level="ad", since="2026-11-10")
    assert plain != documents[0]


def test_a_vanished_campaign_is_gone_everywhere(graph: Any) -> None:
    gone = graph.world.accounts[0].campaigns[0].id
    before = rows(graph)
    graph.control("vanish", {"campaign": gone, "since": "2026-11-10"})
    after = rows(graph)
    assert {place for place in before if place not in after} == {
        place for place in before if place[1] == gone and place[0] >= "2026-11-10"
    }
    assert all(after[place] == before[place] for place in after)
    for day in graph.control(
        "truth", account=graph.account, since="2026-11-09", until="2026-11-20", by="entity"
    )["days"]:
        assert (gone in day["entities"]) is (day["date"] < "2026-11-10")


def test_the_world_tells_its_economics(graph: Any) -> None:
    world = graph.control("world")
    account = world["accounts"][0]
    assert account["id"] == graph.account.removeprefix("act_")
    assert {campaign["quality"] for campaign in account["campaigns"]} >= {"winner", "loser", "sells nothing"}
    assert all(len(campaign["ads"]) == 3 for campaign in account["campaigns"])
    assert "ads" not in graph.control("world", ads="0")["accounts"][0]["campaigns"][0]


def test_the_log_holds_no_token(graph: Any) -> None:
    graph.get(f"{graph.account}/insights", limit=3, appsecret_proof="f" * 64)
    graph.post(f"{graph.account}/insights", level="ad")
    graph.get("debug_token", input_token="EAAanotherSecret")
    log = graph.control("log")
    text = str(log)
    assert graph.token not in text
    assert "EAAanotherSecret" not in text
    assert "f" * 64 not in text
    entry = log["requests"][0]
    assert entry["params"] == {"limit": "3"}
    assert len(entry["token_sha"]) == 12
    assert [entry["number"] for entry in log["requests"]] == [1, 2, 3]


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("restate", {"account": "act_1"}),
        ("restate", {"days": 0}),
        ("restate", []),
        ("vanish", {"campaign": "1"}),
        ("vanish", {}),
        ("tokens", {}),
        ("usage", {"nonsense": 1}),
        ("faults", {"kind": "nonsense"}),
        ("faults", {"kind": "cut", "nonsense": 1}),
    ],
)
def test_wrong_control_input_is_refused(graph: Any, path: str, document: Any) -> None:
    response: httpx.Response = graph.http.post(f"/_control/{path}", json=document)
    assert response.status_code == 400
    assert response.json()["error"]
