"""Operators, what they did, and what they asked."""

from __future__ import annotations

import enum
import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, CreatedAt, RowId, enum_type


class Role(enum.StrEnum):
    """A viewer reads; an operator decides and triggers; an admin manages operators and tokens too."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


class User(Base):
    """An operator who signs in."""

    __tablename__ = "users"

    id: Mapped[RowId]
    name: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    role: Mapped[Role] = mapped_column(enum_type(Role, "user_role"), server_default=Role.OPERATOR.value)
    created_at: Mapped[CreatedAt]
    disabled_at: Mapped[datetime | None]


class Speaker(enum.StrEnum):
    USER = "user"
    ASSISTANT = "assistant"


class ConversationMemory(Base):
    """One turn of a conversation about the stored data."""

    __tablename__ = "conversation_memory"
    __table_args__ = (Index(None, "conversation_id", "id"),)

    id: Mapped[RowId]
    conversation_id: Mapped[uuid.UUID] = mapped_column(Uuid)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    speaker: Mapped[Speaker] = mapped_column(enum_type(Speaker, "speaker"))
    content: Mapped[str]
    created_at: Mapped[CreatedAt]


class AuditLog(Base):
    """Who did what to what, and when. Rows are added, never changed."""

    __tablename__ = "audit_log"

    id: Mapped[RowId]
    at: Mapped[CreatedAt] = mapped_column(index=True)
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
