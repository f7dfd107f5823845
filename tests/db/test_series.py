"""Campaigns as arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from db.accounts import save_accounts, save_campaigns
from db.collection import SliceSpec, create_slices
from db.models import CollectionRun, CollectionSlice, Level, Target, TargetKind, WorkState
from db.series import CampaignDays, last_complete_day, load_campaign_days
from tests.db.plans import plans_of
from tests.db.rows import DAY, KEY, load, staged
from tests.db.work import add_run

Sessions = sessionmaker[Session]
LAST = DAY + timedelta(days=2)
ACCOUNT = KEY.account_id


def read(sessions: Sessions, days: int = 3) -> CampaignDays:
    with sessions() as session:
        return load_campaign_days(session, ACCOUNT, last=LAST, days=days)


def add_targets(
    sessions: Sessions, *targets: tuple[int | None, TargetKind, str], account_id: int = ACCOUNT
) -> None:
    with sessions.begin() as session:
        session.add_all(
            Target(account_id=account_id, campaign_id=campaign, kind=kind, value=Decimal(value))
            for campaign, kind, value in targets
        )


def add_campaigns(sessions: Sessions, budgets: Iterable[tuple[int, Decimal | None]]) -> None:
    empty: dict[str, Any] = dict.fromkeys(("objective", "lifetime_budget", "created_time", "updated_time"))
    named = {"account_id": ACCOUNT, "name": "", "status": "", "effective_status": ""}
    account = {"id": ACCOUNT, "name": "", "currency": "BRL", "timezone_name": "UTC", "account_status": None}
    with sessions.begin() as session:
        save_accounts(session, [account])
        save_campaigns(
            session, [{**empty, **named, "id": one, "daily_budget": budget} for one, budget in budgets]
        )


def test_days_by_campaigns_oldest_first(engine: Engine, sessions: Sessions) -> None:
    load(engine, [[staged(20, 0, spend="1.5"), staged(20, 2, clicks=7), staged(10, 1, purchases=4)]])
    found = read(sessions)
    assert found.dates == [DAY, DAY + timedelta(days=1), LAST]
    assert found.campaign_ids == [10, 20]
    assert set(found.metrics) == {"impressions", "clicks", "spend", "reach", "purchases", "revenue"}
    nan = np.nan
    np.testing.assert_array_equal(found.metrics["spend"], [[nan, 1.5], [12.34, nan], [nan, 12.34]])
    np.testing.assert_array_equal(found.metrics["clicks"], [[nan, 10], [10, nan], [nan, 7]])
    np.testing.assert_array_equal(found.metrics["purchases"], [[nan, 2], [4, nan], [nan, 2]])
    np.testing.assert_array_equal(found.metrics["revenue"], [[nan, 99.9], [99.9, nan], [nan, 99.9]])
    np.testing.assert_array_equal(found.metrics["reach"], [[nan, 50], [50, nan], [nan, 50]])
    np.testing.assert_array_equal(found.metrics["impressions"], [[nan, 100], [100, nan], [nan, 100]])


def test_only_the_rows_meant_are_read(engine: Engine, sessions: Sessions) -> None:
    load(engine, [[staged(1, 1), staged(3, 0)]])
    load(engine, [[staged(2, 1)]], replace(KEY, account_id=8))
    load(engine, [[staged(2, 1)]], replace(KEY, level=Level.AD))
    load(engine, [[staged(2, 1)]], replace(KEY, breakdown="age"))
    load(engine, [[staged(2, 3)]], replace(KEY, since=DAY + timedelta(days=3), until=DAY + timedelta(days=3)))
    found = read(sessions, days=2)
    assert found.campaign_ids == [1]
    np.testing.assert_array_equal(found.metrics["clicks"], [[10], [np.nan]])


def test_an_account_without_rows(sessions: Sessions) -> None:
    found = read(sessions)
    assert (found.campaign_ids, found.break_even_cpa) == ([], [])
    assert found.metrics["spend"].shape == found.budget.shape == (3, 0)


def test_the_budget_of_today_stands_on_every_day(engine: Engine, sessions: Sessions) -> None:
    load(engine, [[staged(1), staged(2), staged(3)]])
    add_campaigns(sessions, [(1, Decimal("50.25")), (2, None), (9, Decimal(3))])
    np.testing.assert_array_equal(read(sessions).budget, [[50.25, np.nan, np.nan]] * 3)


def test_without_a_target_there_is_no_break_even(engine: Engine, sessions: Sessions) -> None:
    load(engine, [[staged(1)]])
    add_targets(sessions, (None, TargetKind.CPA, "30"), account_id=8)
    assert read(sessions).break_even_cpa == [None]


def test_a_campaigns_own_target_goes_before_the_accounts(engine: Engine, sessions: Sessions) -> None:
    load(engine, [[staged(1), staged(2)]])
    add_targets(sessions, (None, TargetKind.CPA, "30"), (2, TargetKind.CPA, "12.5"))
    assert read(sessions).break_even_cpa == [30.0, 12.5]


def test_a_target_return_becomes_a_cost_by_the_pooled_order_value(engine: Engine, sessions: Sessions) -> None:
    sold = [staged(1, purchases=3, revenue="300"), staged(2, purchases=1, revenue="500")]
    load(engine, [[*sold, staged(3, purchases=0, revenue="0")]])
    add_targets(sessions, (None, TargetKind.ROAS, "2"), (2, TargetKind.ROAS, "4"))
    assert read(sessions).break_even_cpa == [100.0, 50.0, 100.0]


def test_a_target_return_without_any_purchase_says_nothing(engine: Engine, sessions: Sessions) -> None:
    load(engine, [[staged(1, purchases=0, revenue="0")]])
    add_targets(sessions, (None, TargetKind.ROAS, "2"))
    assert read(sessions).break_even_cpa == [None]


@pytest.mark.parametrize(
    "targets",
    [
        [(None, TargetKind.CPA, "0")],
        [(None, TargetKind.CPA, "-1")],
        [(None, TargetKind.CPA, "1"), (None, TargetKind.ROAS, "1")],
        [(5, TargetKind.CPA, "1"), (5, TargetKind.ROAS, "1")],
    ],
)
def test_targets_that_cannot_be_are_refused(
    sessions: Sessions, targets: list[tuple[int | None, TargetKind, str]]
) -> None:
    with pytest.raises(IntegrityError):
        add_targets(sessions, *targets)


def test_the_last_complete_day_was_read_after_its_end(sessions: Sessions) -> None:
    """In São Paulo the 21st ends at 03:00 UTC on the 22nd."""
    zone = "America/Sao_Paulo"
    begin, end = date(2026, 11, 1), date(2026, 11, 22)

    def last() -> date | None:
        with sessions() as session:
            return last_complete_day(session, ACCOUNT, zone=zone)

    def read_at(moment: datetime, level: Level = Level.CAMPAIGN, *, since: date = begin) -> None:
        with sessions.begin() as session:
            run = session.get_one(CollectionRun, add_run(session, account_id=ACCOUNT)[0])
            (slice_id,) = create_slices(session, run, [SliceSpec(level, "", since, end)])
            session.execute(
                update(CollectionSlice)
                .where(CollectionSlice.id == slice_id)
                .values(state=WorkState.DONE, claimed_at=moment)
            )

    assert last() is None
    read_at(datetime(2026, 11, 22, 4, tzinfo=UTC), Level.AD)
    assert last() is None
    read_at(datetime(2026, 11, 22, 2, 59, tzinfo=UTC))
    assert last() == date(2026, 11, 20)
    read_at(datetime(2026, 11, 22, 3, 1, tzinfo=UTC))
    assert last() == date(2026, 11, 21)
    # Read before any of its own days had ended.
    read_at(datetime(2026, 11, 22, 12, tzinfo=UTC), since=end)
    assert last() == date(2026, 11, 21)
    read_at(datetime(2026, 12, 5, tzinfo=UTC))
    assert last() == end


def test_rows_are_found_by_the_primary_key(engine: Engine, sessions: Sessions) -> None:
    load(engine, [[staged(1)]])
    with sessions.begin() as session, plans_of(session.connection()) as plans:
        load_campaign_days(session, ACCOUNT, last=LAST, days=3)
    reading = [plan for statement, plan in plans.items() if "FROM insights" in statement]
    assert len(reading) == 1
    for plan in reading:
        assert "pk_insights" in plan
        bounds = plan.split("Index Cond: ", 1)[1].split("\n", 1)[0]
        assert all(f"({name} " in bounds for name in ("account_id", "level", "breakdown", "date")), plan
