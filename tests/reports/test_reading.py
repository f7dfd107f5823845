"""What a daily report reads from PostgreSQL: which rows count, and which days are known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session, sessionmaker

from db.models import (
    CampaignScore,
    CollectionRun,
    CollectionSlice,
    Job,
    JobKind,
    Level,
    SliceKind,
    Suggestion,
    SuggestionStatus,
    SuggestionType,
    WorkState,
)
from db.reports import ReportRows, read_report
from tests.reports.conftest import ACCOUNT, COLLECTED, DAY, account, add_insight, campaign

FINISHED = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)


@pytest.fixture
def books(sessions: sessionmaker[Session]) -> sessionmaker[Session]:
    with sessions.begin() as session:
        session.add(account())
        session.flush()
        session.add(campaign(11, "Summer"))
    return sessions


def read(sessions: sessionmaker[Session], day: date = DAY) -> ReportRows:
    with sessions() as session:
        rows = read_report(session, ACCOUNT, day)
    assert rows is not None
    return rows


def spend(rows: ReportRows, ago: int = 0) -> Decimal:
    return sum((row.spend for row in rows.days[rows.day - timedelta(days=ago)]), Decimal(0))


def add_slice(session: Session, since: date, until: date, **fields: object) -> None:
    job = Job(kind=JobKind.COLLECT)
    session.add(job)
    session.flush()
    run = CollectionRun(job_id=job.id, account_id=ACCOUNT, levels=["campaign"], breakdowns=[])
    session.add(run)
    session.flush()
    values: dict[str, object] = {
        "run_id": run.id,
        "account_id": ACCOUNT,
        "kind": SliceKind.INSIGHTS,
        "level": Level.CAMPAIGN,
        "since": since,
        "until": until,
        "state": WorkState.DONE,
        "finished_at": FINISHED,
    }
    session.add(CollectionSlice(**values | fields))


def test_an_unknown_account_has_no_rows(sessions: sessionmaker[Session]) -> None:
    with sessions() as session:
        assert read_report(session, ACCOUNT, DAY) is None


def test_an_account_without_insights_was_never_collected(books: sessionmaker[Session]) -> None:
    rows = read(books)
    assert (rows.ever_collected, rows.days, rows.collected_at) == (False, {}, None)


def test_only_the_rows_meant_count(books: sessionmaker[Session]) -> None:
    with books.begin() as session:
        add_insight(session, 11, DAY, "10", 3)
        add_insight(session, 11, DAY, "4", level=Level.AD, entity_id=5)
        add_insight(session, 11, DAY, "4", breakdown="age", breakdown_values={"age": "18-24"})
        add_insight(session, 11, DAY, "4", account_id=ACCOUNT + 1)
        add_insight(session, 11, DAY - timedelta(days=2), "4")
        add_insight(session, 11, DAY - timedelta(days=1), "7")
    rows = read(books)
    assert (spend(rows), spend(rows, 1)) == (Decimal(10), Decimal(7))
    (row,) = rows.days[DAY]
    assert (row.name, row.status, row.purchases, row.revenue) == ("Summer", "ACTIVE", 3, Decimal(150))
    assert rows.collected_at == COLLECTED


def test_ads_are_added_up_where_campaigns_are_not_collected(books: sessionmaker[Session]) -> None:
    with books.begin() as session:
        for ad in (1, 2):
            add_insight(session, 11, DAY, "4.25", level=Level.AD, entity_id=ad)
        add_insight(session, None, DAY, "100", level=Level.ACCOUNT)
    rows = read(books)
    assert [(row.campaign_id, row.spend, row.impressions) for row in rows.days[DAY]] == [
        (11, Decimal("8.50"), 2000)
    ]


def test_a_level_that_ended_before_the_day_is_left_for_one_that_has_it(books: sessionmaker[Session]) -> None:
    with books.begin() as session:
        add_insight(session, 11, DAY - timedelta(days=3), "1")
        add_insight(session, 11, DAY, "2", level=Level.AD, entity_id=5)
    assert spend(read(books)) == 2


def test_the_account_alone(books: sessionmaker[Session]) -> None:
    with books.begin() as session:
        add_insight(session, None, DAY, "100", level=Level.ACCOUNT)
    (row,) = read(books).days[DAY]
    assert (row.campaign_id, row.name, row.spend) == (None, None, Decimal(100))


def test_a_day_between_collected_ones_had_no_delivery(books: sessionmaker[Session]) -> None:
    with books.begin() as session:
        add_insight(session, 11, DAY - timedelta(days=3), "1")
        add_insight(session, 11, DAY + timedelta(days=1), "1")
    assert read(books).days == {DAY: [], DAY - timedelta(days=1): []}


def test_a_day_at_the_edge_is_known_by_its_slice_alone(books: sessionmaker[Session]) -> None:
    with books.begin() as session:
        add_insight(session, 11, DAY - timedelta(days=3), "1")
    assert DAY not in read(books).days
    with books.begin() as session:
        add_slice(session, DAY - timedelta(days=8), DAY)
    rows = read(books)
    assert rows.days == {DAY: [], DAY - timedelta(days=1): [], DAY - timedelta(days=7): []}
    assert rows.collected_at == FINISHED


@pytest.mark.parametrize(
    "fields",
    [
        {"state": WorkState.FAILED},
        {"state": WorkState.PENDING},
        {"breakdown": "age"},
        {"kind": SliceKind.ENTITIES, "level": None},
        {"since": DAY + timedelta(days=1), "until": DAY + timedelta(days=2)},
        {"until": DAY - timedelta(days=1)},
    ],
)
def test_other_slices_say_nothing_of_the_day(books: sessionmaker[Session], fields: dict[str, object]) -> None:
    with books.begin() as session:
        add_slice(session, **{"since": DAY - timedelta(days=3), "until": DAY} | fields)  # type: ignore[arg-type]
    assert DAY not in read(books).days


def test_the_first_day_has_nothing_to_compare_with(books: sessionmaker[Session]) -> None:
    with books.begin() as session:
        add_insight(session, 11, DAY, "1")
    assert set(read(books).days) == {DAY}


def test_scores_of_the_day_and_open_suggestions(books: sessionmaker[Session]) -> None:
    with books.begin() as session:
        for ago, score in ((0, 70.0), (1, 10.0)):
            session.add(
                CampaignScore(
                    account_id=ACCOUNT,
                    campaign_id=11,
                    date=DAY - timedelta(days=ago),
                    score=score,
                    relative=False,
                )
            )
        for number, status in enumerate(SuggestionStatus):
            session.add(
                Suggestion(
                    account_id=ACCOUNT,
                    campaign_id=11 + number,
                    type=SuggestionType.PAUSE,
                    reason=status.value,
                    data={},
                    status=status,
                )
            )
    rows = read(books)
    assert [row.score for row in rows.scores] == [70.0]
    assert [(row.campaign_name, row.type, row.reason) for row in rows.suggestions] == [
        ("Summer", "PAUSE", "PENDING")
    ]
