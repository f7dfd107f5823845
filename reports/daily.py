"""The daily report of an ad account, from the tables to its page in Notion."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from sqlalchemy.orm import Session, sessionmaker

from db.reports import read_report
from reports.content import DailyReport, build_report
from reports.errors import NothingToReport, NotionBadRequest
from reports.notion.database import Lock, daily_reports, ensure_properties
from reports.notion.gateway import NotionGateway
from reports.notion.publish import Published, publish


def publish_daily(
    account_id: int,
    day: date,
    *,
    sessions: sessionmaker[Session],
    gateway: NotionGateway,
    parent_page_id: str,
    database_id: str,
    lock: Lock,
) -> Published:
    """Write the report of `day` (a date of the account's zone) once, however often this is called.

    `parent_page_id` and `database_id` are the settings NOTION_PARENT_PAGE_ID and NOTION_DATABASE_ID; `lock`
    is as for `publish`. Raises NothingToReport before any call, and what `daily_reports` and `publish` raise.
    """
    before = gateway.calls
    report = read_daily(account_id, day, sessions=sessions)
    source = daily_reports(
        gateway, sessions=sessions, parent_page_id=parent_page_id, database_id=database_id, lock=lock
    )
    try:
        published = publish(report, sessions=sessions, gateway=gateway, data_source_id=source, lock=lock)
    except NotionBadRequest:
        # A person may have taken a column away since; if that is not it, the call was wrong.
        if not ensure_properties(gateway, source):
            raise
        published = publish(report, sessions=sessions, gateway=gateway, data_source_id=source, lock=lock)
    return replace(published, calls=gateway.calls - before)


def read_daily(account_id: int, day: date, *, sessions: sessionmaker[Session]) -> DailyReport:
    """The report of `day` as the tables have it. Raises NothingToReport."""
    with sessions() as session:
        rows = read_report(session, account_id, day)
    if rows is None:
        raise NothingToReport(
            f"account {account_id} was never collected; run `adtempo run collect --account"
            f" {account_id}` first"
        )
    return build_report(rows)
