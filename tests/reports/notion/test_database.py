"""The database of reports is found or made once, and a person's own is left alone but for missing columns."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from db.models import NotionDatabase
from db.notion import remember_database
from reports.errors import NotionBadRequest, NotionMissing, NotionTransient, ReportBusy
from reports.notion.database import Lock, daily_reports, ensure_properties
from reports.properties import SCHEMA
from tests.reports.conftest import Locks, Notion

UNKNOWN = "0" * 32


class Finder:
    """`daily_reports` with everything it needs; the calls of the last one are in `calls`."""

    def __init__(self, notion: Notion, sessions: sessionmaker[Session]) -> None:
        self.notion, self.sessions, self.calls = notion, sessions, 0

    def __call__(self, parent: str | None = None, database: str = "", lock: Lock | None = None) -> str:
        gateway = self.notion.gateway()
        try:
            return daily_reports(
                gateway,
                sessions=self.sessions,
                parent_page_id=self.notion.root if parent is None else parent,
                database_id=database,
                lock=lock or Locks(),
            )
        finally:
            self.calls = gateway.calls

    def forget(self) -> None:
        with self.sessions.begin() as session:
            session.query(NotionDatabase).delete()


@pytest.fixture
def find(notion: Notion, sessions: sessionmaker[Session]) -> Finder:
    return Finder(notion, sessions)


def own(notion: Notion, title: str = "Marketing", **properties: Any) -> dict[str, Any]:
    """A database made by somebody else."""
    return notion.call(
        "POST",
        "databases",
        parent={"page_id": notion.root},
        title=[{"text": {"content": title}}],
        initial_data_source={"properties": {"Nome": {"title": {}}, **properties}},
    )


def columns(notion: Notion, source: str) -> dict[str, str]:
    answer = notion.call("GET", f"data_sources/{source}")
    return {name: prop["type"] for name, prop in answer["properties"].items()}


EXPECTED = {name: next(iter(definition)) for name, definition in SCHEMA.items()}


def test_it_is_made_with_all_columns_and_remembered(find: Finder, notion: Notion) -> None:
    source = find()
    assert find.calls == 2
    assert columns(notion, source) == {"Name": "title"} | EXPECTED
    assert find() == source
    assert find.calls == 1
    assert len(notion.databases()) == 1


def test_one_that_stands_there_is_taken_when_the_table_was_lost(find: Finder, notion: Notion) -> None:
    source = find()
    find.forget()
    assert find() == source
    assert len(notion.databases()) == 1


@pytest.mark.parametrize("kind", ["partial_write", "internal_server_error", "cut_body"])
def test_one_that_was_made_in_doubt_is_taken(find: Finder, notion: Notion, kind: str) -> None:
    notion.fault(kind, path="/v1/databases", times=1, parameters={"after_write": True})
    with pytest.raises(NotionTransient):
        find()
    find()
    assert len(notion.databases()) == 1


def test_a_persons_database_of_the_same_title_is_not_ours(find: Finder, notion: Notion) -> None:
    theirs = own(notion, "Daily reports", Notes={"rich_text": {}})
    source = find()
    assert source != theirs["data_sources"][0]["id"]
    assert columns(notion, theirs["data_sources"][0]["id"]) == {"Nome": "title", "Notes": "rich_text"}


def test_one_in_the_trash_is_replaced(find: Finder, notion: Notion) -> None:
    first = find()
    notion.edit(block_id=notion.databases()[0]["id"], trash=True)
    second = find()
    assert second != first
    assert find() == second
    assert find.calls == 1


def test_one_that_is_gone_for_good_is_replaced(find: Finder, notion: Notion) -> None:
    with find.sessions.begin() as session:
        session.add(
            NotionDatabase(
                role="daily_reports",
                parent_page_id=notion.root,
                database_id=UNKNOWN,
                data_source_id=UNKNOWN,
            )
        )
    assert columns(notion, find()) == {"Name": "title"} | EXPECTED


def test_a_named_database_gets_what_it_lacks_and_keeps_the_rest(find: Finder, notion: Notion) -> None:
    theirs = own(notion, Date={"date": {}}, Notes={"rich_text": {}}, Owner={"people": {}})
    source = theirs["data_sources"][0]["id"]
    address = f"https://www.notion.so/team/Marketing-{theirs['id'].replace('-', '')}?v={UNKNOWN}"
    assert find(parent="", database=address) == source
    assert columns(notion, source) == {"Nome": "title", "Notes": "rich_text", "Owner": "people"} | EXPECTED
    assert find(parent="", database=theirs["id"]) == source
    assert find.calls == 1


def test_a_column_of_another_type_is_not_touched(find: Finder, notion: Notion) -> None:
    theirs = own(notion, Date={"rich_text": {}})
    with pytest.raises(NotionBadRequest, match="'Date' is of type rich_text, and reports need date"):
        find(database=theirs["id"])
    assert columns(notion, theirs["data_sources"][0]["id"]) == {"Nome": "title", "Date": "rich_text"}


def test_columns_are_added_once(find: Finder, notion: Notion) -> None:
    source = find()
    notion.call("PATCH", f"data_sources/{source}", properties={"Hash": None, "CPA": None})
    assert ensure_properties(notion.gateway(), source)
    assert not ensure_properties(notion.gateway(), source)
    assert columns(notion, source) == {"Name": "title"} | EXPECTED


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"parent": ""}, NotionBadRequest, "NOTION_PARENT_PAGE_ID is not set"),
        ({"parent": "my page"}, NotionBadRequest, "NOTION_PARENT_PAGE_ID holds no Notion id"),
        ({"parent": UNKNOWN}, NotionMissing, "shared with your integration"),
        ({"database": UNKNOWN}, NotionMissing, "shared with your integration"),
        ({"database": "x"}, NotionBadRequest, "NOTION_DATABASE_ID holds no Notion id"),
    ],
)
def test_a_wrong_setting_is_one_clear_error(
    find: Finder, arguments: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        find(**arguments)


def test_a_named_database_in_the_trash_is_an_error(find: Finder, notion: Notion) -> None:
    theirs = own(notion)
    find(database=theirs["id"])
    notion.edit(block_id=theirs["id"], trash=True)
    with pytest.raises(NotionMissing, match="NOTION_DATABASE_ID is in Notion's trash"):
        find(database=theirs["id"])


def test_another_worker_is_making_it(find: Finder, notion: Notion) -> None:
    locks = Locks()
    with locks(f"notion-database:{notion.root}"), pytest.raises(ReportBusy):
        find(lock=locks)
    assert notion.databases() == []


def test_what_another_worker_made_meanwhile_is_taken(find: Finder, notion: Notion) -> None:
    theirs: list[str] = []

    @contextmanager
    def late(_name: str) -> Iterator[bool]:
        theirs.append(Finder(notion, find.sessions)())
        yield True

    assert [find(lock=late)] == theirs
    assert find.calls == 0


@pytest.mark.parametrize("working", [True, False])
def test_two_workers_at_the_same_time_make_one(find: Finder, notion: Notion, working: bool) -> None:
    """Also when the lock fails: the one that is remembered second goes to the trash."""
    notion.fault("slow", path="/v1/databases", parameters={"seconds": 0.3})
    locks = Locks(working=working)
    start = threading.Barrier(2)
    found: list[str] = []

    def run() -> None:
        start.wait(30)
        try:
            found.append(find(lock=locks))
        except ReportBusy:
            found.append("busy")

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    notion.heal()
    assert len(found) == 2
    assert set(found) - {"busy"} == {find()}
    assert len(notion.databases()) == 1


def test_of_two_that_replace_the_same_one_the_first_wins(sessions: sessionmaker[Session]) -> None:
    def remember(new: str, old: str | None) -> str:
        with sessions.begin() as session:
            return remember_database(
                session,
                role="r",
                parent_page_id="p",
                database_id=new,
                data_source_id=f"{new}-source",
                instead_of=old,
            ).database_id

    assert remember("one", None) == "one"
    assert remember("two", None) == "one"
    assert remember("three", "one") == "three"
    assert remember("four", "one") == "three"
