"""Which days of an account are collected, so that a failed slice leaves no hole for ever."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from db.insights_load import SliceKey
from db.models import Level

_LOAD = text("""
    SELECT c.level, c.breakdown, c.wanted_since, lower(r) AS since, upper(r) AS until
    FROM insight_coverage c LEFT JOIN LATERAL unnest(c.covered) AS r ON true
    WHERE c.account_id = :account_id
""")
_WANT = text("""
    INSERT INTO insight_coverage (account_id, level, breakdown, wanted_since)
    VALUES (:account_id, CAST(:level AS insight_level), :breakdown, :since)
    ON CONFLICT (account_id, level, breakdown)
    DO UPDATE SET wanted_since = excluded.wanted_since WHERE insight_coverage.wanted_since IS NULL
""")
_ADD = text("""
    INSERT INTO insight_coverage (account_id, level, breakdown, covered)
    VALUES (
        :account_id, CAST(:level AS insight_level), :breakdown,
        datemultirange(daterange(:since, :until, '[]'))
    )
    ON CONFLICT (account_id, level, breakdown)
    DO UPDATE SET covered = insight_coverage.covered + excluded.covered
    WHERE NOT insight_coverage.covered @> excluded.covered
""")


@dataclass(frozen=True, slots=True)
class Coverage:
    """The collected ranges of days, both ends included, and the first day that is wanted."""

    wanted_since: date | None
    covered: tuple[tuple[date, date], ...]


def load_coverage(session: Session, account_id: int) -> dict[tuple[Level, str], Coverage]:
    """What is collected of an account, by level and breakdown."""
    wanted: dict[tuple[Level, str], date | None] = {}
    ranges: dict[tuple[Level, str], list[tuple[date, date]]] = {}
    for row in session.execute(_LOAD, {"account_id": account_id}):
        key = (Level(row.level), row.breakdown)
        wanted[key] = row.wanted_since
        found = ranges.setdefault(key, [])
        if row.since is not None:
            # PostgreSQL gives the end of a range of days as the first day after it.
            found.append((row.since, row.until - timedelta(days=1)))
    return {key: Coverage(wanted[key], tuple(sorted(found))) for key, found in ranges.items()}


def want_since(session: Session, account_id: int, wanted: Iterable[tuple[Level, str, date]]) -> None:
    """Note the first day to collect for levels and breakdowns that have none yet."""
    for level, breakdown, since in sorted(wanted):
        values = {"account_id": account_id, "level": level.value, "breakdown": breakdown, "since": since}
        session.execute(_WANT, values)


def add_covered(session: Session, key: SliceKey) -> None:
    """Note that these days are collected, in the transaction that stores them."""
    session.execute(
        _ADD,
        {
            "account_id": key.account_id,
            "level": key.level.value,
            "breakdown": key.breakdown,
            "since": key.since,
            "until": key.until,
        },
    )
