"""Collecting, from Graph's answers to the tables."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from db.models import (
    AdAccount,
    Campaign,
    CollectionRun,
    CollectionSlice,
    Insight,
    Job,
    JobKind,
    Level,
    RunState,
    SliceKind,
    WorkState,
)
from simulator.graph import World
from tests.support.inline import InlineWorker
from tests.support.simulators import GraphSimulator
from worker.jobs import request, request_now

SUMS = ("spend", "impressions", "clicks", "purchases", "revenue")


def collect(worker: InlineWorker, *, retries: bool = False, **params: Any) -> int:
    with worker.process.session() as session, session.begin():
        job_id = request_now(session, JobKind.COLLECT, params=params)
    if retries:
        worker.settle()
    else:
        worker.drain()
    return job_id


def stored_days(session: Session, account_id: int, level: str) -> dict[str, dict[str, Decimal]]:
    rows = session.execute(
        select(Insight.date, *(func.sum(getattr(Insight, name)) for name in SUMS))
        .where(Insight.account_id == account_id, Insight.level == Level(level), Insight.breakdown == "")
        .group_by(Insight.date)
    )
    return {day.isoformat(): dict(zip(SUMS, map(Decimal, values), strict=True)) for day, *values in rows}


def true_days(
    graph: GraphSimulator, account_id: int, level: str, since: date, until: date
) -> dict[str, dict[str, Decimal]]:
    return {
        day["date"]: {name: Decimal(str(day[name])) for name in SUMS}
        for day in graph.truth(account_id, level, since, until)
        if day["rows"]
    }


def assert_equals_truth(worker: InlineWorker, graph: GraphSimulator, days: int = 30) -> None:
    with worker.process.session() as session:
        for account_id in graph.account_ids():
            last = session.scalars(
                select(func.max(Insight.date)).where(Insight.account_id == account_id)
            ).one()
            for level in ("campaign", "ad"):
                truth = true_days(graph, account_id, level, last - timedelta(days=days - 1), last)
                assert truth
                assert stored_days(session, account_id, level) == truth


def snapshot(worker: InlineWorker) -> list[Any]:
    """Every row of the collected tables with its place on disk, so that a rewritten row shows."""
    tables = ("ad_accounts", "campaigns", "insights")
    with worker.process.session() as session:
        return [
            sorted(map(str, session.execute(text(f"SELECT ctid, xmin, t.* FROM {table} t"))))
            for table in tables
        ]


def test_the_sums_of_every_account_level_and_day_equal_the_truth(
    worker: InlineWorker, graph: GraphSimulator
) -> None:
    collect(worker)
    assert_equals_truth(worker, graph)


def test_collecting_twice_touches_no_row(worker: InlineWorker) -> None:
    collect(worker)
    before = snapshot(worker)
    collect(worker)
    assert snapshot(worker) == before


def test_restated_days_follow(worker: InlineWorker, graph: GraphSimulator) -> None:
    collect(worker)
    before = snapshot(worker)
    graph.post("restate", days=30, seed=3)
    collect(worker)
    assert snapshot(worker) != before
    assert_equals_truth(worker, graph)


def test_a_campaign_that_vanished_from_the_insights_loses_its_rows(
    worker: InlineWorker, graph: GraphSimulator
) -> None:
    collect(worker)
    with worker.process.session() as session:
        gone = session.scalars(select(Insight.campaign_id).where(Insight.level == Level.AD).limit(1)).one()
    graph.post("vanish", campaign=gone)
    collect(worker)
    with worker.process.session() as session:
        assert session.scalar(select(func.count()).where(Insight.campaign_id == gone)) == 0
    assert_equals_truth(worker, graph)


class TestCampaigns:
    @pytest.fixture
    def world(self) -> World:
        return World(7, accounts=3, campaigns=8, ads_per_campaign=1)

    def test_all_are_stored_with_budgets_in_currency_units(
        self, worker: InlineWorker, graph: GraphSimulator
    ) -> None:
        collect(worker)
        with worker.process.session() as session:
            currency = {account.id: account.currency for account in session.scalars(select(AdAccount))}
            stored = {campaign.id: campaign for campaign in session.scalars(select(Campaign))}
        assert set(currency.values()) == {"BRL", "USD", "JPY"}
        assert {"ACTIVE", "PAUSED", "ARCHIVED", "DELETED"} <= {
            row.effective_status for row in stored.values()
        }
        budgets = 0
        for account in graph.get("world")["accounts"]:
            for campaign in account["campaigns"]:
                row = stored.pop(int(campaign["id"]))
                assert row.name == campaign["name"]
                budget = row.daily_budget or row.lifetime_budget
                if row.daily_budget is not None:
                    assert budget == Decimal(str(campaign["budget"]))
                    budgets += currency[row.account_id] == "JPY"
        assert not stored
        assert budgets, "the account in yen has a daily budget to look at"


def test_ratios_follow_from_their_parts(worker: InlineWorker) -> None:
    collect(worker)
    with worker.process.session() as session:
        rows = session.scalars(select(Insight)).all()
    assert any(row.purchases for row in rows)
    for row in rows:
        assert row.cpa == (pytest.approx(float(row.spend) / row.purchases) if row.purchases else None)
        assert row.ctr == (pytest.approx(100 * row.clicks / row.impressions) if row.impressions else None)


def test_accounts_are_read_side_by_side(worker: InlineWorker) -> None:
    """The first messages are one for each account, before any account's insights."""
    with worker.process.session() as session, session.begin():
        request_now(session, JobKind.COLLECT)
    message = worker.sent.messages.popleft()
    worker.run(message.task, *message.args)
    with worker.process.session() as session:
        first = [session.get_one(CollectionSlice, sent.args[0]) for sent in worker.sent.messages]
    assert [row.kind for row in first] == [SliceKind.ENTITIES] * 2
    assert len({row.account_id for row in first}) == 2


def test_one_accounts_trouble_leaves_the_others_alone(worker: InlineWorker, graph: GraphSimulator) -> None:
    bad, good = graph.account_ids()
    graph.fault("missing_permissions", account=bad)
    job_id = collect(worker)
    with worker.process.session() as session:
        states = {
            run.account_id: run.state
            for run in session.scalars(select(CollectionRun).where(CollectionRun.job_id == job_id))
        }
        assert states == {bad: RunState.FAILED, good: RunState.DONE}
        failed = session.scalars(
            select(CollectionSlice).where(CollectionSlice.state == WorkState.FAILED)
        ).all()
        assert {row.error_kind for row in failed} == {"not_allowed"}
        assert session.scalar(select(func.count()).where(Insight.account_id == good))
        assert not session.scalar(select(func.count()).where(Insight.account_id == bad))


@pytest.mark.parametrize("fault", ["http_502_html", "http_503_html", "cut", "cut_body", "truncated_json"])
def test_a_passing_fault_costs_nothing_but_a_retry(
    worker: InlineWorker, graph: GraphSimulator, fault: str
) -> None:
    graph.fault(fault, path="insights", times=3)
    collect(worker, retries=True)
    assert_equals_truth(worker, graph)
    with worker.process.session() as session:
        assert set(session.scalars(select(CollectionSlice.state))) == {WorkState.DONE}


def test_a_fault_that_does_not_pass_ends_in_a_failed_slice_with_its_reason(
    worker: InlineWorker, graph: GraphSimulator
) -> None:
    graph.fault("http_502_html", path="insights")
    collect(worker, retries=True)
    with worker.process.session() as session:
        slices = session.scalars(
            select(CollectionSlice).where(CollectionSlice.kind == SliceKind.INSIGHTS)
        ).all()
        assert slices
        for row in slices:
            assert (row.state, row.error_kind) == (WorkState.FAILED, "transient")
            assert "502" in (row.error or "")
        assert set(session.scalars(select(CollectionRun.state))) == {RunState.INCOMPLETE}
        assert session.scalar(select(func.count()).select_from(Insight)) == 0


def test_an_answer_that_breaks_off_changes_no_row(worker: InlineWorker, graph: GraphSimulator) -> None:
    """Half of the pages came, then the line was cut for good: what was stored before stays whole."""
    collect(worker)
    before = snapshot(worker)
    graph.post("restate", days=30, seed=9)
    graph.fault("cut_body", path="insights")
    collect(worker, retries=True)
    assert snapshot(worker)[2] == before[2]


def test_an_empty_page_with_a_next_link_is_not_the_end(worker: InlineWorker, graph: GraphSimulator) -> None:
    graph.fault("empty_page_with_next", path="insights", times=4)
    collect(worker)
    assert_equals_truth(worker, graph)


def test_a_dead_token_is_revoked_for_every_worker_at_once(
    worker: InlineWorker, graph: GraphSimulator
) -> None:
    token = worker.process.settings.facebook_access_token
    graph.post("tokens", dead=token.get_secret_value(), subcode=463)
    job_id = collect(worker, accounts=graph.account_ids())
    assert worker.process.revoked.find(token) is not None
    calls = [entry for entry in graph.log() if "act_" in entry["path"]]
    # The second account's slice was refused by the guard, without a call.
    assert len(calls) == 1
    with worker.process.session() as session:
        kinds = set(session.scalars(select(CollectionSlice.error_kind)))
        assert kinds == {"token_dead", "token_refused"}
        assert session.get_one(Job, job_id).state is WorkState.DONE


def test_a_throttled_account_waits_as_long_as_it_is_told(worker: InlineWorker, graph: GraphSimulator) -> None:
    graph.fault("throttled", path="insights", times=1, parameters={"regain": 19})
    collect(worker)
    with worker.process.session() as session:
        waiting = session.scalars(
            select(CollectionSlice).where(CollectionSlice.state == WorkState.PENDING)
        ).one()
        assert waiting.error_kind == "throttled"
        assert waiting.attempts == 0
        now = session.scalars(select(func.now())).one()
    assert timedelta(minutes=18) < waiting.next_attempt_at - now < timedelta(minutes=25)


def test_a_slow_worker_that_was_overtaken_commits_nothing(
    worker: InlineWorker, graph: GraphSimulator
) -> None:
    """While its pages come, another worker takes the slice: the first one's rows are dropped."""
    collect(worker)
    before = snapshot(worker)
    graph.post("restate", days=30, seed=5)
    with worker.process.session() as session, session.begin():
        request_now(session, JobKind.COLLECT, params={"levels": ["campaign"]})
    while worker.sent.messages:
        message = worker.sent.messages.popleft()
        with worker.process.session() as session:
            row = session.get(CollectionSlice, message.args[0]) if "slice" in message.task else None
        if row is not None and row.kind is SliceKind.INSIGHTS:
            agent = worker.process.agents.get(row.account_id, worker.process.settings.facebook_access_token)
            real = agent.insights

            def overtaken(query: Any, row_id: int = row.id, real: Any = real) -> Any:
                yield from real(query)
                with worker.process.session() as other, other.begin():
                    other.execute(
                        text("UPDATE collection_slices SET fence = fence + 1 WHERE id = :id"), {"id": row_id}
                    )

            agent.insights = overtaken  # type: ignore[method-assign]
        worker.run(message.task, *message.args)
    assert snapshot(worker)[2] == before[2]


def test_a_message_that_comes_twice_is_done_once(worker: InlineWorker, graph: GraphSimulator) -> None:
    collect(worker)
    calls = len(graph.log())
    with worker.process.session() as session:
        ids = session.scalars(select(CollectionSlice.id)).all()
    for slice_id in ids:
        worker.run("tasks.collectors.read_slice", slice_id)
    assert len(graph.log()) == calls


def test_without_a_token_the_job_fails_and_says_what_to_do(worker: InlineWorker) -> None:
    worker.process.settings = worker.process.settings.model_copy(
        update={"facebook_access_token": type(worker.process.settings.facebook_access_token)("")}
    )
    job_id = collect(worker)
    with worker.process.session() as session:
        job = session.get_one(Job, job_id)
        assert job.state is WorkState.FAILED
        assert "FACEBOOK_ACCESS_TOKEN" in (job.error or "")


def test_days_whose_slice_failed_are_read_by_a_later_run(worker: InlineWorker, graph: GraphSimulator) -> None:
    """Far outside of the lookback, so that nothing but the coverage brings them back."""
    worker.process.settings = worker.process.settings.model_copy(update={"insights_initial_days": 90})
    with worker.process.session() as session, session.begin():
        request_now(session, JobKind.COLLECT, params={"levels": ["campaign"]})
    failed = 0
    while worker.sent.messages:
        message = worker.sent.messages.popleft()
        with worker.process.session() as session:
            row = session.get(CollectionSlice, message.args[0]) if "slice" in message.task else None
        old = (
            row is not None
            and row.until is not None
            and row.until < datetime.now(UTC).date() - timedelta(days=40)
        )
        if old:
            graph.fault("missing_permissions", path="insights", times=1)
            failed += 1
        worker.run(message.task, *message.args)
    assert failed
    collect(worker, levels=["campaign"])
    with worker.process.session() as session:
        for account_id in graph.account_ids():
            last = session.scalars(select(func.max(Insight.date))).one()
            truth = true_days(graph, account_id, "campaign", last - timedelta(days=88), last)
            assert stored_days(session, account_id, "campaign").items() >= truth.items()


def test_a_scheduled_run_waits_for_the_one_before_it(worker: InlineWorker, graph: GraphSimulator) -> None:
    bad, good = graph.account_ids()
    graph.fault("throttled", path="insights", account=bad, parameters={"regain": 60})
    for half_hour in range(3):
        with worker.process.session() as session, session.begin():
            request(session, JobKind.COLLECT, requested_by="schedule", slot=f"collect:{half_hour}")
        worker.drain()
    with worker.process.session() as session:
        runs = session.execute(
            select(CollectionRun.account_id, func.count()).group_by(CollectionRun.account_id)
        ).all()
    assert dict(runs) == {bad: 1, good: 3}


def test_what_was_read_before_a_newer_read_does_not_overwrite_it(
    worker: InlineWorker, graph: GraphSimulator
) -> None:
    """While the pages of one run are under way, the days are restated and another run stores them."""
    collect(worker, levels=["campaign"])
    token = worker.process.settings.facebook_access_token
    agents = {account_id: worker.process.agents.get(account_id, token) for account_id in graph.account_ids()}
    real = {account_id: agent.insights for account_id, agent in agents.items()}
    overtaking = False

    def slow(query: Any) -> Any:
        nonlocal overtaking
        found = list(real[query.account_id](query))
        if not overtaking:
            overtaking = True
            graph.post("restate", days=30, seed=11)
            waiting = list(worker.sent.messages)
            worker.sent.messages.clear()
            collect(worker, levels=["campaign"])
            worker.sent.messages.extend(waiting)
        yield from found

    for agent in agents.values():
        agent.insights = slow  # type: ignore[method-assign]
    collect(worker, levels=["campaign"])
    worker.settle()
    assert overtaking
    with worker.process.session() as session:
        for account_id in graph.account_ids():
            last = session.scalars(select(func.max(Insight.date))).one()
            truth = true_days(graph, account_id, "campaign", last - timedelta(days=26), last)
            assert stored_days(session, account_id, "campaign").items() >= truth.items()


def test_a_dead_common_token_leaves_accounts_with_their_own_alone(
    worker: InlineWorker, graph: GraphSimulator
) -> None:
    settings = worker.process.settings
    account_id = graph.account_ids()[0]
    own = SecretStr("EAAOWNTOKEN1234567890")
    worker.process.settings = settings.model_copy(update={"facebook_account_tokens": {str(account_id): own}})
    graph.post("tokens", dead=settings.facebook_access_token.get_secret_value(), subcode=463)
    job_id = collect(worker)
    with worker.process.session() as session:
        job = session.get_one(Job, job_id)
        assert job.state is WorkState.DONE
        assert "token_dead" in (job.result or {})["problem"]
        assert session.scalars(select(CollectionRun.state)).one() is RunState.DONE
