"""Claiming rows of work: the only code that moves a row through its states.

All times are the database's clock, so workers with clocks that differ agree. The fence counts claims: a
worker that was slow and lost its lease holds an old number, and `hold` refuses it inside the very
transaction that would have committed its work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session

from db.errors import LeaseLost
from db.models import CollectionSlice, Job, WorkState

LeasedModel = type[Job] | type[CollectionSlice]

# How long a sent message may be on its way before its row counts as overdue and is sent again.
RESEND_AFTER = timedelta(minutes=5)
_ERROR_LENGTH = 2000


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one worker to work on one row until a time, under a number."""

    model: LeasedModel
    row_id: int
    fence: int
    owner: str
    # Which attempt this is, from 1 on; attempts that only waited for another side are not counted.
    attempts: int = 1


def claim(session: Session, model: LeasedModel, row_id: int, *, owner: str, ttl: timedelta) -> Lease | None:
    """Take the row if it is due and nobody else holds it; None if not (then there is nothing to do)."""
    due = and_(model.state == WorkState.PENDING, model.next_attempt_at <= func.clock_timestamp())
    claimed = session.execute(
        update(model)
        .where(model.id == row_id, or_(due, _expired(model)))
        .values(
            state=WorkState.RUNNING,
            fence=model.fence + 1,
            attempts=model.attempts + 1,
            lease_owner=owner,
            lease_until=func.clock_timestamp() + ttl,
            claimed_at=func.clock_timestamp(),
        )
        .returning(model.fence, model.attempts)
    ).one_or_none()
    return None if claimed is None else Lease(model, row_id, claimed.fence, owner, claimed.attempts)


def renew(session: Session, lease: Lease, *, ttl: timedelta) -> None:
    """Keep the lease for another `ttl`. Raises LeaseLost if another worker has claimed the row."""
    _write(session, lease, {"lease_until": func.clock_timestamp() + ttl})


def hold(session: Session, lease: Lease) -> None:
    """Lock the row until the transaction ends, so that no one can claim it before the commit.

    Raises LeaseLost if another worker has claimed it already.
    """
    model = lease.model
    row = session.execute(select(model.id).where(*_mine(lease)).with_for_update()).scalar_one_or_none()
    if row is None:
        raise LeaseLost(f"{model.__tablename__} {lease.row_id} was taken over by another worker")


def finish(session: Session, lease: Lease, **values: Any) -> None:
    """The work is done; `values` are further columns of the row. Raises LeaseLost."""
    _write(
        session,
        lease,
        {
            "state": WorkState.DONE,
            "lease_owner": None,
            "lease_until": None,
            "error_kind": None,
            "error": None,
            "finished_at": func.clock_timestamp(),
            **values,
        },
    )


def retry(
    session: Session, lease: Lease, *, after: timedelta, kind: str, error: str, counts: bool = True
) -> None:
    """Give the row back for another attempt after a while. Raises LeaseLost.

    An attempt that does not count (the account was throttled, say) does not bring the row nearer to failing.
    """
    _write(
        session,
        lease,
        {
            "state": WorkState.PENDING,
            "attempts": lease.model.attempts - (0 if counts else 1),
            "lease_owner": None,
            "lease_until": None,
            "next_attempt_at": func.clock_timestamp() + after,
            "sent_at": None,
            "error_kind": kind,
            "error": _storable(error),
        },
    )


def fail(session: Session, lease: Lease, *, kind: str, error: str) -> None:
    """The row's work cannot be done: its terminal state. Raises LeaseLost."""
    _write(
        session,
        lease,
        {
            "state": WorkState.FAILED,
            "lease_owner": None,
            "lease_until": None,
            "error_kind": kind,
            "error": _storable(error),
            "finished_at": func.clock_timestamp(),
        },
    )


def overdue(session: Session, model: LeasedModel, *, limit: int = 500) -> Sequence[int]:
    """Take the ids of rows whose message was lost or whose worker died, and mark them as sent now.

    A row is overdue when it is due and was not sent in the last minutes, or when its lease has expired.
    Rows that another transaction holds are left to it.
    """
    ids = session.scalars(
        select(model.id)
        .where(is_overdue(model))
        .order_by(model.next_attempt_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    mark_sent(session, model, ids)
    return ids


def is_overdue(model: LeasedModel) -> ColumnElement[bool]:
    """The condition for `overdue`, for those who only want to count."""
    now = func.clock_timestamp()
    unsent = or_(model.sent_at.is_(None), model.sent_at < now - RESEND_AFTER)
    due = and_(model.state == WorkState.PENDING, model.next_attempt_at <= now)
    return and_(or_(due, _expired(model)), unsent)


def mark_sent(session: Session, model: LeasedModel, ids: Sequence[int]) -> None:
    """Note that messages for these rows leave now."""
    if ids:
        session.execute(update(model).where(model.id.in_(ids)).values(sent_at=func.clock_timestamp()))


def _storable(error: str) -> str:
    # PostgreSQL's text cannot hold the NUL character, and a reason may quote what came over the wire.
    return error[:_ERROR_LENGTH].replace("\x00", "\ufffd")


def _expired(model: LeasedModel) -> ColumnElement[bool]:
    return and_(model.state == WorkState.RUNNING, model.lease_until < func.clock_timestamp())


def _mine(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    model = lease.model
    return (model.id == lease.row_id, model.fence == lease.fence, model.state == WorkState.RUNNING)


def _write(session: Session, lease: Lease, values: dict[str, Any]) -> None:
    model = lease.model
    written = session.execute(
        update(model).where(*_mine(lease)).values(**values).returning(model.id)
    ).scalar_one_or_none()
    if written is None:
        raise LeaseLost(f"{model.__tablename__} {lease.row_id} was taken over by another worker")
