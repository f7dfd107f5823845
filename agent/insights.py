"""Daily insights: how to ask for them, and what a row of the answer means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

import orjson

from agent.errors import BadAnswer

PAGE_SIZE = 500

# The ids that rows of a level carry; the last one is the entity's own.
LEVEL_IDS: Mapping[str, tuple[str, ...]] = {
    "account": ("account_id",),
    "campaign": ("account_id", "campaign_id"),
    "adset": ("account_id", "campaign_id", "adset_id"),
    "ad": ("account_id", "campaign_id", "adset_id", "ad_id"),
}
METRICS = ("impressions", "clicks", "reach", "spend", "actions", "action_values")
# A purchase is counted once: by the first of these that is present.
PURCHASE_TYPES = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")

_COUNT = re.compile(r"[0-9]{1,18}")
# Graph divides and sums in floating point, so long fractions and exponents come too.
_AMOUNT = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,30})?(?P<exponent>[eE][+-]?[0-9]{1,2})?")
_LARGEST_EXPONENT = 17
_ID = re.compile(r"[1-9][0-9]{0,18}")
_LARGEST_ID = str(2**63 - 1)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# An escaped NUL in JSON; after an odd number of backslashes it is a backslash and the text `u0000`.
_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


@dataclass(frozen=True, slots=True)
class InsightsQuery:
    """What to read: days of the account's own zone, both included; `breakdown` is keys joined by `+`."""

    account_id: int
    level: str
    since: date
    until: date
    breakdown: str = ""
    attribution_windows: Sequence[str] = ()
    page_size: int = PAGE_SIZE

    def params(self) -> dict[str, Any]:
        """The parameters of `GET act_<account>/insights`."""
        params: dict[str, Any] = {
            "level": self.level,
            "fields": ",".join((*LEVEL_IDS[self.level], *METRICS)),
            "time_range": {"since": self.since.isoformat(), "until": self.until.isoformat()},
            "time_increment": "1",
            "limit": str(self.page_size),
        }
        if self.breakdown:
            params["breakdowns"] = self.breakdown.replace("+", ",")
        if self.attribution_windows:
            params["action_attribution_windows"] = list(self.attribution_windows)
        return params


class InsightRow(NamedTuple):
    """A row as text, ready for COPY; None is an unknown value.

    Counts and ids are digits; spend and revenue decimal numbers in the account's currency; the breakdown's
    values, actions and action values JSON.
    """

    entity_id: str
    date: str
    breakdown_values: str
    campaign_id: str | None
    adset_id: str | None
    ad_id: str | None
    impressions: str
    clicks: str
    reach: str
    spend: str
    purchases: str
    revenue: str
    actions: str
    action_values: str


def to_row(raw: Mapping[str, Any], query: InsightsQuery) -> InsightRow:
    """The row for one object of an insights answer.

    A metric that Graph left out is zero; a breakdown key that it left out is absent from the values.
    Raises BadAnswer for a value that is not what its field should hold.
    """
    entity_field = LEVEL_IDS[query.level][-1]
    actions = _elements(raw, "actions")
    action_values = _elements(raw, "action_values")
    values = {key: raw[key] for key in query.breakdown.split("+") if key in raw} if query.breakdown else {}
    entity_id = raw.get(entity_field)
    if query.level == "account" and entity_id is None:
        entity_id = str(query.account_id)
    return InsightRow(
        entity_id=_id(entity_field, entity_id),
        date=_day("date_start", raw.get("date_start")),
        breakdown_values=_json(values),
        campaign_id=_id("campaign_id", raw["campaign_id"]) if "campaign_id" in raw else None,
        adset_id=_id("adset_id", raw["adset_id"]) if "adset_id" in raw else None,
        ad_id=_id("ad_id", raw["ad_id"]) if "ad_id" in raw else None,
        impressions=_count(raw, "impressions"),
        clicks=_count(raw, "clicks"),
        reach=_count(raw, "reach"),
        spend=_amount("spend", raw.get("spend", "0")),
        purchases=str(Decimal(purchase_total(actions)).quantize(Decimal(1), ROUND_HALF_UP)),
        revenue=purchase_total(action_values),
        actions=_json(actions),
        action_values=_json(action_values),
    )


def purchase_total(elements: Sequence[Mapping[str, Any]]) -> str:
    """The purchases in `actions`, or their revenue in `action_values`, as a decimal number; "0" for none.

    Of the types that stand for the same purchase the first that has a value counts.
    """
    found: dict[str, object] = {}
    for element in elements:
        kind = element.get("action_type")
        if kind in PURCHASE_TYPES and "value" in element:
            found.setdefault(kind, element["value"])
    for kind in PURCHASE_TYPES:
        if kind in found:
            return _amount(kind, found[kind])
    return "0"


def _elements(raw: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    value = raw.get(name) or []
    if not isinstance(value, list) or not all(isinstance(element, dict) for element in value):
        raise BadAnswer(f"{name} of an insights row is not a list of objects")
    return value


def _count(raw: Mapping[str, Any], name: str) -> str:
    value = str(raw.get(name, "0"))
    if not _COUNT.fullmatch(value):
        raise BadAnswer(f"{name} of an insights row is not a count: {value[:40]!r}")
    return value


def _amount(name: str, value: object) -> str:
    text = str(value)
    found = _AMOUNT.fullmatch(text)
    if not found:
        raise BadAnswer(f"{name} of an insights row is not a number: {text[:40]!r}")
    if not found["exponent"]:
        return text
    number = Decimal(text)
    if number.adjusted() > _LARGEST_EXPONENT:
        raise BadAnswer(f"{name} of an insights row is too large: {text[:40]!r}")
    return f"{number:f}"


def _id(name: str, value: object) -> str:
    text = str(value)
    if not _ID.fullmatch(text) or (len(text) == len(_LARGEST_ID) and text > _LARGEST_ID):
        raise BadAnswer(f"{name} of an insights row is not an id: {text[:40]!r}")
    return text


def _day(name: str, value: object) -> str:
    text = str(value)
    try:
        if _DATE.fullmatch(text) and date.fromisoformat(text):
            return text
    except ValueError:
        pass
    raise BadAnswer(f"{name} of an insights row is not a date: {text[:40]!r}")


def _json(value: object) -> str:
    text = orjson.dumps(value).decode()
    # PostgreSQL's jsonb cannot hold the NUL character.
    return _ESCAPED_NUL.sub(r"\1\\ufffd", text) if "\\u0000" in text else text
