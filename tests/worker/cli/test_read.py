"""Reading what is stored, on a real PostgreSQL and Redis."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Insert, event, insert, text

from db.models import (
    AdAccount,
    Campaign,
    CampaignScore,
    CollectionRun,
    CollectionSlice,
    Insight,
    Job,
    JobKind,
    Level,
    RunState,
    SliceKind,
    Suggestion,
    SuggestionStatus,
    SuggestionType,
    WorkState,
)

CLOSED = "127.0.0.1:1"
READING: list[tuple[str, ...]] = [("status",), ("campaigns",), ("insights",), ("suggestions", "list")]
NOW = datetime.now(UTC)


def account(number: int, **values: Any) -> AdAccount:
    return AdAccount(
        **{
            "id": number,
            "name": f"Account {number}",
            "currency": "BRL",
            "timezone_name": "America/Sao_Paulo",
            "synced_at": NOW,
            **values,
        }
    )


def campaign(number: int, account_id: int = 1, **values: Any) -> Campaign:
    return Campaign(
        **{
            "id": number,
            "account_id": account_id,
            "name": f"Campaign {number}",
            "status": "ACTIVE",
            "effective_status": "ACTIVE",
            "synced_at": NOW,
            **values,
        }
    )


def insight(day: int, entity: int = 10, account_id: int = 1, **values: Any) -> Insert:
    # A statement: the key of the table holds a JSON object, which the ORM cannot keep in its map.
    return insert(Insight).values(
        **{
            "account_id": account_id,
            "level": Level.CAMPAIGN,
            "entity_id": entity,
            "campaign_id": entity,
            "date": date(2026, 7, day),
            "breakdown": "",
            "breakdown_values": {},
            "impressions": 1000,
            "clicks": 20,
            "reach": 800,
            "spend": Decimal("10.50"),
            "purchases": 2,
            "revenue": Decimal("42.00"),
            "actions": [],
            "action_values": [],
            **values,
        }
    )


def suggestion(campaign_id: int, kind: SuggestionType = SuggestionType.PAUSE, **values: Any) -> Suggestion:
    return Suggestion(
        **{
            "account_id": 1,
            "campaign_id": campaign_id,
            "type": kind,
            "reason": "It costs too much.",
            "data": {"cpa": 12.5},
            **values,
        }
    )


# -- What every reading command does -------------------------------------------------------------------


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_an_empty_database_is_no_error(adtempo: Callable[..., Any], command: tuple[str, ...]) -> None:
    shown = adtempo(*command)
    assert shown.code == 0
    assert "adtempo run" in shown.err
    as_json = adtempo(*command, "--json")
    assert as_json.code == 0
    assert as_json.err == ""
    assert isinstance(as_json.document, list | dict)


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_postgresql_that_is_away_is_one_line(adtempo: Callable[..., Any], command: tuple[str, ...]) -> None:
    result = adtempo(*command, "--json", DATABASE_URL=f"postgresql://someone:hidden99@{CLOSED}/none")
    assert (result.code, result.out) == (3, "")
    assert "check DATABASE_URL" in result.line
    assert "hidden99" not in result.line


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_schema_that_is_not_at_head_is_one_line(
    place: Any, adtempo: Callable[..., Any], command: tuple[str, ...]
) -> None:
    with place.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    result = adtempo(*command)
    assert (result.code, result.out) == (3, "")
    assert "adtempo migrate" in result.line


@pytest.mark.parametrize("command", READING[1:], ids=" ".join)
def test_an_unknown_account_is_bad_input(adtempo: Callable[..., Any], command: tuple[str, ...]) -> None:
    result = adtempo(*command, "--account", "act_99", "--json")
    assert (result.code, result.out) == (2, "")
    assert "unknown ad account 99" in result.line


@pytest.mark.parametrize("command", READING[1:], ids=" ".join)
def test_an_account_that_is_set_is_known_before_its_first_sync(
    adtempo: Callable[..., Any], command: tuple[str, ...]
) -> None:
    assert adtempo(*command, "--account", "99", "--json", FACEBOOK_AD_ACCOUNT_IDS="act_99").document == []
    own = '{"act_99": "a-token-of-its-own"}'
    assert adtempo(*command, "--account", "99", "--json", FACEBOOK_ACCOUNT_TOKENS=own).document == []


@pytest.mark.parametrize(
    ("command", "word"),
    [
        (("campaigns", "--account", "abc"), "--account"),
        (("campaigns", "--status", "SLEEPING"), "--status"),
        (("campaigns", "--limit", "0"), "--limit"),
        (("insights", "--since", "last week"), "--since"),
        (("insights", "--until", "2026-02-30"), "--until"),
        (("insights", "--since", "2026-07-02", "--until", "2026-07-01"), "--since"),
        (("insights", "--until", "2999-01-01"), "future"),
        (("insights", "--level", "planet"), "--level"),
        (("insights", "--breakdown", "mood"), "--breakdown"),
        (("insights", "--campaign", "ten"), "--campaign"),
        (("insights", "--level", "account", "--campaign", "10"), "--campaign"),
        (("suggestions", "list", "--status", "MAYBE"), "--status"),
        (("suggestions", "list", "--type", "DANCE"), "--type"),
        (
            (
                "insights",
                "--nonsense",
            ),
            "--nonsense",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_input_is_one_line_before_anything_is_asked(
    adtempo: Callable[..., Any], command: tuple[str, ...], word: str
) -> None:
    result = adtempo(*command, DATABASE_URL=f"postgresql://{CLOSED}/none")
    assert (result.code, result.out) == (2, "")
    assert word in result.line


def test_the_number_of_queries_does_not_grow_with_the_rows(place: Any, adtempo: Callable[..., Any]) -> None:
    def queries(*command: str) -> int:
        import worker.app

        seen = 0

        def count(*_: object) -> None:
            nonlocal seen
            seen += 1

        adtempo(*command)
        # The process that the command made; asking again through it.
        from sqlalchemy import Engine

        event.listen(Engine, "before_cursor_execute", count)
        try:
            assert adtempo(*command).code == 0
        finally:
            event.remove(Engine, "before_cursor_execute", count)
        assert worker.app._process is not None
        return seen

    place.add(account(1), campaign(10), insight(1), suggestion(10))
    few = {command: queries(*command) for command in READING}
    for number in range(11, 31):
        day = date(2026, 7, 1)
        place.add(
            account(number),
            campaign(number, number),
            CampaignScore(campaign_id=number, account_id=1, date=day, score=50, relative=True),
            insight(1, number),
            suggestion(number),
        )
    assert {command: queries(*command) for command in READING} == few


# -- campaigns -------------------------------------------------------------------------------------------


def test_campaigns_carry_budgets_currency_and_the_newest_score(
    place: Any, adtempo: Callable[..., Any]
) -> None:
    place.add(
        account(1),
        account(2, currency="JPY"),
        campaign(10, name="[bold]Summer[/bold]", objective="OUTCOME_SALES", daily_budget=Decimal("150.25")),
        campaign(20, 2, lifetime_budget=Decimal(90000)),
        CampaignScore(
            campaign_id=10, account_id=1, date=date(2026, 7, 1), score=80, note="old", relative=True
        ),
        CampaignScore(
            campaign_id=10, account_id=1, date=date(2026, 7, 2), score=61.5, note="new", relative=True
        ),
    )
    rows = adtempo("campaigns", "--json").document
    assert [row["id"] for row in rows] == [10, 20]
    first, second = rows
    assert first["name"] == "[bold]Summer[/bold]"
    assert (first["daily_budget"], first["currency"]) == ("150.25", "BRL")
    assert (first["score"], first["score_date"], first["score_note"]) == (61.5, "2026-07-02", "new")
    assert (second["lifetime_budget"], second["currency"], second["score"]) == ("90000", "JPY", None)
    table = adtempo("campaigns").out
    assert "[bold]Summer[/bold]" in table
    assert "61.50" in table


def test_campaigns_are_chosen_by_account_and_status(place: Any, adtempo: Callable[..., Any]) -> None:
    place.add(account(1), account(2), account(3))
    place.add(campaign(10), campaign(11, effective_status="PAUSED"), campaign(20, 2), campaign(30, 3))

    def ids(*options: str) -> list[int]:
        return [row["id"] for row in adtempo("campaigns", "--json", *options).document]

    assert ids("--account", "act_1") == [10, 11]
    assert ids("--account", "1", "--account", "act_3") == [10, 11, 30]
    assert ids("--status", "paused") == [11]


def test_what_is_left_out_is_said_on_stderr(place: Any, adtempo: Callable[..., Any]) -> None:
    place.add(account(1), *(campaign(number) for number in range(10, 17)))
    result = adtempo("campaigns", "--limit", "5", "--json")
    assert len(result.document) == 5
    assert result.line == "… and 2 more"
    assert adtempo("campaigns", "--limit", "7", "--json").err == ""


def test_ids_in_a_table_are_no_amounts(place: Any, adtempo: Callable[..., Any]) -> None:
    place.add(account(1), campaign(120210000000000017, name="Summer"))
    assert "120210000000000017" in adtempo("campaigns").out


# -- insights --------------------------------------------------------------------------------------------


def test_insights_are_newest_first_with_every_public_column(place: Any, adtempo: Callable[..., Any]) -> None:
    place.add(account(1), campaign(10), insight(1), insight(3), insight(2, spend=Decimal(0)))
    rows = adtempo("insights", "--json").document
    assert [row["date"] for row in rows] == ["2026-07-03", "2026-07-02", "2026-07-01"]
    newest = rows[0]
    assert newest["campaign_name"] == "Campaign 10"
    assert (newest["spend"], newest["revenue"], newest["currency"]) == ("10.50", "42.00", "BRL")
    assert (newest["cpa"], newest["roas"], newest["ctr"]) == (5.25, 4.0, 2.0)
    assert rows[1]["roas"] is None
    expected = {"level", "entity_id", "breakdown", "breakdown_values", "adset_id", "ad_id", "frequency"}
    assert expected | {"cpc", "cpm", "reach", "purchases", "actions", "action_values"} <= newest.keys()


def test_insights_are_chosen(place: Any, adtempo: Callable[..., Any]) -> None:
    place.add(account(1), account(2), campaign(10))
    place.add(*(insight(day) for day in (1, 2, 3)), insight(2, 11), insight(2, 20, account_id=2))
    place.add(insight(2, 500, level=Level.AD, campaign_id=10))
    for age in ("18-24", "25-34"):
        values = {"age": age, "gender": "male"}
        place.add(insight(2, breakdown="age+gender", breakdown_values=values))

    def found(*options: str) -> list[tuple[str, int]]:
        return [
            (row["date"][-2:], row["entity_id"]) for row in adtempo("insights", "--json", *options).document
        ]

    assert found("--since", "2026-07-02", "--account", "1") == [("03", 10), ("02", 10), ("02", 11)]
    assert found("--until", "2026-07-01") == [("01", 10)]
    assert found("--since", "2026-07-03", "--until", "2026-07-03") == [("03", 10)]
    assert found("--account", "act_2") == [("02", 20)]
    assert found("--campaign", "11") == [("02", 11)]
    assert found("--level", "ad") == [("02", 500)]
    assert found("--level", "ad", "--campaign", "10") == [("02", 500)]
    assert found("--breakdown", "gender+age") == [("02", 10), ("02", 10)]
    assert "age: 18-24, gender: male" in adtempo("insights", "--breakdown", "age+gender").out


def test_totals_are_by_account_and_day(place: Any, adtempo: Callable[..., Any]) -> None:
    place.add(account(1), account(2, currency="USD"), campaign(10), campaign(11))
    place.add(insight(1), insight(1, 11, spend=Decimal("0.10"), purchases=0, revenue=Decimal(0)))
    place.add(insight(1, 20, account_id=2, spend=Decimal(0), purchases=0, revenue=Decimal(0)))
    place.add(insight(2, 10, impressions=5))
    # Rows of another level and of a breakdown hold the same amounts again.
    place.add(insight(1, 500, level=Level.AD), insight(1, breakdown="age", breakdown_values={"age": "18-24"}))
    result = adtempo("insights", "--sum", "--json")
    rows = result.document
    assert [(row["date"], row["account_id"]) for row in rows] == [
        ("2026-07-02", 1),
        ("2026-07-01", 1),
        ("2026-07-01", 2),
    ]
    of_both, of_nothing = rows[1], rows[2]
    assert of_both == {
        "account_id": 1,
        "currency": "BRL",
        "date": "2026-07-01",
        "impressions": 2000,
        "clicks": 40,
        "spend": "10.60",
        "purchases": 2,
        "revenue": "42.00",
        "cpa": pytest.approx(5.3),
        "roas": pytest.approx(42 / 10.6),
    }
    assert (of_nothing["cpa"], of_nothing["roas"], of_nothing["currency"]) == (None, None, "USD")
    assert adtempo("insights", "--sum", "--limit", "1", "--json").line == "… and 2 more"
    assert "10.60" in adtempo("insights", "--sum").out


# -- suggestions -----------------------------------------------------------------------------------------


def test_suggestions_are_listed_and_chosen(place: Any, adtempo: Callable[..., Any]) -> None:
    place.add(account(1), account(2), campaign(10))
    place.add(
        suggestion(10, created_at=NOW - timedelta(days=2)),
        suggestion(10, SuggestionType.BUDGET_UP, status=SuggestionStatus.REJECTED),
        suggestion(99, account_id=2, created_at=NOW - timedelta(days=1)),
    )

    def found(*options: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = adtempo("suggestions", "list", "--json", *options).document
        return rows

    rows = found()
    assert [row["type"] for row in rows] == ["BUDGET_UP", "PAUSE", "PAUSE"]
    oldest = rows[2]
    assert (oldest["campaign_id"], oldest["campaign_name"], oldest["status"]) == (
        10,
        "Campaign 10",
        "PENDING",
    )
    assert (oldest["reason"], oldest["data"]) == ("It costs too much.", {"cpa": 12.5})
    assert datetime.fromisoformat(oldest["created_at"]) == NOW - timedelta(days=2)
    assert rows[1]["campaign_name"] is None, "Meta does not list the campaign any more"
    assert [row["campaign_id"] for row in found("--account", "act_2")] == [99]
    assert [row["type"] for row in found("--status", "REJECTED")] == ["BUDGET_UP"]
    assert [row["campaign_id"] for row in found("--type", "PAUSE", "--account", "1")] == [10]
    assert "It costs too much." in adtempo("suggestions", "list").out


# -- status ----------------------------------------------------------------------------------------------


def job(**values: Any) -> Job:
    return Job(**{"kind": JobKind.COLLECT, **values})


def run_of(account_id: int, job_id: int, **values: Any) -> CollectionRun:
    return CollectionRun(
        **{"account_id": account_id, "job_id": job_id, "levels": ["ad"], "breakdowns": [], **values}
    )


def slice_of(run: CollectionRun, **values: Any) -> CollectionSlice:
    return CollectionSlice(
        **{
            "run_id": run.id,
            "account_id": run.account_id,
            "kind": SliceKind.INSIGHTS,
            "level": Level.AD,
            "since": date(2026, 7, 1),
            "until": date(2026, 7, 7),
            **values,
        }
    )


def make_work(place: Any) -> None:
    """Account 1 synced twice, 2 never finished, 3 never tried; work in every state."""
    lately, before = NOW - timedelta(minutes=5), NOW - timedelta(hours=5)
    done = job(id=101, state=WorkState.DONE, sent_at=datetime.now(UTC), finished_at=NOW)
    place.add(account(1), account(3), done)
    newest = run_of(1, 101, id=11, state=RunState.INCOMPLETE, created_at=before, finished_at=lately)
    oldest = run_of(1, 101, id=12, state=RunState.DONE, created_at=before, finished_at=before)
    open_run = run_of(2, 101, id=13)
    place.add(newest, oldest, open_run)
    good = {"state": WorkState.DONE, "finished_at": lately, "sent_at": NOW}
    place.add(
        slice_of(newest, **good, rows_read=100, rows_inserted=60, rows_updated=7, rows_deleted=3),
        slice_of(newest, **good, rows_read=11, rows_inserted=0, rows_updated=1, rows_deleted=0),
        # Campaigns are no rows of insights.
        slice_of(newest, **good, kind=SliceKind.ENTITIES, level=None, rows_read=5000),
        slice_of(
            newest,
            state=WorkState.FAILED,
            finished_at=lately,
            error_kind="bad_request",
            error="(#100) no such field",
        ),
        slice_of(oldest, **good, rows_read=99999),
        slice_of(oldest, state=WorkState.FAILED, finished_at=NOW - timedelta(days=4), error_kind="old"),
        slice_of(open_run, sent_at=datetime.now(UTC)),
        slice_of(open_run, next_attempt_at=NOW + timedelta(hours=1)),
        # Its message was lost.
        slice_of(open_run, sent_at=NOW - timedelta(hours=1)),
        slice_of(open_run, state=WorkState.RUNNING, lease_until=NOW + timedelta(hours=1), sent_at=before),
        # Its worker died.
        slice_of(open_run, state=WorkState.RUNNING, lease_until=before, sent_at=before),
        job(
            id=102, kind=JobKind.REPORT, state=WorkState.FAILED, finished_at=lately, error_kind="x", error="y"
        ),
        job(id=103, next_attempt_at=before),
    )


def test_status_says_how_the_work_stands(place: Any, adtempo: Callable[..., Any]) -> None:
    make_work(place)
    place.redis.rpush(f"{place.prefix}collect", "one", "two")
    place.redis.rpush("collect", "of another program")
    result = adtempo("status", "--json", FACEBOOK_AD_ACCOUNT_IDS="3,4")
    place.redis.delete("collect")
    assert (result.code, result.err) == (0, "")
    document = result.document
    accounts = {row["account_id"]: row for row in document["accounts"]}
    assert list(accounts) == [1, 2, 3, 4]
    last = accounts[1]["last_sync"]
    assert (last["run_id"], last["state"]) == (11, "incomplete")
    assert (last["rows_read"], last["rows_inserted"], last["rows_updated"], last["rows_deleted"]) == (
        111,
        60,
        8,
        3,
    )
    assert (last["slices"], last["slices_failed"]) == (4, 1)
    assert [accounts[number]["last_sync"] for number in (2, 3, 4)] == [None, None, None]
    assert [accounts[number]["open_runs"] for number in (1, 2, 3, 4)] == [0, 1, 0, 0]
    assert document["open"] == {
        "runs": {"running": 1},
        "slices": {"pending": 3, "running": 2},
        "jobs": {"pending": 1, "running": 0},
    }
    assert document["overdue"] == {"jobs": 1, "slices": 2}
    assert document["queues"] == {"collect": 2, "process": 0, "report": 0, "control": 0}
    failed = document["failed"]
    assert [(row["error_kind"], row["error"]) for row in failed["slices"]] == [
        ("bad_request", "(#100) no such field")
    ]
    assert [(row["id"], row["error_kind"]) for row in failed["jobs"]] == [(102, "x")]


def test_overdue_is_what_the_reconciler_takes(place: Any, adtempo: Callable[..., Any]) -> None:
    from sqlalchemy.orm import Session

    from db import leases

    make_work(place)
    said = adtempo("status", "--json").document["overdue"]
    with Session(place.engine) as session:
        taken = {
            "jobs": len(leases.overdue(session, Job)),
            "slices": len(leases.overdue(session, CollectionSlice)),
        }
    assert said == taken


def test_status_shows_tables(place: Any, adtempo: Callable[..., Any]) -> None:
    make_work(place)
    result = adtempo("status")
    assert result.code == 0
    for word in ("Account 1", "incomplete", "Overdue", "collect", "(#100) no such field"):
        assert word in result.out


def test_status_says_how_many_failures_it_leaves_out(place: Any, adtempo: Callable[..., Any]) -> None:
    place.add(account(1), job(id=101, state=WorkState.DONE, finished_at=NOW))
    run = run_of(1, 101, id=11)
    failed = {"state": WorkState.FAILED, "finished_at": NOW, "error_kind": "x", "error": "y"}
    place.add(run, *(slice_of(run, **failed) for _ in range(23)))
    document = adtempo("status", "--json").document
    assert len(document["failed"]["slices"]) == 20
    assert document["failed"]["slices_not_shown"] == 3


def test_queues_of_another_broker_are_unknown(adtempo: Callable[..., Any]) -> None:
    result = adtempo("status", "--json", CELERY_BROKER_URL=f"amqp://someone:hidden99@{CLOSED}//")
    assert (result.code, result.document["queues"]) == (0, "unknown")


def test_a_broker_that_is_away_does_not_hide_the_rest(place: Any, adtempo: Callable[..., Any]) -> None:
    place.add(account(1))
    result = adtempo("status", "--json", CELERY_BROKER_URL=f"redis://:hidden99@{CLOSED}/0")
    assert result.code == 3
    assert "broker does not answer" in result.line
    assert result.document["queues"] == "unknown"
    assert [row["account_id"] for row in result.document["accounts"]] == [1]
