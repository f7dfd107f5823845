"""Every word of a report, in plain English, so that there is one place to translate."""

from __future__ import annotations

from datetime import datetime

DATABASE_TITLE = "Daily reports"
DATABASE_DESCRIPTION = "A page for each ad account and day, written by adtempo; edits are overwritten."

SPEND = "Spend"
REVENUE = "Revenue"
ROAS = "ROAS"
CPA = "Cost per purchase"
PURCHASES = "Purchases"
CLICKS = "Clicks"
IMPRESSIONS = "Impressions"
CTR = "Click rate"

SUGGESTIONS = "Suggestions"
CAMPAIGNS = "Campaigns"
CAMPAIGN_COLUMNS = ("Campaign", "Status", "Spend", "Purchases", "CPA", "ROAS", "Score", "Note")

NO_SUGGESTIONS = "There is no open suggestion."
NO_DELIVERY = "No campaign delivered on this day."
NO_CAMPAIGN_LEVEL = "Only the account's totals are collected; collect campaigns to see them here."

_ACTIONS = {
    "PAUSE": "Pause",
    "BUDGET_UP": "Raise the budget of",
    "BUDGET_DOWN": "Lower the budget of",
    "CREATIVE_REFRESH": "Refresh the creative of",
    "AUDIENCE_EXPANSION": "Widen the audience of",
}


def action(kind: str, campaign: str) -> str:
    """What a suggestion asks for: 'Pause “Summer”'."""
    return f"{_ACTIONS.get(kind, kind)} “{campaign}”"


def against_day_before(change: str) -> str:
    return f"{change} vs. the day before"


def against_week_before(change: str) -> str:
    return f"{change} vs. a week earlier"


def status(effective_status: str | None) -> str:
    """'Campaign paused' for CAMPAIGN_PAUSED."""
    return (effective_status or "unknown").replace("_", " ").capitalize()


def more_campaigns(number: int) -> str:
    return "1 more campaign" if number == 1 else f"{number:,} more campaigns"


def more_suggestions(number: int) -> str:
    noun = "suggestion" if number == 1 else "suggestions"
    return f"{number:,} more open {noun}: see `adtempo suggestions list`."


def relative(number: int, judged: int) -> str:
    """What a score means where no target is set."""
    if number == judged:
        whose = "No campaign has a break-even target, so scores compare"
    else:
        whose = f"{number:,} of {judged:,} campaigns have no break-even target; their scores compare"
    return f"{whose} with the account's own average. Set one with `adtempo targets set`."


def source(account_id: int, timezone_name: str, currency: str, collected_at: datetime | None) -> str:
    """Where the figures are from: the closing line."""
    when = "" if collected_at is None else f", collected {collected_at:%Y-%m-%d %H:%M} UTC"
    return (
        f"Source: Meta Marketing API, ad account {account_id}{when}. "
        f"Days are of {timezone_name}, money is in {currency}."
    )
