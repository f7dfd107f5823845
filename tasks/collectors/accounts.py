"""Which accounts a job collects, and a run for each of them."""

from __future__ import annotations

from datetime import date
from typing import Any

from db import leases
from db.collection import create_run
from db.leases import Lease
from db.models import CollectionSlice, Job
from worker.agent_cache import NO_ACCOUNT
from worker.errors import BadInput
from worker.jobs import SLICE_TASK
from worker.outbox import send_after_commit
from worker.process import Process
from worker.unit import UnitOfWork


def start_runs(unit: UnitOfWork, lease: Lease) -> None:
    """Insert the runs of a collect job with their first slices, and send these after the commit."""
    with unit.transaction() as session:
        params = session.get_one(Job, lease.row_id).params
    # Asking Graph takes as long as it takes; no transaction stays open over it.
    accounts = params.get("accounts") or accounts_of(unit.process)
    settings = unit.settings
    with unit.transaction() as session:
        leases.hold(session, lease)
        slices = []
        for account_id in accounts:
            _, slice_id = create_run(
                session,
                job_id=lease.row_id,
                account_id=account_id,
                levels=params.get("levels") or settings.insights_levels,
                # An empty list asks for none; only a missing one takes the setting.
                breakdowns=params.get("breakdowns", settings.insights_breakdowns),
                since=_day(params, "since"),
                until=_day(params, "until"),
            )
            slices.append(slice_id)
            send_after_commit(session, SLICE_TASK, slice_id)
        leases.mark_sent(session, CollectionSlice, slices)
        leases.finish(session, lease, result={"accounts": len(slices)})


def accounts_of(process: Process) -> list[int]:
    """The accounts that are set, or else every account that the tokens see.

    Raises BadInput when there is no token to ask with, and the errors of agent.errors.
    """
    settings = process.settings
    if settings.facebook_ad_account_ids:
        return list(settings.facebook_ad_account_ids)
    found = {int(account.removeprefix("act_")) for account in settings.facebook_account_tokens}
    token = settings.facebook_access_token
    if token.get_secret_value():
        found.update(process.agents.get(NO_ACCOUNT, token).accounts())
    elif not found:
        raise BadInput("no access token is set; set FACEBOOK_ACCESS_TOKEN")
    return sorted(found)


def _day(params: dict[str, Any], name: str) -> date | None:
    value = params.get(name)
    return None if value is None else date.fromisoformat(value)
