"""Keeping scores and suggestions."""

from __future__ import annotations

import threading
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from db.accounts import save_accounts, save_campaigns
from db.judgement import (
    NewScore,
    NewSuggestion,
    lock_judgement,
    open_suggestions,
    save_scores,
    save_suggestions,
)
from db.models import CampaignScore, Suggestion, SuggestionStatus, SuggestionType

Sessions = sessionmaker[Session]
ACCOUNT = 7
DAY = date(2026, 11, 21)


def score(campaign_id: int = 1, **more: Any) -> NewScore:
    return NewScore(**{"campaign_id": campaign_id, "score": 70.5, "note": "", "relative": False, **more})


def advice(
    campaign_id: int = 1,
    kind: SuggestionType = SuggestionType.PAUSE,
    reason: str = "it loses money",
    **data: Any,
) -> NewSuggestion:
    return NewSuggestion(campaign_id, kind, reason, data)


def save(sessions: Sessions, *rows: NewSuggestion, account_id: int = ACCOUNT) -> tuple[int, int]:
    with sessions.begin() as session:
        return save_suggestions(session, account_id, rows)


def decide(sessions: Sessions, campaign_id: int, status: SuggestionStatus) -> None:
    with sessions.begin() as session:
        session.execute(update(Suggestion).where(Suggestion.campaign_id == campaign_id).values(status=status))


def statuses(sessions: Sessions) -> list[tuple[int, SuggestionStatus]]:
    with sessions() as session:
        rows = session.execute(select(Suggestion.campaign_id, Suggestion.status).order_by(Suggestion.id))
        return [(row[0], row[1]) for row in rows]


def on_disk(engine: Engine, table: str) -> list[str]:
    with engine.connect() as connection:
        return sorted(map(str, connection.execute(text(f"SELECT ctid, xmin, t.* FROM {table} t"))))


def test_scores_are_kept_once_a_day(sessions: Sessions, engine: Engine) -> None:
    with sessions.begin() as session:
        assert save_scores(session, ACCOUNT, DAY, [score(1), score(2)]) == 2
        assert save_scores(session, ACCOUNT, DAY, []) == 0
    before = on_disk(engine, "campaign_scores")
    with sessions.begin() as session:
        assert save_scores(session, ACCOUNT, DAY, [score(1), score(2)]) == 0
    assert on_disk(engine, "campaign_scores") == before
    with sessions.begin() as session:
        assert save_scores(session, ACCOUNT, date(2026, 11, 22), [score(1)]) == 1
    assert len(on_disk(engine, "campaign_scores")) == 3


@pytest.mark.parametrize("changed", [{"score": 70.6}, {"note": "few data"}, {"relative": True}])
def test_a_score_that_changed_is_written(sessions: Sessions, changed: dict[str, Any]) -> None:
    with sessions.begin() as session:
        save_scores(session, ACCOUNT, DAY, [score(1), score(2)])
    with sessions.begin() as session:
        assert save_scores(session, ACCOUNT, DAY, [score(1, **changed), score(2)]) == 1
    with sessions() as session:
        stored = session.get_one(CampaignScore, (1, DAY))
        assert {name: getattr(stored, name) for name in changed} == changed


@pytest.mark.parametrize("bad", [-0.1, 100.1, float("nan")])
def test_a_score_outside_its_range_is_refused(sessions: Sessions, bad: float) -> None:
    with pytest.raises(IntegrityError, match="score_in_range"), sessions.begin() as session:
        save_scores(session, ACCOUNT, DAY, [score(score=bad)])


def test_suggestions_are_made_once(sessions: Sessions, engine: Engine) -> None:
    rows = [advice(1, clicks=3), advice(1, SuggestionType.CREATIVE_REFRESH), advice(2)]
    assert save(sessions, *rows) == (3, 0)
    before = on_disk(engine, "suggestions")
    assert save(sessions, *reversed(rows)) == (0, 0)
    assert on_disk(engine, "suggestions") == before


def test_newer_evidence_replaces_the_older(sessions: Sessions) -> None:
    save(sessions, advice(1, clicks=3))
    with sessions() as session:
        before = session.scalars(select(Suggestion)).one()
    assert save(sessions, advice(1, clicks=4)) == (1, 0)
    assert save(sessions, advice(1, reason="it still loses money", clicks=4)) == (1, 0)
    with sessions() as session:
        after = session.scalars(select(Suggestion)).one()
    assert (after.id, after.created_at) == (before.id, before.created_at)
    assert (after.reason, after.data) == ("it still loses money", {"clicks": 4})
    assert after.updated_at > before.updated_at


def test_a_suggestion_that_is_not_made_any_more_expires(sessions: Sessions) -> None:
    save(sessions, advice(1), advice(2))
    assert save(sessions, advice(2)) == (0, 1)
    assert statuses(sessions) == [(1, SuggestionStatus.EXPIRED), (2, SuggestionStatus.PENDING)]
    # And comes anew should it be made again.
    assert save(sessions, advice(1), advice(2)) == (1, 0)
    assert statuses(sessions)[2] == (1, SuggestionStatus.PENDING)


def test_an_accepted_suggestion_stays(sessions: Sessions) -> None:
    save(sessions, advice(1))
    decide(sessions, 1, SuggestionStatus.ACCEPTED)
    assert save(sessions) == (0, 0)
    assert save(sessions, advice(1)) == (0, 0)
    assert statuses(sessions) == [(1, SuggestionStatus.ACCEPTED)]


@pytest.mark.parametrize(
    "over", [SuggestionStatus.REJECTED, SuggestionStatus.APPLIED, SuggestionStatus.EXPIRED]
)
def test_what_was_decided_is_history(sessions: Sessions, over: SuggestionStatus) -> None:
    save(sessions, advice(1))
    decide(sessions, 1, over)
    assert save(sessions) == (0, 0)
    assert save(sessions, advice(1)) == (1, 0)
    assert statuses(sessions) == [(1, over), (1, SuggestionStatus.PENDING)]


def test_other_accounts_suggestions_are_not_touched(sessions: Sessions) -> None:
    save(sessions, advice(1))
    assert save(sessions, advice(2), account_id=8) == (1, 0)
    assert save(sessions, account_id=8) == (0, 1)
    assert statuses(sessions) == [(1, SuggestionStatus.PENDING), (2, SuggestionStatus.EXPIRED)]


def test_two_open_suggestions_of_a_kind_cannot_be(sessions: Sessions) -> None:
    save(sessions, advice(1))
    again = Suggestion(account_id=8, campaign_id=1, type=SuggestionType.PAUSE, reason="r", data={})
    with sessions() as session:
        session.add(again)
        with pytest.raises(IntegrityError, match="uq_suggestions_open"):
            session.flush()


def test_one_analysis_of_an_account_at_a_time_writes(sessions: Sessions) -> None:
    entered = {ACCOUNT: threading.Event(), 8: threading.Event()}

    def analyse(account_id: int) -> None:
        with sessions.begin() as session:
            lock_judgement(session, account_id)
            entered[account_id].set()

    threads = [threading.Thread(target=analyse, args=(account_id,)) for account_id in entered]
    with sessions.begin() as session:
        lock_judgement(session, ACCOUNT)
        for thread in threads:
            thread.start()
        assert entered[8].wait(10)
        assert not entered[ACCOUNT].wait(0.3)
    assert entered[ACCOUNT].wait(10)
    for thread in threads:
        thread.join(10)


def test_open_suggestions_come_with_the_campaigns_name(sessions: Sessions) -> None:
    with sessions.begin() as session:
        save_accounts(
            session,
            [{"id": 8, "name": "", "currency": "BRL", "timezone_name": "UTC", "account_status": None}],
        )
        campaign = dict.fromkeys(
            ("objective", "daily_budget", "lifetime_budget", "created_time", "updated_time")
        )
        known = {"id": 5, "account_id": 8, "name": "Summer", "status": "", "effective_status": ""}
        save_campaigns(session, [{**campaign, **known}])
    save(sessions, advice(5), advice(6), account_id=8)
    save(sessions, advice(9), advice(10))
    decide(sessions, 10, SuggestionStatus.ACCEPTED)
    with sessions() as session:
        found = open_suggestions(session)
    assert [(row["account_id"], row["campaign_id"], row["campaign"]) for row in found] == [
        (7, 9, ""),
        (8, 5, "Summer"),
        (8, 6, ""),
    ]
    assert (found[0]["type"], found[0]["reason"]) == (SuggestionType.PAUSE, "it loses money")
