"""Ad accounts and campaigns: the fields to ask for, and what Graph's objects mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agent.errors import BadAnswer

ACCOUNT_FIELDS = ("account_id", "name", "currency", "timezone_name", "account_status")
CAMPAIGN_FIELDS = (
    "id",
    "name",
    "status",
    "effective_status",
    "objective",
    "daily_budget",
    "lifetime_budget",
    "created_time",
    "updated_time",
)
# Lists leave out archived and deleted campaigns unless every status is asked for.
CAMPAIGN_STATUSES = ("ACTIVE", "PAUSED", "DELETED", "ARCHIVED", "IN_PROCESS", "WITH_ISSUES")

# Currencies whose budgets come in whole units (offset 1 in Meta's list); all others in hundredths.
_WHOLE_UNITS = {"CLP", "COP", "CRC", "HUF", "ISK", "IDR", "JPY", "KRW", "PYG", "TWD", "VND"}

_ID = re.compile(r"[1-9][0-9]{0,18}")
_STATUS = re.compile(r"[0-9]{1,9}")
_MINOR_UNITS = re.compile(r"[0-9]{1,18}")


def account_row(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A row of `ad_accounts`. Raises BadAnswer when the currency or the time zone is missing or unknown."""
    zone = str(raw.get("timezone_name", ""))
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # An OSError: the name of a folder of zones, or one too long for a file.
        raise BadAnswer(f"the ad account's time zone {zone[:60]!r} is unknown") from None
    currency = str(raw.get("currency", ""))
    if len(currency) != 3 or not (currency.isascii() and currency.isalpha()):
        raise BadAnswer(f"the ad account's currency {currency[:20]!r} is unknown")
    return {
        "id": object_id(raw.get("account_id") or str(raw.get("id", "")).removeprefix("act_")),
        "name": _text(raw.get("name")) or "",
        "currency": currency,
        "timezone_name": zone,
        "account_status": _status(raw.get("account_status")),
    }


def campaign_row(raw: Mapping[str, Any], *, account_id: int, currency: str) -> dict[str, Any]:
    """A row of `campaigns`, budgets in units of `currency`. Raises BadAnswer for a value that cannot be."""
    return {
        "id": object_id(raw.get("id")),
        "account_id": account_id,
        "name": _text(raw.get("name")) or "",
        "status": _text(raw.get("status")) or "UNKNOWN",
        "effective_status": _text(raw.get("effective_status")) or "UNKNOWN",
        "objective": _text(raw.get("objective")),
        "daily_budget": _budget(raw.get("daily_budget"), currency),
        "lifetime_budget": _budget(raw.get("lifetime_budget"), currency),
        "created_time": _time(raw.get("created_time")),
        "updated_time": _time(raw.get("updated_time")),
    }


def object_id(value: object) -> int:
    """An id of Graph's. Raises BadAnswer unless it is a positive number that fits PostgreSQL's bigint."""
    text = str(value)
    if not _ID.fullmatch(text) or int(text) >= 2**63:
        raise BadAnswer(f"Graph sent {text[:40]!r} where an id should be")
    return int(text)


def _status(value: object) -> int | None:
    text = str(value)
    return int(text) if _STATUS.fullmatch(text) else None


def _text(value: object) -> str | None:
    # PostgreSQL's text cannot hold the NUL character.
    return None if value is None else str(value).replace("\x00", "\ufffd")


def _budget(value: object, currency: str) -> Decimal | None:
    """Graph writes a budget as minor units, and "0" for a budget that is not set."""
    if value in (None, "", "0", 0):
        return None
    if not _MINOR_UNITS.fullmatch(str(value)):
        raise BadAnswer(f"Graph sent {str(value)[:40]!r} where a budget should be")
    minor = Decimal(str(value))
    return minor if currency in _WHOLE_UNITS else minor / 100


def _time(value: object) -> datetime | None:
    """Graph writes `2026-11-01T10:00:00-0300`."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(str(value))
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise BadAnswer(f"Graph sent {str(value)[:40]!r} where a time with its offset should be")
