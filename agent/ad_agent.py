"""The ad agent: what the rest of the program may ask of Meta for one account and token."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from agent.entities import (
    ACCOUNT_FIELDS,
    CAMPAIGN_FIELDS,
    CAMPAIGN_STATUSES,
    account_row,
    campaign_row,
    object_id,
)
from agent.errors import BadAnswer
from agent.graph import GraphApi
from agent.insights import InsightRow, InsightsQuery, to_row
from agent.paging import pages

_LIST_PAGE = "500"


@dataclass(frozen=True, slots=True)
class TokenState:
    """What Graph says of a token: valid or not, and when it ends (None: never, or not said)."""

    is_valid: bool
    expires_at: datetime | None


class AdAgent:
    """Reads accounts, campaigns and insights through one Graph session.

    Built only by the cache of the process (`worker.agent_cache`), because building one costs a session, a
    pool of connections and a proof; it is not shared between processes. Every method raises the errors of
    `agent.errors`.
    """

    def __init__(self, api: GraphApi) -> None:
        self._api = api

    @property
    def calls(self) -> int:
        """How many calls to Graph this agent has made."""
        return self._api.calls

    def close(self) -> None:
        """Close the connections to Graph."""
        self._api.close()

    def accounts(self) -> list[int]:
        """The ids of every ad account that the token sees, in order."""
        found = pages(self._api, ("me", "adaccounts"), {"fields": "account_id", "limit": _LIST_PAGE})
        return sorted({object_id(raw.get("account_id")) for page in found for raw in page})

    def account(self, account_id: int) -> dict[str, Any]:
        """The account as a row of `ad_accounts`."""
        fields = ",".join(ACCOUNT_FIELDS)
        return account_row(self._api.call("GET", (f"act_{account_id}",), {"fields": fields}).json())

    def campaigns(self, account_id: int, *, currency: str) -> Iterator[list[dict[str, Any]]]:
        """All campaigns of the account, archived and deleted ones too, in pages of rows of `campaigns`."""
        params = {
            "fields": ",".join(CAMPAIGN_FIELDS),
            "effective_status": list(CAMPAIGN_STATUSES),
            "limit": _LIST_PAGE,
        }
        for page in pages(self._api, (f"act_{account_id}", "campaigns"), params):
            yield [campaign_row(raw, account_id=account_id, currency=currency) for raw in page]

    def insights(self, query: InsightsQuery) -> Iterator[list[InsightRow]]:
        """The insights that `query` asks for, page by page, each page as soon as it is there."""
        for page in pages(self._api, (f"act_{query.account_id}", "insights"), query.params()):
            yield [to_row(raw, query) for raw in page]

    def token_state(self, token: str) -> TokenState:
        """Ask Graph about a token (the agent's own, as a rule)."""
        body = self._api.call("GET", ("debug_token",), {"input_token": token}).json()
        data = body.get("data")
        if not isinstance(data, dict):
            raise BadAnswer("Graph's answer about the token has no data")
        expires = data.get("expires_at")
        try:
            ends = datetime.fromtimestamp(expires, UTC) if isinstance(expires, int) and expires > 0 else None
        except (ValueError, OverflowError, OSError):
            raise BadAnswer(f"Graph sent {expires} where the end of a token should be") from None
        return TokenState(is_valid=bool(data.get("is_valid")), expires_at=ends)
