"""What a report says, from the rows it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import permutations

import pytest

from db.reports import CampaignDay, ReportRows, ScoreRow, SuggestionRow
from reports.content import Figures, build_report, change
from reports.errors import NothingToReport

DAY = date(2026, 11, 21)


def sums(number: int | None, spend: str, purchases: int = 0, name: str | None = "A") -> CampaignDay:
    return CampaignDay(number, name, "ACTIVE", 1000, 20, Decimal(spend), purchases, Decimal(50 * purchases))


def rows(
    days: dict[int, list[CampaignDay]],
    *,
    scores: Sequence[ScoreRow] = (),
    suggestions: Sequence[SuggestionRow] = (),
) -> ReportRows:
    return ReportRows(
        account_id=7,
        account_name="Loja",
        currency="BRL",
        timezone_name="America/Sao_Paulo",
        day=DAY,
        days={DAY - timedelta(days=ago): list(one) for ago, one in days.items()},
        scores=list(scores),
        suggestions=list(suggestions),
        collected_at=datetime(2026, 11, 22, tzinfo=UTC),
        ever_collected=True,
    )


def test_figures_are_summed_and_divided_as_decimals() -> None:
    report = build_report(rows({0: [sums(1, "10.10", 1), sums(2, "0.20", 2)], 1: [sums(1, "5")], 7: []}))
    assert report.figures == Figures(2000, 40, Decimal("10.30"), 3, Decimal(150))
    assert report.figures.cpa == Decimal("10.30") / 3
    assert report.figures.roas == Decimal(150) / Decimal("10.30")
    assert report.figures.ctr == Decimal(2)
    assert report.day_before == Figures(1000, 20, Decimal(5), 0, Decimal(0))
    assert report.week_before == Figures()
    assert report.key == "daily:7:2026-11-21"


def test_a_day_that_was_not_collected_is_not_compared_with() -> None:
    report = build_report(rows({0: []}))
    assert report.day_before is None
    assert report.week_before is None


def test_a_day_without_delivery_is_a_report() -> None:
    report = build_report(rows({0: []}))
    assert (report.figures, report.campaigns) == (Figures(), ())
    assert (report.figures.cpa, report.figures.roas, report.figures.ctr) == (None, None, None)


def test_a_day_that_was_not_collected_is_no_report() -> None:
    with pytest.raises(NothingToReport, match="2026-11-21 was not collected; run `adtempo run collect"):
        build_report(rows({1: []}))
    with pytest.raises(NothingToReport, match="account 7: nothing was ever collected"):
        build_report(replace(rows({}), ever_collected=False))


def test_the_order_is_that_of_spend_and_does_not_depend_on_the_rows() -> None:
    days = [sums(1, "5"), sums(2, "5"), sums(3, "9")]
    suggestions = [
        SuggestionRow(1, 1, "A", "BUDGET_UP", "r"),
        SuggestionRow(2, 3, "A", "BUDGET_UP", "r"),
        SuggestionRow(3, 9, None, "PAUSE", "r"),
        SuggestionRow(4, 2, "A", "PAUSE", "r"),
    ]
    reports = [
        build_report(rows({0: list(one)}, suggestions=list(two)))
        for one in permutations(days)
        for two in permutations(suggestions)
    ]
    assert [line.campaign_id for line in reports[0].campaigns] == [3, 1, 2]
    assert [(line.type, line.campaign_id) for line in reports[0].suggestions] == [
        ("PAUSE", 2),
        ("PAUSE", 9),
        ("BUDGET_UP", 3),
        ("BUDGET_UP", 1),
    ]
    assert all(report == reports[0] for report in reports)


def test_names_that_are_missing_or_broken_over_lines() -> None:
    report = build_report(rows({0: [sums(5, "2", name=None), sums(6, "1", name=" a\n\tb ")]}))
    assert [line.name for line in report.campaigns] == ["Campaign 5", "a b"]


def test_rows_of_no_campaign_count_in_the_total_alone() -> None:
    report = build_report(rows({0: [sums(None, "5")]}))
    assert (report.figures.spend, report.campaigns) == (Decimal(5), ())


def test_scores_are_joined_and_counted() -> None:
    scores = [ScoreRow(1, 70.5, "little data", True), ScoreRow(2, 20.0, "", False)]
    report = build_report(rows({0: [sums(1, "3"), sums(3, "2")]}, scores=scores))
    first, second = report.campaigns
    assert (first.score, first.note, first.relative) == (70.5, "little data", True)
    assert (second.score, second.note, second.relative) == (None, "", False)
    assert (report.judged, report.relative) == (2, 1)


def test_a_change_needs_something_to_compare_with() -> None:
    assert change(Decimal(12), Decimal(10)) == 20
    assert change(0, 10) == -100
    assert change(5, 0) is None
    assert change(5, None) is None
    assert change(None, 5) is None
