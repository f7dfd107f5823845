"""Reading what is stored: `adtempo status|campaigns|insights|suggestions`."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.entities import CAMPAIGN_STATUSES
from db.models import Level, SuggestionStatus, SuggestionType
from worker.cli.arguments import account_ids, breakdowns, day_range, levels, object_id, parse_day
from worker.cli.console import JsonFlag, print_json, print_rows, say
from worker.cli.exits import Exit
from worker.errors import BadInput

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from db.read import Page, Row
    from worker.process import Process

suggestions_app = typer.Typer(no_args_is_help=True, help="What the analysis suggests.")

Accounts = Annotated[
    list[str] | None, typer.Option("--account", help="Ad account id; may be given several times.")
]
Limit = Annotated[int, typer.Option(min=1, max=1_000_000, help="Print at most so many rows.")]

FAILED_WITHIN = timedelta(days=3)
_FAILURES_SHOWN = 20


def campaigns(
    account: Accounts = None,
    status: Annotated[str | None, typer.Option(help="Effective status, such as ACTIVE or PAUSED.")] = None,
    limit: Limit = 200,
    as_json: JsonFlag = False,
) -> int:
    """Show the campaigns with their newest scores."""
    from db.read import campaigns as read_campaigns

    accounts = account_ids(account)
    wanted = _one_of(CAMPAIGN_STATUSES, status, "--status")
    page = _read(
        accounts,
        lambda session: read_campaigns(session, account_ids=accounts, status=wanted, limit=limit),
    )
    columns = {
        "id": "Campaign",
        "account_id": "Account",
        "name": "Name",
        "effective_status": "Status",
        "objective": "Objective",
        "daily_budget": "Daily budget",
        "lifetime_budget": "Lifetime budget",
        "currency": "Currency",
        "score": "Score",
        "score_date": "Of",
        "score_note": "Note",
        "synced_at": "Synced",
    }
    _print_page(
        page,
        title="Campaigns",
        columns=columns,
        as_json=as_json,
        empty="no campaign is stored that fits; `adtempo run collect` collects them",
    )
    return Exit.DONE


def insights(
    account: Accounts = None,
    level: Annotated[str, typer.Option(help="account, campaign, adset or ad.")] = Level.CAMPAIGN.value,
    since: Annotated[str | None, typer.Option(help="First day, YYYY-MM-DD, in the account's zone.")] = None,
    until: Annotated[str | None, typer.Option(help="Last day, YYYY-MM-DD, in the account's zone.")] = None,
    breakdown: Annotated[str | None, typer.Option(help="Such as country, or age+gender.")] = None,
    campaign: Annotated[str | None, typer.Option(help="Id of one campaign.")] = None,
    limit: Limit = 100,
    totals: Annotated[bool, typer.Option("--sum", help="Add up by account and day.")] = False,
    as_json: JsonFlag = False,
) -> int:
    """Show daily insights, newest first."""
    from db.read import InsightsFilter, daily_totals
    from db.read import insights as read_insights

    first, last = parse_day(since, "--since"), parse_day(until, "--until")
    day_range(first, last)
    wanted = InsightsFilter(
        level=Level(levels([level])[0]),
        breakdown=breakdowns([breakdown])[0] if breakdown else "",
        account_ids=account_ids(account),
        campaign_id=object_id(campaign, "--campaign"),
        since=first,
        until=last,
    )
    if wanted.level is Level.ACCOUNT and wanted.campaign_id is not None:
        raise BadInput("--campaign: rows of the level account belong to no campaign; choose another --level")
    question = daily_totals if totals else read_insights
    page = _read(wanted.account_ids, lambda session: question(session, wanted, limit=limit))
    where = {"date": "Date", "account_id": "Account"}
    if not totals:
        where |= {"entity_id": wanted.level.value.capitalize(), "campaign_name": "Campaign name"}
        if wanted.breakdown:
            where["breakdown_values"] = "Breakdown"
    what = {
        "impressions": "Impressions",
        "clicks": "Clicks",
        "spend": "Spend",
        "purchases": "Purchases",
        "revenue": "Revenue",
        "currency": "Currency",
        "cpa": "CPA",
        "roas": "ROAS",
    }
    _print_page(
        page,
        title="Insights by account and day" if totals else "Insights",
        columns=where | what,
        as_json=as_json,
        empty="no insights are stored that fit; `adtempo run collect` collects them",
    )
    return Exit.DONE


@suggestions_app.command("list")
def list_suggestions(
    account: Accounts = None,
    status: Annotated[
        str | None, typer.Option(help="PENDING, ACCEPTED, REJECTED, APPLIED or EXPIRED.")
    ] = None,
    kind: Annotated[str | None, typer.Option("--type", help="Such as PAUSE or BUDGET_UP.")] = None,
    limit: Limit = 100,
    as_json: JsonFlag = False,
) -> int:
    """Show the suggestions, newest first."""
    from db.read import suggestions

    accounts = account_ids(account)
    chosen = _one_of([member.value for member in SuggestionStatus], status, "--status")
    chosen_type = _one_of([member.value for member in SuggestionType], kind, "--type")
    page = _read(
        accounts,
        lambda session: suggestions(
            session,
            account_ids=accounts,
            status=SuggestionStatus(chosen) if chosen else None,
            kind=SuggestionType(chosen_type) if chosen_type else None,
            limit=limit,
        ),
    )
    columns = {
        "id": "No.",
        "account_id": "Account",
        "campaign_id": "Campaign",
        "campaign_name": "Name",
        "type": "Type",
        "reason": "Reason",
        "status": "Status",
        "created_at": "Made",
    }
    _print_page(
        page,
        title="Suggestions",
        columns=columns,
        as_json=as_json,
        empty="no suggestion fits; `adtempo run analyze` judges the campaigns",
    )
    return Exit.DONE


def status(as_json: JsonFlag = False) -> int:
    """Show how the work stands: last syncs, open and failed work, queues."""
    import redis

    from db import state_of_work
    from db.migrate import require_head
    from worker.app import current_process
    from worker.queue_lengths import queue_lengths

    process = current_process()
    require_head(process.engine)
    with process.session() as session:
        # One snapshot, so that the parts agree.
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        accounts = state_of_work.last_syncs(session)
        slices = state_of_work.failed_slices(session, within=FAILED_WITHIN, limit=_FAILURES_SHOWN)
        jobs = state_of_work.failed_jobs(session, within=FAILED_WITHIN, limit=_FAILURES_SHOWN)
        open_work = state_of_work.open_work(session)
        overdue = state_of_work.overdue(session)
    known = {row["account_id"] for row in accounts}
    accounts += [{"account_id": account_id} for account_id in _configured(process) if account_id not in known]
    unreachable = False
    lengths: dict[str, int] | None = None
    try:
        lengths = queue_lengths(process.settings)
    except redis.RedisError:
        unreachable = True
        say("the queues cannot be read: the broker does not answer; check CELERY_BROKER_URL or REDIS_URL")
    document = {
        "accounts": [_sync(row) for row in accounts],
        "open": open_work,
        "overdue": overdue,
        "queues": "unknown" if lengths is None else lengths,
        "failed": {
            "within_days": FAILED_WITHIN.days,
            "slices": slices.rows,
            "slices_not_shown": slices.more,
            "jobs": jobs.rows,
            "jobs_not_shown": jobs.more,
        },
    }
    if as_json:
        print_json(document)
    else:
        _print_status(accounts, document, slices, jobs)
    return Exit.UNREACHABLE if unreachable else Exit.DONE


def _sync(row: Row) -> Row:
    """An account's row with what belongs to its last run apart."""
    of_account = ("account_id", "name", "timezone_name", "account_status")
    ran = row.get("run_id") is not None
    last = {name: value for name, value in row.items() if name not in (*of_account, "open_runs")}
    return {
        **{name: row.get(name) for name in of_account},
        "open_runs": row.get("open_runs", 0),
        "last_sync": last if ran else None,
    }


def _print_status(accounts: Sequence[Row], document: Mapping[str, Any], slices: Page, jobs: Page) -> None:
    print_rows(
        _shown(accounts),
        title="Last sync of each account",
        columns={
            "account_id": "Account",
            "name": "Name",
            "state": "State",
            "finished_at": "Finished",
            "rows_read": "Rows read",
            "rows_inserted": "New",
            "rows_updated": "Changed",
            "rows_deleted": "Gone",
            "slices_failed": "Slices failed",
            "open_runs": "Runs open",
        },
        as_json=False,
        empty="no account is known yet; `adtempo run collect` collects them",
    )
    work = [
        {"what": what, **counts, "overdue": document["overdue"].get(what)}
        for what, counts in document["open"].items()
    ]
    print_rows(
        work,
        title="Open work",
        columns={"what": "What", "pending": "Pending", "running": "Running", "overdue": "Overdue"},
        as_json=False,
        empty="",
    )
    queues = document["queues"]
    if isinstance(queues, dict):
        waiting = [{"queue": name, "messages": length} for name, length in queues.items()]
        columns = {"queue": "Queue", "messages": "Messages"}
        print_rows(waiting, title="Queues", columns=columns, as_json=False, empty="")
    else:
        say("the lengths of the queues are unknown")
    failures = {
        "error_kind": "Kind of error",
        "error": "Error",
        "attempts": "Attempts",
        "finished_at": "When",
    }
    for page, title, columns in (
        (
            slices,
            "Slices",
            {
                "id": "Slice",
                "account_id": "Account",
                "kind": "What",
                "level": "Level",
                "breakdown": "Breakdown",
                "since": "Since",
                "until": "Until",
            },
        ),
        (jobs, "Jobs", {"id": "Job", "kind": "What", "account_id": "Account"}),
    ):
        if page.rows:
            heading = f"{title} that failed in the last {FAILED_WITHIN.days} days"
            _print_page(page, title=heading, columns=columns | failures, as_json=False, empty="")


def _read(accounts: Sequence[int], question: Callable[[Session], Page]) -> Page:
    """Ask the database, once it has this program's schema and knows the accounts."""
    from db.accounts import known_accounts
    from db.migrate import require_head
    from worker.app import current_process

    process = current_process()
    require_head(process.engine)
    with process.session() as session:
        if accounts:
            known = {*known_accounts(session), *_configured(process)}
            for account_id in accounts:
                if account_id not in known:
                    raise BadInput(
                        f"--account: unknown ad account {account_id}; `adtempo status` lists the known ones"
                    )
        return question(session)


def _configured(process: Process) -> list[int]:
    from worker.settings import parse_account_id

    own = map(parse_account_id, process.settings.facebook_account_tokens)
    return list(dict.fromkeys([*process.settings.facebook_ad_account_ids, *own]))


def _one_of(known: Iterable[str], text: str | None, option: str) -> str | None:
    """The word as Meta and the tables write it, whatever the case it was typed in."""
    if text is None:
        return None
    names = list(known)
    if text.strip().upper() not in names:
        raise BadInput(f"{option}: {text!r} is unknown; known: {', '.join(names)}")
    return text.strip().upper()


def _print_page(page: Page, *, title: str, columns: Mapping[str, str], as_json: bool, empty: str) -> None:
    if as_json:
        print_json(page.rows)
    else:
        print_rows(_shown(page.rows), title=title, columns=columns, as_json=False, empty=empty)
    if page.more:
        say(f"… and {page.more:,} more")


def _shown(rows: Iterable[Row]) -> list[Row]:
    """Rows for a table: ids are names, not amounts, and a breakdown's values are read in a line."""
    return [{name: _in_words(name, value) for name, value in row.items()} for row in rows]


def _in_words(name: str, value: object) -> object:
    if value is None:
        return None
    if name == "id" or name.endswith("_id"):
        return str(value)
    if isinstance(value, enum.Enum):
        return str(value.value)
    if name == "breakdown_values" and isinstance(value, dict):
        return ", ".join(f"{key}: {part}" for key, part in sorted(value.items()))
    return value
