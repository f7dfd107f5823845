"""What Graph says of its quotas in the headers of every answer, errors included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson


def seconds_to_regain(headers: Mapping[str, str]) -> float | None:
    """The longest time, in seconds, that any usage header asks to wait; None if none asks.

    `X-Business-Use-Case-Usage` counts in minutes, `X-Ad-Account-Usage` in seconds and only once the
    account is used up. A header that cannot be read counts as silent.
    """
    waits = [0.0]
    by_account = _read(headers, "X-Business-Use-Case-Usage")
    for entries in by_account.values():
        waits.extend(
            60 * _amount(entry, "estimated_time_to_regain_access")
            for entry in (entries if isinstance(entries, list) else [])
        )
    account = _read(headers, "X-Ad-Account-Usage")
    if _amount(account, "acc_id_util_pct") >= 100:
        waits.append(_amount(account, "reset_time_duration"))
    return max(waits) or None


def _read(headers: Mapping[str, str], name: str) -> dict[str, Any]:
    try:
        value = orjson.loads(headers.get(name, "{}"))
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _amount(entry: object, name: str) -> float:
    value = entry.get(name) if isinstance(entry, dict) else None
    return float(value) if isinstance(value, int | float) else 0.0
