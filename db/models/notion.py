"""What was written to Notion, so that it is written once."""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy import func
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, enum_type


class PageState(enum.StrEnum):
    WRITING = "writing"
    COMPLETE = "complete"


class NotionDatabase(Base):
    """A database of ours in Notion, by its role (such as `daily_reports`) and the page it stands under."""

    __tablename__ = "notion_databases"

    role: Mapped[str] = mapped_column(primary_key=True)
    parent_page_id: Mapped[str] = mapped_column(primary_key=True)
    database_id: Mapped[str]
    data_source_id: Mapped[str]


class NotionPage(Base):
    """A page of ours in Notion, by its key (such as `daily:123:2026-11-21`)."""

    __tablename__ = "notion_pages"

    key: Mapped[str] = mapped_column(primary_key=True)
    data_source_id: Mapped[str]
    page_id: Mapped[str]
    url: Mapped[str]
    state: Mapped[PageState] = mapped_column(enum_type(PageState, "page_state"))
    # SHA-256 of the content, so that the same report is not written again.
    content_hash: Mapped[str]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
