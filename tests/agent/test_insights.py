"""What is asked of Graph for insights, and what its rows become."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import BadAnswer
from agent.insights import LEVEL_IDS, InsightRow, InsightsQuery, purchase_total, to_row
from db.insights_load import STAGING_COLUMNS

RECORDED = Path(__file__).parent.parent / "simulator" / "recorded" / "meta"
DAY = "2026-11-01"
RULE = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")


def query(level: str = "ad", breakdown: str = "", account_id: int = 7) -> InsightsQuery:
    return InsightsQuery(account_id, level, date(2026, 11, 1), date(2026, 11, 2), breakdown)


def raw(**more: Any) -> dict[str, Any]:
    return {"ad_id": "5", "date_start": DAY, "date_stop": DAY, **more}


def recorded_rows() -> Iterator[dict[str, Any]]:
    """Every insights row in the recordings, wherever it is nested."""

    def walk(value: object) -> Iterator[dict[str, Any]]:
        if isinstance(value, dict):
            if "date_start" in value and "async_status" not in value:
                yield value
            else:
                for part in value.values():
                    yield from walk(part)
        elif isinstance(value, list):
            for part in value:
                yield from walk(part)

    for file in sorted(RECORDED.glob("*.json")):
        for exchange in json.loads(file.read_text()):
            yield from walk(exchange["body"])


def test_a_row_is_what_the_staging_table_takes() -> None:
    assert InsightRow._fields == STAGING_COLUMNS


def test_every_recorded_row_converts_without_loss() -> None:
    rows = list(recorded_rows())
    assert len(rows) > 10
    assert any("actions" in row for row in rows)
    for row in rows:
        level = next(level for level in reversed(list(LEVEL_IDS)) if f"{level}_id" in row)
        converted = to_row(row, query(level))
        assert converted.entity_id == row[f"{level}_id"]
        assert converted.date == row["date_start"]
        for name in ("campaign_id", "adset_id", "ad_id"):
            assert getattr(converted, name) == row.get(name)
        for name in ("impressions", "clicks", "reach", "spend"):
            assert getattr(converted, name) == row.get(name, "0")
        for name in ("actions", "action_values"):
            assert json.loads(getattr(converted, name)) == row.get(name, [])
        kinds = {element["action_type"]: element["value"] for element in row.get("actions", [])}
        assert converted.purchases == next((kinds[kind] for kind in RULE if kind in kinds), "0")


def test_some_recorded_row_has_a_purchase() -> None:
    kinds = {element["action_type"] for row in recorded_rows() for element in row.get("actions", [])}
    assert kinds & set(RULE)


def test_the_parameters_of_a_query() -> None:
    asked = InsightsQuery(
        7, "adset", date(2026, 11, 1), date(2026, 11, 2), "age+gender", ["7d_click", "1d_view"], 100
    ).params()
    fields = asked.pop("fields").split(",")
    assert asked == {
        "level": "adset",
        "time_range": {"since": "2026-11-01", "until": "2026-11-02"},
        "time_increment": "1",
        "limit": "100",
        "breakdowns": "age,gender",
        "action_attribution_windows": ["7d_click", "1d_view"],
    }
    assert fields[:3] == ["account_id", "campaign_id", "adset_id"]
    assert {"impressions", "clicks", "reach", "spend", "actions", "action_values"} <= set(fields)
    assert "ad_id" not in fields
    assert {"breakdowns", "action_attribution_windows"}.isdisjoint(query().params())


def test_a_metric_that_was_left_out_is_zero() -> None:
    row = to_row(raw(), query())
    assert row == ("5", DAY, "{}", None, None, "5", *["0"] * 6, "[]", "[]")


@pytest.mark.parametrize(
    ("level", "entity"), [("account", "1"), ("campaign", "2"), ("adset", "3"), ("ad", "4")]
)
def test_the_entity_is_the_one_of_the_level(level: str, entity: str) -> None:
    ids = {"account_id": "1", "campaign_id": "2", "adset_id": "3", "ad_id": "4"}
    row = to_row({**ids, "date_start": DAY}, query(level))
    assert row.entity_id == entity
    assert (row.campaign_id, row.adset_id, row.ad_id) == ("2", "3", "4")


def test_a_row_of_the_account_may_leave_its_id_out() -> None:
    assert to_row({"date_start": DAY}, query("account", account_id=77)).entity_id == "77"


def test_breakdown_values_are_kept_and_a_missing_key_stays_missing() -> None:
    full = to_row(raw(age="18-24", gender="female", country="BR"), query(breakdown="age+gender"))
    assert json.loads(full.breakdown_values) == {"age": "18-24", "gender": "female"}
    part = to_row(raw(age="18-24"), query(breakdown="age+gender"))
    assert json.loads(part.breakdown_values) == {"age": "18-24"}
    assert json.loads(to_row(raw(age="18-24"), query()).breakdown_values) == {}


def elements(*pairs: tuple[str, object]) -> list[dict[str, Any]]:
    return [{"action_type": kind, "value": value} for kind, value in pairs]


@pytest.mark.parametrize(
    ("found", "total"),
    [
        ([], "0"),
        (elements(("link_click", "9")), "0"),
        (elements(("offsite_conversion.fb_pixel_purchase", "3")), "3"),
        (elements(("offsite_conversion.fb_pixel_purchase", "3"), ("purchase", "4")), "4"),
        (elements(("purchase", "4"), ("omni_purchase", "5"), ("link_click", "9")), "5"),
        (elements(("omni_purchase", "0"), ("purchase", "4")), "0"),
        # An element may lack its value; then it says nothing.
        ([{"action_type": "omni_purchase", "7d_click": "1"}, *elements(("purchase", "4"))], "4"),
        ([{"value": "4"}, {"action_type": None, "value": "4"}, {"action_type": [], "value": "4"}], "0"),
        (elements(("purchase", 4)), "4"),
        (elements(("purchase", "129.90")), "129.90"),
    ],
)
def test_a_purchase_is_counted_once(found: list[dict[str, Any]], total: str) -> None:
    assert purchase_total(found) == total
    row = to_row(raw(actions=found, action_values=found), query())
    assert row.purchases == str(round(Decimal(total)))
    assert row.revenue == total
    assert json.loads(row.actions) == json.loads(row.action_values) == found


BAD: dict[str, tuple[object, ...]] = {
    "impressions": ("", "-1", "1.5", "x", None, True, [], {}, 1e22, "9" * 19, "١٢", "1\n", " 1", "NaN"),
    "clicks": ("", "-1", "1.5", "x"),
    "reach": ("", "-1", "1.5", "x"),
    "spend": ("", None, "1,5", "NaN", "Infinity", "1e50", "9" * 19, "１", "-", "1."),
    "ad_id": ("", None, "0", "-5", "x", "05", str(2**63), "9" * 19, "９", 5.0, [5]),
    "campaign_id": ("", None, "x", "\x00"),
    "adset_id": ("", None, "x", "\x00"),
    "date_start": (
        *("", None, 20261101, "20261101", "2026-13-01", "2026-02-30"),
        *("0000-01-01", "٢٠٢٦-11-01", "2026-11-01T00:00:00", "\\N"),
    ),
    "actions": (
        *("x", {"a": 1}, [1], [None], 3),
        *(elements(("purchase", "many")), elements(("purchase", None))),
    ),
    "action_values": ("x", {"a": 1}, [1], [None], 3, elements(("omni_purchase", "NaN"))),
}


@pytest.mark.parametrize(
    "more", [{name: value} for name, values in BAD.items() for value in values], ids=repr
)
def test_a_value_that_cannot_be_is_refused_and_named(more: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer) as caught:
        to_row(raw(**more), query())
    text = str(caught.value)
    assert any(name in text for name in (*more, *RULE))
    assert len(text) < 200


def test_a_row_without_its_entity_is_refused() -> None:
    with pytest.raises(BadAnswer, match="ad_id"):
        to_row({"date_start": DAY}, query())


def test_the_largest_values_pass() -> None:
    row = to_row(raw(ad_id=str(2**63 - 1), impressions="9" * 18, spend="9" * 18 + "." + "9" * 12), query())
    assert (row.entity_id, row.impressions) == (str(2**63 - 1), "9" * 18)


def test_numbers_that_are_no_text_are_taken_as_they_are_written() -> None:
    row = to_row(raw(impressions=3, spend=-1.25, clicks=0), query())
    assert (row.impressions, row.spend, row.clicks) == ("3", "-1.25", "0")


@given(text=st.text(st.characters(exclude_categories=["Cs"])), count=st.integers(0, 5))
def test_texts_survive_but_for_the_nul_character(text: str, count: int) -> None:
    """The text of an escaped NUL, with any number of backslashes before it, is none."""
    for odd in (text, "\\" * count + "u0000", "\\" * count + "\x00" + text, "\x00\x00\\N"):
        row = to_row(raw(age=odd, actions=[{"action_type": odd}]), query(breakdown="age"))
        expected = odd.replace("\x00", "\ufffd")
        assert orjson.loads(row.breakdown_values) == {"age": expected}
        assert orjson.loads(row.actions) == [{"action_type": expected}]
        assert "\x00" not in row.actions


@pytest.mark.parametrize(
    ("given_value", "stored"),
    [("59.989999999999995", "59.989999999999995"), (1e-05, "0.00001"), ("1.5E2", "150"), (12, "12")],
)
def test_amounts_in_floating_point_are_amounts(given_value: object, stored: str) -> None:
    assert to_row(raw(spend=given_value), query()).spend == stored
