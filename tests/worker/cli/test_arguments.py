"""Days, accounts and ids as they are typed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from worker.cli.arguments import account_ids, day_range, latest_today, object_id, parse_day
from worker.errors import BadInput


def test_a_day_is_read() -> None:
    assert parse_day("2026-07-30", "--since") == date(2026, 7, 30)


def test_no_day_stays_none() -> None:
    assert parse_day(None, "--since") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "30.07.2026",
        "2026-7-3",
        "20260730",
        "2026-W31-4",
        "2026-02-30",
        "2026-07-30T00:00",
        "２０２６-07-30",
    ],
)
def test_what_is_no_iso_day_is_refused_with_the_option_named(text: str) -> None:
    with pytest.raises(BadInput, match=r"^--since: .*YYYY-MM-DD") as caught:
        parse_day(text, "--since")
    assert "\n" not in str(caught.value)


def test_the_latest_today_is_that_of_the_easternmost_zone() -> None:
    assert latest_today(datetime(2026, 7, 30, 9, 59, tzinfo=UTC)) == date(2026, 7, 30)
    assert latest_today(datetime(2026, 7, 30, 10, 0, tzinfo=UTC)) == date(2026, 7, 31)


def test_a_range_may_be_one_day_or_open() -> None:
    day = date(2026, 7, 30)
    day_range(day, day)
    day_range(day, None)
    day_range(None, day)
    day_range(None, latest_today())


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(BadInput, match="2026-07-30 is after --until 2026-07-29"):
        day_range(date(2026, 7, 30), date(2026, 7, 29))


@pytest.mark.parametrize("option", ["--since", "--until"])
def test_a_day_that_has_begun_nowhere_is_refused(option: str) -> None:
    future = latest_today() + timedelta(days=1)
    with pytest.raises(BadInput, match=f"{option}: .* in the future"):
        day_range(*((future, None) if option == "--since" else (None, future)))


def test_accounts_are_read_with_and_without_act() -> None:
    assert account_ids(["act_12", "7", "12"]) == [12, 7]
    assert account_ids(None) == []


@pytest.mark.parametrize("text", ["", "act_", "acct_1", "-1", "0", "1.5", "9" * 19, "act_act_1", "²"])
def test_what_is_no_account_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match=r"--account: .*is not an ad account id"):
        account_ids(["1", text])


def test_an_object_id_is_read() -> None:
    assert object_id("120210000000000017", "--campaign") == 120210000000000017
    assert object_id(None, "--campaign") is None


@pytest.mark.parametrize("text", ["", "x", "-1", "0", "9" * 19, "9" * 5000, "1 or 1=1", "²"])
def test_what_is_no_object_id_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match=r"--campaign: .*is not an id"):
        object_id(text, "--campaign")
