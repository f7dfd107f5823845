"""Writing a report once, whatever happens on the way.

Notion has no idempotency key, and a call that failed may have been carried out. So a page says itself how far
it is: it is `writing` with no hash from the first call to the last, and `complete` with the hash of its
content only when all blocks are there. Whoever comes later trusts that and nothing else. A run that dies at
any line leaves a page that the next run finds by its key, empties and writes anew.

What a person did is respected: a page in the trash, or moved out of the database, is left there and the
next run makes a new one in its place; it is no error.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session, sessionmaker

from db.models import NotionPage, PageState
from db.notion import read_page, save_page
from reports.blocks import Page, render
from reports.content import DailyReport
from reports.errors import NotionMissing, NotionTransient, ReportBusy
from reports.notion.database import Lock
from reports.notion.gateway import NotionGateway
from reports.notion.requests import batches
from reports.properties import COMPLETE, HASH, KEY, STATE, being_written, completed
from reports.rich_text import Json


class Outcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Published:
    """Where the report stands, what had to be done, and how many calls that took."""

    url: str
    page_id: str
    outcome: Outcome
    calls: int


@dataclass(frozen=True, slots=True)
class _Found:
    """A page as Notion has it; `content_hash` is None unless its content is complete."""

    page_id: str
    url: str
    content_hash: str | None


def publish(
    report: DailyReport,
    *,
    sessions: sessionmaker[Session],
    gateway: NotionGateway,
    data_source_id: str,
    lock: Lock,
) -> Published:
    """Make the report's page in the data source be there once, with this content.

    `lock` gives, for a name, a context that yields whether the lock is held. It has to outlast the writing
    (about six calls); if it does not, the page may need another run to be right. No transaction is open
    during a call.

    Raises ReportBusy when another worker holds the lock, and what the gateway raises. After NotionTransient,
    NotionThrottled and ReportBusy a later run goes on from what it finds.
    """
    return publish_page(
        render(report), sessions=sessions, gateway=gateway, data_source_id=data_source_id, lock=lock
    )


def publish_page(
    page: Page, *, sessions: sessionmaker[Session], gateway: NotionGateway, data_source_id: str, lock: Lock
) -> Published:
    """`publish` for a page that is rendered already."""
    before = gateway.calls
    with lock(f"notion-page:{page.key}") as held:
        if not held:
            raise ReportBusy(f"another worker writes the report {page.key} right now; try again in a minute")
        url, page_id, outcome = _Publication(page, sessions, gateway, data_source_id).run()
    return Published(url=url, page_id=page_id, outcome=outcome, calls=gateway.calls - before)


class _Publication:
    def __init__(
        self, page: Page, sessions: sessionmaker[Session], gateway: NotionGateway, data_source_id: str
    ) -> None:
        self._page = page
        self._sessions = sessions
        self._gateway = gateway
        self._data_source_id = data_source_id

    def run(self) -> tuple[str, str, Outcome]:
        note = self._note()
        found = self._current(note)
        if found is None:
            found, outcome = self._create(), Outcome.CREATED
        elif found.content_hash == self._page.content_hash:
            outcome = Outcome.UNCHANGED
            if note is None or not self._says_complete(note, found):
                self._save(found, PageState.COMPLETE)
        else:
            self._rewrite(found)
            outcome = Outcome.UPDATED
        return found.url, found.page_id, outcome

    def _note(self) -> NotionPage | None:
        with self._sessions() as session:
            return read_page(session, self._page.key)

    def _current(self, note: NotionPage | None) -> _Found | None:
        """The page as it stands. A query also shows second pages, so it is used when the last run failed."""
        if note is None:
            return self._look()
        if note.state is PageState.COMPLETE:
            return self._retrieve(note.page_id) or self._look()
        # The query's index may lag behind.
        return self._look() or self._retrieve(note.page_id)

    def _retrieve(self, page_id: str) -> _Found | None:
        try:
            answer = self._gateway.retrieve_page(page_id)
        except NotionMissing:
            return None
        # Elsewhere it was moved by a person, or is left from a database that is used no longer.
        here = answer.get("parent", {}).get("data_source_id") == self._data_source_id
        return _found(answer) if here and not answer.get("in_trash") else None

    def _look(self) -> _Found | None:
        """The oldest page with the report's key; the others are moved to the trash."""
        answers = self._gateway.query(
            self._data_source_id, filter={"property": KEY, "rich_text": {"equals": self._page.key}}
        )
        if not answers:
            return None
        for second in answers[1:]:
            self._gateway.trash_page(second["id"])
        return _found(answers[0])

    def _create(self) -> _Found:
        first, *rest = list(batches(self._page.blocks)) or [[]]
        answer = self._gateway.create_page(
            self._data_source_id, self._page.properties | being_written(), first
        )
        created = _found(answer)
        self._save(created, PageState.WRITING)
        self._append(created, rest)
        # An earlier call that was given up may have arrived after all, or the lock may have been lost.
        oldest = self._look()
        if oldest is not None and oldest.page_id != created.page_id:
            self._save(oldest, PageState.WRITING)
            raise ReportBusy(f"another worker wrote the report {self._page.key} first; try again in a minute")
        self._complete(created)
        return created

    def _rewrite(self, found: _Found) -> None:
        self._save(found, PageState.WRITING)
        try:
            self._gateway.update_page(found.page_id, self._page.properties | being_written(), erase=True)
            self._append(found, list(batches(self._page.blocks)))
            self._complete(found)
        except NotionMissing as error:
            raise NotionTransient(f"the page went away while it was written; try again. {error}") from None

    def _append(self, found: _Found, parts: list[list[Json]]) -> None:
        for part in parts:
            self._gateway.append_blocks(found.page_id, part)

    def _complete(self, found: _Found) -> None:
        self._gateway.update_page(found.page_id, completed(self._page.content_hash))
        self._save(found, PageState.COMPLETE)

    def _says_complete(self, note: NotionPage, found: _Found) -> bool:
        return (note.page_id, note.state, note.content_hash) == (
            found.page_id,
            PageState.COMPLETE,
            self._page.content_hash,
        )

    def _save(self, found: _Found, state: PageState) -> None:
        with self._sessions.begin() as session:
            save_page(
                session,
                key=self._page.key,
                data_source_id=self._data_source_id,
                page_id=found.page_id,
                url=found.url,
                state=state,
                content_hash=self._page.content_hash,
            )


def _found(answer: Json) -> _Found:
    properties = answer.get("properties", {})
    state = (properties.get(STATE, {}).get("select") or {}).get("name")
    text = "".join(part.get("plain_text", "") for part in properties.get(HASH, {}).get("rich_text") or ())
    return _Found(
        page_id=str(answer["id"]),
        url=str(answer.get("url", "")),
        content_hash=text if state == COMPLETE else None,
    )
