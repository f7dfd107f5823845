"""An insights request's parameters, checked and turned into a `Query`."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import orjson

from simulator.graph import breakdowns as breakdown_rules
from simulator.graph.calls import fields, json_list, names
from simulator.graph.delivery import CLICKS, IMPRESSIONS, SPEND
from simulator.graph.errors import GraphError, bad_parameter
from simulator.graph.insights import LEVELS, Query
from simulator.graph.objects import status_of
from simulator.graph.rows import ACTION_BREAKDOWNS, WINDOWS, check_fields
from simulator.graph.world import AD, AD_SET, CAMPAIGN, Account

MONTHS_KEPT = 37
_KINDS = {"campaign": CAMPAIGN, "adset": AD_SET, "ad": AD}
_METRICS = {"impressions": IMPRESSIONS, "clicks": CLICKS, "spend": SPEND}


def insights_query(account: Account, scope: tuple[int, int], own: str, params: Mapping[str, str]) -> Query:
    """The query for an object whose ads are ``scope`` and whose own level is ``own``. Raises `GraphError`."""
    level = params.get("level", own)
    if level not in LEVELS:
        raise bad_parameter(f"level must be one of the following values: {', '.join(LEVELS)}")
    since, until = period(account, params)
    wanted = fields(params)
    check_fields(wanted)
    split = names(params, "breakdowns")
    breakdown_rules.check(split)
    windows = names(params, "action_attribution_windows")
    _check_values("action_attribution_windows", windows, WINDOWS)
    reactions = names(params, "action_breakdowns")
    _check_values("action_breakdowns", reactions, ACTION_BREAKDOWNS)
    chosen, least = _filters(account, params)
    return Query(
        account=account,
        level=level,
        since=since,
        until=until,
        increment=_increment(params),
        scope=scope,
        fields=wanted,
        breakdowns=split,
        windows=windows,
        action_breakdowns=reactions,
        chosen=chosen,
        least=least,
    )


def _check_values(name: str, given: tuple[str, ...], known: frozenset[str]) -> None:
    for place, value in enumerate(given):
        if value not in known:
            raise bad_parameter(
                f"{name}[{place}] must be one of the following values: {', '.join(sorted(known))}"
            )


def period(account: Account, params: Mapping[str, str]) -> tuple[date, date]:
    """First and last day asked for, in the account's zone; the last 30 full days by default."""
    today = account.today()
    if "time_range" in params:
        try:
            document = orjson.loads(params["time_range"])
            since, until = (_day(document[name]) for name in ("since", "until"))
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise bad_parameter("Must be a valid time range with since and until (YYYY-MM-DD)") from None
    elif params.get("since") and params.get("until"):
        since, until = _day(params["since"]), _day(params["until"])
    else:
        since, until = _preset(params.get("date_preset", "last_30d"), today, account)
    if since > until:
        raise bad_parameter("The time range's since must not be after its until")
    if since < _oldest(today):
        raise GraphError(
            3018,
            "(#3018) The start date of the time range cannot be beyond "
            f"{MONTHS_KEPT} months from the current date",
        )
    return since, until


def _oldest(today: date) -> date:
    months = today.year * 12 + today.month - 1 - MONTHS_KEPT
    return date(months // 12, months % 12 + 1, min(today.day, 28))


def _day(text: object) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise bad_parameter(f"'{text}' is not a valid date (YYYY-MM-DD)") from None


def _preset(name: str, today: date, account: Account) -> tuple[date, date]:
    yesterday = today - timedelta(days=1)
    first = today.replace(day=1)
    if name == "today":
        return today, today
    if name == "yesterday":
        return yesterday, yesterday
    if name == "this_month":
        return first, today
    if name == "last_month":
        last = first - timedelta(days=1)
        return last.replace(day=1), last
    if name == "maximum":
        return max(account.first_day(), _oldest(today)), today
    days = {f"last_{count}d": count for count in (3, 7, 14, 28, 30, 90)}
    if name not in days:
        known = ["today", "yesterday", "this_month", "last_month", "maximum", *days]
        raise bad_parameter(f"date_preset must be one of the following values: {', '.join(known)}")
    return today - timedelta(days=days[name]), yesterday


def _increment(params: Mapping[str, str]) -> int:
    text = params.get("time_increment", "all_days")
    if text == "all_days":
        return 0
    if text == "monthly":
        return -1
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 90:
        return int(text)
    raise bad_parameter("time_increment must be 1 to 90, monthly or all_days")


def _filters(
    account: Account, params: Mapping[str, str]
) -> tuple[tuple[tuple[int, tuple[int, ...], bool], ...], tuple[tuple[int, int], ...]]:
    chosen: list[tuple[int, tuple[int, ...], bool]] = []
    least: list[tuple[int, int]] = []
    for item in json_list(params, "filtering"):
        name, operator, value = filter_parts(item)
        kind_name, _, attribute = name.partition(".")
        if name in _METRICS and operator == "GREATER_THAN":
            factor = account.market.offset if name == "spend" else 1
            try:
                least.append((_METRICS[name], int(float(value) * factor)))
            except (TypeError, ValueError):
                raise bad_parameter(f"filtering value {value!r} is not a number") from None
        elif kind_name in _KINDS and attribute == "id" and operator in {"IN", "NOT_IN", "EQUAL"}:
            kind = _KINDS[kind_name]
            chosen.append((kind, _numbers(account, kind, as_list(value)), operator != "NOT_IN"))
        elif kind_name in _KINDS and attribute == "effective_status" and operator in {"IN", "EQUAL"}:
            kind = _KINDS[kind_name]
            statuses = frozenset(as_list(value))
            numbers = tuple(
                number
                for number in np.arange(account.count(kind)).tolist()
                if status_of(account, kind, number)[1] in statuses
            )
            chosen.append((kind, numbers, True))
        else:
            raise bad_parameter(f"Filtering field {name} with operation {operator} is invalid")
    return tuple(chosen), tuple(least)


def filter_parts(item: Any) -> tuple[str, str, Any]:
    """Field, operator and value of one element of ``filtering``."""
    if not isinstance(item, dict) or not {"field", "operator", "value"} <= set(item):
        raise bad_parameter("filtering must be a list of objects with field, operator and value")
    return str(item["field"]), str(item["operator"]), item["value"]


def as_list(value: Any) -> list[str]:
    """A filter's value as a list of texts."""
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _numbers(account: Account, kind: int, ids: list[str]) -> tuple[int, ...]:
    numbers = []
    for entity_id in ids:
        found = account.world.find(entity_id)
        if found is not None and found[0] is account and found[1] == kind:
            numbers.append(found[2])
    return tuple(numbers)
