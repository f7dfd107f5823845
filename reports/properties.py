"""The columns of the database of daily reports, and their values on one report's page.

The title column is addressed by its fixed id, since in a database of the user's it may have any name.
"""

from __future__ import annotations

from decimal import Decimal

from reports.amounts import places, rounded
from reports.content import DailyReport
from reports.rich_text import Json, cut, rich_text

TITLE_ID = "title"
TITLE_NAME = "Name"
KEY, STATE, HASH = "Key", "State", "Hash"
WRITING, COMPLETE = "writing", "complete"

_AMOUNT: Json = {"number": {"format": "number_with_commas"}}
# Name and definition of every column but the title.
SCHEMA: dict[str, Json] = {
    "Account": {"rich_text": {}},
    "Date": {"date": {}},
    "Spend": _AMOUNT,
    "Revenue": _AMOUNT,
    "ROAS": {"number": {"format": "number"}},
    "Purchases": _AMOUNT,
    "CPA": _AMOUNT,
    "Suggestions": {"number": {"format": "number"}},
    KEY: {"rich_text": {}},
    STATE: {
        "select": {
            "options": [{"name": WRITING, "color": "yellow"}, {"name": COMPLETE, "color": "green"}],
        }
    },
    HASH: {"rich_text": {}},
}
_NAME_UNITS = 200


def values(report: DailyReport) -> Json:
    """The values of all columns but State and Hash."""
    figures = report.figures
    decimals = places(report.currency)
    account = " ".join(report.account_name.split())
    return {
        TITLE_ID: {"title": rich_text(f"{report.day.isoformat()} · {cut(account, _NAME_UNITS)}")},
        KEY: {"rich_text": rich_text(report.key)},
        "Account": {"rich_text": rich_text(f"{cut(account, _NAME_UNITS)} ({report.account_id})")},
        "Date": {"date": {"start": report.day.isoformat()}},
        "Spend": _number(figures.spend, decimals),
        "Revenue": _number(figures.revenue, decimals),
        "ROAS": _number(figures.roas, 4),
        "Purchases": {"number": figures.purchases},
        "CPA": _number(figures.cpa, decimals),
        "Suggestions": {"number": len(report.suggestions)},
    }


def being_written() -> Json:
    """The values that mark a page whose blocks are not all there."""
    return {STATE: {"select": {"name": WRITING}}, HASH: {"rich_text": []}}


def completed(content_hash: str) -> Json:
    """The values that mark a page that is all there."""
    return {STATE: {"select": {"name": COMPLETE}}, HASH: {"rich_text": rich_text(content_hash)}}


def _number(value: Decimal | None, decimals: int) -> Json:
    # Notion's numbers are doubles; this is the only place where money becomes one.
    return {"number": None if value is None else float(rounded(value, decimals))}
