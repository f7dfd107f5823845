"""What Graph's ad accounts and campaigns become."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from agent.entities import account_row, campaign_row
from agent.errors import BadAnswer

ACCOUNT = {
    "id": "act_12",
    "account_id": "12",
    "name": "Loja",
    "currency": "BRL",
    "timezone_name": "America/Sao_Paulo",
    "account_status": 1,
}
CAMPAIGN = {
    "id": "34",
    "name": "Summer",
    "status": "ACTIVE",
    "effective_status": "PAUSED",
    "objective": "OUTCOME_SALES",
    "daily_budget": "5000",
    "lifetime_budget": "0",
    "created_time": "2026-11-01T10:00:00-0300",
    "updated_time": "2026-11-02T00:30:00+0100",
}
STRANGE_NAMES = ["\\N", "", "a\tb\nc\\", "\U0001f600\U00020000", "' OR 1=1 --", "{}", "x" * 5000]


def campaign(currency: str = "BRL", **more: Any) -> dict[str, Any]:
    return campaign_row({**CAMPAIGN, **more}, account_id=12, currency=currency)


def test_an_account() -> None:
    assert account_row(ACCOUNT) == {
        "id": 12,
        "name": "Loja",
        "currency": "BRL",
        "timezone_name": "America/Sao_Paulo",
        "account_status": 1,
    }


def test_an_accounts_id_may_be_written_with_act() -> None:
    assert account_row({key: value for key, value in ACCOUNT.items() if key != "account_id"})["id"] == 12


@pytest.mark.parametrize(
    ("status", "kept"),
    [(1, 1), ("2", 2), (None, None), (True, None), ("²", None), ("", None), (-1, None), (10**12, None)],
)
def test_an_accounts_standing_is_a_small_number_or_unknown(status: object, kept: int | None) -> None:
    assert account_row({**ACCOUNT, "account_status": status})["account_status"] == kept


@pytest.mark.parametrize(
    "zone", ["", None, "Mars/Olympus", "America", "../etc/passwd", "/etc/passwd", "a\x00b", "x" * 5000, 3]
)
def test_an_unknown_time_zone_is_refused(zone: object) -> None:
    with pytest.raises(BadAnswer, match="time zone") as caught:
        account_row({**ACCOUNT, "timezone_name": zone})
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("currency", ["", None, "R$", "REAL", "B\x00L", "12 ", "ＵＳＤ"])
def test_an_unknown_currency_is_refused(currency: object) -> None:
    with pytest.raises(BadAnswer, match="currency"):
        account_row({**ACCOUNT, "currency": currency})


@pytest.mark.parametrize("bad", ["", "x", "0", "-1", "1.5", str(2**63), "9" * 5000, "１２", "1 ", [], 1.0])
def test_an_id_that_is_none_is_refused(bad: object) -> None:
    with pytest.raises(BadAnswer, match="id should be"):
        campaign(id=bad)
    with pytest.raises(BadAnswer, match="id should be"):
        account_row({**ACCOUNT, "account_id": bad, "id": bad})


def test_a_campaign() -> None:
    assert campaign() == {
        "id": 34,
        "account_id": 12,
        "name": "Summer",
        "status": "ACTIVE",
        "effective_status": "PAUSED",
        "objective": "OUTCOME_SALES",
        "daily_budget": Decimal(50),
        "lifetime_budget": None,
        "created_time": datetime(2026, 11, 1, 13, tzinfo=UTC),
        "updated_time": datetime(2026, 11, 1, 23, 30, tzinfo=UTC),
    }


def test_what_was_left_out_is_unknown() -> None:
    row = campaign_row({"id": "1"}, account_id=12, currency="BRL")
    assert (row["name"], row["status"], row["effective_status"]) == ("", "UNKNOWN", "UNKNOWN")
    absent = ("objective", "daily_budget", "lifetime_budget", "created_time", "updated_time")
    assert [row[name] for name in absent] == [None] * 5


@pytest.mark.parametrize(
    ("currency", "budget"),
    [("USD", "50.01"), ("BRL", "50.01"), ("EUR", "50.01"), ("BHD", "50.01")]
    + [
        (code, "5001")
        for code in ("JPY", "KRW", "CLP", "VND", "ISK", "HUF", "IDR", "TWD", "COP", "CRC", "PYG")
    ],
)
def test_budgets_come_in_minor_units_of_their_currency(currency: str, budget: str) -> None:
    row = campaign(currency, daily_budget="5001", lifetime_budget=5001)
    assert row["daily_budget"] == row["lifetime_budget"] == Decimal(budget)


@pytest.mark.parametrize("unset", ["0", 0, "", None])
def test_a_budget_of_nothing_is_not_set(unset: object) -> None:
    assert campaign(daily_budget=unset)["daily_budget"] is None


@pytest.mark.parametrize(
    "bad", ["x", "NaN", "Infinity", "1e999999", "-5", "1_000", "9" * 30, "５", "1.5", [], {}, True]
)
def test_a_budget_that_cannot_be_is_refused(bad: object) -> None:
    with pytest.raises(BadAnswer, match="budget"):
        campaign(daily_budget=bad)


@pytest.mark.parametrize(
    "bad", ["", "yesterday", 1790000000, "2026-11-01T10:00:00", "2026-11-01", "0001-01-01T00:00:00+1400", []]
)
def test_a_time_that_cannot_be_is_refused(bad: object) -> None:
    """Without its offset a time would be read in the zone of the machine."""
    with pytest.raises(BadAnswer, match="time"):
        campaign(created_time=bad)


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_strange_names_are_kept(name: str) -> None:
    assert campaign(name=name)["name"] == name
    assert account_row({**ACCOUNT, "name": name})["name"] == name


@pytest.mark.parametrize("field", ["name", "status", "effective_status", "objective"])
def test_the_nul_character_is_replaced(field: str) -> None:
    assert campaign(**{field: "a\x00b"})[field] == "a\ufffdb"
