"""How long the usage headers ask to wait."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from requests.structures import CaseInsensitiveDict

from agent.usage import seconds_to_regain


def by_account(**entries: list[dict[str, Any]]) -> dict[str, str]:
    return {"X-Business-Use-Case-Usage": orjson.dumps(entries).decode()}


def of_account(percent: object, seconds: object) -> dict[str, str]:
    usage = {"acc_id_util_pct": percent, "reset_time_duration": seconds}
    return {"X-Ad-Account-Usage": orjson.dumps(usage).decode()}


def regain(minutes: object) -> dict[str, Any]:
    return {"type": "ads_insights", "call_count": 95, "estimated_time_to_regain_access": minutes}


def test_silence_asks_for_nothing() -> None:
    assert seconds_to_regain({}) is None
    assert seconds_to_regain(by_account(a=[regain(0)])) is None


def test_the_business_header_counts_in_minutes_and_the_longest_wait_rules() -> None:
    headers = by_account(a=[regain(3), regain(19)], b=[regain(7)], c=[])
    assert seconds_to_regain(headers) == 19 * 60


def test_the_accounts_header_counts_in_seconds_once_it_is_used_up() -> None:
    assert seconds_to_regain(of_account(100, 90)) == 90
    assert seconds_to_regain(of_account(213.5, 90)) == 90
    assert seconds_to_regain(of_account(9.67, 90)) is None


def test_the_longer_of_both_rules() -> None:
    assert seconds_to_regain({**by_account(a=[regain(1)]), **of_account(100, 90)}) == 90
    assert seconds_to_regain({**by_account(a=[regain(2)]), **of_account(100, 90)}) == 120


def test_header_names_are_found_however_they_are_written() -> None:
    headers = {name.lower(): value for name, value in by_account(a=[regain(2)]).items()}
    assert seconds_to_regain(CaseInsensitiveDict(headers)) == 120


UNREADABLE = [
    *("", "{", "null", "[]", "3", '"text"', "<html>", '{"a": null}', '{"a": 3}', '{"a": {"b": 1}}'),
    *('{"a": [null, 3, "x", []]}', '{"a": [{}]}', '{"a": NaN}'),
    '{"a": [{"estimated_time_to_regain_access": "19"}]}',
    '{"a": [{"estimated_time_to_regain_access": null}]}',
]


@pytest.mark.parametrize("value", UNREADABLE)
def test_a_header_that_cannot_be_read_counts_as_silent(value: str) -> None:
    assert seconds_to_regain({"X-Business-Use-Case-Usage": value}) is None
    assert seconds_to_regain({"X-Ad-Account-Usage": value}) is None
    assert seconds_to_regain({"X-Business-Use-Case-Usage": value, **of_account(100, 90)}) == 90
