"""One page for each account and day, whatever happens on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from db.models import Insight, PageState
from reports.blocks import Page, render
from reports.daily import read_daily
from reports.errors import NotionThrottled, NotionTransient, ReportBusy, ReportError
from reports.notion.database import daily_reports
from reports.notion.publish import Outcome, Published, publish_page
from reports.rich_text import block, rich_text
from tests.reports.conftest import ACCOUNT, COLLECTED, DAY, Locks, Notion, Publish, plain, remembered

# Every fault a call can meet, and what a task is told.
FAULTS: list[tuple[str, dict[str, Any], type[ReportError]]] = [
    ("rate_limited", {"retry_after": 90}, NotionThrottled),
    ("rate_limited_html", {"retry_after": 90}, NotionThrottled),
    ("conflict_error", {}, NotionTransient),
    ("conflict_error", {"after_write": True}, NotionTransient),
    ("internal_server_error", {}, NotionTransient),
    ("internal_server_error", {"after_write": True}, NotionTransient),
    ("service_unavailable", {}, NotionTransient),
    ("gateway_timeout", {"after_write": True}, NotionTransient),
    ("service_overload", {}, NotionTransient),
    ("http_502_html", {}, NotionTransient),
    ("cut", {}, NotionTransient),
    ("cut_body", {}, NotionTransient),
    ("truncated_json", {}, NotionTransient),
    ("partial_write", {}, NotionTransient),
    ("partial_append", {"blocks": 2, "status": 502}, NotionTransient),
]
# One that did nothing, one that did all and said so in vain: for every call.
PLACES = [("http_502_html", {}), ("internal_server_error", {"after_write": True})]
# Database looked for and made, page looked for, made, looked for again, completed.
CALLS = 6
# Database and page looked at, page emptied, filled, completed.
UPDATE_CALLS = 5


def check(notion: Notion, sessions: sessionmaker[Session]) -> None:
    """There is one page of the report, complete, with all of its blocks once, and we know it."""
    (page,) = notion.pages()
    expected = render(read_daily(ACCOUNT, DAY, sessions=sessions))
    assert [plain(child) for child in page["children"]] == [plain(child) for child in expected.blocks]
    assert page["properties"]["State"]["select"]["name"] == "complete"
    assert page["properties"]["Hash"]["rich_text"][0]["plain_text"] == expected.content_hash
    assert len(notion.databases()) == 1
    (note,) = remembered(sessions)
    assert (note.page_id, note.url) == (page["id"], page["url"])
    assert (note.state, note.content_hash) == (PageState.COMPLETE, expected.content_hash)


def spend(sessions: sessionmaker[Session], amount: str) -> None:
    with sessions.begin() as session:
        session.execute(
            update(Insight).where(Insight.entity_id == 11, Insight.date == DAY).values(spend=Decimal(amount))
        )


def test_the_first_report_is_created_with_few_calls(
    notion: Notion, shop: sessionmaker[Session], publish: Publish
) -> None:
    published = publish()
    assert published.outcome is Outcome.CREATED
    assert published.calls == len(notion.log()) <= CALLS
    check(notion, shop)
    assert notion.pages()[0]["url"] == published.url
    assert notion.pages()[0]["properties"]["Spend"]["number"] == 1532.5


def test_the_same_figures_are_not_written_again(
    notion: Notion, shop: sessionmaker[Session], publish: Publish
) -> None:
    first = publish()
    with shop.begin() as session:  # collected anew and found the same
        session.execute(update(Insight).values(collected_at=COLLECTED + timedelta(hours=6)))
    notion.forget()
    second = publish()
    assert second == replace(first, outcome=Outcome.UNCHANGED, calls=2)
    assert {entry["method"] for entry in notion.log()} == {"GET"}
    assert len(notion.pages()) == 1


def test_changed_figures_are_written_to_the_same_page(
    notion: Notion, shop: sessionmaker[Session], publish: Publish
) -> None:
    first = publish()
    spend(shop, "99.99")
    second = publish()
    assert (second.page_id, second.outcome) == (first.page_id, Outcome.UPDATED)
    assert second.calls <= 5
    check(notion, shop)


@pytest.mark.parametrize(("kind", "parameters", "error"), FAULTS)
def test_a_fault_at_the_creation_of_the_page(
    notion: Notion,
    shop: sessionmaker[Session],
    publish: Publish,
    kind: str,
    parameters: dict[str, Any],
    error: type[ReportError],
) -> None:
    notion.fault(kind, method="POST", path="/v1/pages", times=1, parameters=parameters)
    with pytest.raises(error) as caught:
        publish()
    if isinstance(caught.value, NotionThrottled):
        assert caught.value.retry_after == 90
    assert notion.fired() == 1
    publish()
    check(notion, shop)


@pytest.mark.parametrize(("kind", "parameters", "error"), FAULTS)
def test_a_fault_while_a_page_is_filled_anew(
    notion: Notion,
    shop: sessionmaker[Session],
    publish: Publish,
    kind: str,
    parameters: dict[str, Any],
    error: type[ReportError],
) -> None:
    first = publish()
    spend(shop, "7")
    notion.fault(kind, method="PATCH", path="/children", times=1, parameters=parameters)
    with pytest.raises(error):
        publish()
    (page,) = notion.pages()
    assert page["properties"]["State"]["select"]["name"] == "writing"
    assert publish().page_id == first.page_id
    check(notion, shop)


@pytest.mark.parametrize("after", range(CALLS))
@pytest.mark.parametrize(("kind", "parameters"), PLACES)
def test_a_fault_at_any_call_of_the_first_report(
    notion: Notion,
    shop: sessionmaker[Session],
    publish: Publish,
    kind: str,
    parameters: dict[str, Any],
    after: int,
) -> None:
    notion.fault(kind, path="/v1/", times=1, after=after, parameters=parameters)
    with pytest.raises(NotionTransient):
        publish()
    publish()
    check(notion, shop)


@pytest.mark.parametrize("after", range(UPDATE_CALLS))
@pytest.mark.parametrize(("kind", "parameters"), PLACES)
def test_a_fault_at_any_call_of_an_update(
    notion: Notion,
    shop: sessionmaker[Session],
    publish: Publish,
    kind: str,
    parameters: dict[str, Any],
    after: int,
) -> None:
    first = publish()
    spend(shop, "7")
    notion.fault(kind, path="/v1/", times=1, after=after, parameters=parameters)
    with pytest.raises(NotionTransient):
        publish()
    assert publish().page_id == first.page_id
    check(notion, shop)


def killed_before(number: int) -> Callable[[], None]:
    """A worker that dies when it is about to make its call of this number, the first one being 1."""
    made = 0

    def before_call() -> None:
        nonlocal made
        made += 1
        if made == number:
            raise SystemExit

    return before_call


@pytest.mark.parametrize("number", range(2, CALLS + 1))
def test_a_worker_killed_within_the_first_report(
    notion: Notion, shop: sessionmaker[Session], publish: Publish, number: int
) -> None:
    with pytest.raises(SystemExit):
        publish(gateway=notion.gateway(before_call=killed_before(number)))
    publish()
    check(notion, shop)


@pytest.mark.parametrize("number", range(2, UPDATE_CALLS + 1))
def test_a_worker_killed_within_an_update(
    notion: Notion, shop: sessionmaker[Session], publish: Publish, number: int
) -> None:
    publish()
    spend(shop, "7")
    with pytest.raises(SystemExit):
        publish(gateway=notion.gateway(before_call=killed_before(number)))
    publish()
    check(notion, shop)


def test_faults_on_every_other_call(notion: Notion, shop: sessionmaker[Session], publish: Publish) -> None:
    """Many runs fail in many ways, one after the other; each goes on from what it finds."""
    parameters = {"after_write": True}
    notion.fault("internal_server_error", path="/v1/", probability=0.4, times=8, parameters=parameters)
    notion.fault("cut_body", path="/v1/", probability=0.3, times=4)
    notion.fault("partial_append", probability=0.5, times=4, parameters={"blocks": 3})
    for _ in range(60):
        try:
            publish()
        except NotionTransient:
            continue
        break
    assert notion.fired() >= 8
    notion.heal()
    publish()
    check(notion, shop)


@pytest.mark.parametrize("working", [True, False])
def test_two_publishers_at_the_same_time(
    notion: Notion, shop: sessionmaker[Session], publish: Publish, working: bool
) -> None:
    """Also when the lock fails and both write: the oldest page stays."""
    make_database(notion, shop)
    locks = Locks(working=working)
    start = threading.Barrier(2)
    results: list[Published | ReportError] = []

    def run() -> None:
        gateway = notion.gateway()
        start.wait(30)
        try:
            results.append(publish(gateway=gateway, lock=locks))
        except ReportError as error:
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == 2
    failures = [result for result in results if isinstance(result, ReportError)]
    assert all(isinstance(failure, ReportBusy | NotionTransient) for failure in failures)
    publish()
    check(notion, shop)


def make_database(notion: Notion, sessions: sessionmaker[Session]) -> str:
    return daily_reports(
        notion.gateway(), sessions=sessions, parent_page_id=notion.root, database_id="", lock=Locks()
    )


def test_a_held_lock_means_no_call(notion: Notion, shop: sessionmaker[Session], publish: Publish) -> None:
    locks = Locks()
    source = make_database(notion, shop)
    page = render(read_daily(ACCOUNT, DAY, sessions=shop))
    gateway = notion.gateway()
    with locks(f"notion-page:{page.key}"), pytest.raises(ReportBusy, match="try again"):
        publish_page(page, sessions=shop, gateway=gateway, data_source_id=source, lock=locks)
    assert gateway.calls == 0
    publish(lock=locks)


def test_a_creation_that_arrives_late_leaves_no_second_page(
    notion: Notion, shop: sessionmaker[Session], publish: Publish
) -> None:
    """The first call is given up and carried out while the next run is writing."""
    source = make_database(notion, shop)
    page = render(read_daily(ACCOUNT, DAY, sessions=shop))
    calls = 0

    def late() -> None:
        nonlocal calls
        calls += 1
        if calls == 4:  # database, query, creation are done; the check after the creation is next
            properties = page.properties | {"State": {"select": {"name": "writing"}}}
            notion.call("POST", "pages", parent={"data_source_id": source}, properties=properties)

    assert publish(gateway=notion.gateway(before_call=late)).outcome is Outcome.CREATED
    check(notion, shop)
    assert len(notion.pages(trashed=True)) == 1


def test_of_two_pages_with_the_same_key_the_oldest_stays(
    notion: Notion, shop: sessionmaker[Session], publish: Publish
) -> None:
    source = make_database(notion, shop)
    page = render(read_daily(ACCOUNT, DAY, sessions=shop))
    made = [
        notion.call("POST", "pages", parent={"data_source_id": source}, properties=page.properties)["id"]
        for _ in range(3)
    ]
    published = publish()
    assert (published.page_id, published.outcome) == (made[0], Outcome.UPDATED)
    check(notion, shop)
    assert {one["id"] for one in notion.pages(trashed=True)} == set(made[1:])


def test_when_the_oldest_page_is_not_ours_it_is_taken_over(
    notion: Notion, shop: sessionmaker[Session], publish: Publish
) -> None:
    """Two writers without a working lock: each has created a page, and the older one was not seen before."""
    source = make_database(notion, shop)
    page = render(read_daily(ACCOUNT, DAY, sessions=shop))
    made: list[str] = []
    calls = 0

    def older() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:  # nothing was found by the query; now the other writer creates
            answer = notion.call(
                "POST", "pages", parent={"data_source_id": source}, properties=page.properties
            )
            made.append(answer["id"])

    with pytest.raises(ReportBusy):
        publish(gateway=notion.gateway(before_call=older))
    assert publish().page_id == made[0]
    check(notion, shop)


def test_a_second_page_is_found_by_the_run_after_the_one_that_was_killed(
    notion: Notion, shop: sessionmaker[Session], publish: Publish
) -> None:
    """What our table knows of the page is not enough to go on with."""
    make_database(notion, shop)
    with pytest.raises(SystemExit):
        publish(gateway=notion.gateway(before_call=killed_before(4)))
    (page,) = notion.pages()
    second = {"Key": {"rich_text": rich_text("daily:701:2026-11-21")}}
    notion.call(
        "POST", "pages", parent={"data_source_id": page["parent"]["data_source_id"]}, properties=second
    )
    assert publish().page_id == page["id"]
    check(notion, shop)


def test_a_page_in_the_trash_is_made_anew_once(
    notion: Notion, shop: sessionmaker[Session], publish: Publish
) -> None:
    first = publish()
    notion.edit(page_id=first.page_id, trash=True)
    second = publish()
    assert second.outcome is Outcome.CREATED
    assert second.page_id != first.page_id
    assert publish().outcome is Outcome.UNCHANGED
    check(notion, shop)


def test_a_page_that_goes_to_the_trash_while_it_is_written(
    notion: Notion, shop: sessionmaker[Session], publish: Publish
) -> None:
    first = publish()
    spend(shop, "7")
    calls = 0

    def person() -> None:
        nonlocal calls
        calls += 1
        if calls == 4:  # database and page looked at, page emptied
            notion.edit(page_id=first.page_id, trash=True)

    with pytest.raises(NotionTransient, match="went away"):
        publish(gateway=notion.gateway(before_call=person))
    assert publish().outcome is Outcome.CREATED
    check(notion, shop)


def test_a_page_that_a_person_marked_as_unfinished_is_written_anew(
    notion: Notion, shop: sessionmaker[Session], publish: Publish
) -> None:
    first = publish()
    notion.edit(page_id=first.page_id, properties={"State": {"select": {"name": "writing"}}})
    second = publish()
    assert (second.page_id, second.outcome) == (first.page_id, Outcome.UPDATED)
    check(notion, shop)


def test_our_table_may_be_lost(notion: Notion, shop: sessionmaker[Session], publish: Publish) -> None:
    first = publish()
    with shop.begin() as session:
        for note in remembered(shop):
            session.delete(note)
    assert publish() == replace(first, outcome=Outcome.UNCHANGED, calls=2)
    check(notion, shop)


def long_page(paragraphs: int) -> Page:
    texts = [f"Paragraph {number} {'ç' * 1900}" for number in range(paragraphs)]
    return Page(
        key="daily:1:2026-01-01",
        properties={
            "title": {"title": rich_text("Long")},
            "Key": {"rich_text": rich_text("daily:1:2026-01-01")},
        },
        blocks=tuple(block("paragraph", rich_text(text)) for text in texts),
        content_hash="f" * 64,
    )


@pytest.mark.parametrize("after", [None, 0, 1, 2])
def test_a_long_page_is_appended_in_order(
    notion: Notion, sessions: sessionmaker[Session], after: int | None
) -> None:
    source = make_database(notion, sessions)
    page = long_page(250)

    def run() -> Published:
        return publish_page(
            page, sessions=sessions, gateway=notion.gateway(), data_source_id=source, lock=Locks()
        )

    if after is not None:
        parameters = {"blocks": 3}
        notion.fault("partial_append", path="/children", times=1, after=after, parameters=parameters)
        with pytest.raises(NotionTransient):
            run()
    run()
    (stored,) = notion.pages()
    assert [plain(child) for child in stored["children"]] == [plain(child) for child in page.blocks]
    assert run().outcome is Outcome.UNCHANGED


def test_no_transaction_is_open_during_a_call(
    notion: Notion, shop: sessionmaker[Session], publish: Publish
) -> None:
    engine = shop.kw["bind"]
    used: list[int] = []
    publish(gateway=notion.gateway(before_call=lambda: used.append(engine.pool.checkedout())))
    assert used == [0] * CALLS
