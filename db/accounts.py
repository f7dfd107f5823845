"""Keeping ad accounts and campaigns as Meta lists them; rows that did not change are not touched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Table, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from db.models import AdAccount, Base, Campaign

_NOT_COMPARED = {"id", "created_at", "synced_at"}


def save_accounts(session: Session, accounts: Iterable[dict[str, Any]]) -> int:
    """Insert or update ad accounts given as rows of `ad_accounts`; the number of rows written."""
    return _save(session, AdAccount, accounts)


def save_campaigns(session: Session, campaigns: Iterable[dict[str, Any]]) -> int:
    """Insert or update campaigns given as rows of `campaigns`; the number of rows written."""
    return _save(session, Campaign, campaigns)


def known_accounts(session: Session) -> Sequence[int]:
    """The ids of all accounts that were ever synced, in order."""
    return session.scalars(select(AdAccount.id).order_by(AdAccount.id)).all()


def _save(session: Session, model: type[Base], rows: Iterable[dict[str, Any]]) -> int:
    # One row for each id: INSERT … ON CONFLICT may not touch a row twice.
    unique = {row["id"]: row for row in rows}
    if not unique:
        return 0
    table = model.__table__
    assert isinstance(table, Table)
    new = insert(table).values([{**row, "synced_at": func.now()} for _, row in sorted(unique.items())])
    compared = [column for column in table.columns if column.name not in _NOT_COMPARED]
    statement = new.on_conflict_do_update(
        index_elements=["id"],
        set_={column.name: new.excluded[column.name] for column in compared} | {"synced_at": func.now()},
        where=or_(*(column.is_distinct_from(new.excluded[column.name]) for column in compared)),
    ).returning(table.c.id)
    return len(session.execute(statement).all())
