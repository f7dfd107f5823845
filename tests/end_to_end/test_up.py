"""`adtempo up`: the Procfile's processes on embedded servers, and nothing left when it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from tests.support.network import answers
from tests.support.polling import until
from worker.embedded import EmbeddedServers, running
from worker.embedded.ports import free_port

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_everything_comes_up_and_goes_down_again(tmp_path: Path, stop: signal.Signals) -> None:
    data_dir, log, port = tmp_path / ".adtempo", tmp_path / "up.log", free_port()
    env = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "ADTEMPO_ENV_FILE": os.devnull,
        "ADTEMPO_DATA_DIR": str(data_dir),
        "FLOWER_PORT": str(port),
    }
    with log.open("wb") as output:
        up = subprocess.Popen(
            [sys.executable, "-m", "worker.cli", "up"],
            cwd=ROOT,
            env=env,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        until(lambda: answers(port), timeout=60, what="Flower")
        until(lambda: b"ready." in log.read_bytes(), timeout=60, what="the worker")
        with EmbeddedServers(data_dir) as servers, redis.Redis.from_url(servers.redis_url) as client:
            until(lambda: client.exists("adtempo:redbeat::lock"), timeout=30, what="beat's lock")
        assert running(data_dir).postgres, "it is still in use by the processes"
    finally:
        up.send_signal(stop)
        code = up.wait(60)
    assert code == 0, log.read_text()
    until(lambda: not running(data_dir).postgres and not running(data_dir).redis, what="the servers' end")


def test_without_a_procfile_it_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "worker.cli", "up", "--procfile", str(tmp_path / "none")],
        env={"PATH": os.environ["PATH"], "ADTEMPO_ENV_FILE": os.devnull},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1)
    assert "is not a file" in done.stderr
