"""The slot of a scheduled piece of work: its name in the database, the same for every beat that asks."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

COLLECT_EVERY = timedelta(minutes=30)
# The hour of an account's own zone at which the report of the day before is due.
REPORT_AT = time(8, 0)


def collect_slot(now: datetime) -> str:
    """The half hour, UTC."""
    begin = now - (now - now.replace(hour=0, minute=0, second=0, microsecond=0)) % COLLECT_EVERY
    return f"collect:{begin:%Y-%m-%dT%H:%MZ}"


def analyze_slot(now: datetime, account_id: int) -> str:
    """The hour, UTC, for each account."""
    return f"analyze:{account_id}:{now:%Y-%m-%dT%HZ}"


def cleanup_slot(now: datetime) -> str:
    """The ISO week."""
    year, week, _ = now.isocalendar()
    return f"cleanup:{year}-W{week:02d}"


def token_check_slot(now: datetime) -> str:
    """The day, UTC."""
    return f"check_tokens:{now:%Y-%m-%d}"


def report_slot(account_id: int, day: date) -> str:
    """The day that the report is about, in the account's zone."""
    return f"report:{account_id}:{day.isoformat()}"


def report_due(now: datetime, zone: str) -> date | None:
    """The day whose report is due now in a zone: yesterday, once it is past 08:00 there; else None."""
    local = now.astimezone(ZoneInfo(zone))
    if local.time() < REPORT_AT:
        return None
    return local.date() - timedelta(days=1)
