"""Keeping accounts and campaigns."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from db.accounts import known_accounts, save_accounts, save_campaigns
from db.models import AdAccount, Campaign

Sessions = sessionmaker[Session]
NOW = datetime(2026, 11, 1, 10, tzinfo=UTC)


def account(account_id: int = 7, **more: Any) -> dict[str, Any]:
    values = {"name": "Loja", "currency": "BRL", "timezone_name": "America/Sao_Paulo", "account_status": 1}
    return {"id": account_id, **values, **more}


def campaign(campaign_id: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": campaign_id,
        "account_id": 7,
        "name": "Summer",
        "status": "ACTIVE",
        "effective_status": "ACTIVE",
        "objective": "OUTCOME_SALES",
        "daily_budget": Decimal("50.01"),
        "lifetime_budget": None,
        "created_time": NOW,
        "updated_time": NOW,
        **more,
    }


@pytest.fixture
def books(sessions: Sessions) -> Sessions:
    with sessions.begin() as session:
        assert save_accounts(session, [account()]) == 1
    return sessions


def on_disk(engine: Engine, table: str) -> list[str]:
    with engine.connect() as connection:
        return sorted(map(str, connection.execute(text(f"SELECT ctid, xmin, t.* FROM {table} t"))))


def test_what_is_new_is_inserted(books: Sessions) -> None:
    with books.begin() as session:
        assert save_campaigns(session, [campaign(1), campaign(2, daily_budget=None)]) == 2
    with books() as session:
        stored = session.get_one(Campaign, 1)
        assert {name: getattr(stored, name) for name in campaign()} == campaign()
        assert stored.synced_at is not None
        assert session.get_one(Campaign, 2).daily_budget is None


def test_what_did_not_change_is_not_touched(books: Sessions, engine: Engine) -> None:
    with books.begin() as session:
        save_campaigns(session, [campaign(1), campaign(2)])
    before = on_disk(engine, "campaigns"), on_disk(engine, "ad_accounts")
    with books.begin() as session:
        # The same budget, written in another way.
        assert save_campaigns(session, [campaign(1, daily_budget=Decimal("50.0100")), campaign(2)]) == 0
        assert save_accounts(session, [account()]) == 0
    assert (on_disk(engine, "campaigns"), on_disk(engine, "ad_accounts")) == before


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "Winter"},
        {"status": "PAUSED"},
        {"effective_status": "ARCHIVED"},
        {"objective": None},
        {"daily_budget": None},
        {"lifetime_budget": Decimal(3)},
        {"created_time": None},
        {"updated_time": datetime(2026, 11, 2, tzinfo=UTC)},
    ],
)
def test_a_change_of_any_column_is_written_with_its_time(books: Sessions, changed: dict[str, Any]) -> None:
    with books.begin() as session:
        save_campaigns(session, [campaign(1), campaign(2)])
    with books() as session:
        before = session.get_one(Campaign, 1).synced_at
    with books.begin() as session:
        assert save_campaigns(session, [campaign(1, **changed), campaign(2)]) == 1
        assert save_campaigns(session, [campaign(1, **changed)]) == 0
    with books() as session:
        stored = session.get_one(Campaign, 1)
        assert {name: getattr(stored, name) for name in campaign()} == campaign(1, **changed)
        assert stored.synced_at > before


def test_an_accounts_change_keeps_when_it_was_first_seen(books: Sessions) -> None:
    with books() as session:
        first = session.get_one(AdAccount, 7).created_at
    with books.begin() as session:
        assert save_accounts(session, [account(account_status=2)]) == 1
    with books() as session:
        stored = session.get_one(AdAccount, 7)
        assert (stored.account_status, stored.created_at) == (2, first)


def test_a_row_that_comes_twice_is_written_once_as_it_came_last(books: Sessions) -> None:
    with books.begin() as session:
        assert save_campaigns(session, [campaign(1, name="a"), campaign(1, name="b")]) == 1
    with books() as session:
        assert session.get_one(Campaign, 1).name == "b"


def test_a_campaign_that_meta_lists_no_more_stays(books: Sessions) -> None:
    """Its insights are still there, and they need its name."""
    with books.begin() as session:
        save_campaigns(session, [campaign(1), campaign(2)])
        save_campaigns(session, [campaign(2)])
    with books() as session:
        assert session.get(Campaign, 1) is not None


def test_nothing_is_nothing(books: Sessions) -> None:
    with books.begin() as session:
        assert save_accounts(session, []) == save_campaigns(session, iter(())) == 0


@pytest.mark.parametrize(
    "name", ["\\N", "", "\U0001f600", "a\tb\nc\\", "%s %(id)s :id", "'; DROP TABLE x; --"]
)
def test_strange_names_are_kept(books: Sessions, name: str) -> None:
    with books.begin() as session:
        save_campaigns(session, [campaign(1, name=name)])
        assert save_campaigns(session, [campaign(1, name=name)]) == 0
    with books() as session:
        assert session.get_one(Campaign, 1).name == name


def test_a_campaign_of_an_unknown_account_is_refused(books: Sessions) -> None:
    with pytest.raises(IntegrityError), books.begin() as session:
        save_campaigns(session, [campaign(1, account_id=99)])


def test_known_accounts_come_in_order(books: Sessions) -> None:
    with books.begin() as session:
        save_accounts(session, [account(2**63 - 1), account(3)])
        assert list(known_accounts(session)) == [3, 7, 2**63 - 1]
