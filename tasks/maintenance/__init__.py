"""Keeping the work going: asking for what is due, sending again what got lost, and tidying up."""

from __future__ import annotations

from datetime import UTC, datetime

from db import leases
from db.models import CollectionSlice, Job
from tasks.attempts import attempt
from tasks.maintenance.due import due_analyses, due_cleanup, due_collection, due_reports, due_token_check
from tasks.maintenance.retention import delete_old_rows
from tasks.maintenance.tokens import check_every_token
from worker.app import app
from worker.jobs import task_of
from worker.outbox import send_after_commit
from worker.unit import UnitOfWork


@app.task(name="tasks.maintenance.request_collection")
def request_collection(unit: UnitOfWork) -> None:
    """Ask for the collection of every account, once each half hour."""
    due_collection(unit.session, datetime.now(UTC))


@app.task(name="tasks.maintenance.request_analysis")
def request_analysis(unit: UnitOfWork) -> None:
    """Ask for the analysis of every account, once each hour."""
    due_analyses(unit.session, datetime.now(UTC), only=unit.settings.facebook_ad_account_ids)


@app.task(name="tasks.maintenance.request_reports")
def request_reports(unit: UnitOfWork) -> None:
    """Ask for yesterday's report of every account where it is past 08:00, once each day."""
    if unit.settings.notion_api_token.get_secret_value():
        due_reports(unit.session, datetime.now(UTC), only=unit.settings.facebook_ad_account_ids)


@app.task(name="tasks.maintenance.request_cleanup")
def request_cleanup(unit: UnitOfWork) -> None:
    """Ask for a clean-up, once each week."""
    due_cleanup(unit.session, datetime.now(UTC))


@app.task(name="tasks.maintenance.request_token_check")
def request_token_check(unit: UnitOfWork) -> None:
    """Ask for a check of the tokens, once each day."""
    due_token_check(unit.session, datetime.now(UTC))


@app.task(name="tasks.maintenance.reconcile")
def reconcile(unit: UnitOfWork) -> None:
    """Send the rows again whose message was lost, whose worker died, or whose next attempt has come."""
    for model in (Job, CollectionSlice):
        for row_id in leases.overdue(unit.session, model):
            send_after_commit(unit.session, task_of(unit.session, model, row_id), row_id)


@app.task(name="tasks.maintenance.cleanup")
def cleanup(unit: UnitOfWork, job_id: int) -> None:
    """Delete rows of finished work that nobody looks at any more."""
    with attempt(unit, Job, job_id) as lease:
        if lease:
            deleted = delete_old_rows(unit)
            with unit.transaction() as session:
                leases.finish(session, lease, result=deleted)


@app.task(name="tasks.maintenance.check_tokens")
def check_tokens(unit: UnitOfWork, job_id: int) -> None:
    """Ask Graph about every token: revoke the dead ones, and keep the revoked ones revoked."""
    with attempt(unit, Job, job_id) as lease:
        if lease:
            result = check_every_token(unit.process)
            with unit.transaction() as session:
                leases.finish(session, lease, result=result)
