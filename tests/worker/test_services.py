"""Where the servers are: at the addresses that are set, or started here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import orjson
from pydantic import SecretStr

from tests.support.workers import CHECKOUT, environment_of
from worker.embedded import Running, running
from worker.services import connect, needs_embedded
from worker.settings import Settings

DATABASE = SecretStr("postgresql://u:pw@db.test/x")
REDIS = SecretStr("redis://:pw@redis.test/0")

# The servers end with the process that started them.
SCRIPT = """
import orjson, redis, sys
from pathlib import Path
from worker.embedded import running
from worker.services import connected_settings
settings = connected_settings()
assert connected_settings() is settings
print(orjson.dumps({
    "database": settings.database_url.get_secret_value(),
    "redis": settings.redis_url.get_secret_value(),
    "broker": settings.broker_url.get_secret_value(),
    "ping": redis.Redis.from_url(settings.broker_url.get_secret_value()).ping(),
    "postgres": running(settings.adtempo_data_dir).postgres,
}).decode())
"""


def test_addresses_that_are_set_are_taken_as_they_are(tmp_path: Path) -> None:
    settings = Settings(database_url=DATABASE, redis_url=REDIS, adtempo_data_dir=tmp_path / "none")
    assert not needs_embedded(settings)
    assert connect(settings) is settings
    assert not (tmp_path / "none").exists()


def test_one_missing_address_needs_the_embedded_servers() -> None:
    assert needs_embedded(Settings(database_url=DATABASE))
    assert needs_embedded(Settings(redis_url=REDIS))
    assert needs_embedded(Settings())


def test_only_the_missing_address_is_filled_in_and_nothing_is_left_running(tmp_path: Path) -> None:
    root = tmp_path / "data"
    settings = Settings(database_url=DATABASE, adtempo_data_dir=root)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=CHECKOUT,
        env=environment_of(settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = orjson.loads(done.stdout)
    assert found["database"] == DATABASE.get_secret_value()
    assert found["redis"].startswith("redis://:")
    assert "@127.0.0.1:" in found["redis"]
    # Messages travel where the rest of Redis is.
    assert found["broker"] == found["redis"]
    assert found["ping"] is True
    assert running(root) == Running(postgres=False, redis=False)
