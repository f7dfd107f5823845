"""A Notion simulator as a person sees it, and an account with three days of figures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import insert, select
from sqlalchemy.orm import Session, sessionmaker

from db.models import (
    AdAccount,
    Campaign,
    CampaignScore,
    Insight,
    Level,
    NotionPage,
    Suggestion,
    SuggestionType,
)
from reports.daily import publish_daily
from reports.notion.gateway import NotionGateway
from reports.notion.publish import Published
from simulator.notion import create_app
from simulator.serving import Server

DAY = date(2026, 11, 21)
ACCOUNT = 701
TOKEN = "ntn_a1b2c3d4e5f6"
COLLECTED = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)


def add_insight(
    session: Session, campaign_id: int | None, day: date, spend: str, purchases: int = 0, **values: Any
) -> None:
    # Not by the ORM, which cannot hash a key with a JSON object in it.
    row = {
        "account_id": ACCOUNT,
        "level": Level.CAMPAIGN,
        "entity_id": campaign_id or ACCOUNT,
        "date": day,
        "campaign_id": campaign_id,
        "impressions": 1000,
        "clicks": 20,
        "reach": 800,
        "spend": Decimal(spend),
        "purchases": purchases,
        "revenue": Decimal(purchases * 50),
        "actions": [],
        "action_values": [],
        "collected_at": COLLECTED,
    }
    session.execute(insert(Insight).values(row | values))


def campaign(number: int, name: str, status: str = "ACTIVE") -> Campaign:
    return Campaign(
        id=number,
        account_id=ACCOUNT,
        name=name,
        status=status,
        effective_status=status,
        synced_at=COLLECTED,
    )


def account(name: str = "Loja Azul", currency: str = "BRL") -> AdAccount:
    return AdAccount(
        id=ACCOUNT, name=name, currency=currency, timezone_name="America/Sao_Paulo", synced_at=COLLECTED
    )


@pytest.fixture
def shop(sessions: sessionmaker[Session]) -> sessionmaker[Session]:
    """Two campaigns on three days of a week, a score and one open suggestion."""
    with sessions.begin() as session:
        session.add(account())
        session.flush()
        session.add_all([campaign(11, "Summer"), campaign(12, "Winter 🧣", "PAUSED")])
        for ago, spend, purchases in ((0, "120.50", 4), (1, "100", 5), (7, "80", 2)):
            add_insight(session, 11, DAY - timedelta(days=ago), spend, purchases)
        add_insight(session, 12, DAY, "1412")
        session.add(
            CampaignScore(account_id=ACCOUNT, campaign_id=11, date=DAY, score=71.6, note="", relative=True)
        )
        session.add(
            Suggestion(
                account_id=ACCOUNT,
                campaign_id=12,
                type=SuggestionType.PAUSE,
                reason="Spent BRL 1,412.00 on no purchases in 14 days.",
                data={},
            )
        )
    return sessions


class Locks:
    """Named locks of this process; with `working=False` everybody gets every lock."""

    def __init__(self, *, working: bool = True) -> None:
        self._working = working
        self._guard = threading.Lock()
        self.held: set[str] = set()

    @contextmanager
    def __call__(self, name: str) -> Iterator[bool]:
        with self._guard:
            free = not self._working or name not in self.held
            if free:
                self.held.add(name)
        try:
            yield free
        finally:
            if free:
                with self._guard:
                    self.held.discard(name)


@dataclass
class Notion:
    """A simulator with a token, and what a person would see and do in it."""

    url: str
    root: str
    closing: list[NotionGateway] = field(default_factory=list)

    def gateway(self, **options: Any) -> NotionGateway:
        token = options.pop("token", SecretStr(TOKEN))
        gateway = NotionGateway(token, **{"base_url": self.url, "timeout": 10.0, **options})
        self.closing.append(gateway)
        return gateway

    def fault(self, kind: str, **fields: Any) -> None:
        httpx.post(f"{self.url}/_control/faults", json={"kind": kind} | fields).raise_for_status()

    def heal(self) -> None:
        httpx.delete(f"{self.url}/_control/faults").raise_for_status()

    def fired(self) -> int:
        return sum(httpx.get(f"{self.url}/_control/faults").json()["fired"].values())

    def log(self) -> list[dict[str, Any]]:
        requests: list[dict[str, Any]] = httpx.get(f"{self.url}/_control/log").json()["requests"]
        return requests

    def forget(self) -> None:
        httpx.delete(f"{self.url}/_control/log").raise_for_status()

    def edit(self, **fields: Any) -> None:
        httpx.post(f"{self.url}/_control/edit", json=fields).raise_for_status()

    def call(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        """A call by hand, as somebody else's integration would make it."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Notion-Version": "2025-09-03"}
        response = httpx.request(method, f"{self.url}/v1/{path}", headers=headers, json=body or None)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def pages(self, *, trashed: bool = False) -> list[dict[str, Any]]:
        """The report pages with their blocks, oldest first."""
        pages = httpx.get(f"{self.url}/_control/pages").json()["pages"]
        return [page for page in pages if "Key" in page["properties"] and page["in_trash"] == trashed]

    def databases(self) -> list[dict[str, Any]]:
        children = self.call("GET", f"blocks/{self.root}/children")["results"]
        return [child for child in children if child["type"] == "child_database"]


@pytest.fixture
def notion() -> Iterator[Notion]:
    with Server(lambda: create_app(token=TOKEN)) as server:
        info = httpx.get(f"{server.url}/_control/info").json()
        notion = Notion(server.url, info["root_page_id"])
        yield notion
        for gateway in notion.closing:
            gateway.close()


Publish = Callable[..., Published]


@pytest.fixture
def publish(shop: sessionmaker[Session], notion: Notion) -> Publish:
    """Publishes the shop's report with a new gateway each time; fields override the arguments."""
    locks = Locks()

    def run(**fields: Any) -> Published:
        arguments: dict[str, Any] = {
            "sessions": shop,
            "gateway": fields.pop("gateway", None) or notion.gateway(),
            "parent_page_id": notion.root,
            "database_id": "",
            "lock": locks,
        } | fields
        return publish_daily(ACCOUNT, DAY, **arguments)

    return run


def remembered(sessions: sessionmaker[Session]) -> list[NotionPage]:
    with sessions() as session:
        return list(session.scalars(select(NotionPage)))


def plain(block: dict[str, Any]) -> list[Any]:
    """A block's kind, texts and children, from a request or an answer alike."""
    content = block[block["type"]]
    if "cells" in content:
        texts = [_text(cell) for cell in content["cells"]]
    else:
        texts = [_text(content.get("rich_text", []))]
    children = content.get("children") or block.get("children") or []
    return [block["type"], texts, [plain(child) for child in children]]


def _text(items: list[dict[str, Any]]) -> str:
    return "".join(item["text"]["content"] for item in items)
