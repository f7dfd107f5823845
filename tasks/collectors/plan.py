"""Cutting what is to be read into slices. Pure: dates in, slices out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

from db.collection import SliceSpec
from db.coverage import Coverage
from db.models import Level

# How many days one slice holds. Finer levels have more rows a day, and a slice is read and swapped whole.
SLICE_DAYS = {Level.ACCOUNT: 30, Level.CAMPAIGN: 30, Level.ADSET: 15, Level.AD: 10}


def plan_slices(
    *,
    levels: Sequence[str],
    breakdowns: Sequence[str],
    since: date | None,
    until: date | None,
    today: date,
    coverage: Mapping[tuple[Level, str], Coverage],
    initial_days: int,
    lookback_days: int,
) -> list[SliceSpec]:
    """The slices of a run, newest days first; all dates are of the account's zone, both ends included.

    Without `since`, a level and breakdown that the schedule never set out to collect is read for
    `initial_days`. One that it did is read for `lookback_days`, as Meta restates those, rounded up to whole
    slices; and for every wanted day before them that is not covered: days missed in a break, or whose slice
    failed. Without `until`, to `today`. Days after `today` are left out. Each level is read without a
    breakdown and with each of `breakdowns`.
    """
    last = min(until or today, today)
    specs = []
    for level, breakdown in level_and_breakdown(levels, breakdowns):
        if since:
            ranges = [(since, last)]
        else:
            known = coverage.get((level, breakdown), Coverage(None, ()))
            first = known.wanted_since or first_wanted(last, initial_days)
            covered = known.covered if known.wanted_since else ()
            ranges = missing(
                first,
                last,
                covered,
                always_since=_reread_since(first, last, lookback_days, SLICE_DAYS[level]),
            )
        specs += [
            SliceSpec(level, breakdown, begin, end)
            for range_begin, range_end in ranges
            for begin, end in cut(range_begin, range_end, SLICE_DAYS[level])
        ]
    return sorted(specs, key=lambda spec: spec.until, reverse=True)


def _reread_since(first: date, last: date, lookback_days: int, slice_days: int) -> date:
    """The first day that is read every time: the lookback rounded up to whole slices.

    A begun slice costs a call anyway. The rounding does not reach back over `first`.
    """
    rounded = -(-lookback_days // slice_days) * slice_days
    return min(last - timedelta(days=lookback_days - 1), max(first, last - timedelta(days=rounded - 1)))


def level_and_breakdown(levels: Sequence[str], breakdowns: Sequence[str]) -> list[tuple[Level, str]]:
    """Every pair to read, each once; '' is no breakdown."""
    return [
        (Level(level), breakdown)
        for level in dict.fromkeys(levels)
        for breakdown in dict.fromkeys(["", *breakdowns])
    ]


def first_wanted(last: date, initial_days: int) -> date:
    """The first day of the first collection up to `last`."""
    return last - timedelta(days=initial_days - 1)


def missing(
    first: date, last: date, covered: Sequence[tuple[date, date]], *, always_since: date
) -> list[tuple[date, date]]:
    """Ranges that together are the days from `first` to `last` that are not covered, oldest first.

    Days from `always_since` on count as not covered; they may lie before `first` too.
    """
    ranges: list[tuple[date, date]] = []
    day = min(first, always_since)
    for begin, end in [*sorted(covered), (last + timedelta(days=1), date.max)]:
        # What is covered of the lookback is read all the same.
        gap_end = min(begin - timedelta(days=1), last)
        if always_since <= gap_end + timedelta(days=1):
            gap_end = last
        if gap_end >= day:
            ranges.append((day, gap_end))
        if gap_end >= last:
            break
        if end >= always_since:
            end = always_since - timedelta(days=1)
        day = max(day, end + timedelta(days=1))
    return ranges


def cut(first: date, last: date, days: int) -> Iterator[tuple[date, date]]:
    """Ranges of at most `days` days that together are `first` to `last`, newest first."""
    while last >= first:
        begin = max(first, last - timedelta(days=days - 1))
        yield begin, last
        last = begin - timedelta(days=1)
