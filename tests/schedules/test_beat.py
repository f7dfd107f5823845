"""The beat: what it is to send and when, and that two of them send once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import celery
import orjson
import pytest
import redis
from celery.schedules import crontab
from pydantic import SecretStr
from redbeat import RedBeatSchedulerEntry

from schedules.beat import BEAT_SCHEDULE
from tests.support.inline import registered
from tests.support.keys import everything
from tests.support.polling import until
from tests.support.workers import celery_process, client_app, environment_of
from worker.embedded import EmbeddedServers
from worker.redis_client import redis_client
from worker.settings import Settings

RECONCILE = "tasks.maintenance.reconcile"


# -- the table -------------------------------------------------------------------------------------------


def entry(task: str) -> dict[str, Any]:
    found = [one for one in BEAT_SCHEDULE.values() if one["task"] == task]
    assert len(found) == 1
    return found[0]


def runs(task: str, day: str = "2026-11-22", days: int = 1) -> list[datetime]:
    """The minutes of these days (UTC) at which a crontab entry is due."""
    when = entry(task)["schedule"]
    assert isinstance(when, crontab)
    first = datetime.fromisoformat(day).replace(tzinfo=UTC)
    minutes = (first + timedelta(minutes=number) for number in range(days * 24 * 60))
    return [
        one
        for one in minutes
        if one.minute in when.minute
        and one.hour in when.hour
        and one.isoweekday() % 7 in when.day_of_week
        and one.day in when.day_of_month
        and one.month in when.month_of_year
    ]


@pytest.mark.parametrize("name", BEAT_SCHEDULE)
def test_every_entry_names_a_task_that_exists_and_takes_no_arguments(name: str) -> None:
    one = BEAT_SCHEDULE[name]
    assert registered(one["task"]).name == one["task"]
    assert set(one) == {"task", "schedule", "options"}


@pytest.mark.parametrize("name", BEAT_SCHEDULE)
def test_a_tick_ends_before_the_next_one_comes(name: str) -> None:
    one = BEAT_SCHEDULE[name]
    expires = timedelta(seconds=one["options"]["expires"])
    assert expires > timedelta(0)
    if isinstance(one["schedule"], timedelta):
        assert expires < one["schedule"]
        return
    times = runs(one["task"], days=15)
    assert all(later - earlier > expires for earlier, later in pairwise(times))


def test_collection_is_asked_for_every_thirty_minutes() -> None:
    times = runs("tasks.maintenance.request_collection")
    assert [f"{one:%H:%M}" for one in times] == [
        f"{hour:02}:{half}" for hour in range(24) for half in ("00", "30")
    ]


def test_analysis_is_asked_for_every_hour() -> None:
    times = runs("tasks.maintenance.request_analysis")
    assert len(times) == 24
    assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(hours=1)}


def test_reports_are_looked_for_within_five_minutes_of_any_eight_o_clock() -> None:
    times = runs("tasks.maintenance.request_reports")
    assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(minutes=5)}
    # Zones are whole quarters of an hour away from UTC: there is a tick at the very minute.
    assert {one.minute for one in times} >= {0, 15, 30, 45}


def test_clean_up_is_on_sundays_at_two() -> None:
    times = runs("tasks.maintenance.request_cleanup", day="2026-11-16", days=14)
    assert [f"{one:%a %Y-%m-%d %H:%M}" for one in times] == ["Sun 2026-11-22 02:00", "Sun 2026-11-29 02:00"]


def test_tokens_are_looked_at_every_day() -> None:
    assert len(runs("tasks.maintenance.request_token_check", days=7)) == 7
    assert len({one.date() for one in runs("tasks.maintenance.request_token_check", days=7)}) == 7


def test_the_reconciler_runs_every_minute() -> None:
    assert entry(RECONCILE)["schedule"] == timedelta(minutes=1)


# -- the process -----------------------------------------------------------------------------------------


@pytest.fixture
def settings(servers: EmbeddedServers, redis_prefix: str, tmp_path: Path) -> Settings:
    return Settings(
        database_url=SecretStr(servers.database_url),
        redis_url=SecretStr(servers.redis_url),
        redis_key_prefix=redis_prefix,
        adtempo_data_dir=tmp_path / ".adtempo",
    )


@pytest.fixture
def client(servers: EmbeddedServers) -> Iterator[redis.Redis]:
    with redis_client(SecretStr(servers.redis_url)) as client:
        yield client


@pytest.fixture
def app(settings: Settings) -> Iterator[celery.Celery]:
    """A client that can read the beat's entries."""
    app = client_app(settings)
    app.conf.redbeat_redis_url = settings.redis_url.get_secret_value()
    app.conf.redbeat_key_prefix = f"{settings.redis_key_prefix}redbeat:"
    app.conf.redbeat_redis_options = {"socket_timeout": 5}
    yield app
    app.close()


@pytest.fixture
def sent(client: redis.Redis, redis_prefix: str) -> Callable[[], list[str]]:
    """The names of the tasks that wait in the queue of maintenance, oldest first."""

    def read() -> list[str]:
        texts: list[str] = client.lrange(f"{redis_prefix}control", 0, -1)  # type: ignore[assignment]
        return [orjson.loads(text)["headers"]["task"] for text in reversed(texts)]

    return read


def let_a_minute_pass(app: celery.Celery, redis_prefix: str) -> None:
    """Make the reconciler due now, as if its last run were a while ago."""
    key = f"{redis_prefix}redbeat:reconcile"
    RedBeatSchedulerEntry.from_key(key, app=app).reschedule(datetime.now(UTC) - timedelta(seconds=70))


def test_two_beats_send_once_and_the_second_goes_on_when_the_first_ends(
    settings: Settings,
    app: celery.Celery,
    client: redis.Redis,
    redis_prefix: str,
    sent: Callable[[], list[str]],
    tmp_path: Path,
) -> None:
    env, key = environment_of(settings), f"{redis_prefix}redbeat:reconcile"
    lock = f"{redis_prefix}redbeat::lock"
    with celery_process(env, tmp_path, "first", ["beat"]) as first:
        until(lambda: client.exists(lock) and client.exists(key), timeout=60, what="the first beat's lock")
        holder = client.get(lock)
        assert 0 < int(str(client.ttl(lock))) <= 25
        with celery_process(env, tmp_path, "second", ["beat"]) as second:
            until(lambda: "beat: Starting" in second.text(), timeout=60, what="the second beat's start")
            let_a_minute_pass(app, redis_prefix)
            until(lambda: RECONCILE in sent(), what="sending the reconciler")
            assert sent().count(RECONCILE) == 1
            assert client.get(lock) == holder

            # A beat that is asked to end gives the lock back, and the other need not wait for its end.
            assert first.stop() == 0
            until(lambda: client.get(lock) not in (None, holder), what="taking the lock over")
            assert sent().count(RECONCILE) == 1
            let_a_minute_pass(app, redis_prefix)
            until(lambda: sent().count(RECONCILE) == 2, what="sending the reconciler again")
            second.require_running()
    password = str(urlsplit(settings.redis_url.get_secret_value()).password)
    for said in (first.text(), second.text()):
        assert password not in said
    kept = everything(client, f"{redis_prefix}*")
    assert f"{redis_prefix}redbeat::schedule" in kept
    assert not any(password in text for text in kept.values())
