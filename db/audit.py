"""Who did what: one row for every action that a person takes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from db.models import AuditLog


def record(
    session: Session, actor: str, action: str, subject: str, details: dict[str, Any] | None = None
) -> None:
    """Add a row to `audit_log`, in the caller's transaction, so that it stands or falls with the action.

    `actor` is who acted (`cli:anna`), `action` what was done (`token.revoke`), `subject` what it was done to
    (`token:1a2b3c4d`); `details` is JSON without secrets.
    """
    session.execute(
        insert(AuditLog).values(actor=actor, action=action, subject=subject, details=details or {})
    )
