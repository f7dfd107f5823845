"""`adtempo run …`: asking for a job, and showing how it goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from db.models import JobKind
from worker.cli.arguments import (
    account_ids,
    breakdowns,
    day_range,
    levels,
    not_future,
    not_too_old,
    parse_day,
)
from worker.cli.asking import ask_and_wait
from worker.cli.console import JsonFlag, print_json, print_rows, say
from worker.cli.exits import Exit, exit_of_kind
from worker.errors import BadInput
from worker.jobs import request_now

app = typer.Typer(no_args_is_help=True, help="Do a job now, on the workers.")

Accounts = Annotated[
    list[str] | None, typer.Option("--account", help="Ad account id; may be given several times.")
]
OneAccount = Annotated[str | None, typer.Option("--account", help="Ad account id; all accounts without it.")]
Day = Annotated[
    str | None, typer.Option("--date", help="The day, YYYY-MM-DD, in the account's own time zone.")
]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the end and show the outcome.")]


@app.command()
def collect(
    account: Accounts = None,
    since: Annotated[str | None, typer.Option(help="First day, YYYY-MM-DD.")] = None,
    until: Annotated[str | None, typer.Option(help="Last day, YYYY-MM-DD.")] = None,
    level: Annotated[list[str] | None, typer.Option(help="account, campaign, adset or ad.")] = None,
    breakdown: Annotated[list[str] | None, typer.Option(help="Such as country, or age+gender.")] = None,
    wait: Wait = True,
    as_json: JsonFlag = False,
) -> int:
    """Collect campaigns and insights from Meta."""
    from worker.accounts import require_token
    from worker.services import connected_settings

    first, last = parse_day(since, "--since"), parse_day(until, "--until")
    day_range(first, last)
    not_too_old(first, "--since")
    not_too_old(last, "--until")
    params: dict[str, Any] = {}
    if level:
        params["levels"] = levels(level)
    if breakdown:
        params["breakdowns"] = breakdowns(breakdown)
    accounts = account_ids(account)
    if accounts:
        params["accounts"] = accounts
    if first:
        params["since"] = first.isoformat()
    if last:
        params["until"] = last.isoformat()

    def ask(session: Session) -> list[int]:
        return [request_now(session, JobKind.COLLECT, params=params)]

    require_token(connected_settings(), accounts)

    job_ids = ask_and_wait(ask, accounts=accounts, wait=wait)
    return _outcome_of_collection(job_ids, as_json=as_json) if wait else _asked(job_ids, as_json=as_json)


@app.command()
def analyze(account: OneAccount = None, day: Day = None, wait: Wait = True, as_json: JsonFlag = False) -> int:
    """Judge the campaigns: scores and suggestions."""
    return _for_accounts(JobKind.ANALYZE, account, day, wait=wait, as_json=as_json)


@app.command()
def report(account: OneAccount = None, day: Day = None, wait: Wait = True, as_json: JsonFlag = False) -> int:
    """Write the daily report to Notion (of yesterday, without --date)."""
    from worker.services import connected_settings

    if not connected_settings().notion_api_token.get_secret_value():
        say("no report was written: NOTION_API_TOKEN is not set")
        if as_json:
            print_json([])
        return Exit.DONE
    return _for_accounts(JobKind.REPORT, account, day, wait=wait, as_json=as_json)


@app.command()
def cleanup(wait: Wait = True, as_json: JsonFlag = False) -> int:
    """Delete the rows of work that ended long ago."""

    def ask(session: Session) -> list[int]:
        return [request_now(session, JobKind.CLEANUP)]

    job_ids = ask_and_wait(ask, wait=wait)
    return _outcome(job_ids, as_json=as_json) if wait else _asked(job_ids, as_json=as_json)


def _for_accounts(kind: JobKind, account: str | None, day: str | None, *, wait: bool, as_json: bool) -> int:
    from db.accounts import known_accounts

    chosen = parse_day(day, "--date")
    not_future(chosen, "--date")
    accounts = account_ids([account] if account else None)

    def ask(session: Session) -> list[int]:
        ids = accounts or known_accounts(session)
        if not ids:
            raise BadInput("no account was collected yet; run `adtempo run collect` first")
        params = {"date": chosen.isoformat()} if chosen else {}
        return [request_now(session, kind, account_id=account_id, params=params) for account_id in ids]

    job_ids = ask_and_wait(ask, accounts=accounts, collected=True, wait=wait)
    return _outcome(job_ids, as_json=as_json) if wait else _asked(job_ids, as_json=as_json)


def _asked(job_ids: Sequence[int], *, as_json: bool) -> int:
    if as_json:
        print_json({"jobs": list(job_ids)})
    else:
        say(f"asked for: job {', '.join(map(str, job_ids))}; see `adtempo status`")
    return Exit.DONE


def _outcome(job_ids: Sequence[int], *, as_json: bool) -> int:
    """Print what the jobs came to; the exit code is the worst of theirs."""
    from db.progress import jobs_by_id
    from worker.app import current_process

    with current_process().session() as session:
        jobs = jobs_by_id(session, job_ids)
    rows = [
        {
            "job": job.id,
            "kind": job.kind.value,
            "account_id": job.account_id,
            "state": job.state.value,
            "result": job.result,
            "error_kind": job.error_kind,
            "error": job.error,
        }
        for job in jobs
    ]
    if as_json:
        print_json(rows)
    else:
        shown = [
            {**row, "result": _in_words(row["result"]) if not row["error"] else row["error"]} for row in rows
        ]
        columns = {"account_id": "Account", "kind": "Job", "state": "State", "result": "Result"}
        for row in shown:
            row["account_id"] = str(row["account_id"] or "")
        print_rows(shown, title="Jobs", columns=columns, as_json=False, empty="nothing was done")
    return max((exit_of_kind(job.error_kind) for job in jobs if job.error_kind), default=Exit.DONE)


def _outcome_of_collection(job_ids: Sequence[int], *, as_json: bool) -> int:
    from db.progress import jobs_by_id, run_summaries
    from worker.app import current_process

    with current_process().session() as session:
        jobs = jobs_by_id(session, job_ids)
        runs = run_summaries(session, job_ids)
    if as_json:
        print_json({"jobs": list(job_ids), "runs": runs, "errors": [job.error for job in jobs if job.error]})
    elif runs:
        rows = [
            {
                "account": str(run.account_id),
                "state": run.state.value,
                "slices": run.slices,
                "read": run.rows_read,
                "new": run.rows_inserted,
                "changed": run.rows_updated,
                "gone": run.rows_deleted,
                "calls": run.graph_calls,
            }
            for run in runs
        ]
        columns = {
            "account": "Account",
            "state": "State",
            "slices": "Slices",
            "read": "Rows read",
            "new": "New",
            "changed": "Changed",
            "gone": "Gone",
            "calls": "Graph calls",
        }
        print_rows(rows, title="Collected", columns=columns, as_json=False, empty="")
    problems = [("job", job.error_kind, job.error) for job in jobs if job.error_kind]
    problems += [(f"account {run.account_id}", *problem) for run in runs for problem in run.errors]
    for where, kind, text in dict.fromkeys(problems):
        say(f"{where}: {kind}: {text}")
    return max((exit_of_kind(kind) for _, kind, _ in problems), default=Exit.DONE)


def _in_words(result: Any) -> str:
    return ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in (result or {}).items())
