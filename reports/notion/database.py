"""The database of daily reports: found or made, once, whoever asks first."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from db.models import NotionDatabase
from db.notion import read_database, remember_database
from reports import wording
from reports.errors import NotionBadRequest, NotionMissing, ReportBusy
from reports.notion.gateway import NotionGateway
from reports.properties import HASH, KEY, SCHEMA, TITLE_NAME
from reports.rich_text import Json, rich_text

ROLE = "daily_reports"

Lock = Callable[[str], AbstractContextManager[bool]]

_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def daily_reports(
    gateway: NotionGateway,
    *,
    sessions: sessionmaker[Session],
    parent_page_id: str,
    database_id: str,
    lock: Lock,
) -> str:
    """The id of the data source that daily reports are written to; one call when it is remembered.

    With `database_id` that database is used, its missing columns added and the others left alone. Else it is
    the one remembered for `parent_page_id`, or one of ours that stands there, or a new one. Both settings may
    be an id or an address copied from Notion.

    Raises ReportBusy while another worker looks for it, NotionMissing if the page or the database named is
    not there for the integration, NotionBadRequest if none is named, and what the gateway raises.
    """
    given = _id_of(database_id, "NOTION_DATABASE_ID") if database_id else None
    # A database that was named is remembered by its own id in place of the page it stands under.
    place = given or _id_of(parent_page_id, "NOTION_PARENT_PAGE_ID")
    remembered = _read(sessions, place)
    if remembered is not None and _alive(gateway, remembered):
        return remembered.data_source_id
    with lock(f"notion-database:{place}") as held:
        if not held:
            raise ReportBusy("another worker makes the database of reports right now; try again in a minute")
        latest = _read(sessions, place)
        if latest is not None and (remembered is None or latest.database_id != remembered.database_id):
            return latest.data_source_id
        found = _named(gateway, given) if given else _under_page(gateway, place)
        created = found is None
        if found is None:
            found = _create(gateway, place)
        with sessions.begin() as session:
            kept = remember_database(
                session,
                role=ROLE,
                parent_page_id=place,
                database_id=found[0],
                data_source_id=found[1],
                instead_of=remembered.database_id if remembered else None,
            )
        # Only where the lock failed: another worker remembered its own first.
        if created and kept.database_id != found[0]:
            gateway.trash_database(found[0])
        return kept.data_source_id


def ensure_properties(gateway: NotionGateway, data_source_id: str) -> bool:
    """Add the columns that a data source lacks; whether there were any.

    Raises NotionBadRequest if a column of ours is there with another type: it may hold a person's data.
    """
    present = _columns(gateway, data_source_id)
    for name, definition in SCHEMA.items():
        wanted, actual = next(iter(definition)), present.get(name)
        if actual not in (None, wanted):
            raise NotionBadRequest(
                f"the database's property {name!r} is of type {actual}, and reports need {wanted}: rename it"
                " in Notion, or set another NOTION_DATABASE_ID"
            )
    missing = {name: definition for name, definition in SCHEMA.items() if name not in present}
    if missing:
        gateway.add_properties(data_source_id, missing)
    return bool(missing)


def _read(sessions: sessionmaker[Session], place: str) -> NotionDatabase | None:
    with sessions() as session:
        return read_database(session, ROLE, place)


def _alive(gateway: NotionGateway, remembered: NotionDatabase) -> bool:
    try:
        database = gateway.retrieve_database(remembered.database_id)
    except NotionMissing:
        return False
    sources = [source["id"] for source in database.get("data_sources", ())]
    return not _trashed(database) and remembered.data_source_id in sources


def _named(gateway: NotionGateway, database_id: str) -> tuple[str, str]:
    database = gateway.retrieve_database(database_id)
    source = _first_source(database)
    if _trashed(database) or source is None:
        raise NotionMissing(
            "the database NOTION_DATABASE_ID is in Notion's trash; restore it, or set another one"
        )
    ensure_properties(gateway, source)
    return database_id, source


def _under_page(gateway: NotionGateway, page_id: str) -> tuple[str, str] | None:
    """Our database among those in a page. By title, and by columns that no one else's would have."""
    for block in gateway.list_blocks(page_id):
        title = block.get("child_database", {}).get("title")
        if block.get("type") != "child_database" or title != wording.DATABASE_TITLE or _trashed(block):
            continue
        try:
            source = _first_source(gateway.retrieve_database(block["id"]))
        except NotionMissing:  # a linked view of a database that stands elsewhere
            continue
        if source is not None and {KEY, HASH} <= _columns(gateway, source).keys():
            ensure_properties(gateway, source)
            return str(block["id"]), source
    return None


def _create(gateway: NotionGateway, page_id: str) -> tuple[str, str]:
    database = gateway.create_database(
        page_id,
        title=rich_text(wording.DATABASE_TITLE),
        description=rich_text(wording.DATABASE_DESCRIPTION),
        properties={TITLE_NAME: {"title": {}}, **SCHEMA},
    )
    source = _first_source(database)
    if source is None:
        raise NotionMissing("Notion made a database without a data source; delete it and try again")
    return str(database["id"]), source


def _columns(gateway: NotionGateway, data_source_id: str) -> dict[str, str]:
    properties = gateway.retrieve_data_source(data_source_id).get("properties", {})
    return {name: str(definition["type"]) for name, definition in properties.items()}


def _first_source(database: Json) -> str | None:
    sources = database.get("data_sources") or ()
    return str(sources[0]["id"]) if sources else None


def _trashed(record: Json) -> bool:
    return bool(record.get("in_trash") or record.get("archived"))


def _id_of(text: str, setting: str) -> str:
    """The dashed id in a setting: an id in either form, or an address that has it in its path."""
    found = _ID.findall(text.partition("?")[0])
    if not found:
        what = "is not set" if not text else "holds no Notion id"
        raise NotionBadRequest(
            f"{setting} {what}; copy the page's address from Notion, and share the page with the integration"
        )
    return str(UUID(found[-1]))
