"""What several commands take: days, ranges of days, ids, levels and breakdowns, read strictly."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, timezone

from db.models import Level
from worker.errors import BadInput
from worker.settings import parse_account_id, parse_breakdown

# How long Meta keeps insights: 37 months.
INSIGHTS_KEPT = timedelta(days=1126)
# Nowhere on Earth is a day further than in this zone.
_EARLIEST_ZONE = timezone(timedelta(hours=14))
# `date.fromisoformat` takes 20260730 and 2026-W31-4 as well, which a person rarely means.
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def latest_today(now: datetime | None = None) -> date:
    """The latest day that has begun anywhere on Earth (UTC+14) at `now`, an aware time."""
    return (now or datetime.now(UTC)).astimezone(_EARLIEST_ZONE).date()


def parse_day(text: str | None, option: str) -> date | None:
    """The day written as YYYY-MM-DD; None for None. `option` is named in the error.

    Raises BadInput for anything else.
    """
    if text is None:
        return None
    try:
        if not _DAY.fullmatch(text.strip()):
            raise ValueError(text)
        return date.fromisoformat(text.strip())
    except ValueError:
        raise BadInput(
            f"{option}: {text!r} is not a date; write it as YYYY-MM-DD, such as 2026-07-30"
        ) from None


def day_range(since: date | None, until: date | None) -> None:
    """Check a range of days, either end of which may be open.

    Raises BadInput when it ends before it begins, or when a day has begun nowhere on Earth yet.
    """
    not_future(since, "--since")
    not_future(until, "--until")
    if since is not None and until is not None and since > until:
        raise BadInput(
            f"--since {since.isoformat()} is after --until {until.isoformat()}; name the earlier day first"
        )


def not_future(day: date | None, option: str) -> None:
    """Raises BadInput for a day that has begun nowhere on Earth yet."""
    today = latest_today()
    if day is not None and day > today:
        raise BadInput(
            f"{option}: {day.isoformat()} lies in the future; the latest day is {today.isoformat()}"
        )


def not_too_old(day: date | None, option: str) -> None:
    """Raises BadInput for a day of which Meta keeps no insights any more (37 months)."""
    oldest = latest_today() - INSIGHTS_KEPT
    if day is not None and day < oldest:
        raise BadInput(f"{option}: {day.isoformat()} is too long ago; Meta keeps insights since {oldest}")


def account_ids(values: Iterable[str] | None) -> list[int]:
    """The ad accounts' numbers from `act_123` or `123`, each once, in their order.

    Raises BadInput for anything else.
    """
    try:
        return list(dict.fromkeys(parse_account_id(value) for value in values or ()))
    except ValueError as error:
        raise BadInput(f"--account: {error}") from None


def levels(values: Iterable[str]) -> list[str]:
    """Levels of insights, each once. Raises BadInput for one that does not exist."""
    known = [level.value for level in Level]
    for value in values:
        if value not in known:
            raise BadInput(f"--level: {value!r} is not a level; known: {', '.join(known)}")
    return list(dict.fromkeys(values))


def breakdowns(values: Iterable[str]) -> list[str]:
    """Breakdowns with their keys in order, each once. Raises BadInput for a key that Meta does not know."""
    try:
        return list(dict.fromkeys(parse_breakdown(value) for value in values))
    except ValueError as error:
        raise BadInput(f"--breakdown: {error}") from None


def object_id(text: str | None, option: str) -> int | None:
    """The number of an object of Meta's, such as a campaign; None for None. Raises BadInput for no number."""
    if text is None:
        return None
    digits = text.strip()
    # The length first: Python refuses to read very long numbers.
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 19) or not 0 < int(digits) < 2**63:
        raise BadInput(f"{option}: {text[:40]!r} is not an id; ids are whole numbers")
    return int(digits)
