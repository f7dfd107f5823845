"""The names of slots, and the hour at which a report is due in a zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules import slots

ZONES = ("America/Sao_Paulo", "America/New_York", "Europe/Lisbon", "Asia/Kolkata", "Pacific/Kiritimati")

moments = st.datetimes(datetime(2017, 1, 1), datetime(2032, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
zones = st.sampled_from(ZONES)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "slot"),
    [
        ("2026-11-22T10:00:00", "collect:2026-11-22T10:00Z"),
        ("2026-11-22T10:29:59.999999", "collect:2026-11-22T10:00Z"),
        ("2026-11-22T10:30:00", "collect:2026-11-22T10:30Z"),
        ("2026-11-22T23:59:59", "collect:2026-11-22T23:30Z"),
        ("2026-12-31T23:59:59", "collect:2026-12-31T23:30Z"),
    ],
)
def test_a_collection_belongs_to_its_half_hour(moment: str, slot: str) -> None:
    assert slots.collect_slot(utc(moment)) == slot


@given(moments)
def test_a_day_has_48_collections_of_half_an_hour(now: datetime) -> None:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    day = [slots.collect_slot(midnight + timedelta(minutes=minute)) for minute in range(24 * 60)]
    assert len(set(day)) == 48
    begin = datetime.strptime(slots.collect_slot(now), "collect:%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
    assert timedelta(0) <= now - begin < timedelta(minutes=30)


def test_an_analysis_belongs_to_its_hour_and_account() -> None:
    assert slots.analyze_slot(utc("2026-11-22T10:59:59"), 7) == "analyze:7:2026-11-22T10Z"
    assert slots.analyze_slot(utc("2026-11-22T11:00:00"), 7) == "analyze:7:2026-11-22T11Z"
    assert slots.analyze_slot(utc("2026-11-22T11:00:00"), 8) == "analyze:8:2026-11-22T11Z"


@pytest.mark.parametrize(
    ("day", "slot"),
    [
        ("2024-12-29", "cleanup:2024-W52"),
        ("2024-12-30", "cleanup:2025-W01"),
        ("2025-01-01", "cleanup:2025-W01"),
        ("2026-12-31", "cleanup:2026-W53"),
        ("2027-01-01", "cleanup:2026-W53"),
        ("2027-01-03", "cleanup:2026-W53"),
        ("2027-01-04", "cleanup:2027-W01"),
    ],
)
def test_a_clean_up_belongs_to_its_iso_week_over_new_year(day: str, slot: str) -> None:
    assert slots.cleanup_slot(utc(f"{day}T02:00:00")) == slot


@given(moments)
def test_consecutive_sundays_have_slots_of_their_own(now: datetime) -> None:
    sunday = now + timedelta(days=6 - now.weekday())
    week = [slots.cleanup_slot(sunday + timedelta(days=7 * number)) for number in range(60)]
    assert len(set(week)) == 60
    assert slots.cleanup_slot(sunday) == slots.cleanup_slot(sunday - timedelta(days=6))


def test_a_token_check_belongs_to_its_day() -> None:
    assert slots.token_check_slot(utc("2026-11-22T23:59:59")) == "check_tokens:2026-11-22"
    assert slots.token_check_slot(utc("2026-11-23T00:00:00")) == "check_tokens:2026-11-23"


def test_a_report_belongs_to_the_day_it_is_about() -> None:
    assert slots.report_slot(7, date(2026, 11, 21)) == "report:7:2026-11-21"


@pytest.mark.parametrize(
    ("zone", "before", "at", "about"),
    [
        # Eight o'clock there, around the changes of the clock.
        ("America/New_York", "2026-03-07T12:59:59", "2026-03-07T13:00:00", "2026-03-06"),
        ("America/New_York", "2026-03-08T11:59:59", "2026-03-08T12:00:00", "2026-03-07"),
        ("America/New_York", "2026-11-01T12:59:59", "2026-11-01T13:00:00", "2026-10-31"),
        ("Europe/Lisbon", "2026-03-28T07:59:59", "2026-03-28T08:00:00", "2026-03-27"),
        ("Europe/Lisbon", "2026-03-29T06:59:59", "2026-03-29T07:00:00", "2026-03-28"),
        ("Europe/Lisbon", "2026-10-25T07:59:59", "2026-10-25T08:00:00", "2026-10-24"),
        # Brazil had summer time until 2019; the change was at midnight.
        ("America/Sao_Paulo", "2018-11-04T09:59:59", "2018-11-04T10:00:00", "2018-11-03"),
        ("America/Sao_Paulo", "2019-02-17T10:59:59", "2019-02-17T11:00:00", "2019-02-16"),
        ("America/Sao_Paulo", "2026-11-22T10:59:59", "2026-11-22T11:00:00", "2026-11-21"),
        # Half an hour off, and a day ahead.
        ("Asia/Kolkata", "2026-11-22T02:29:59", "2026-11-22T02:30:00", "2026-11-21"),
        ("Pacific/Kiritimati", "2026-11-21T17:59:59", "2026-11-21T18:00:00", "2026-11-21"),
    ],
)
def test_a_report_is_due_from_eight_in_the_zone_of_the_account(
    zone: str, before: str, at: str, about: str
) -> None:
    day = date.fromisoformat(about)
    assert slots.report_due(utc(before), zone) is None
    assert slots.report_due(utc(at), zone) == day


@given(moments, zones)
def test_a_report_is_about_yesterday_and_never_before_eight(now: datetime, zone: str) -> None:
    local = now.astimezone(ZoneInfo(zone))
    due = slots.report_due(now, zone)
    if local.time() >= time(8):
        assert due == local.date() - timedelta(days=1)
    else:
        assert due is None


@given(moments, zones)
def test_every_day_of_a_zone_gets_its_report_within_five_minutes_of_eight(now: datetime, zone: str) -> None:
    """The beat looks every five minutes: over three days, no day is missed and none is late."""
    first = now.replace(minute=now.minute // 5 * 5, second=0, microsecond=0)
    found: dict[date, datetime] = {}
    for step in range(3 * 24 * 12):
        moment = first + timedelta(minutes=5 * step)
        day = slots.report_due(moment, zone)
        if day is not None:
            found.setdefault(day, moment)
    days = sorted(found)
    assert len(days) >= 3
    assert days == [days[0] + timedelta(days=number) for number in range(len(days))]
    # The first may have been due long before we looked.
    for day in days[1:]:
        local = found[day].astimezone(ZoneInfo(zone))
        assert local.date() == day + timedelta(days=1)
        assert time(8) <= local.time() < time(8, 5)
