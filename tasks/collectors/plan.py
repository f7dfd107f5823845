"""Cutting what is to be read into slices. Pure: dates in, slices out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

from db.collection import SliceSpec
from db.models import Level

# How many days one slice holds. Finer levels have more rows a day, and a slice is read and swapped whole.
SLICE_DAYS = {Level.ACCOUNT: 90, Level.CAMPAIGN: 30, Level.ADSET: 14, Level.AD: 7}


def plan_slices(
    *,
    levels: Sequence[str],
    breakdowns: Sequence[str],
    since: date | None,
    until: date | None,
    today: date,
    collected_until: Mapping[tuple[Level, str], date],
    initial_days: int,
    lookback_days: int,
) -> list[SliceSpec]:
    """The slices of a run, newest days first; all dates are of the account's zone, both ends included.

    Without `since`, a level and breakdown that was never collected is read for `initial_days`; one that was
    is read for `lookback_days`, as Meta restates those, or from the last collected day if that is longer ago.
    Without `until`, to `today`. Days after `today` are left out. Each level is read without a breakdown and
    with each of `breakdowns`.
    """
    last = min(until or today, today)
    specs = []
    for level in map(Level, dict.fromkeys(levels)):
        for breakdown in dict.fromkeys(["", *breakdowns]):
            first = since or _first_day(
                collected_until.get((level, breakdown)), last, initial_days, lookback_days
            )
            specs += [
                SliceSpec(level, breakdown, begin, end) for begin, end in cut(first, last, SLICE_DAYS[level])
            ]
    return sorted(specs, key=lambda spec: spec.until, reverse=True)


def cut(first: date, last: date, days: int) -> Iterator[tuple[date, date]]:
    """Ranges of at most `days` days that together are `first` to `last`, newest first."""
    while last >= first:
        begin = max(first, last - timedelta(days=days - 1))
        yield begin, last
        last = begin - timedelta(days=1)


def _first_day(collected: date | None, last: date, initial_days: int, lookback_days: int) -> date:
    if collected is None:
        return last - timedelta(days=initial_days - 1)
    # After a long break the days since the last sync are missing altogether.
    return min(last - timedelta(days=lookback_days - 1), collected)
