"""Agents and tokens, on a real PostgreSQL, Redis, Graph simulator and worker."""

from __future__ import annotations

import hashlib
import os
import pwd
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from aiohttp import web
from pydantic import SecretStr
from sqlalchemy import text

from simulator.serving import Server
from tests.support.simulators import GraphSimulator
from worker.agent_cache import NO_ACCOUNT, AgentStats
from worker.agent_stats import AgentStatsBoard
from worker.revoked import RevokedTokens

CLOSED = "127.0.0.1:1"
COMMON, OWN = "EAAcommonTokenOfTheTest", "EAAownTokenOfAccountSeven"
OWN_TOKENS = f'{{"act_7": "{OWN}"}}'


def fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:8]


def audit(place: Any) -> list[tuple[str, str, str, dict[str, Any]]]:
    with place.engine.connect() as connection:
        rows = connection.execute(text("SELECT actor, action, subject, details FROM audit_log ORDER BY id"))
        return [tuple(row) for row in rows]


@pytest.fixture
def revoked(place: Any) -> RevokedTokens:
    return RevokedTokens(place.redis, prefix=place.prefix)


@pytest.fixture
def tokens(adtempo: Callable[..., Any], graph: GraphSimulator) -> Callable[..., Any]:
    """`adtempo tokens …` with a common token, one of account 7, and the simulator."""

    def call(*arguments: str, **settings: str) -> Any:
        given = {"FACEBOOK_ACCESS_TOKEN": COMMON, "FACEBOOK_ACCOUNT_TOKENS": OWN_TOKENS} | settings
        result = adtempo("tokens", *arguments, FACEBOOK_GRAPH_URL=graph.url, **given)
        for secret in (COMMON, OWN):
            assert secret not in result.out + result.err
        return result

    return call


@pytest.fixture
def invalid_token_graph() -> Iterator[Server]:
    """A Graph that answers about a token without an error, and says that it is not valid."""

    async def debug_token(_request: web.Request) -> web.Response:
        return web.json_response({"data": {"is_valid": False, "expires_at": int(time.time()) - 60}})

    def app() -> web.Application:
        application = web.Application()
        application.router.add_get("/{version}/debug_token", debug_token)
        return application

    with Server(app) as server:
        yield server


def arrange(graph: GraphSimulator, **document: Any) -> None:
    httpx.post(f"{graph.url}/_control/tokens", json=document).raise_for_status()


def calls(graph: GraphSimulator) -> int:
    log = httpx.get(f"{graph.url}/_control/log").raise_for_status().json()
    return int(log["count"])


# -- agents ----------------------------------------------------------------------------------------------


class _Cache:
    """What a process's cache would say of itself."""

    def __init__(self, *stats: AgentStats) -> None:
        self._stats = stats

    def stats(self) -> list[AgentStats]:
        return list(self._stats)


def test_agents_of_all_processes_are_shown(place: Any, adtempo: Callable[..., Any]) -> None:
    board = AgentStatsBoard(place.redis, prefix=place.prefix)
    one = AgentStats(account_id=12345678, age_seconds=61.5, ttl_seconds=1800, builds=2, hits=40)
    two = AgentStats(account_id=NO_ACCOUNT, age_seconds=1, ttl_seconds=1800, builds=1, hits=0)
    board.write("host:2", _Cache(one, two), ttl_seconds=60)  # type: ignore[arg-type]
    board.write("host:1", _Cache(one), ttl_seconds=60)  # type: ignore[arg-type]
    board.write("host:3", _Cache(), ttl_seconds=60)  # type: ignore[arg-type]
    rows = adtempo("agents", "--json").document
    assert [(row["process"], row["account_id"]) for row in rows] == [
        ("host:1", 12345678),
        ("host:2", 12345678),
        ("host:2", None),
    ]
    assert (rows[0]["age_seconds"], rows[0]["ttl_seconds"]) == (61.5, 1800)
    assert (rows[0]["builds"], rows[0]["hits"]) == (2, 40)
    assert datetime.now(UTC) - datetime.fromisoformat(rows[0]["seen_at"]) < timedelta(minutes=1)
    table = adtempo("agents").out
    for word in ("host:1", "12345678", "0:01:02", "0:30:00", "40"):
        assert word in table


def test_no_agents_are_no_error(adtempo: Callable[..., Any]) -> None:
    assert "no worker process" in adtempo("agents").line
    assert adtempo("agents", "--json").document == []


def test_agents_need_redis(adtempo: Callable[..., Any]) -> None:
    result = adtempo("agents", "--json", REDIS_URL=f"redis://:hidden99@{CLOSED}/0")
    assert (result.code, result.out) == (3, "")
    assert "check REDIS_URL" in result.line
    assert "hidden99" not in result.line


def test_invalidate_reaches_every_worker(
    adtempo_process: Callable[..., Any], start_worker: Callable[..., None]
) -> None:
    start_worker("one", "collect")
    start_worker("two", "control")
    answer = adtempo_process("agents", "--invalidate", "--json")
    assert (answer.code, answer.err) == (0, "")
    assert answer.document == {"workers": ["one@test", "two@test"]}
    assert "2 workers" in adtempo_process("agents", "--invalidate").line


def test_invalidate_without_a_worker_is_said(adtempo_process: Callable[..., Any]) -> None:
    began = time.monotonic()
    result = adtempo_process("agents", "--invalidate")
    assert (result.code, result.out) == (3, "")
    assert "no worker answered" in result.line
    assert time.monotonic() - began < 30


def test_invalidate_without_a_broker_is_said(adtempo_process: Callable[..., Any]) -> None:
    result = adtempo_process("agents", "--invalidate", REDIS_URL=f"redis://:hidden99@{CLOSED}/0")
    assert (result.code, result.out) == (3, "")
    assert "broker cannot be reached" in result.line
    assert "hidden99" not in result.line


# -- tokens check ----------------------------------------------------------------------------------------


def test_valid_tokens_are_named_by_setting_and_fingerprint(
    tokens: Callable[..., Any], graph: GraphSimulator
) -> None:
    ends = int((datetime.now(UTC) + timedelta(days=3)).timestamp())
    arrange(graph, token=OWN, expires_at=ends)
    result = tokens("check", "--json")
    assert (result.code, result.err) == (0, "")
    common, own = result.document
    assert (common["setting"], common["fingerprint"]) == ("FACEBOOK_ACCESS_TOKEN", fingerprint(COMMON))
    assert (own["setting"], own["fingerprint"]) == ("FACEBOOK_ACCOUNT_TOKENS[7]", fingerprint(OWN))
    assert [common["state"], own["state"]] == ["valid", "valid"]
    assert datetime.fromisoformat(own["expires_at"]).timestamp() == ends
    assert fingerprint(OWN) in tokens("check").out


def test_one_dead_token_hides_no_other_and_is_not_allowed(
    tokens: Callable[..., Any], graph: GraphSimulator, revoked: RevokedTokens
) -> None:
    arrange(graph, dead=COMMON, subcode=463)
    result = tokens("check", "--json")
    assert result.code == 4
    assert [row["state"] for row in result.document] == ["dead", "valid"]
    assert revoked.find(SecretStr(COMMON)) is not None, "every worker knows at once"
    again = tokens("check", "--json")
    assert again.code == 4
    assert [row["state"] for row in again.document] == ["revoked", "valid"]


def test_a_revoked_token_is_not_sent_to_graph(
    tokens: Callable[..., Any], graph: GraphSimulator, revoked: RevokedTokens
) -> None:
    revoked.revoke(SecretStr(COMMON), reason="it leaked")
    before = calls(graph)
    result = tokens("check", "--json", FACEBOOK_ACCOUNT_TOKENS="")
    assert (result.code, calls(graph) - before) == (4, 0)
    assert result.document[0]["state"] == "revoked"
    assert "it leaked" in result.document[0]["detail"]


def test_a_token_in_two_settings_is_asked_about_once(
    tokens: Callable[..., Any], graph: GraphSimulator
) -> None:
    before = calls(graph)
    result = tokens("check", "--json", FACEBOOK_ACCOUNT_TOKENS=f'{{"7": "{COMMON}"}}')
    assert [row["state"] for row in result.document] == ["valid", "valid"]
    assert calls(graph) - before == 1


def test_tokens_that_cannot_be_asked_about_are_unknown(adtempo: Callable[..., Any]) -> None:
    for away in ({"FACEBOOK_GRAPH_URL": f"http://{CLOSED}"}, {"REDIS_URL": f"redis://{CLOSED}/0"}):
        result = adtempo("tokens", "check", "--json", FACEBOOK_ACCESS_TOKEN=COMMON, **away)
        assert result.code == 3
        assert [row["state"] for row in result.document] == ["unknown"]


def test_no_token_is_a_missing_setting(adtempo: Callable[..., Any]) -> None:
    for command in ("check", "revoke", "restore"):
        result = adtempo("tokens", command)
        assert (result.code, result.out) == (2, "")
        assert "FACEBOOK_ACCESS_TOKEN" in result.line


# -- tokens revoke, list and restore ---------------------------------------------------------------------


def test_a_token_is_revoked_listed_and_restored(
    place: Any, tokens: Callable[..., Any], graph: GraphSimulator, revoked: RevokedTokens
) -> None:
    ends = int((datetime.now(UTC) + timedelta(days=3)).timestamp())
    arrange(graph, token=OWN, expires_at=ends)
    done = tokens("revoke", "--account", "act_7", "--reason", f"leaked {OWN} in a chat", "--json")
    assert done.code == 0
    assert done.document == {
        "setting": "FACEBOOK_ACCOUNT_TOKENS[7]",
        "fingerprint": fingerprint(OWN),
        "revoked": True,
        "changed": True,
    }
    assert revoked.find(SecretStr(OWN)) is not None
    assert revoked.find(SecretStr(COMMON)) is None
    actor = f"cli:{pwd.getpwuid(os.getuid()).pw_name}"
    subject = f"token:{fingerprint(OWN)}"
    (entry,) = audit(place)
    assert entry[:3] == (actor, "token.revoke", subject)
    assert "in a chat" in entry[3]["reason"]
    assert OWN not in str(entry)

    (row,) = tokens("list", "--json").document
    assert (row["fingerprint"], row["settings"]) == (fingerprint(OWN), ["FACEBOOK_ACCOUNT_TOKENS[7]"])
    assert "in a chat" in row["reason"]
    assert abs(row["ttl_seconds"] - 3 * 86_400) < 60, "until the token would have ended by itself"
    assert datetime.now(UTC) - datetime.fromisoformat(row["revoked_at"]) < timedelta(minutes=1)
    assert "in a chat" in tokens("list").out

    again = tokens("revoke", "--account", "7")
    assert again.code == 0
    assert "already" in again.line
    assert len(audit(place)) == 1

    restored = tokens("restore", "--account", "7", "--json")
    assert (restored.code, restored.document["changed"]) == (0, True)
    assert revoked.find(SecretStr(OWN)) is None
    assert [entry[:3] for entry in audit(place)][1:] == [(actor, "token.restore", subject)]
    assert tokens("restore", "--account", "7", "--json").document["changed"] is False
    assert len(audit(place)) == 2
    assert tokens("list", "--json").document == []
    assert "no token is revoked" in tokens("list").line


def test_a_token_whose_end_is_not_known_is_revoked_for_long(
    tokens: Callable[..., Any], adtempo: Callable[..., Any]
) -> None:
    settings = {"FACEBOOK_ACCESS_TOKEN": COMMON, "FACEBOOK_GRAPH_URL": f"http://{CLOSED}"}
    assert adtempo("tokens", "revoke", "--common", **settings).code == 0
    (row,) = tokens("list", "--json").document
    assert row["ttl_seconds"] > 80 * 86_400


def test_a_token_that_has_ended_is_revoked_for_long(
    tokens: Callable[..., Any], graph: GraphSimulator
) -> None:
    arrange(graph, token=COMMON, expires_at=int(time.time()) - 60)
    assert tokens("revoke", "--common").code == 0
    (row,) = tokens("list", "--json").document
    assert row["ttl_seconds"] > 80 * 86_400


def test_a_token_that_graph_calls_invalid_is_dead(
    adtempo: Callable[..., Any], revoked: RevokedTokens, invalid_token_graph: Server
) -> None:
    settings = {"FACEBOOK_ACCESS_TOKEN": COMMON, "FACEBOOK_GRAPH_URL": invalid_token_graph.url}
    result = adtempo("tokens", "check", "--json", **settings)
    assert (result.code, result.document[0]["state"]) == (4, "dead")
    assert revoked.find(SecretStr(COMMON)) is not None, "every worker knows at once"
    revoked.restore(SecretStr(COMMON))
    assert adtempo("tokens", "revoke", "--common", **settings).code == 0
    (row,) = adtempo("tokens", "list", "--json").document
    assert row["ttl_seconds"] > 80 * 86_400, "its end has passed, which says nothing about the entry"


def test_a_token_that_is_not_set_any_more_is_still_listed(
    adtempo: Callable[..., Any], revoked: RevokedTokens
) -> None:
    revoked.revoke(SecretStr("EAAformer"), reason="old")
    assert adtempo("tokens", "list", "--json").document[0]["settings"] == []
    assert "not set any more" in adtempo("tokens", "list").out


def test_the_only_token_need_not_be_named(tokens: Callable[..., Any], revoked: RevokedTokens) -> None:
    assert tokens("revoke", FACEBOOK_ACCOUNT_TOKENS="").code == 0
    assert revoked.find(SecretStr(COMMON)) is not None
    assert tokens("restore", FACEBOOK_ACCOUNT_TOKENS="").code == 0
    assert revoked.find(SecretStr(COMMON)) is None


@pytest.mark.parametrize("command", ["revoke", "restore"])
@pytest.mark.parametrize(
    ("options", "settings", "words"),
    [
        ((), {}, "several tokens"),
        (("--account", "7", "--common"), {}, "not both"),
        (("--account", "8"), {}, "no token of its own"),
        (("--account", "seven"), {}, "not an ad account id"),
        (("--common",), {"FACEBOOK_ACCESS_TOKEN": ""}, "FACEBOOK_ACCESS_TOKEN is not set"),
    ],
)
def test_an_unclear_choice_changes_nothing(
    place: Any,
    tokens: Callable[..., Any],
    revoked: RevokedTokens,
    command: str,
    options: tuple[str, ...],
    settings: dict[str, str],
    words: str,
) -> None:
    result = tokens(command, *options, **settings)
    assert (result.code, result.out) == (2, "")
    assert words in result.line
    assert list(revoked.all()) == []
    assert audit(place) == []


def test_a_token_is_never_an_argument(tokens: Callable[..., Any], revoked: RevokedTokens) -> None:
    for command in ("revoke", "restore", "check", "list"):
        assert tokens(command, "some-token").code == 2
    assert list(revoked.all()) == []


def test_a_leaked_token_is_stopped_while_postgresql_is_away(
    tokens: Callable[..., Any], revoked: RevokedTokens
) -> None:
    result = tokens("revoke", "--common", DATABASE_URL=f"postgresql://{CLOSED}/none")
    assert result.code == 3
    assert "is revoked" in result.err
    assert "DATABASE_URL" in result.err
    assert revoked.find(SecretStr(COMMON)) is not None


def test_nothing_is_allowed_again_that_is_not_written_down(
    tokens: Callable[..., Any], revoked: RevokedTokens
) -> None:
    revoked.revoke(SecretStr(COMMON), reason="it leaked")
    result = tokens("restore", "--common", DATABASE_URL=f"postgresql://{CLOSED}/none")
    assert result.code == 3
    assert "DATABASE_URL" in result.line
    assert revoked.find(SecretStr(COMMON)) is not None


@pytest.mark.parametrize("command", [("revoke", "--common"), ("restore", "--common"), ("list",)])
def test_tokens_need_redis(tokens: Callable[..., Any], command: tuple[str, ...]) -> None:
    result = tokens(*command, REDIS_URL=f"redis://:hidden99@{CLOSED}/0")
    assert (result.code, result.out) == (3, "")
    assert "check REDIS_URL" in result.line
