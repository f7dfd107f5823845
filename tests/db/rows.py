"""Rows of insights as the collector stages them, and the table as it lies on disk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Engine, text

from db.insights_load import InsightStaging, SliceKey, SwapCounts
from db.models import Level

DAY = date(2026, 11, 1)
KEY = SliceKey(7, Level.CAMPAIGN, "", DAY, DAY + timedelta(days=2))

Row = tuple[str | None, ...]

_STORED = (
    "account_id, level, breakdown, entity_id, date::text, breakdown_values::text, campaign_id, adset_id,"
    " ad_id, impressions, clicks, reach, spend, purchases, revenue, actions::text, action_values::text"
)


def staged(
    entity: int,
    day: int = 0,
    *,
    impressions: int = 100,
    clicks: int = 10,
    reach: int = 50,
    spend: str = "12.34",
    purchases: int = 2,
    revenue: str = "99.90",
    values: str = "{}",
    ids: Sequence[int | None] = (None, None, None),
    actions: str = "[]",
    action_values: str = "[]",
) -> Row:
    """A row in the order of the staging table's columns; `day` counts from the first one."""
    parents = [None if one is None else str(one) for one in ids]
    counts = (str(impressions), str(clicks), str(reach), spend, str(purchases), revenue)
    date_text = (DAY + timedelta(days=day)).isoformat()
    return (str(entity), date_text, values, *parents, *counts, actions, action_values)


def load(engine: Engine, pages: Sequence[Sequence[Row]], key: SliceKey = KEY) -> SwapCounts:
    """Stage the pages and swap them in, on a connection of its own."""
    with engine.connect() as connection:
        stage = InsightStaging(connection, key)
        stage.begin()
        for page in pages:
            stage.add(page)
        with connection.begin():
            return stage.swap()


def stored(engine: Engine, where: str = "true") -> list[Any]:
    """What is in the table, in order."""
    statement = f"SELECT {_STORED} FROM insights WHERE {where} ORDER BY 1, 2, 3, 5, 4, 6"
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def on_disk(engine: Engine, where: str = "true") -> list[str]:
    """Every row with its place and its writer, so that a row that was written again shows."""
    with engine.connect() as connection:
        return sorted(
            map(str, connection.execute(text(f"SELECT ctid, xmin, i.* FROM insights i WHERE {where}")))
        )


def wal_position(engine: Engine) -> int:
    """Bytes of write-ahead log so far."""
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT pg_current_wal_lsn() - '0/0'")).scalar_one())
