"""Every setting on which something depends has the value that was found to be right."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from schedules.beat import BEAT_SCHEDULE
from tests.support.workers import CHECKOUT, QUEUES, environment_of
from worker.settings import Settings

PREFIX = "elsewhere:"
# A process of its own, as the file reads the settings of the process that imports it.
SHOW = """
import celeryconfig, orjson, types
from celery.app.defaults import SETTING_KEYS
own = {
    name: value for name, value in vars(celeryconfig).items()
    if not name.startswith("_")
    and not isinstance(value, (type, types.ModuleType))
    and getattr(value, "__module__", "celeryconfig") == "celeryconfig"
}
names = set(own) - {"task_queues", "beat_schedule", "annotations", "BEAT_SCHEDULE", "ROUTES"}
unknown = [name for name in names if name not in SETTING_KEYS and not name.startswith("redbeat_")]
print(orjson.dumps({"values": {name: own[name] for name in names}, "unknown": unknown}).decode())
"""
EFFECTIVE = """
from worker.app import app
import orjson
conf = app.conf
print(orjson.dumps({
    "queues": [[q.name, q.routing_key] for q in conf.task_queues],
    "beat": sorted(conf.beat_schedule),
    "broker_url": conf.broker_url,
    "visibility_timeout": conf.broker_transport_options["visibility_timeout"],
    "task_cls": str(app.Task.__mro__[1].__module__),
}).decode())
"""


def run(script: str, tmp_path: Path) -> Any:
    settings = Settings(
        redis_key_prefix=PREFIX,
        redis_url="redis://:pw@127.0.0.1:1/0",
        database_url="postgresql://u:pw@127.0.0.1:1/d",
        adtempo_data_dir=tmp_path,
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=CHECKOUT,
        env=environment_of(settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return orjson.loads(done.stdout)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    found: dict[str, Any] = run(SHOW, tmp_path_factory.mktemp("conf"))
    return found


@pytest.fixture(scope="module")
def conf(shown: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = shown["values"]
    return values


def test_celery_knows_every_name(shown: dict[str, Any]) -> None:
    """A name that is written wrong would have no effect and be told nowhere."""
    assert shown["unknown"] == []
    assert len(shown["values"]) > 30


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("task_acks_late", True),
        ("task_reject_on_worker_lost", True),
        ("task_retry_on_worker_lost", True),
        ("worker_prefetch_multiplier", 1),
        ("worker_soft_shutdown_timeout", 30),
        ("worker_cancel_long_running_tasks_on_connection_loss", False),
        ("result_backend_always_retry", True),
        ("task_ignore_result", True),
        ("broker_connection_retry_on_startup", True),
        ("broker_connection_max_retries", None),
        ("task_serializer", "json"),
        ("result_serializer", "json"),
        ("accept_content", ["json"]),
        ("worker_max_tasks_per_child", 1000),
        ("task_send_sent_event", True),
        ("worker_send_task_events", True),
        ("task_create_missing_queues", False),
        ("worker_hijack_root_logger", False),
        ("beat_max_loop_interval", 5),
        ("beat_scheduler", "worker.beat:Scheduler"),
        ("enable_utc", True),
    ],
)
def test_value(conf: dict[str, Any], name: str, value: object) -> None:
    assert conf[name] == value
    assert type(conf[name]) is type(value)


def test_the_visibility_timeout_is_twice_the_hard_limit(conf: dict[str, Any]) -> None:
    assert conf["broker_transport_options"]["visibility_timeout"] == 2 * conf["task_time_limit"]
    assert 0 < conf["task_soft_time_limit"] < conf["task_time_limit"]


def test_no_wait_on_redis_is_without_end(conf: dict[str, Any]) -> None:
    options = conf["broker_transport_options"]
    assert (options["socket_timeout"], options["socket_connect_timeout"]) == (30, 5)
    assert options["socket_keepalive"] is True
    assert options["health_check_interval"] == 25
    assert (options["unacked_restore_interval"], options["unacked_restore_throttle"]) == (5, 1)
    assert conf["result_backend_max_retries"] == 10


def test_a_poison_message_ends(conf: dict[str, Any]) -> None:
    every = conf["task_annotations"]["*"]
    assert 0 < every["max_retries"] <= 10
    assert 0 < every["default_retry_delay"] <= 60


def test_everything_in_redis_is_under_the_prefix(conf: dict[str, Any]) -> None:
    assert conf["broker_transport_options"]["global_keyprefix"] == PREFIX
    assert conf["result_backend_transport_options"]["global_keyprefix"] == PREFIX
    assert conf["redbeat_key_prefix"].startswith(PREFIX)
    assert conf["redbeat_lock_key"].startswith(PREFIX)


def test_a_second_beat_takes_over_soon(conf: dict[str, Any]) -> None:
    assert 25 <= conf["redbeat_lock_timeout"] <= 30
    assert conf["beat_max_loop_interval"] < conf["redbeat_lock_timeout"]


def test_the_memory_bound_is_a_multiple_of_a_child(conf: dict[str, Any]) -> None:
    # KiB. Much less would end a child after every task, much more would bound nothing.
    assert 300_000 <= conf["worker_max_memory_per_child"] <= 1_000_000


def test_the_file_holds_no_address(conf: dict[str, Any]) -> None:
    """`inspect conf` shows what is here; the addresses with their passwords come from elsewhere."""
    assert "pw" not in str(conf)
    assert not any(name.endswith("_url") for name in conf)


def test_the_app_has_these_settings_and_the_addresses(tmp_path: Path) -> None:
    found = run(EFFECTIVE, tmp_path)
    assert found["queues"] == [[name, name] for name in ("collect", "process", "report", "control")]
    assert found["beat"] == sorted(BEAT_SCHEDULE)
    assert found["broker_url"] == "redis://:pw@127.0.0.1:1/0"
    assert found["visibility_timeout"] == 1920


def test_the_procfile_takes_every_queue_and_lets_sigterm_mean_a_soft_shutdown() -> None:
    lines = dict(
        line.split(":", 1) for line in (CHECKOUT / "Procfile").read_text().splitlines() if line.strip()
    )
    workers = [command for command in lines.values() if " worker " in command]
    assert all("REMAP_SIGTERM=SIGQUIT" in command for command in workers)
    queues = [re.search(r"--queues=(\S+)", command) for command in workers]
    consumed = [set(found[1].split(",")) for found in queues if found]
    # Each queue once, and nothing slow in front of what watches.
    assert sorted(queue for one in consumed for queue in one) == sorted(QUEUES)
    assert {"control", "report"} in consumed
    assert {"beat", "flower"} < set(lines)
