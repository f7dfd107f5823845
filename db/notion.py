"""Reading and writing what is remembered of Notion: our databases there and our pages.

No function commits. Ids are Notion's, lower case with dashes.
"""

from __future__ import annotations

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from db.models import NotionDatabase, NotionPage, PageState


def read_database(session: Session, role: str, parent_page_id: str) -> NotionDatabase | None:
    """The database remembered for a role under a page; None if there is none yet."""
    return session.get(NotionDatabase, (role, parent_page_id), populate_existing=True)


def remember_database(
    session: Session,
    *,
    role: str,
    parent_page_id: str,
    database_id: str,
    data_source_id: str,
    instead_of: str | None,
) -> NotionDatabase:
    """Remember a database, unless another process did so first; the row that holds afterwards.

    `instead_of` is the id of the remembered database that is gone, None if none was remembered. Only that one
    is replaced, so of two processes that replace it at the same time the first one wins.
    """
    session.execute(
        insert(NotionDatabase)
        .values(
            role=role, parent_page_id=parent_page_id, database_id=database_id, data_source_id=data_source_id
        )
        .on_conflict_do_nothing()
    )
    if instead_of is not None:
        session.execute(
            update(NotionDatabase)
            .where(
                NotionDatabase.role == role,
                NotionDatabase.parent_page_id == parent_page_id,
                NotionDatabase.database_id == instead_of,
            )
            .values(database_id=database_id, data_source_id=data_source_id)
        )
    found = read_database(session, role, parent_page_id)
    assert found is not None, "the row was inserted or was there before"
    return found


def read_page(session: Session, key: str) -> NotionPage | None:
    """The page remembered under a key; None if there is none."""
    return session.execute(
        select(NotionPage).where(NotionPage.key == key).execution_options(populate_existing=True)
    ).scalar_one_or_none()


def save_page(
    session: Session,
    *,
    key: str,
    data_source_id: str,
    page_id: str,
    url: str,
    state: PageState,
    content_hash: str,
) -> None:
    """Insert or replace what is remembered of a page; `content_hash` is a SHA-256 in hexadecimal."""
    values = {
        "data_source_id": data_source_id,
        "page_id": page_id,
        "url": url,
        "state": state,
        "content_hash": content_hash,
        "updated_at": func.now(),
    }
    session.execute(
        insert(NotionPage)
        .values(key=key, **values)
        .on_conflict_do_update(index_elements=[NotionPage.key], set_=values)
    )
