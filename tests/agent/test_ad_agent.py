"""What the agent brings from Graph for one account."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from agent.ad_agent import AdAgent
from agent.entities import CAMPAIGN_STATUSES
from agent.errors import BadAnswer, PermissionMissing, TokenDead
from agent.graph import GraphApi
from agent.insights import InsightsQuery
from tests.agent.answers import HandMade, RecordingGuard, answer
from tests.agent.conftest import MakeApi
from tests.conftest import TOKEN
from tests.support.simulators import GraphSimulator


@pytest.fixture
def agent(graph: GraphSimulator, make_api: MakeApi) -> AdAgent:
    """On the simulator."""
    return AdAgent(make_api(graph.url))


@pytest.fixture
def told(api: GraphApi) -> AdAgent:
    """On the server of hand-made answers."""
    return AdAgent(api)


def test_the_accounts_that_the_token_sees(agent: AdAgent, graph: GraphSimulator) -> None:
    assert agent.accounts() == sorted(graph.account_ids())
    assert agent.calls == 1


def test_accounts_come_once_and_in_order(server: HandMade, told: AdAgent) -> None:
    server.give(answer({"data": [{"account_id": "30"}, {"account_id": "4"}, {"account_id": "30"}]}))
    assert told.accounts() == [4, 30]


@pytest.mark.parametrize("bad", [None, "", "act_3", "x", "9" * 5000, str(2**63)])
def test_an_account_without_an_id_is_refused(server: HandMade, told: AdAgent, bad: object) -> None:
    server.give(answer({"data": [{"account_id": bad}]}))
    with pytest.raises(BadAnswer):
        told.accounts()


def test_the_account_as_a_row(agent: AdAgent, graph: GraphSimulator) -> None:
    account_id = graph.account_ids()[0]
    row = agent.account(account_id)
    assert row["id"] == account_id
    assert set(row) == {"id", "name", "currency", "timezone_name", "account_status"}
    assert row["currency"]


def test_all_campaigns_come_archived_and_deleted_ones_too(agent: AdAgent, graph: GraphSimulator) -> None:
    for account in graph.get("world")["accounts"]:
        account_id = int(str(account["id"]).removeprefix("act_"))
        rows = [row for page in agent.campaigns(account_id, currency="BRL") for row in page]
        assert {row["id"] for row in rows} == {int(one["id"]) for one in account["campaigns"]}
        assert {row["account_id"] for row in rows} == {account_id}


def test_every_status_is_asked_for(server: HandMade, told: AdAgent) -> None:
    server.give(answer({"data": []}))
    assert list(told.campaigns(7, currency="BRL")) == []
    assert json.loads(server.requests[0].query["effective_status"]) == list(CAMPAIGN_STATUSES)
    assert {"DELETED", "ARCHIVED"} <= set(CAMPAIGN_STATUSES)


@pytest.mark.parametrize("level", ["account", "campaign", "adset", "ad"])
def test_insights_add_up_to_the_truth(agent: AdAgent, graph: GraphSimulator, level: str) -> None:
    until = datetime.now(UTC).date() - timedelta(days=2)
    since = until - timedelta(days=2)
    account_id = graph.account_ids()[0]
    graph.fault("empty_page_with_next", times=2, after=1)
    query = InsightsQuery(account_id, level, since, until, page_size=3)
    rows = [row for page in agent.insights(query) for row in page]
    truth = {day["date"]: day for day in graph.truth(account_id, level, since, until) if day["rows"]}
    assert truth
    assert {row.date for row in rows} == set(truth)
    for day, sums in truth.items():
        of_day = [row for row in rows if row.date == day]
        assert len(of_day) == len({row.entity_id for row in of_day}) == sums["rows"]
        for name in ("impressions", "clicks", "spend", "purchases", "revenue"):
            assert sum(Decimal(getattr(row, name)) for row in of_day) == Decimal(str(sums[name]))


def test_insights_come_page_by_page(agent: AdAgent, graph: GraphSimulator) -> None:
    until = datetime.now(UTC).date() - timedelta(days=2)
    query = InsightsQuery(graph.account_ids()[0], "ad", until, until, page_size=1)
    found = agent.insights(query)
    assert len(next(found)) == 1
    assert agent.calls == 1


def test_breakdowns_come_with_their_values(agent: AdAgent, graph: GraphSimulator) -> None:
    day = datetime.now(UTC).date() - timedelta(days=2)
    query = InsightsQuery(graph.account_ids()[0], "campaign", day, day, breakdown="age+gender")
    rows = [row for page in agent.insights(query) for row in page]
    assert rows
    assert {frozenset(json.loads(row.breakdown_values)) for row in rows} == {frozenset({"age", "gender"})}


def test_an_account_that_may_not_be_seen(agent: AdAgent, graph: GraphSimulator) -> None:
    account_id = graph.account_ids()[0]
    graph.fault("missing_permissions", account=account_id)
    with pytest.raises(PermissionMissing):
        list(agent.insights(InsightsQuery(account_id, "ad", date(2026, 11, 1), date(2026, 11, 1))))


def test_a_live_token(agent: AdAgent) -> None:
    state = agent.token_state(TOKEN)
    assert state.is_valid
    assert state.expires_at is not None
    assert state.expires_at.tzinfo is UTC


def test_a_dead_token(agent: AdAgent, graph: GraphSimulator, guard: RecordingGuard) -> None:
    graph.post("tokens", dead="OTHERTOKEN", subcode=463)
    assert not agent.token_state("OTHERTOKEN").is_valid
    graph.post("tokens", dead=TOKEN, subcode=463)
    with pytest.raises(TokenDead):
        agent.token_state(TOKEN)
    assert [token for token, _ in guard.deaths] == [TOKEN]


@pytest.mark.parametrize("expires", [0, None, "soon", -1])
def test_a_token_without_an_end(server: HandMade, told: AdAgent, expires: object) -> None:
    server.give(answer({"data": {"is_valid": True, "expires_at": expires}}))
    assert told.token_state(TOKEN).expires_at is None


@pytest.mark.parametrize(
    "document", [{}, {"data": None}, {"data": []}, {"data": {"is_valid": True, "expires_at": 10**18}}]
)
def test_an_answer_about_a_token_that_cannot_be(
    server: HandMade, told: AdAgent, document: dict[str, Any]
) -> None:
    server.give(answer(document))
    with pytest.raises(BadAnswer, match="token"):
        told.token_state(TOKEN)
