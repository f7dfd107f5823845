"""Cutting days into slices."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.models import Level
from tasks.collectors.plan import SLICE_DAYS, cut, plan_slices

TODAY = date(2026, 11, 22)
DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))


def plan(**values: Any) -> list[tuple[str, str, date, date]]:
    arguments: dict[str, Any] = {
        "levels": ["campaign"],
        "breakdowns": [],
        "since": None,
        "until": None,
        "today": TODAY,
        "collected_until": {},
        "initial_days": 30,
        "lookback_days": 28,
    }
    specs = plan_slices(**{**arguments, **values})
    return [(spec.level.value, spec.breakdown, spec.since, spec.until) for spec in specs]


def test_the_first_time_the_initial_days_up_to_today_are_read() -> None:
    assert plan() == [("campaign", "", date(2026, 10, 24), TODAY)]


def test_after_that_the_lookback_is_read() -> None:
    collected = {(Level.CAMPAIGN, ""): TODAY - timedelta(days=1)}
    assert plan(collected_until=collected) == [("campaign", "", date(2026, 10, 26), TODAY)]


def test_after_a_long_break_the_missing_days_are_read_too() -> None:
    collected = {(Level.CAMPAIGN, ""): date(2026, 9, 1)}
    slices = plan(collected_until=collected)
    assert min(begin for _, _, begin, _ in slices) == date(2026, 9, 1)
    assert slices[0][3] == TODAY


def test_each_level_and_breakdown_has_its_own_history() -> None:
    collected = {(Level.CAMPAIGN, ""): TODAY}
    first = {
        (level, breakdown): begin
        for level, breakdown, begin, _ in plan(
            levels=["campaign", "account"], breakdowns=["country"], collected_until=collected
        )
    }
    initial = date(2026, 10, 24)
    assert first == {
        ("campaign", ""): date(2026, 10, 26),
        ("campaign", "country"): initial,
        ("account", ""): initial,
        ("account", "country"): initial,
    }


def test_a_range_that_was_asked_for_is_taken_as_it_is() -> None:
    first, last = date(2026, 1, 5), date(2026, 1, 7)
    assert plan(since=first, until=last) == [("campaign", "", first, last)]


def test_days_that_have_not_come_are_left_out() -> None:
    assert plan(since=TODAY, until=TODAY + timedelta(days=1)) == [("campaign", "", TODAY, TODAY)]
    assert plan(since=TODAY + timedelta(days=1), until=TODAY + timedelta(days=1)) == []


def test_the_newest_days_come_first() -> None:
    ends = [end for _, _, _, end in plan(levels=["ad", "campaign"], since=date(2026, 1, 1))]
    assert ends == sorted(ends, reverse=True)


@given(first=DAYS, length=st.integers(1, 400), days=st.integers(1, 90))
def test_the_slices_together_are_the_range_each_day_once(first: date, length: int, days: int) -> None:
    last = first + timedelta(days=length - 1)
    covered = []
    for begin, end in cut(first, last, days):
        assert 1 <= (end - begin).days + 1 <= days
        covered += [begin + timedelta(days=day) for day in range((end - begin).days + 1)]
    assert sorted(covered) == [first + timedelta(days=day) for day in range(length)]


def test_a_range_that_ends_before_it_begins_has_no_slice() -> None:
    assert list(cut(TODAY, TODAY - timedelta(days=1), 7)) == []


@pytest.mark.parametrize("level", list(Level))
def test_no_slice_is_longer_than_its_level_allows(level: Level) -> None:
    for _, _, begin, end in plan(levels=[level.value], since=date(2025, 1, 1)):
        assert (end - begin).days + 1 <= SLICE_DAYS[level]
