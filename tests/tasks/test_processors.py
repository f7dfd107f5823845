"""Analysing what was collected."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select, text, update

from db.models import (
    CampaignScore,
    Insight,
    Job,
    JobKind,
    Level,
    Suggestion,
    SuggestionStatus,
    SuggestionType,
    Target,
    TargetKind,
    WorkState,
)
from tests.support.inline import InlineWorker
from tests.support.simulators import GraphSimulator
from worker.jobs import request_now


def run(worker: InlineWorker, kind: JobKind, account_id: int | None = None, **params: Any) -> Job:
    with worker.process.session() as session, session.begin():
        job_id = request_now(session, kind, account_id=account_id, params=params)
    worker.drain()
    with worker.process.session() as session:
        return session.get_one(Job, job_id)


def judged(worker: InlineWorker, graph: GraphSimulator) -> int:
    """Collect everything and analyse the first account; its id."""
    run(worker, JobKind.COLLECT)
    account_id = graph.account_ids()[0]
    job = run(worker, JobKind.ANALYZE, account_id)
    assert job.state is WorkState.DONE, job.error
    return account_id


def rows_with_place(worker: InlineWorker) -> list[str]:
    with worker.process.session() as session:
        return [
            str(row)
            for table in ("campaign_scores", "suggestions")
            for row in session.execute(text(f"SELECT ctid, xmin, t.* FROM {table} t ORDER BY 1"))
        ]


def test_every_campaign_that_delivered_gets_a_score_of_its_last_complete_day(
    worker: InlineWorker, graph: GraphSimulator
) -> None:
    account_id = judged(worker, graph)
    with worker.process.session() as session:
        delivered = session.scalars(
            select(Insight.entity_id)
            .where(Insight.account_id == account_id, Insight.level == Level.CAMPAIGN)
            .distinct()
        ).all()
        scores = session.scalars(select(CampaignScore).where(CampaignScore.account_id == account_id)).all()
        newest = session.scalars(select(func.max(Insight.date)).where(Insight.account_id == account_id)).one()
    assert sorted(score.campaign_id for score in scores) == sorted(delivered)
    # Today is not over, so yesterday is judged.
    assert {score.date for score in scores} == {newest - timedelta(days=1)}
    assert all(score.relative for score in scores)


def test_winners_score_above_losers(worker: InlineWorker, graph: GraphSimulator) -> None:
    account_id = judged(worker, graph)
    quality = {
        int(campaign["id"]): campaign["quality"]
        for account in graph.get("world")["accounts"]
        for campaign in account["campaigns"]
    }
    with worker.process.session() as session:
        scores = session.scalars(select(CampaignScore).where(CampaignScore.account_id == account_id)).all()
    winners = [score.score for score in scores if quality[score.campaign_id] == "winner"]
    losers = [score.score for score in scores if quality[score.campaign_id] in ("loser", "barren")]
    assert winners
    assert losers
    assert min(winners) > 50 > max(losers)


def test_analysing_again_touches_no_row(worker: InlineWorker, graph: GraphSimulator) -> None:
    account_id = judged(worker, graph)
    before = rows_with_place(worker)
    assert any("BUDGET" in row for row in before)
    run(worker, JobKind.ANALYZE, account_id)
    assert rows_with_place(worker) == before


def test_there_is_one_open_suggestion_of_a_campaign_and_type(
    worker: InlineWorker, graph: GraphSimulator
) -> None:
    account_id = judged(worker, graph)
    graph.post("restate", days=20, seed=4)
    run(worker, JobKind.COLLECT)
    run(worker, JobKind.ANALYZE, account_id)
    with worker.process.session() as session:
        most = session.scalar(
            select(func.count())
            .where(Suggestion.status == SuggestionStatus.PENDING)
            .group_by(Suggestion.campaign_id, Suggestion.type)
            .order_by(func.count().desc())
            .limit(1)
        )
    assert most == 1


def test_a_suggestion_that_is_not_made_any_more_expires_and_an_accepted_one_stays(
    worker: InlineWorker, graph: GraphSimulator
) -> None:
    account_id = judged(worker, graph)
    with worker.process.session() as session, session.begin():
        open_ids = session.scalars(select(Suggestion.id).where(Suggestion.account_id == account_id)).all()
        assert len(open_ids) >= 2
        session.execute(
            update(Suggestion).where(Suggestion.id == open_ids[0]).values(status=SuggestionStatus.ACCEPTED)
        )
        # Nothing left to judge these campaigns by.
        session.execute(text("DELETE FROM insights WHERE entity_id IN (SELECT campaign_id FROM suggestions)"))
    run(worker, JobKind.ANALYZE, account_id)
    with worker.process.session() as session:
        status = {row.id: row.status for row in session.scalars(select(Suggestion))}
    assert status[open_ids[0]] is SuggestionStatus.ACCEPTED
    assert {status[row_id] for row_id in open_ids[1:]} == {SuggestionStatus.EXPIRED}


def test_with_a_target_the_verdict_is_absolute_and_a_barren_campaign_is_to_be_paused(
    worker: InlineWorker, graph: GraphSimulator
) -> None:
    run(worker, JobKind.COLLECT)
    account = graph.get("world")["accounts"][0]
    account_id = int(account["id"])
    with worker.process.session() as session, session.begin():
        session.add(Target(account_id=account_id, kind=TargetKind.CPA, value=account["break_even_cpa"]))
    run(worker, JobKind.ANALYZE, account_id)
    with worker.process.session() as session:
        assert not any(session.scalars(select(CampaignScore.relative)))
        paused = session.scalars(
            select(Suggestion.campaign_id).where(Suggestion.type == SuggestionType.PAUSE)
        ).all()
    losers = {int(c["id"]) for c in account["campaigns"] if c["quality"] not in ("winner", "average")}
    assert paused
    assert set(paused) <= losers


def test_an_earlier_day_gets_its_score_and_leaves_todays_suggestions_alone(
    worker: InlineWorker, graph: GraphSimulator
) -> None:
    account_id = judged(worker, graph)
    with worker.process.session() as session:
        day = session.scalars(select(func.min(CampaignScore.date))).one() - timedelta(days=20)
        before = [str(row) for row in session.execute(text("SELECT ctid, xmin, t.* FROM suggestions t"))]
    run(worker, JobKind.ANALYZE, account_id, date=day.isoformat())
    with worker.process.session() as session:
        assert day in session.scalars(select(CampaignScore.date)).all()
        after = [str(row) for row in session.execute(text("SELECT ctid, xmin, t.* FROM suggestions t"))]
    assert after == before


def test_without_campaign_insights_it_says_what_is_missing(
    worker: InlineWorker, graph: GraphSimulator
) -> None:
    run(worker, JobKind.COLLECT, levels=["ad"])
    job = run(worker, JobKind.ANALYZE, graph.account_ids()[0])
    assert (job.state, (job.result or {})["date"]) == (WorkState.DONE, None)
    assert "INSIGHTS_LEVELS" in (job.result or {})["why"]


def test_an_account_that_was_never_collected_is_refused(worker: InlineWorker) -> None:
    job = run(worker, JobKind.ANALYZE, 4711)
    assert job.state is WorkState.FAILED
    assert "adtempo run collect" in (job.error or "")


def test_an_account_without_insights_has_nothing_to_judge(
    worker: InlineWorker, graph: GraphSimulator
) -> None:
    account_id = judged(worker, graph)
    with worker.process.session() as session, session.begin():
        session.execute(text("TRUNCATE insights"))
    job = run(worker, JobKind.ANALYZE, account_id)
    assert job.state is WorkState.DONE
    assert (job.result or {})["campaigns"] == 0


def test_the_date_is_the_accounts_own(worker: InlineWorker, graph: GraphSimulator) -> None:
    job_date = {}
    run(worker, JobKind.COLLECT)
    for account in graph.get("world")["accounts"]:
        job = run(worker, JobKind.ANALYZE, int(account["id"]))
        job_date[account["id"]] = (job.result or {})["date"]
        assert date.fromisoformat(job_date[account["id"]]) == date.fromisoformat(
            account["today"]
        ) - timedelta(days=1)
