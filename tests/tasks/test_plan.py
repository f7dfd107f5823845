"""Cutting days into slices."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.coverage import Coverage
from db.models import Level
from tasks.collectors.plan import SLICE_DAYS, cut, missing, plan_slices

TODAY = date(2026, 11, 22)
# Thirty days up to it.
FIRST = date(2026, 10, 24)
DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))


def plan(**values: Any) -> list[tuple[str, str, date, date]]:
    arguments: dict[str, Any] = {
        "levels": ["campaign"],
        "breakdowns": [],
        "since": None,
        "until": None,
        "today": TODAY,
        "coverage": {},
        "initial_days": 30,
        "lookback_days": 28,
    }
    specs = plan_slices(**{**arguments, **values})
    return [(spec.level.value, spec.breakdown, spec.since, spec.until) for spec in specs]


def test_the_first_time_the_initial_days_up_to_today_are_read() -> None:
    assert plan() == [("campaign", "", date(2026, 10, 24), TODAY)]


def covered(*ranges: tuple[date, date], wanted_since: date | None = FIRST) -> dict[Any, Coverage]:
    return {(Level.CAMPAIGN, ""): Coverage(wanted_since, ranges)}


def test_after_that_the_lookback_is_read() -> None:
    whole = covered((FIRST, TODAY - timedelta(days=1)))
    assert plan(coverage=whole) == [("campaign", "", FIRST, TODAY)]


def test_after_a_long_break_the_missing_days_are_read_too() -> None:
    ranges = plan(coverage=covered((date(2026, 8, 1), date(2026, 9, 1)), wanted_since=date(2026, 8, 1)))
    assert min(begin for _, _, begin, _ in ranges) == date(2026, 9, 2)
    assert ranges[0][3] == TODAY


def test_days_whose_slice_failed_are_read_again() -> None:
    first, hole = date(2026, 6, 1), (date(2026, 7, 10), date(2026, 7, 20))
    before, after = (first, hole[0] - timedelta(days=1)), (hole[1] + timedelta(days=1), TODAY)
    assert plan(coverage=covered(before, after, wanted_since=first)) == [
        ("campaign", "", FIRST, TODAY),
        ("campaign", "", *hole),
    ]


def test_a_single_range_that_was_asked_for_does_not_stand_for_the_first_collection() -> None:
    only = covered((TODAY, TODAY), wanted_since=None)
    assert plan(coverage=only) == [("campaign", "", FIRST, TODAY)]


def test_each_level_and_breakdown_has_its_own_history() -> None:
    found = {
        (level, breakdown): begin
        for level, breakdown, begin, _ in plan(
            levels=["campaign", "account"], breakdowns=["country"], coverage=covered((FIRST, TODAY))
        )
    }
    assert found == {
        ("campaign", ""): FIRST,
        ("campaign", "country"): FIRST,
        ("account", ""): FIRST,
        ("account", "country"): FIRST,
    }


@given(
    first=st.integers(0, 60),
    always=st.integers(0, 60),
    taken=st.lists(st.tuples(st.integers(-5, 65), st.integers(0, 10)), max_size=6),
)
def test_what_is_missing_is_each_uncovered_day_once(
    first: int, always: int, taken: list[tuple[int, int]]
) -> None:
    start = TODAY - timedelta(days=60)
    days = set()
    for offset, length in taken:
        days |= set(range(offset, offset + length + 1))
    ranges: list[tuple[date, date]] = []
    for day in sorted(days):
        date_ = start + timedelta(days=day)
        if ranges and ranges[-1][1] == date_ - timedelta(days=1):
            ranges[-1] = (ranges[-1][0], date_)
        else:
            ranges.append((date_, date_))
    found = [
        (begin + timedelta(days=n) - start).days
        for begin, end in missing(
            start + timedelta(days=first), TODAY, ranges, always_since=start + timedelta(days=always)
        )
        for n in range((end - begin).days + 1)
    ]
    assert found == [day for day in range(61) if day >= always or (day >= first and day not in days)]


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


@pytest.mark.parametrize(
    ("lookback", "initial", "first"),
    [
        (28, 30, date(2026, 10, 24)),
        (28, 90, date(2026, 10, 24)),
        # Not before the first day that was ever wanted …
        (3, 5, date(2026, 11, 18)),
        # … unless the lookback itself reaches there.
        (28, 5, date(2026, 10, 26)),
    ],
)
def test_the_lookback_is_rounded_up_to_whole_slices(lookback: int, initial: int, first: date) -> None:
    wanted = TODAY - timedelta(days=initial - 1)
    known = {(Level.AD, ""): Coverage(wanted, ((wanted, TODAY),))}
    slices = plan(levels=["ad"], coverage=known, lookback_days=lookback, initial_days=initial)
    assert min(begin for _, _, begin, _ in slices) == first
