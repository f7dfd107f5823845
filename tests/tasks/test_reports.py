"""Reporting to Notion, through the task."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from db.models import Job, JobKind, WorkState
from tests.support.inline import InlineWorker
from tests.support.simulators import GraphSimulator, Simulator
from tests.tasks.test_processors import run


def report_pages(notion: Simulator) -> list[dict[str, Any]]:
    return [
        page for page in notion.get("pages")["pages"] if not page["in_trash"] and "Key" in page["properties"]
    ]


@pytest.fixture
def account_id(worker: InlineWorker, graph: GraphSimulator) -> int:
    run(worker, JobKind.COLLECT)
    first = graph.account_ids()[0]
    run(worker, JobKind.ANALYZE, first)
    return first


def test_a_report_is_written_once_however_often_it_is_run(
    worker: InlineWorker, notion: Simulator, account_id: int
) -> None:
    first = run(worker, JobKind.REPORT, account_id)
    assert first.state is WorkState.DONE, first.error
    second = run(worker, JobKind.REPORT, account_id)
    assert ((first.result or {})["outcome"], (second.result or {})["outcome"]) == ("created", "unchanged")
    assert (first.result or {})["url"] == (second.result or {})["url"]
    assert len(report_pages(notion)) == 1


def test_another_day_is_another_page(worker: InlineWorker, notion: Simulator, account_id: int) -> None:
    first = run(worker, JobKind.REPORT, account_id)
    day = date.fromisoformat((first.result or {})["date"]) - timedelta(days=1)
    second = run(worker, JobKind.REPORT, account_id, date=day.isoformat())
    assert second.state is WorkState.DONE, second.error
    assert len(report_pages(notion)) == 2


@pytest.mark.parametrize(
    "fault",
    ["rate_limited", "conflict_error", "service_overload", "http_502_html", "cut", "partial_write"],
)
def test_a_passing_fault_of_notion_is_retried_to_one_whole_page(
    worker: InlineWorker, notion: Simulator, account_id: int, fault: str
) -> None:
    notion.fault(fault, path="/v1/", method="POST", times=2)
    job = run(worker, JobKind.REPORT, account_id)
    assert job.state is WorkState.PENDING
    worker.settle()
    with worker.process.session() as session:
        assert session.get_one(Job, job.id).state is WorkState.DONE
    assert len(report_pages(notion)) == 1


def test_without_a_notion_token_the_report_is_skipped_and_says_so(
    worker: InlineWorker, notion: Simulator, account_id: int
) -> None:
    worker.process.settings = worker.process.settings.model_copy(update={"notion_api_token": SecretStr("")})
    job = run(worker, JobKind.REPORT, account_id)
    assert job.state is WorkState.DONE
    assert job.result == {"skipped": "NOTION_API_TOKEN is not set"}
    assert not [entry for entry in notion.log() if entry["path"].startswith("/v1/")]


def test_an_unknown_parent_page_fails_the_job_and_says_what_to_do(
    worker: InlineWorker, account_id: int
) -> None:
    worker.process.settings = worker.process.settings.model_copy(
        update={"notion_parent_page_id": "393abc1eedcd80f3813be205934558c6"}
    )
    job = run(worker, JobKind.REPORT, account_id)
    assert (job.state, job.error_kind) == (WorkState.FAILED, "notion_missing")
    assert job.error


def test_an_account_that_was_never_collected_is_refused(worker: InlineWorker) -> None:
    job = run(worker, JobKind.REPORT, 4711)
    assert job.state is WorkState.FAILED
    assert "adtempo run collect" in (job.error or "")
