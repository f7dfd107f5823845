"""A run's first slice: the account and its campaigns, and the plan of the slices to come."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from db import leases
from db.accounts import save_accounts, save_campaigns
from db.collection import close_run_if_over, create_slices
from db.coverage import load_coverage, want_since
from db.leases import Lease
from db.models import CollectionRun, CollectionSlice
from tasks.attempts import LEASE
from tasks.collectors.plan import first_wanted, level_and_breakdown, plan_slices
from worker.jobs import SLICE_TASK
from worker.outbox import send_after_commit
from worker.unit import UnitOfWork


def read_entities(unit: UnitOfWork, lease: Lease) -> None:
    """Save the account with its campaigns, insert its slices of insights and send them after the commit."""
    with unit.transaction() as session:
        account_id = session.get_one(CollectionSlice, lease.row_id).account_id
    agent = unit.process.agents.get(account_id, unit.settings.token_for(account_id))
    calls_before = agent.calls
    account = agent.account(account_id)
    campaigns = []
    for page in agent.campaigns(account_id, currency=account["currency"]):
        campaigns += page
        with unit.transaction() as session:
            leases.renew(session, lease, ttl=LEASE)
    settings = unit.settings
    with unit.transaction() as session:
        leases.hold(session, lease)
        written = save_accounts(session, [account])
        written += save_campaigns(session, campaigns)
        run = session.get_one(CollectionRun, session.get_one(CollectionSlice, lease.row_id).run_id)
        today = datetime.now(UTC).astimezone(ZoneInfo(account["timezone_name"])).date()
        specs = plan_slices(
            levels=run.levels,
            breakdowns=run.breakdowns,
            since=run.since,
            until=run.until,
            today=today,
            coverage=load_coverage(session, account_id),
            initial_days=settings.insights_initial_days,
            lookback_days=settings.insights_lookback_days,
        )
        if not run.since:
            first = first_wanted(min(run.until or today, today), settings.insights_initial_days)
            pairs = level_and_breakdown(run.levels, run.breakdowns)
            want_since(session, account_id, [(level, breakdown, first) for level, breakdown in pairs])
        slices = create_slices(session, run, specs)
        leases.mark_sent(session, CollectionSlice, slices)
        for slice_id in slices:
            send_after_commit(session, SLICE_TASK, slice_id)
        leases.finish(
            session,
            lease,
            rows_read=1 + len(campaigns),
            rows_updated=written,
            graph_calls=agent.calls - calls_before,
        )
        # An account whose own day has not come yet has nothing to plan, and its run is over.
        close_run_if_over(session, run.id)
