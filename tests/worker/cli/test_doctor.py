"""What the doctor says of each part, on real servers that are well, ill or away."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from aiohttp import web
from sqlalchemy import text

from simulator.serving import Server
from tests.support.simulators import GraphSimulator
from worker.bounded import within

CLOSED = "127.0.0.1:1"
TOKEN, OWN = "EAAcommonTokenOfTheTest", "EAAownTokenOfAccountSeven"
NOTION_TOKEN = "ntn_right_token"


@pytest.fixture
def doctor(adtempo_process: Callable[..., Any], graph: GraphSimulator, notion: Server) -> Callable[..., Any]:
    """`adtempo doctor --json` with everything set as it should be; the parts by name."""

    def call(**settings: str) -> tuple[int, dict[str, dict[str, str]]]:
        well = {
            "SECRET_KEY": "k" * 40,
            "FACEBOOK_ACCESS_TOKEN": TOKEN,
            "FACEBOOK_GRAPH_URL": graph.url,
            "NOTION_API_TOKEN": NOTION_TOKEN,
            "NOTION_API_URL": notion.url,
            "NOTION_PARENT_PAGE_ID": "0123456789abcdef0123456789abcdef",
            "FLOWER_BASIC_AUTH": "someone:flowerpass99",
        }
        result = adtempo_process("doctor", "--json", **{**well, **settings})
        for secret in (TOKEN, OWN, NOTION_TOKEN, "hidden99", "flowerpass99", "k" * 40):
            assert secret not in result.out + result.err
        assert "Traceback" not in result.err
        parts = {row["name"].split(" ")[0]: row for row in result.document}
        for part in parts.values():
            assert part["seen"]
            assert bool(part["advice"]) == (part["state"] != "ok"), "what to do, if anything"
        return result.code, parts

    return call


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def take() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)
        for connection in held:
            connection.close()


def states(parts: dict[str, dict[str, str]]) -> dict[str, str]:
    return {name: part["state"] for name, part in parts.items()}


def test_everything_well_is_done(
    place: Any, doctor: Callable[..., Any], start_worker: Callable[..., None]
) -> None:
    start_worker("one", "collect", "process", "report")
    place.redis.set(f"{place.prefix}redbeat::lock", "held", ex=25)
    code, parts = doctor()
    assert (code, parts["workers"]["state"]) == (1, "failed")
    assert "one@test" in parts["workers"]["seen"]
    assert "nobody takes from control" in parts["workers"]["seen"]
    assert "-Q control" in parts["workers"]["advice"]

    start_worker("two", "control")
    place.redis.set(f"{place.prefix}redbeat::lock", "held", ex=25)
    code, parts = doctor()
    assert set(states(parts).values()) == {"ok"}, parts
    assert list(parts) == [
        *("settings", "flower", "postgresql", "schema", "redis", "beat", "broker", "workers", "token"),
        "notion",
    ]
    assert code == 0
    assert "one@test, two@test" in parts["workers"]["seen"]


def test_without_workers_and_beat_they_are_not_reachable(doctor: Callable[..., Any]) -> None:
    code, parts = doctor()
    assert code == 3
    others = {name: state for name, state in states(parts).items() if name not in ("workers", "beat")}
    assert set(others.values()) == {"ok"}, parts
    assert (parts["workers"]["seen"], parts["beat"]["seen"]) == (
        "no worker answers",
        "no beat holds the lock",
    )
    assert "adtempo up" in parts["workers"]["advice"]


def test_closed_ports_hide_nothing(doctor: Callable[..., Any]) -> None:
    code, parts = doctor(
        DATABASE_URL=f"postgresql://someone:hidden99@{CLOSED}/none",
        REDIS_URL=f"redis://:hidden99@{CLOSED}/0",
        NOTION_API_URL=f"http://{CLOSED}",
    )
    assert code == 3
    assert states(parts) == {
        **dict.fromkeys(("settings", "flower"), "ok"),
        **dict.fromkeys(("postgresql", "schema", "redis", "beat", "broker", "workers"), "failed"),
        **dict.fromkeys(("token", "notion"), "failed"),
    }
    assert "DATABASE_URL" in parts["postgresql"]["advice"]
    assert "REDIS_URL" in parts["redis"]["advice"]


def test_servers_that_hang_are_not_waited_for(doctor: Callable[..., Any], silent: str) -> None:
    began = time.monotonic()
    code, parts = doctor(
        DATABASE_URL=f"postgresql://someone:hidden99@{silent}/none",
        CELERY_BROKER_URL=f"redis://:hidden99@{silent}/0",
        FACEBOOK_GRAPH_URL=f"http://{silent}",
        NOTION_API_URL=f"http://{silent}",
    )
    assert code == 3
    found = states(parts)
    assert found["redis"] == "ok"
    assert {found[name] for name in ("postgresql", "broker", "workers", "token", "notion")} == {"failed"}
    assert time.monotonic() - began < 60


def test_a_wrong_password_is_no_traceback(place: Any, doctor: Callable[..., Any]) -> None:
    def spoiled(url: str) -> str:
        scheme, _, rest = url.partition("://")
        user, _, _ = rest.partition(":")
        return f"{scheme}://{user}:hidden99@{rest.rpartition('@')[2]}"

    names = ("DATABASE_URL", "REDIS_URL")
    code, parts = doctor(**{name: spoiled(place.environment[name]) for name in names})
    assert code == 3
    assert "password authentication failed" in parts["postgresql"]["seen"]
    assert parts["redis"]["seen"] == "refuses the password"
    assert {parts[name]["state"] for name in ("broker", "workers", "beat", "token")} == {"failed"}


def test_a_schema_behind_is_the_work_of_migrate(place: Any, doctor: Callable[..., Any]) -> None:
    with place.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    place.redis.set(f"{place.prefix}redbeat::lock", "held", ex=60)
    _, parts = doctor()
    assert (parts["postgresql"]["state"], parts["schema"]["state"]) == ("ok", "failed")
    assert "adtempo migrate" in parts["schema"]["advice"]


def test_a_redis_that_forgets_is_warned_of(place: Any, doctor: Callable[..., Any]) -> None:
    place.redis.config_set("maxmemory-policy", "allkeys-lru")
    place.redis.config_set("appendonly", "no")
    try:
        _, parts = doctor()
    finally:
        place.redis.config_set("appendonly", "yes")
        place.redis.config_set("maxmemory-policy", "noeviction")
    assert parts["redis"]["state"] == "warning"
    assert "noeviction" in parts["redis"]["advice"]
    assert "appendonly yes" in parts["redis"]["advice"]


def test_tokens_are_judged_one_by_one(doctor: Callable[..., Any], graph: GraphSimulator) -> None:
    ends = int((datetime.now(UTC) + timedelta(days=6)).timestamp())
    for document in ({"dead": OWN, "subcode": 463}, {"token": TOKEN, "expires_at": ends}):
        httpx.post(f"{graph.url}/_control/tokens", json=document).raise_for_status()
    result_code, parts = doctor(FACEBOOK_ACCESS_TOKEN=OWN)
    assert parts["token"]["state"] == "failed"
    assert "dead" in parts["token"]["seen"]
    assert "set a new FACEBOOK_ACCESS_TOKEN" in parts["token"]["advice"]
    assert result_code == 3, "no worker runs either"
    _, parts = doctor()
    assert parts["token"]["state"] == "warning"
    assert "valid until" in parts["token"]["seen"]


def test_a_dead_token_does_not_hide_a_living_one(
    adtempo_process: Callable[..., Any], graph: GraphSimulator
) -> None:
    httpx.post(f"{graph.url}/_control/tokens", json={"dead": TOKEN}).raise_for_status()
    result = adtempo_process(
        "doctor",
        "--json",
        FACEBOOK_ACCESS_TOKEN=TOKEN,
        FACEBOOK_ACCOUNT_TOKENS=f'{{"7": "{OWN}"}}',
        FACEBOOK_GRAPH_URL=graph.url,
    )
    found = [(row["name"].split(" ")[1], row["state"]) for row in result.document if "token " in row["name"]]
    assert found == [("FACEBOOK_ACCESS_TOKEN", "failed"), ("FACEBOOK_ACCOUNT_TOKENS[7]", "ok")]


def test_secrets_in_an_answer_are_not_repeated(doctor: Callable[..., Any]) -> None:
    async def answer(_request: web.Request) -> web.Response:
        message = f"your key {'k' * 40} is unknown"
        return web.json_response({"error": {"code": 100, "message": message}}, status=400)

    def app() -> web.Application:
        application = web.Application()
        application.router.add_get("/{path:.*}", answer)
        return application

    with Server(app) as server:
        # The fixture looks for the key in all that is printed.
        _, parts = doctor(FACEBOOK_GRAPH_URL=server.url)
    assert parts["token"]["state"] == "failed"
    assert "is unknown" in parts["token"]["seen"]


def test_what_is_not_set_is_said(doctor: Callable[..., Any]) -> None:
    _, parts = doctor(SECRET_KEY="", FACEBOOK_ACCESS_TOKEN="", NOTION_API_TOKEN="", FLOWER_BASIC_AUTH="")
    assert {name: parts[name]["state"] for name in ("settings", "token", "notion", "flower")} == {
        "settings": "warning",
        "token": "failed",
        "notion": "warning",
        "flower": "warning",
    }
    assert "SECRET_KEY" in parts["settings"]["advice"]
    assert "reports are skipped" in parts["notion"]["seen"]


def test_notion_is_asked(doctor: Callable[..., Any]) -> None:
    _, parts = doctor(NOTION_API_TOKEN="ntn_wrong_token")
    assert (parts["notion"]["state"], parts["notion"]["seen"]) == ("failed", "refuses the token")
    _, parts = doctor(NOTION_PARENT_PAGE_ID="")
    assert parts["notion"]["state"] == "failed"
    assert "NOTION_PARENT_PAGE_ID" in parts["notion"]["advice"]
    _, parts = doctor(NOTION_PARENT_PAGE_ID="", NOTION_DATABASE_ID="0123456789abcdef0123456789abcdef")
    assert parts["notion"]["state"] == "ok"


def test_wrong_settings_are_the_finding(adtempo_process: Callable[..., Any]) -> None:
    result = adtempo_process("doctor", "--json", REDIS_URL="http://:hidden99@somewhere")
    assert (result.code, result.err) == (1, "")
    (part,) = result.document
    assert (part["name"], part["state"]) == ("settings", "failed")
    assert "REDIS_URL" in part["seen"]
    assert "hidden99" not in result.out


def test_embedded_servers_that_cannot_start_are_a_finding(
    adtempo_process: Callable[..., Any], tmp_path: Any
) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    result = adtempo_process("doctor", "--json", DATABASE_URL="", ADTEMPO_DATA_DIR=str(blocked))
    assert result.code == 3
    parts = {row["name"]: row for row in result.document}
    assert parts["embedded servers"]["state"] == "failed"
    assert (parts["postgresql"]["state"], parts["disk"]["state"]) == ("failed", "failed")
    assert (parts["redis"]["state"], parts["broker"]["state"]) == ("ok", "ok"), "REDIS_URL is set"
    assert parts["workers"]["seen"] == "no worker answers"
    assert not any("not expected" in part["advice"] for part in parts.values()), parts


def test_the_table_has_every_part(adtempo_process: Callable[..., Any]) -> None:
    result = adtempo_process("doctor")
    assert result.code == 3
    for word in ("postgresql", "schema", "workers", "adtempo up", "FACEBOOK_ACCESS_TOKEN"):
        assert word in result.out


def test_within_gives_what_the_work_gives() -> None:
    assert within(10, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        within(10, lambda: 1 // 0)


def test_within_does_not_wait_longer() -> None:
    stop = threading.Event()
    with pytest.raises(TimeoutError, match=r"no answer within 0\.1 seconds"):
        within(0.1, lambda: stop.wait(60))
    stop.set()
