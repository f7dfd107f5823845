"""The demo as a person runs it: a process of its own, twice, with marked secrets."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import redis
from sqlalchemy import create_engine, text

from tests.support.network import answers
from tests.support.polling import until
from worker.embedded import EmbeddedServers
from worker.embedded.ports import free_port

ROOT = Path(__file__).parents[2]
SECRETS = {
    "FACEBOOK_ACCESS_TOKEN": "EAAMARKEDTOKEN4711abcdefabcdefabcdef",
    "FACEBOOK_APP_SECRET": "MARKEDAPPSECRET4711abcdefabcdef",
    "NOTION_API_TOKEN": "ntn_MARKEDNOTION4711abcdefabcdef",
    "SECRET_KEY": "MARKEDSECRETKEY4711abcdefabcdefabcdef",
    "FLOWER_BASIC_AUTH": "ops:MARKEDFLOWER4711abcdef",
}
MARK = re.compile(rb"MARKED[A-Z]+4711")
TABLES = ("ad_accounts", "campaigns", "insights", "campaign_scores", "suggestions", "notion_databases")


@dataclass(frozen=True)
class Demo:
    """What one run of the demo printed, and what it left in the tables."""

    summary: dict[str, Any]
    output: bytes
    tables: dict[str, list[str]]


def environment(data_dir: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "VIRTUAL_ENV") if name in os.environ}
    return {**kept, **SECRETS, "HOME": str(data_dir), "ADTEMPO_DATA_DIR": str(data_dir), "LOG_LEVEL": "DEBUG"}


def run_demo(data_dir: Path) -> Demo:
    before = {process.pid for process in psutil.process_iter()}
    done = subprocess.run(
        [sys.executable, "-m", "worker.cli", "demo", "--json"],
        cwd=ROOT,
        env=environment(data_dir),
        capture_output=True,
        timeout=280,
        check=False,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output.decode()
    ours = [
        process
        for process in psutil.process_iter(["cmdline", "status", "environ"])
        if process.pid not in before
        and process.info["status"] != psutil.STATUS_ZOMBIE
        and str(data_dir) in f"{process.info['cmdline']} {process.info['environ']}"
    ]
    assert not ours, "the demo left processes behind"
    with EmbeddedServers(data_dir / "demo") as servers:
        engine = create_engine(servers.database_url)
        with engine.connect() as connection:
            tables = {
                table: sorted(map(str, connection.execute(text(f"SELECT ctid, xmin, t.* FROM {table} t"))))
                for table in TABLES
            }
        engine.dispose()
    return Demo(json.loads(done.stdout), output, tables)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def first(data_dir: Path) -> Demo:
    return run_demo(data_dir)


@pytest.fixture(scope="module")
def second(data_dir: Path, first: Demo) -> Demo:
    return run_demo(data_dir)


def test_the_demo_collects_judges_and_reports_every_account(first: Demo) -> None:
    accounts = first.summary["accounts"]
    assert len(accounts) == 3
    assert all(account["rows_written"] == account["rows_read"] > 0 for account in accounts)
    assert first.summary["suggestions"]
    reports = first.summary["reports"]
    assert {report["outcome"] for report in reports} == {"created"}
    assert {report["account_id"] for report in reports} == {account["account_id"] for account in accounts}
    for report in reports:
        page = Path(report["copy"]).read_text()
        assert report["date"] in page
        assert report["url"].startswith("http://127.0.0.1:")


def test_a_second_run_changes_no_row_and_makes_no_second_page(first: Demo, second: Demo) -> None:
    assert [account["rows_written"] for account in second.summary["accounts"]] == [0, 0, 0]
    assert {report["outcome"] for report in second.summary["reports"]} == {"unchanged"}
    assert second.tables == first.tables


def test_each_worker_process_builds_one_agent_for_an_account(second: Demo, data_dir: Path) -> None:
    """The demo's own summary of the caches, as `adtempo agents` shows it."""
    agents = second.summary["agents"]
    assert agents
    for process in agents:
        assert all(agent["builds"] == 1 for agent in process["agents"])
    assert sum(agent["hits"] for process in agents for agent in process["agents"]) > 0


def test_no_secret_is_written_anywhere(first: Demo, second: Demo, data_dir: Path) -> None:
    """Searched: what was printed, every log at DEBUG, Redis with its messages, the tables, Notion."""
    assert not MARK.search(first.output + second.output)
    files = [path for path in data_dir.rglob("*") if path.is_file()]
    assert any(path.suffix == ".log" for path in files)
    assert any("appendonly" in str(path) for path in files)
    assert any("base" in path.parts for path in files), "the tables' own files are searched too"
    found = [str(path) for path in files if MARK.search(path.read_bytes())]
    assert not found
    with EmbeddedServers(data_dir / "demo") as servers:
        assert not MARK.search(dump_of_redis(servers.redis_url))


def test_flower_shows_no_secret(second: Demo, data_dir: Path) -> None:
    """Everything that Flower shows of the demo while it stays up, signed in and not."""
    log = data_dir / "keep.log"
    with log.open("wb") as errors:
        demo = subprocess.Popen(
            [sys.executable, "-m", "worker.cli", "demo", "--keep", "--json"],
            cwd=ROOT,
            env=environment(data_dir),
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    try:
        assert demo.stdout is not None
        printed = b""
        while not printed.rstrip().endswith(b"\n}"):
            line = demo.stdout.readline()
            assert line, log.read_text()
            printed += line
        summary = json.loads(printed)
        with httpx.Client(base_url=summary["flower"], trust_env=False, timeout=30) as client:
            flower_port = int(summary["flower"].rpartition(":")[2])
            until(lambda: answers(flower_port), timeout=60, what="Flower")
            assert client.get("/workers").status_code == 401
            signed_in = httpx.BasicAuth(*SECRETS["FLOWER_BASIC_AUTH"].split(":"))
            # Flower learns of the workers by asking them; until then it has no page for one.
            until(lambda: bool(client.get("/api/workers?refresh=1", auth=signed_in).json()), timeout=60)
            workers = client.get("/api/workers", auth=signed_in).json()
            routes = ["/", "/workers", "/tasks", "/broker", "/api/tasks", "/api/workers", "/metrics"]
            routes += [f"/worker/{name}" for name in workers]
            routes += [f"/task/{uuid}" for uuid in client.get("/api/tasks", auth=signed_in).json()]
            pages = {route: client.get(route, auth=signed_in) for route in routes}
            assert {page.status_code for page in pages.values()} == {200}
            assert [route for route, page in pages.items() if MARK.search(page.content)] == []
            assert any("tasks.collectors.read_slice" in page.text for page in pages.values())
    finally:
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=90)
    assert demo.returncode == 0, log.read_text()
    assert not MARK.search(log.read_bytes())


def test_the_demo_touches_nothing_real(second: Demo, data_dir: Path, tmp_path: Path) -> None:
    """Addresses of the environment and of `.env` lead to a listener that must not hear anything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        (tmp_path / ".env").write_text("ENVIRONMENT=production\nAGENT_TTL_SECONDS=bogus\n")
        done = subprocess.run(
            [sys.executable, "-m", "worker.cli", "demo", "--json"],
            cwd=tmp_path,
            env={
                **environment(data_dir),
                "PYTHONPATH": str(ROOT),
                "DATABASE_URL": f"postgresql://u:p@{address}/d",
                "REDIS_URL": f"redis://{address}/0",
                "CELERY_BROKER_URL": f"redis://{address}/1",
                "CELERY_RESULT_BACKEND": f"redis://{address}/2",
                "FACEBOOK_GRAPH_URL": f"http://{address}",
                "NOTION_API_URL": f"http://{address}",
                "FACEBOOK_AD_ACCOUNT_IDS": "4711",
            },
            capture_output=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert [account["rows_written"] for account in json.loads(done.stdout)["accounts"]] == [0, 0, 0]


def test_a_second_demo_at_the_same_time_is_told_so(second: Demo, data_dir: Path) -> None:
    with (data_dir / "demo" / "demo.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(
            [sys.executable, "-m", "worker.cli", "demo"],
            env=environment(data_dir),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert "another demo runs" in done.stderr


def test_flower_is_closed_wherever_it_is_started(data_dir: Path, second: Demo, tmp_path: Path) -> None:
    """Its options are found although it is started elsewhere."""
    with EmbeddedServers(data_dir / "demo") as servers:
        port = free_port()
        env = {
            **environment(data_dir),
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": servers.database_url,
            "REDIS_URL": servers.redis_url,
            "FLOWER_PORT": str(port),
            "ADTEMPO_ENV_FILE": os.devnull,
        }
        with (tmp_path / "flower.log").open("wb") as log:
            flower = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "worker.app", "flower"],
                cwd=tmp_path,
                env=env,
                stdout=log,
                stderr=log,
            )
        try:
            until(lambda: answers(port), timeout=60, what="Flower")
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
                assert client.get("/tasks").status_code == 401
        finally:
            flower.terminate()
            flower.wait(30)


def dump_of_redis(url: str) -> bytes:
    client = redis.Redis.from_url(url)
    found = b""
    for key in client.scan_iter():
        found += key + b" " + (client.dump(key) or b"") + b"\n"
    client.close()
    return found
