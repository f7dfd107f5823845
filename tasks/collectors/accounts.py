"""Which accounts a job collects, and a run for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from agent.errors import AgentError
from db import leases
from db.collection import accounts_with_open_runs, create_run
from db.leases import Lease
from db.models import CollectionSlice, Job
from worker.agent_cache import NO_ACCOUNT
from worker.errors import BadInput
from worker.jobs import SLICE_TASK
from worker.outbox import send_after_commit
from worker.process import Process
from worker.settings import parse_account_id
from worker.unit import UnitOfWork


@dataclass(frozen=True, slots=True)
class Accounts:
    """Account ids, and why there may be more than these."""

    ids: Sequence[int]
    problem: str = ""


def start_runs(unit: UnitOfWork, lease: Lease) -> None:
    """Insert the runs of a collect job with their first slices, and send these after the commit."""
    with unit.transaction() as session:
        job = session.get_one(Job, lease.row_id)
        params, scheduled = job.params, job.slot is not None
    # Asking Graph takes as long as it takes; no transaction stays open over it.
    found = Accounts(params["accounts"]) if params.get("accounts") else accounts_of(unit.process)
    settings = unit.settings
    with unit.transaction() as session:
        leases.hold(session, lease)
        # A run that is not over reads these days already, or waits for Meta; another one would only
        # double its calls. What a person asks for is done all the same.
        busy = accounts_with_open_runs(session) if scheduled else set()
        slices = []
        for account_id in found.ids:
            if account_id in busy:
                continue
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
        result: dict[str, Any] = {"accounts": len(slices)}
        if found.problem:
            result["problem"] = unit.process.redact(found.problem)
        leases.finish(session, lease, result=result)


def accounts_of(process: Process) -> Accounts:
    """The accounts that are set, or else those with a token of their own and all that the common one sees.

    Raises BadInput when there is no token to ask with, and the errors of agent.errors when no account is
    known without the common token.
    """
    settings = process.settings
    if settings.facebook_ad_account_ids:
        return Accounts(settings.facebook_ad_account_ids)
    own = [parse_account_id(account) for account in settings.facebook_account_tokens]
    token = settings.facebook_access_token
    if not token.get_secret_value():
        if not own:
            raise BadInput("no access token is set; set FACEBOOK_ACCESS_TOKEN")
        return Accounts(sorted(own))
    try:
        seen = process.agents.get(NO_ACCOUNT, token).accounts()
    except AgentError as error:
        if not own:
            raise
        # The trouble of the common token is not theirs.
        return Accounts(sorted(own), f"{error.kind}: {error}")
    return Accounts(sorted({*own, *seen}))


def _day(params: dict[str, Any], name: str) -> date | None:
    value = params.get(name)
    return None if value is None else date.fromisoformat(value)
