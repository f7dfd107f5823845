"""Work as rows: jobs, collection runs and their slices.

The row is the truth, the message is a hint. Whoever wants work done inserts a row here and sends its id;
a worker claims the row for a limited time (a lease), takes one step and writes the outcome back. If the
message is lost or the worker dies, the row is found overdue and its id is sent again.
"""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from db.models.base import Base, CreatedAt, RowId, enum_type
from db.models.insights import Level


class WorkState(enum.StrEnum):
    """pending → running → done; back to pending for another attempt; failed when there is none left."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class JobKind(enum.StrEnum):
    COLLECT = "collect"
    ANALYZE = "analyze"
    REPORT = "report"
    CLEANUP = "cleanup"
    CHECK_TOKENS = "check_tokens"


class SliceKind(enum.StrEnum):
    """What a slice reads: the account with its campaigns (and then the run is planned), or insights."""

    ENTITIES = "entities"
    INSIGHTS = "insights"


class RunState(enum.StrEnum):
    """A run is incomplete when some of its slices failed and the others are done."""

    RUNNING = "running"
    DONE = "done"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


class Leased:
    """The columns of a row that workers claim. `db.leases` holds the only code that writes them."""

    state: Mapped[WorkState] = mapped_column(
        enum_type(WorkState, "work_state"), server_default=WorkState.PENDING.value
    )
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    # Counts the claims. A worker whose number is no longer the row's has been overtaken.
    fence: Mapped[int] = mapped_column(server_default="0")
    lease_owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    # When the last claim was made: what was read under it is not older than this.
    claimed_at: Mapped[datetime | None]
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=func.now())
    # When the row's id was last sent to the broker.
    sent_at: Mapped[datetime | None]
    error_kind: Mapped[str | None]
    error: Mapped[str | None]
    created_at: Mapped[CreatedAt]
    finished_at: Mapped[datetime | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:
        return cls.table_args(cls.__tablename__)  # type: ignore[attr-defined]

    @staticmethod
    def table_args(table: str) -> tuple[Any, ...]:
        """The indexes and constraints of a table of such rows."""
        return (
            Index(
                f"ix_{table}_unfinished",
                "next_attempt_at",
                postgresql_where=text("state IN ('pending', 'running')"),
            ),
            CheckConstraint("(state = 'running') = (lease_until IS NOT NULL)", name="leased_while_running"),
        )


class Job(Leased, Base):
    """One piece of work somebody or the schedule asked for."""

    __tablename__ = "jobs"

    id: Mapped[RowId]
    kind: Mapped[JobKind] = mapped_column(enum_type(JobKind, "job_kind"))
    # The schedule's tick, such as `collect:2026-11-22T10:30Z`; unique, so that two beats make one job.
    slot: Mapped[str | None] = mapped_column(unique=True)
    account_id: Mapped[int | None] = mapped_column(index=True)
    params: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    requested_by: Mapped[str] = mapped_column(server_default="schedule")
    result: Mapped[dict[str, Any] | None]


class CollectionRun(Base):
    """One account's collection: what was asked, and when its last slice ended."""

    __tablename__ = "collection_runs"
    __table_args__ = (Index(None, "account_id", "created_at"),)

    id: Mapped[RowId]
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    account_id: Mapped[int]
    # Dates of the account's own zone, both included; NULL: from the last sync or the lookback, to today.
    since: Mapped[date | None] = mapped_column(Date)
    until: Mapped[date | None] = mapped_column(Date)
    levels: Mapped[list[str]] = mapped_column(ARRAY(Text))
    breakdowns: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[RunState] = mapped_column(
        enum_type(RunState, "run_state"), server_default=RunState.RUNNING.value
    )
    created_at: Mapped[CreatedAt]
    finished_at: Mapped[datetime | None]


class CollectionSlice(Leased, Base):
    """The unit of collecting: one account, level, breakdown and range of dates, replaced whole."""

    __tablename__ = "collection_slices"

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:
        done = Index(
            "ix_collection_slices_done",
            "account_id",
            "level",
            "breakdown",
            "until",
            postgresql_where=text("state = 'done'"),
        )
        return (*Leased.table_args(cls.__tablename__), done)

    id: Mapped[RowId]
    run_id: Mapped[int] = mapped_column(ForeignKey("collection_runs.id", ondelete="CASCADE"), index=True)
    account_id: Mapped[int]
    kind: Mapped[SliceKind] = mapped_column(enum_type(SliceKind, "slice_kind"))
    level: Mapped[Level | None] = mapped_column(enum_type(Level, "insight_level"))
    breakdown: Mapped[str] = mapped_column(server_default="")
    since: Mapped[date | None] = mapped_column(Date)
    until: Mapped[date | None] = mapped_column(Date)
    # What the last successful read brought: rows in the answer, rows that were new, changed or gone.
    rows_read: Mapped[int] = mapped_column(server_default="0")
    rows_inserted: Mapped[int] = mapped_column(server_default="0")
    rows_updated: Mapped[int] = mapped_column(server_default="0")
    rows_deleted: Mapped[int] = mapped_column(server_default="0")
    graph_calls: Mapped[int] = mapped_column(server_default="0")
