"""A daily report as a Notion page: title, properties and blocks.

Few blocks, as free workspaces have a thousand for life: nine for the key figures, one for each suggestion and
campaign up to a limit, and a closing line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from reports import amounts, wording
from reports.content import CampaignLine, DailyReport, Figures, change, total
from reports.properties import values
from reports.rich_text import Json, block, cut, rich_text, table

# How many are shown; the rest is counted.
CAMPAIGNS_SHOWN = 25
SUGGESTIONS_SHOWN = 20

_NAME_UNITS = 120
_NOTE_UNITS = 200
_REASON_UNITS = 2000

_Value = Callable[[Figures], Decimal | int | None]
_Shown = Callable[[Figures, str], str]


@dataclass(frozen=True, slots=True)
class Page:
    """What is to stand in Notion.

    Attributes:
        key: what finds the page again.
        properties: values of the columns, without those that say how far the writing is.
        blocks: the whole content.
        content_hash: SHA-256 in hexadecimal of properties and blocks without the closing line, so that
            figures collected anew and found the same are the same report.
    """

    key: str
    properties: Json
    blocks: tuple[Json, ...]
    content_hash: str


@dataclass(frozen=True, slots=True)
class _KeyFigure:
    label: str
    value: _Value
    shown: _Shown


# Each row is one column of the page, with its icon.
_KEY_FIGURES: tuple[tuple[str, tuple[_KeyFigure, ...]], ...] = (
    (
        "💰",
        (
            _KeyFigure(wording.SPEND, lambda f: f.spend, lambda f, c: amounts.money(f.spend, c)),
            _KeyFigure(wording.REVENUE, lambda f: f.revenue, lambda f, c: amounts.money(f.revenue, c)),
        ),
    ),
    (
        "🎯",
        (
            _KeyFigure(wording.ROAS, lambda f: f.roas, lambda f, _: amounts.ratio(f.roas)),
            _KeyFigure(wording.CPA, lambda f: f.cpa, lambda f, c: amounts.money(f.cpa, c)),
        ),
    ),
    (
        "🛒",
        (
            _KeyFigure(wording.PURCHASES, lambda f: f.purchases, lambda f, _: amounts.count(f.purchases)),
            _KeyFigure(wording.CLICKS, lambda f: f.clicks, lambda f, _: amounts.count(f.clicks)),
        ),
    ),
    (
        "👀",
        (
            _KeyFigure(
                wording.IMPRESSIONS, lambda f: f.impressions, lambda f, _: amounts.count(f.impressions)
            ),
            _KeyFigure(wording.CTR, lambda f: f.ctr, lambda f, _: amounts.percent(f.ctr)),
        ),
    ),
)


def render(report: DailyReport) -> Page:
    """The page of a report; within Notion's limits whatever the size of the account."""
    properties = values(report)
    hashed = [_key_figures(report), *_suggestions(report), *_campaigns(report)]
    canonical = json.dumps([properties, hashed], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    closing = wording.source(report.account_id, report.timezone_name, report.currency, report.collected_at)
    return Page(
        key=report.key,
        properties=properties,
        blocks=(*hashed, block("paragraph", rich_text(closing, color="gray"))),
        content_hash=hashlib.sha256(canonical.encode()).hexdigest(),
    )


def _key_figures(report: DailyReport) -> Json:
    columns = []
    for icon, figures in _KEY_FIGURES:
        text: list[Json] = []
        for index, figure in enumerate(figures):
            gap = "\n" if index else ""
            text += rich_text(f"{gap}{figure.label}\n", color="gray")
            text += rich_text(figure.shown(report.figures, report.currency), bold=True)
            if compared := _compared(figure, report):
                text += rich_text(f"\n{compared}", color="gray")
        callout = block("callout", text, icon={"type": "emoji", "emoji": icon}, color="gray_background")
        columns.append(block("column", children=[callout]))
    return block("column_list", children=columns)


def _compared(figure: _KeyFigure, report: DailyReport) -> str:
    parts = []
    now = figure.value(report.figures)
    for past, words in (
        (report.day_before, wording.against_day_before),
        (report.week_before, wording.against_week_before),
    ):
        changed = change(now, figure.value(past)) if past is not None else None
        if changed is not None:
            parts.append(words(amounts.signed_percent(changed)))
    return "\n".join(parts)


def _suggestions(report: DailyReport) -> list[Json]:
    blocks = [block("heading_2", rich_text(wording.SUGGESTIONS))]
    if not report.suggestions:
        return [*blocks, block("paragraph", rich_text(wording.NO_SUGGESTIONS))]
    for line in report.suggestions[:SUGGESTIONS_SHOWN]:
        head = rich_text(wording.action(line.type, cut(line.campaign_name, _NAME_UNITS)), bold=True)
        reason = rich_text(f"\n{cut(line.reason, _REASON_UNITS)}") if line.reason else []
        blocks.append(block("bulleted_list_item", [*head, *reason]))
    rest = len(report.suggestions) - SUGGESTIONS_SHOWN
    if rest > 0:
        blocks.append(block("paragraph", rich_text(wording.more_suggestions(rest))))
    return blocks


def _campaigns(report: DailyReport) -> list[Json]:
    blocks = [block("heading_2", rich_text(wording.CAMPAIGNS))]
    if report.campaigns:
        rows = [_row(line, report.currency) for line in report.campaigns[:CAMPAIGNS_SHOWN]]
        if rest := report.campaigns[CAMPAIGNS_SHOWN:]:
            words = wording.more_campaigns(len(rest))
            rows.append((words, "", *_sums(total(line.figures for line in rest), report.currency), "", ""))
        blocks.append(table([wording.CAMPAIGN_COLUMNS, *rows]))
    else:
        delivered = report.figures.impressions or report.figures.spend
        empty = wording.NO_CAMPAIGN_LEVEL if delivered else wording.NO_DELIVERY
        blocks.append(block("paragraph", rich_text(empty)))
    if report.relative:
        blocks.append(block("paragraph", rich_text(wording.relative(report.relative, report.judged))))
    return blocks


def _row(line: CampaignLine, currency: str) -> tuple[str, ...]:
    return (
        cut(line.name, _NAME_UNITS),
        wording.status(line.status),
        *_sums(line.figures, currency),
        amounts.score(line.score),
        cut(line.note, _NOTE_UNITS),
    )


def _sums(figures: Figures, currency: str) -> tuple[str, str, str, str]:
    return (
        amounts.money(figures.spend, currency),
        amounts.count(figures.purchases),
        amounts.money(figures.cpa, currency),
        amounts.ratio(figures.roas),
    )
