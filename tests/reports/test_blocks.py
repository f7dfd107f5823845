"""A report as a page: the figures on it, and Notion's limits whatever the size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from reports.blocks import CAMPAIGNS_SHOWN, SUGGESTIONS_SHOWN, render
from reports.content import CampaignLine, DailyReport, Figures, SuggestionLine
from reports.notion.database import daily_reports
from reports.notion.publish import publish
from reports.notion.requests import batches
from reports.rich_text import units
from tests.reports.conftest import Locks, Notion, plain

REPORT = DailyReport(
    account_id=7,
    account_name="Loja Azul",
    currency="BRL",
    timezone_name="America/Sao_Paulo",
    day=date(2026, 11, 21),
    figures=Figures(10_000, 150, Decimal("1412.5"), 12, Decimal(3000)),
    day_before=Figures(8_000, 150, Decimal(1000), 0, Decimal(0)),
    week_before=Figures(12_500, 100, Decimal(2825), 24, Decimal(3000)),
    campaigns=(
        CampaignLine(
            1,
            "Summer",
            "CAMPAIGN_PAUSED",
            Figures(10_000, 150, Decimal("1412.5"), 12, Decimal(3000)),
            71.6,
            "little data",
            True,
        ),
    ),
    suggestions=(SuggestionLine(1, "Summer", "PAUSE", "Spent a lot."),),
    judged=1,
    relative=1,
    collected_at=datetime(2026, 11, 22, 4, 30, tzinfo=UTC),
)


def kinds(report: DailyReport) -> list[str]:
    return [block["type"] for block in render(report).blocks]


def table_of(report: DailyReport) -> list[list[str]]:
    (table,) = [block for block in render(report).blocks if block["type"] == "table"]
    return [row[1] for row in plain(table)[2]]


def texts(report: DailyReport) -> str:
    return "\n".join(str(plain(block)) for block in render(report).blocks)


def test_the_key_figures_and_what_they_are_compared_with() -> None:
    columns = plain(render(REPORT).blocks[0])[2]
    callouts = [column[2][0][1][0] for column in columns]
    assert callouts[0] == (
        "Spend\nBRL 1,412.50\n+41.3 % vs. the day before\n−50.0 % vs. a week earlier"
        "\nRevenue\nBRL 3,000.00\n±0.0 % vs. a week earlier"
    )
    assert callouts[1].startswith("ROAS\n2.12\n")
    assert "Cost per purchase\nBRL 117.71\n±0.0 % vs. a week earlier" in callouts[1]
    assert callouts[2] == (
        "Purchases\n12\n−50.0 % vs. a week earlier\nClicks\n150\n±0.0 % vs. the day before"
        "\n+50.0 % vs. a week earlier"
    )
    assert callouts[3].startswith("Impressions\n10,000\n+25.0 %")
    assert "Click rate\n1.50 %" in callouts[3]


def test_campaigns_and_suggestions() -> None:
    assert table_of(REPORT) == [
        ["Campaign", "Status", "Spend", "Purchases", "CPA", "ROAS", "Score", "Note"],
        ["Summer", "Campaign paused", "BRL 1,412.50", "12", "BRL 117.71", "2.12", "72", "little data"],
    ]
    assert "Pause “Summer”\\nSpent a lot." in texts(REPORT)
    assert "No campaign has a break-even target" in texts(REPORT)
    assert "break-even" not in texts(replace(REPORT, relative=0))
    assert "1 of 3 campaigns have no break-even" in texts(replace(REPORT, judged=3))


def test_the_closing_line_tells_source_and_time() -> None:
    assert plain(render(REPORT).blocks[-1])[1] == [
        "Source: Meta Marketing API, ad account 7, collected 2026-11-22 04:30 UTC. "
        "Days are of America/Sao_Paulo, money is in BRL."
    ]


def test_the_properties() -> None:
    properties = render(REPORT).properties
    assert properties["title"]["title"][0]["text"]["content"] == "2026-11-21 · Loja Azul"
    assert properties["Key"]["rich_text"][0]["text"]["content"] == "daily:7:2026-11-21"
    assert properties["Account"]["rich_text"][0]["text"]["content"] == "Loja Azul (7)"
    assert properties["Date"] == {"date": {"start": "2026-11-21"}}
    assert [
        properties[name]["number"] for name in ("Spend", "Revenue", "ROAS", "Purchases", "CPA", "Suggestions")
    ] == [1412.5, 3000, 2.1239, 12, 117.71, 1]


def test_a_day_without_delivery() -> None:
    empty = replace(REPORT, figures=Figures(), campaigns=(), suggestions=(), judged=0, relative=0)
    assert "No campaign delivered on this day." in texts(empty)
    assert "There is no open suggestion." in texts(empty)
    assert "Cost per purchase\\n–" in texts(empty)
    assert "table" not in kinds(empty)
    assert render(empty).properties["CPA"] == {"number": None}
    assert "Only the account's totals" in texts(replace(REPORT, campaigns=()))


def test_the_hash_is_that_of_the_figures() -> None:
    same = render(REPORT).content_hash
    later = replace(REPORT, collected_at=datetime(2026, 11, 23, tzinfo=UTC))
    assert render(later).content_hash == same
    line = REPORT.campaigns[0]
    others = [
        replace(REPORT, account_name="Loja Verde"),
        replace(REPORT, figures=replace(REPORT.figures, clicks=151)),
        replace(REPORT, day_before=None),
        replace(REPORT, suggestions=()),
        replace(REPORT, campaigns=(replace(line, note=""),)),
        replace(REPORT, campaigns=(replace(line, score=20.0),)),
        replace(REPORT, relative=0),
    ]
    assert len({same, *(render(other).content_hash for other in others)}) == len(others) + 1


def huge(letter: str = "語") -> DailyReport:
    name = letter * 5000
    line = replace(REPORT.campaigns[0], name=name, note=name, status=None)
    return replace(
        REPORT,
        account_name=name,
        campaigns=tuple(replace(line, campaign_id=number) for number in range(1000)),
        suggestions=tuple(SuggestionLine(number, name, "PAUSE", name * 2) for number in range(300)),
    )


def all_texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "content" in value and isinstance(value["content"], str):
            yield value["content"]
        for one in value.values():
            yield from all_texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from all_texts(one)


@pytest.mark.parametrize("letter", ["x", "語", "🧣"])
def test_a_huge_account_fits_and_the_rest_is_counted(letter: str) -> None:
    page = render(huge(letter))
    # Room for every block in the one call that makes the page.
    assert len(list(batches(page.blocks))) == 1
    assert max(map(units, all_texts([page.properties, page.blocks]))) <= 2000
    rows = table_of(huge(letter))
    assert len(rows) == 1 + CAMPAIGNS_SHOWN + 1 <= 100
    assert rows[-1] == ["975 more campaigns", "", "BRL 1,377,187.50", "11,700", "BRL 117.71", "2.12", "", ""]
    assert kinds(huge(letter)).count("bulleted_list_item") == SUGGESTIONS_SHOWN
    assert "280 more open suggestions" in texts(huge(letter))
    assert page.properties["Suggestions"] == {"number": 300}


@pytest.mark.parametrize("letter", ["語", "🧣"])
def test_notion_takes_a_huge_page(notion: Notion, sessions: sessionmaker[Session], letter: str) -> None:
    gateway = notion.gateway()
    source = daily_reports(
        gateway, sessions=sessions, parent_page_id=notion.root, database_id="", lock=Locks()
    )
    report = huge(letter)
    publish(report, sessions=sessions, gateway=gateway, data_source_id=source, lock=Locks())
    assert gateway.calls <= 6
    (page,) = notion.pages()
    assert [plain(child) for child in page["children"]] == [plain(child) for child in render(report).blocks]
