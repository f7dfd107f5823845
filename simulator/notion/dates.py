"""Dates: values of properties, and the two ways the API writes a time."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from simulator.notion.checks import MISSING, Json, a_string, an_object, only_keys, wrong

_DAY_LENGTH = 10
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")


def to_minute(stamp: str) -> str:
    """A stored time as pages, blocks and data sources show it: cut to the minute."""
    return stamp[:16] + ":00.000Z"


def to_millisecond(stamp: str) -> str:
    """A stored time as databases and views show it."""
    return datetime.fromisoformat(stamp).isoformat(timespec="milliseconds")


def parse_moment(value: Any, path: str) -> str:
    """An ISO 8601 date, or date and time, kept as it was written."""
    text = a_string(value, path)
    if not _ISO.fullmatch(text):
        raise wrong(path, "a valid ISO 8601 date string", value)
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise wrong(path, "a valid ISO 8601 date string", value) from None
    return text


def parse_date(value: Any, path: str) -> Json:
    """A date value: ``start``, ``end`` and ``time_zone``."""
    given = an_object(value, path)
    only_keys(given, path, ("start", "end", "time_zone"))
    start = parse_moment(given.get("start", MISSING), f"{path}.start")
    end = parse_moment(given["end"], f"{path}.end") if given.get("end") is not None else None
    zone = given.get("time_zone")
    if zone is not None and a_string(zone, f"{path}.time_zone") not in available_timezones():
        raise wrong(f"{path}.time_zone", "a valid time zone", zone)
    if end is not None and moment(end, zone) < moment(start, zone):
        raise wrong(f"{path}.end", "after the start date", end)
    return {"start": start, "end": end, "time_zone": zone}


def moment(text: str, zone: str | None = None) -> datetime:
    """A written date as a moment; UTC, or the zone given, where it says nothing."""
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        read = read.replace(tzinfo=ZoneInfo(zone) if zone else UTC)
    return read.astimezone(UTC)


def is_day(text: str) -> bool:
    """Whether a written date has no time."""
    return len(text) == _DAY_LENGTH


def day_of(text: str) -> date:
    """The day of a written date: its own when it has no time, else the one in UTC."""
    return date.fromisoformat(text) if is_day(text) else moment(text).date()


def relative_range(name: str, today: date) -> tuple[date, date]:
    """First and last day of ``past_week`` and the like."""
    spans = {
        "past_week": (timedelta(days=-7), timedelta()),
        "past_month": (timedelta(days=-30), timedelta()),
        "past_year": (timedelta(days=-365), timedelta()),
        "this_week": (timedelta(days=-today.weekday()), timedelta(days=6 - today.weekday())),
        "next_week": (timedelta(), timedelta(days=7)),
        "next_month": (timedelta(), timedelta(days=30)),
        "next_year": (timedelta(), timedelta(days=365)),
    }
    first, last = spans[name]
    return today + first, today + last


RELATIVE = ("past_week", "past_month", "past_year", "this_week", "next_week", "next_month", "next_year")
