"""The simulator's answers beside real ones: the same keys, and values of the same types."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simulator.graph import World

RECORDED = Path(__file__).parents[1] / "recorded" / "meta"


def recorded(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((RECORDED / name).read_text())
    return found


def shape(value: Any) -> Any:
    """Keys and types; texts by what they look like."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, str):
        if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            return "date"
        return "number" if re.fullmatch(r"[1-9]\d*(\.\d*[1-9])?|0\.\d*[1-9]", value) else "text"
    return type(value).__name__


def row_shapes(rows: list[dict[str, Any]]) -> dict[str, set[str]]:
    """For each key the shapes its values have, a list's by its elements."""
    found: dict[str, set[str]] = {}
    for row in rows:
        for key, value in row.items():
            items = value if isinstance(value, list) else [value]
            found.setdefault(key, set()).update(json.dumps(shape(item), sort_keys=True) for item in items)
    return found


def test_ad_rows(graph: Any) -> None:
    pages = recorded("ad_insights_v2_9.json")
    real = [
        row for page in pages for ad in page["body"]["data"] for row in ad.get("insights", {}).get("data", [])
    ]
    assert len(real) > 20
    rows = graph.all_rows(
        f"{graph.account}/insights",
        level="ad",
        time_increment=1,
        limit=500,
        fields="ad_id,impressions,reach,clicks,spend,video_30_sec_watched_actions,video_p95_watched_actions,actions",
    )
    real_shapes, our_shapes = row_shapes(real), row_shapes(rows)
    assert set(our_shapes) == set(real_shapes)
    bare = json.dumps({"action_type": "text"})
    for key, shapes in our_shapes.items():
        assert shapes - {bare} <= real_shapes[key], key


def test_a_report_run(open_graph: Any) -> None:
    rows, node, start = (page["body"] for page in recorded("async_campaign_insights_v10.json"))
    world = World(7, now=datetime(2026, 11, 20, 15, 0, tzinfo=UTC))
    graph = open_graph(world=world, async_polls=1)
    started = graph.post(
        f"{graph.account}/insights",
        fields="account_id,campaign_id,actions",
        action_breakdowns="action_reaction",
        date_preset="last_3d",
        time_increment=1,
        level="account",
    ).json()
    assert shape(started) == shape(start)
    assert shape(graph.get(started["report_run_id"]).json()) == shape(node)
    ours = graph.get(f"{started['report_run_id']}/insights").json()
    assert set(ours) == set(rows)
    assert len(ours["data"]) == len(rows["data"]) == 3
    assert set(ours["paging"]) == set(rows["paging"])
    bare = json.dumps({"action_type": "text"})
    real_shapes, our_shapes = row_shapes(rows["data"]), row_shapes(ours["data"])
    assert set(our_shapes) == set(real_shapes)
    for key, shapes in our_shapes.items():
        assert shapes - {bare} <= real_shapes[key], key


def test_pages_of_objects(graph: Any) -> None:
    real = recorded("ad_insights_v2_9.json")[1]["body"]
    ours = graph.get(f"{graph.account}/ads", limit=5).json()
    assert set(real["data"][0]) <= set(ours["data"][0])
    assert set(ours["paging"]) == set(real["paging"]) - {"previous"}
    assert set(ours["paging"]["cursors"]) == set(real["paging"]["cursors"])
