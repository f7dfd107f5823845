"""`adtempo demo`: one full cycle on this machine, with simulators in place of Meta and Notion."""

from __future__ import annotations

import os
import textwrap
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from db.models import JobKind
from worker.cli.console import JsonFlag, out, print_json, print_rows, say
from worker.cli.exits import Exit
from worker.errors import ServiceUnavailable, WorkFailed

_KEEP_HELP = "Leave everything up, with beat and Flower, until Ctrl-C."
_WORKER_START = 60.0


def demo(
    keep: Annotated[bool, typer.Option("--keep", help=_KEEP_HELP)] = False, as_json: JsonFlag = False
) -> int:
    """Collect, analyse and report once, with local servers and simulators; then stop everything."""
    from worker.demo import celery_processes, demo_place
    from worker.embedded.ports import free_port

    # From the environment alone: what stands in `.env` is for the real thing.
    root = Path(os.environ.get("ADTEMPO_DATA_DIR") or ".adtempo").resolve() / "demo"
    commands = [("worker", ["worker", "--concurrency=2", "--loglevel=INFO"])]
    flower_port = free_port()
    if keep:
        commands += [("beat", ["beat"]), ("flower", ["flower", f"--port={flower_port}"])]
    with demo_place(root, say=say) as place:
        # What is not in the demo's environment must go from this process too: an address of the real
        # broker, say.
        os.environ.clear()
        os.environ.update(place.env)
        _migrate()
        say("starting a worker")
        with celery_processes(place, *commands) as processes:
            _wait_for_worker(processes)
            summary = _cycle(place)
            if keep:
                summary["flower"] = f"http://127.0.0.1:{flower_port}"
                summary["notion"] = f"{place.notion_url}/view/"
            if as_json:
                print_json(summary)
            else:
                _show(summary)
            if keep:
                _stay(processes, summary)
    if not as_json:
        say("everything is stopped; the data is kept, and a second run finds it unchanged")
    return Exit.DONE


def _migrate() -> None:
    from db.migrate import upgrade
    from worker.app import current_process

    upgrade(current_process().engine)


def _wait_for_worker(processes: list[Any]) -> None:
    from worker.app import app
    from worker.waiting import workers_alive

    deadline = time.monotonic() + _WORKER_START
    while not workers_alive(app, timeout=1.0):
        for process in processes:
            process.require_running()
        if time.monotonic() > deadline:
            raise ServiceUnavailable(f"the worker did not answer within {_WORKER_START:.0f} s")


def _cycle(place: Any) -> dict[str, Any]:
    """Collect, analyse, report; what was done. Raises WorkFailed when a job did not succeed."""
    from db.accounts import known_accounts
    from db.judgement import open_suggestions
    from db.models import AdAccount
    from db.progress import run_summaries
    from worker.app import current_process
    from worker.cli.asking import ask_and_wait
    from worker.demo import save_page
    from worker.jobs import request_now

    collect_ids = ask_and_wait(lambda session: [request_now(session, JobKind.COLLECT)], title="collecting")
    _require_done(collect_ids)
    process = current_process()

    def for_each_account(kind: JobKind) -> list[int]:
        ids = ask_and_wait(
            lambda session: [
                request_now(session, kind, account_id=account_id) for account_id in known_accounts(session)
            ],
            title=f"{kind.value}: every account",
        )
        _require_done(ids)
        return ids

    for_each_account(JobKind.ANALYZE)
    report_ids = for_each_account(JobKind.REPORT)
    with process.session() as session:
        runs = run_summaries(session, collect_ids)
        accounts = {
            account_id: session.get_one(AdAccount, account_id) for account_id in known_accounts(session)
        }
        suggestions = open_suggestions(session)
    reports = [
        {"account_id": job.account_id, **(job.result or {})} for job in _jobs(report_ids) if job.result
    ]
    for report in reports:
        copy = place.root / "reports" / f"{report['account_id']}-{report['date']}.html"
        save_page(report["url"], copy)
        report["copy"] = str(copy)
    return {
        "accounts": [
            {
                "account_id": run.account_id,
                "name": accounts[run.account_id].name,
                "currency": accounts[run.account_id].currency,
                "rows_read": run.rows_read,
                "rows_written": run.rows_inserted + run.rows_updated + run.rows_deleted,
                "graph_calls": run.graph_calls,
            }
            for run in runs
        ],
        "suggestions": suggestions,
        "reports": reports,
        "agents": process.agent_board.read(),
    }


def _jobs(job_ids: list[int]) -> list[Any]:
    from db.progress import jobs_by_id
    from worker.app import current_process

    with current_process().session() as session:
        return jobs_by_id(session, job_ids)


def _require_done(job_ids: list[int]) -> None:
    from db.progress import run_summaries
    from worker.app import current_process

    problems = [f"{job.kind.value}: {job.error}" for job in _jobs(job_ids) if job.error_kind]
    with current_process().session() as session:
        problems += [text for run in run_summaries(session, job_ids) for _, text in run.errors]
    if problems:
        raise WorkFailed("; ".join(dict.fromkeys(problems)))


def _show(summary: dict[str, Any]) -> None:
    accounts = [{**row, "account_id": str(row["account_id"])} for row in summary["accounts"]]
    columns = {
        "account_id": "Account",
        "name": "Name",
        "currency": "Currency",
        "rows_read": "Rows read",
        "rows_written": "Rows written",
        "graph_calls": "Graph calls",
    }
    print_rows(accounts, title="Accounts", columns=columns, as_json=False, empty="no account was found")
    columns = {"campaign": "Campaign", "type": "Suggestion", "reason": "Why"}
    suggestions = [
        {
            "campaign": textwrap.shorten(row["campaign"], 40, placeholder=" …"),
            "type": row["type"].value,
            # The whole reason stands in the report.
            "reason": row["reason"].split("; ")[0] + ".",
        }
        for row in summary["suggestions"]
    ]
    print_rows(suggestions, title="Suggestions", columns=columns, as_json=False, empty="no suggestion")
    print_rows(
        [
            {"process": record.process, "agents": len(record.agents), "builds": builds, "hits": hits}
            for record in summary["agents"]
            for builds, hits in [
                (sum(agent.builds for agent in record.agents), sum(agent.hits for agent in record.agents))
            ]
        ],
        title="Ad agents of the worker's processes",
        columns={"process": "Process", "agents": "Agents", "builds": "Builds", "hits": "Cache hits"},
        as_json=False,
        empty="no ad agent was needed",
    )
    for report in summary["reports"]:
        line = f"report of {report['account_id']} ({report['outcome']}): {report['url']}"
        out().print(line, soft_wrap=True, markup=False)
        out().print(
            f"  a copy to look at when the demo is over: {report['copy']}", soft_wrap=True, markup=False
        )


def _stay(processes: list[Any], summary: dict[str, Any]) -> None:
    say(f"everything stays up until Ctrl-C: Flower at {summary['flower']}, Notion at {summary['notion']}")
    try:
        while True:
            for process in processes:
                process.require_running()
            time.sleep(1)
    except KeyboardInterrupt:
        say("stopping")
