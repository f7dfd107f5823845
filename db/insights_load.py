"""Replacing a slice of insights whole: pages are streamed into a staging table, then swapped in at once.

The staging table is temporary: it writes no WAL, and a killed worker leaves nothing. The swap changes
only what differs: rows that vanished are deleted, changed ones updated, new ones inserted, and unchanged
ones not touched, so that reading the same twice writes nothing.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

from db.copy_text import copy_line
from db.errors import UnexpectedRows
from db.models import Level

# The staging table's columns, in the order in which a row gives its values as text (None is NULL): counts
# and ids as digits, money as a decimal number in the account's currency, the last two and the breakdown's
# values as JSON.
STAGING_COLUMNS = (
    "entity_id",
    "date",
    "breakdown_values",
    "campaign_id",
    "adset_id",
    "ad_id",
    "impressions",
    "clicks",
    "reach",
    "spend",
    "purchases",
    "revenue",
    "actions",
    "action_values",
)


@dataclass(frozen=True, slots=True)
class SliceKey:
    """Which rows of `insights` a slice owns: dates of the account's zone, both included."""

    account_id: int
    level: Level
    breakdown: str
    since: date
    until: date


@dataclass(frozen=True, slots=True)
class SwapCounts:
    """What a swap did: rows that the answer held (each once), and how many it wrote."""

    read: int
    inserted: int
    updated: int
    deleted: int


_KEY = ("date", "entity_id", "breakdown_values")
_VALUES = tuple(name for name in STAGING_COLUMNS if name not in _KEY)
_COLUMNS = ", ".join(STAGING_COLUMNS)
_STAGED = ", ".join(f"s.{name}" for name in STAGING_COLUMNS)

_CREATE = f"""
    CREATE TEMPORARY TABLE IF NOT EXISTS insights_staging AS
    SELECT {_COLUMNS} FROM insights WITH NO DATA
"""  # noqa: S608  the columns are our own
# The order of arrival. A row's place on disk does not tell it: a small row may fill a gap of an earlier page.
_NUMBER = """
    ALTER TABLE insights_staging ADD COLUMN IF NOT EXISTS position bigint GENERATED ALWAYS AS IDENTITY
"""
_COPY = f"COPY insights_staging ({_COLUMNS}) FROM STDIN"
_SAME_KEY = " AND ".join(f"i.{name} = s.{name}" for name in _KEY)
_OWNED = (
    "i.account_id = :account_id AND i.level = CAST(:level AS insight_level) AND i.breakdown = :breakdown"
    " AND i.date BETWEEN :since AND :until"
)
# Meta may repeat a row over two pages; the later page is the newer answer.
_DEDUPLICATE = """
    DELETE FROM insights_staging s USING insights_staging later
    WHERE s.position < later.position AND s.date = later.date AND s.entity_id = later.entity_id
      AND s.breakdown_values = later.breakdown_values
"""
_FOREIGN = "SELECT count(*) FROM insights_staging WHERE date NOT BETWEEN :since AND :until"
_DELETE = f"""
    DELETE FROM insights i WHERE {_OWNED}
      AND NOT EXISTS (SELECT FROM insights_staging s WHERE {_SAME_KEY})
"""  # noqa: S608
_UPDATE = f"""
    UPDATE insights i SET {", ".join(f"{name} = s.{name}" for name in _VALUES)}, collected_at = now()
    FROM insights_staging s
    WHERE {_OWNED} AND {_SAME_KEY}
      AND ({", ".join(f"i.{name}" for name in _VALUES)})
          IS DISTINCT FROM ({", ".join(f"s.{name}" for name in _VALUES)})
"""  # noqa: S608
_INSERT = f"""
    INSERT INTO insights (account_id, level, breakdown, {_COLUMNS})
    SELECT :account_id, CAST(:level AS insight_level), :breakdown, {_STAGED}
    FROM insights_staging s
    WHERE NOT EXISTS (SELECT FROM insights i WHERE {_OWNED} AND {_SAME_KEY})
"""  # noqa: S608


class InsightStaging:
    """A slice on its way into `insights`, on one connection.

    Use: `stage.begin()`, `stage.add(rows)` for every page (each commits, so that no transaction stays open
    while the next page is awaited), then `stage.swap()` inside the transaction that also records the
    outcome. The connection must not be in a transaction at `begin` and `add`.
    """

    def __init__(self, connection: Connection, key: SliceKey) -> None:
        self._connection = connection
        self._key = key

    def begin(self) -> None:
        """Make the staging table, or empty the one that this connection used before."""
        with self._connection.begin():
            self._connection.execute(text(_CREATE))
            self._connection.execute(text(_NUMBER))
            self._connection.execute(text("TRUNCATE insights_staging"))

    def add(self, rows: Iterable[Iterable[str | None]]) -> None:
        """COPY one page of rows. Raises sqlalchemy/psycopg2 DataError for a value PostgreSQL refuses."""
        page = io.StringIO("".join(map(copy_line, rows)))
        with self._connection.begin():
            driver_connection = self._connection.connection.driver_connection
            assert driver_connection is not None, "the connection is open"
            with driver_connection.cursor() as cursor:
                cursor.copy_expert(_COPY, page)

    def lock(self) -> None:
        """Let no other swap of the same account, level and breakdown in until the transaction ends."""
        name = f"insights:{self._key.account_id}:{self._key.level}:{self._key.breakdown}"
        self._connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name}
        )

    def swap(self) -> SwapCounts:
        """Make the slice's rows in `insights` equal to the staged ones, in the caller's transaction.

        Other swaps of the same account, level and breakdown wait until that transaction ends. Raises
        UnexpectedRows if the answer held rows outside the slice's dates.
        """
        values = {
            "account_id": self._key.account_id,
            "level": self._key.level.value,
            "breakdown": self._key.breakdown,
            "since": self._key.since,
            "until": self._key.until,
        }

        def run(statement: str) -> int:
            return self._connection.execute(text(statement), values).rowcount

        self.lock()
        # Autovacuum does not see temporary tables; without this the joins are planned for a tiny one.
        self._connection.execute(text("ANALYZE insights_staging"))
        if self._connection.execute(text(_FOREIGN), values).scalar_one():
            raise UnexpectedRows("the answer holds rows outside the dates that were asked for")
        run(_DEDUPLICATE)
        read = self._connection.execute(text("SELECT count(*) FROM insights_staging")).scalar_one()
        deleted = run(_DELETE)
        updated = run(_UPDATE)
        inserted = run(_INSERT)
        return SwapCounts(read=read, inserted=inserted, updated=updated, deleted=deleted)
