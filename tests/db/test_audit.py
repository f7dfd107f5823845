"""The record of what people did."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from db.audit import record
from db.models import AuditLog


def test_a_record_stands_or_falls_with_its_action(sessions: sessionmaker[Session]) -> None:
    with sessions() as session:
        record(session, "cli:anna", "token.revoke", "token:1a2b3c4d")
        session.rollback()
    with sessions.begin() as session:
        record(session, "cli:anna", "token.restore", "token:1a2b3c4d", {"why": "by mistake"})
    with sessions() as session:
        row = session.scalars(select(AuditLog)).one()
    assert (row.actor, row.action, row.subject) == ("cli:anna", "token.restore", "token:1a2b3c4d")
    assert row.details == {"why": "by mistake"}
    assert row.at.tzinfo is not None
