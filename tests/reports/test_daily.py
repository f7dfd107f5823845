"""The one function a task calls."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import delete, event
from sqlalchemy.orm import Session, sessionmaker

from db.models import Insight, Suggestion
from reports.daily import publish_daily, read_daily
from reports.errors import NothingToReport, NotionBadRequest, NotionMissing, NotionRefused
from reports.notion.publish import Outcome
from tests.reports.conftest import ACCOUNT, DAY, Locks, Notion, Publish, account, add_insight, campaign


@pytest.mark.parametrize("known", [False, True])
def test_an_account_that_was_never_collected(
    sessions: sessionmaker[Session], notion: Notion, known: bool
) -> None:
    if known:
        with sessions.begin() as session:
            session.add(account())
    gateway = notion.gateway()
    with pytest.raises(
        NothingToReport, match=rf"account {ACCOUNT}.*n?ever.* collected; run `adtempo run collect"
    ):
        publish_daily(
            ACCOUNT,
            DAY,
            sessions=sessions,
            gateway=gateway,
            parent_page_id=notion.root,
            database_id="",
            lock=Locks(),
        )
    assert gateway.calls == 0


def test_a_day_without_delivery_is_published(
    notion: Notion, shop: sessionmaker[Session], publish: Publish
) -> None:
    with shop.begin() as session:
        session.execute(delete(Insight).where(Insight.date == DAY))
        session.execute(delete(Suggestion))
        add_insight(session, 11, DAY + timedelta(days=1), "5")
    assert publish().outcome is Outcome.CREATED
    (page,) = notion.pages()
    assert page["properties"]["Spend"]["number"] == 0
    assert page["properties"]["CPA"]["number"] is None
    assert publish().outcome is Outcome.UNCHANGED


def test_an_unknown_parent_page_is_one_clear_error(notion: Notion, publish: Publish) -> None:
    with pytest.raises(NotionMissing, match=r"Make sure the relevant pages .* are shared"):
        publish(parent_page_id="0" * 32)
    assert len(notion.log()) == 1


def test_a_token_without_access_is_one_clear_error(notion: Notion, publish: Publish) -> None:
    notion.fault("unauthorized", path="/v1/")
    with pytest.raises(NotionRefused, match="set NOTION_API_TOKEN"):
        publish()
    assert len(notion.log()) == 1


def test_a_column_that_a_person_deleted_comes_back(notion: Notion, publish: Publish) -> None:
    first = publish()
    source = notion.pages()[0]["parent"]["data_source_id"]
    notion.call("PATCH", f"data_sources/{source}", properties={"Hash": None, "Spend": None})
    second = publish()
    assert (second.page_id, second.outcome) == (first.page_id, Outcome.UPDATED)
    assert notion.pages()[0]["properties"]["Spend"]["number"] == 1532.5
    assert publish().outcome is Outcome.UNCHANGED


def test_a_call_that_notion_refuses_for_good_is_not_repeated(notion: Notion, publish: Publish) -> None:
    notion.fault("validation_error", method="POST", path="/v1/pages")
    with pytest.raises(NotionBadRequest):
        publish()
    assert [entry["method"] for entry in notion.log() if entry["path"] == "/v1/pages"] == ["POST"]


def test_a_new_database_gets_the_report_again(notion: Notion, publish: Publish) -> None:
    first = publish()
    notion.edit(block_id=notion.databases()[0]["id"], trash=True)
    second = publish()
    assert second.outcome is Outcome.CREATED
    assert second.page_id != first.page_id
    assert len(notion.databases()) == 1


def test_days_and_accounts_have_pages_of_their_own(
    notion: Notion, shop: sessionmaker[Session], publish: Publish
) -> None:
    publish()
    publish_daily(
        ACCOUNT,
        DAY - timedelta(days=1),
        sessions=shop,
        gateway=notion.gateway(),
        parent_page_id=notion.root,
        database_id="",
        lock=Locks(),
    )
    keys = {page["properties"]["Key"]["rich_text"][0]["plain_text"] for page in notion.pages()}
    assert keys == {"daily:701:2026-11-21", "daily:701:2026-11-20"}


def test_reading_takes_few_queries_whatever_the_number_of_campaigns(shop: sessionmaker[Session]) -> None:
    with shop.begin() as session:
        session.add_all(campaign(number, f"C{number}") for number in range(100, 400))
        for number in range(100, 400):
            add_insight(session, number, DAY, "1.01", 1)
    statements: list[str] = []
    engine = shop.kw["bind"]

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        report = read_daily(ACCOUNT, DAY, sessions=shop)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len(statements) == 6
    assert report.figures.spend == Decimal("1532.5") + 300 * Decimal("1.01")
    assert len(report.campaigns) == 302
