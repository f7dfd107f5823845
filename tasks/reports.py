"""Reporting: what was collected and judged, to Notion."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from db import leases
from db.models import AdAccount, Job
from reports.daily import publish_daily
from reports.notion.gateway import NotionGateway
from tasks.attempts import LEASE, attempt
from worker.app import app
from worker.errors import BadInput
from worker.locks import shared_lock
from worker.unit import UnitOfWork

# A report is a handful of calls of a minute each at the most.
_LOCK_SECONDS = 900.0


@app.task(name="tasks.reports.daily")
def daily(unit: UnitOfWork, job_id: int) -> None:
    """Write an account's report of the day that the job names, or of yesterday in the account's zone."""
    with attempt(unit, Job, job_id) as lease:
        if not lease:
            return
        with unit.transaction() as session:
            job = session.get_one(Job, job_id)
            account = session.get(AdAccount, job.account_id)
        if account is None:
            raise BadInput(f"ad account {job.account_id} was never collected; run `adtempo run collect`")
        settings = unit.settings
        if not settings.notion_api_token.get_secret_value():
            with unit.transaction() as session:
                leases.finish(session, lease, result={"skipped": "NOTION_API_TOKEN is not set"})
            return
        asked = job.params.get("date")
        day = date.fromisoformat(asked) if asked else _yesterday(account)

        def still_mine() -> None:
            """Before every call to Notion: a worker that was overtaken writes nothing more."""
            with unit.transaction() as session:
                leases.renew(session, lease, ttl=LEASE)

        with NotionGateway(
            settings.notion_api_token, base_url=settings.notion_api_url, before_call=still_mine
        ) as gateway:
            published = publish_daily(
                account.id,
                day,
                sessions=unit.process.sessions,
                gateway=gateway,
                parent_page_id=settings.notion_parent_page_id,
                database_id=settings.notion_database_id,
                lock=shared_lock(
                    unit.process.redis,
                    prefix=settings.redis_key_prefix,
                    ttl_seconds=_LOCK_SECONDS,
                ),
            )
        with unit.transaction() as session:
            leases.finish(
                session,
                lease,
                result={
                    "date": day.isoformat(),
                    "outcome": str(published.outcome),
                    "url": published.url,
                    "notion_calls": published.calls,
                },
            )


def _yesterday(account: AdAccount) -> date:
    today = datetime.now(UTC).astimezone(ZoneInfo(account.timezone_name)).date()
    return today - timedelta(days=1)
