"""A slice of insights: streamed from Graph into the staging table, and swapped in whole."""

from __future__ import annotations

from sqlalchemy.orm import Session

from agent.insights import InsightsQuery
from db import leases
from db.collection import close_run_if_over, was_read_since
from db.coverage import add_covered
from db.errors import NewerReadExists
from db.insights_load import InsightStaging, SliceKey
from db.leases import Lease
from db.models import CollectionSlice
from tasks.attempts import LEASE
from worker.unit import UnitOfWork


def read_insights(unit: UnitOfWork, lease: Lease) -> None:
    """Read the slice's days and make the rows of `insights` equal to them, in one transaction at the end.

    The lease is renewed with every page. A worker that lost it commits nothing.
    """
    with unit.transaction() as session:
        row = session.get_one(CollectionSlice, lease.row_id)
        assert row.level is not None, "a slice of insights has a level"
        assert row.since is not None, "and a first day"
        assert row.until is not None, "and a last day"
        key = SliceKey(row.account_id, row.level, row.breakdown, row.since, row.until)
    agent = unit.process.agents.get(key.account_id, unit.settings.token_for(key.account_id))
    calls_before = agent.calls
    query = InsightsQuery(
        account_id=key.account_id,
        level=key.level.value,
        since=key.since,
        until=key.until,
        breakdown=key.breakdown,
        attribution_windows=unit.settings.insights_attribution_windows,
    )
    with unit.process.engine.connect() as connection:
        staging = InsightStaging(connection, key)
        staging.begin()
        for page in agent.insights(query):
            staging.add(page)
            with unit.transaction() as session:
                leases.renew(session, lease, ttl=LEASE)
        with Session(connection, expire_on_commit=False) as session, session.begin():
            leases.hold(session, lease)
            staging.lock()
            if was_read_since(session, lease.row_id):
                raise NewerReadExists(
                    "these days were read again meanwhile; what this worker read may be older"
                )
            counts = staging.swap()
            add_covered(session, key)
            leases.finish(
                session,
                lease,
                rows_read=counts.read,
                rows_inserted=counts.inserted,
                rows_updated=counts.updated,
                rows_deleted=counts.deleted,
                graph_calls=agent.calls - calls_before,
            )
            close_run_if_over(session, row.run_id)
