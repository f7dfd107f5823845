"""Judging what was collected: scores and suggestions."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from analysis import AccountSeries, Evaluation, evaluate
from db import leases
from db.judgement import NewScore, NewSuggestion, lock_judgement, save_scores, save_suggestions
from db.models import AdAccount, Job, SuggestionType
from db.series import last_complete_day, load_campaign_days
from tasks.attempts import attempt
from worker.app import app
from worker.errors import BadInput
from worker.unit import UnitOfWork

# How many days the analysis looks back; older purchases weigh next to nothing.
HISTORY_DAYS = 90


@app.task(name="tasks.processors.analyze")
def analyze(unit: UnitOfWork, job_id: int) -> None:
    """Judge an account's campaigns on the day that the job names, or on its last complete day."""
    with attempt(unit, Job, job_id) as lease:
        if not lease:
            return
        with unit.transaction() as session:
            leases.hold(session, lease)
            job = session.get_one(Job, job_id)
            account = session.get(AdAccount, job.account_id)
            if account is None:
                raise BadInput(f"ad account {job.account_id} was never collected; run `adtempo run collect`")
            today = datetime.now(UTC).astimezone(ZoneInfo(account.timezone_name)).date()
            asked = job.params.get("date")
            newest = last_complete_day(session, account.id, zone=account.timezone_name)
            day = date.fromisoformat(asked) if asked else newest
            if day is None or day >= today:
                why = "no day of campaigns is collected whole yet; INSIGHTS_LEVELS must hold campaign"
                leases.finish(session, lease, result={"date": None, "campaigns": 0, "why": why})
                return
            # Two analyses of one account one after the other; each reads what is committed by then.
            lock_judgement(session, account.id)
            found = load_campaign_days(session, account.id, last=day, days=HISTORY_DAYS)
            verdict = evaluate(
                AccountSeries(
                    **found.metrics,
                    budget=found.budget,
                    dates=found.dates,
                    campaign_ids=found.campaign_ids,
                    break_even_cpa=found.break_even_cpa,
                    currency=account.currency,
                )
            )
            scores = save_scores(session, account.id, day, _scores(verdict))
            # An earlier day has a score of its own, but says nothing about what to do today.
            written, expired = (
                save_suggestions(session, account.id, _suggestions(verdict)) if day == newest else (0, 0)
            )
            leases.finish(
                session,
                lease,
                result={
                    "date": day.isoformat(),
                    "campaigns": len(verdict.campaigns),
                    "scores_written": scores,
                    "suggestions_written": written,
                    "suggestions_expired": expired,
                },
            )


def _scores(verdict: Evaluation) -> list[NewScore]:
    return [
        NewScore(int(campaign.campaign_id), campaign.score, campaign.score_note, campaign.relative)
        for campaign in verdict.campaigns
    ]


def _suggestions(verdict: Evaluation) -> list[NewSuggestion]:
    return [
        NewSuggestion(
            campaign_id=int(campaign.campaign_id),
            type=SuggestionType(suggestion.type.value),
            reason=suggestion.reason,
            data=dict(suggestion.evidence),
        )
        for campaign in verdict.campaigns
        for suggestion in campaign.suggestions
    ]
