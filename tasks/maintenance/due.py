"""What is due at a moment. Each function asks at most once for a slot, whoever else asks for it too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.accounts import known_accounts
from db.jobs import slots_taken
from db.models import AdAccount, JobKind
from schedules import slots
from worker.jobs import request

SCHEDULE = "schedule"


def due_collection(session: Session, now: datetime) -> None:
    request(session, JobKind.COLLECT, requested_by=SCHEDULE, slot=slots.collect_slot(now))


def due_analyses(session: Session, now: datetime, *, only: Sequence[int] = ()) -> None:
    """For every account, or those of `only`: the ones that are set, since others may have been once."""
    for account_id in only or known_accounts(session):
        slot = slots.analyze_slot(now, account_id)
        request(session, JobKind.ANALYZE, requested_by=SCHEDULE, slot=slot, account_id=account_id)


def due_reports(session: Session, now: datetime, *, only: Sequence[int] = ()) -> None:
    """For every account, or those of `only`, where it is past eight."""
    due = {}
    for account in session.scalars(select(AdAccount).order_by(AdAccount.id)):
        if only and account.id not in only:
            continue
        day = slots.report_due(now, account.timezone_name)
        if day is not None:
            due[slots.report_slot(account.id, day)] = (account.id, day)
    # This runs every few minutes and nearly always finds everything taken: one query, and no id used up.
    taken = slots_taken(session, list(due))
    for slot, (account_id, day) in due.items():
        if slot not in taken:
            request(
                session,
                JobKind.REPORT,
                requested_by=SCHEDULE,
                slot=slot,
                account_id=account_id,
                params={"date": day.isoformat()},
            )


def due_cleanup(session: Session, now: datetime) -> None:
    request(session, JobKind.CLEANUP, requested_by=SCHEDULE, slot=slots.cleanup_slot(now))


def due_token_check(session: Session, now: datetime) -> None:
    request(session, JobKind.CHECK_TOKENS, requested_by=SCHEDULE, slot=slots.token_check_slot(now))
