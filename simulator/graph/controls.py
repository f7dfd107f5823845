"""The Graph simulator's control routes: tokens, quotas, restated and vanished figures, and the truth itself.

- ``POST /_control/tokens`` ``{"dead": token, "subcode": 463}``, ``{"alive": token}``, ``{"token": token,
  "expires_at": unix seconds, "accounts": [ids] | null, "scopes": [...]}``
- ``POST /_control/restate`` ``{"account": id | null, "days": n, "seed": k}``
- ``POST /_control/vanish`` ``{"campaign" | "adset" | "ad": id, "since": date, "until": date}``
- ``POST /_control/usage`` ``{"account": id, "call_count": 95, ...}`` fixes figures of the usage headers
- ``POST /_control/unblock`` ends every block; ``POST /_control/async`` ``{"polls": n, "seconds": s}`` for
  later runs
- ``GET /_control/truth?account=&level=&since=&until=&by=entity``, ``GET /_control/world?ads=0``
"""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from aiohttp import web

from simulator.control import bad_control, json_answer, read_json
from simulator.graph.delivery import CLICKS, IMPRESSIONS, PURCHASES, REVENUE, SPEND, Deliveries
from simulator.graph.insights import LEVELS, truth
from simulator.graph.objects import name_of, status_of
from simulator.graph.reports import Runs
from simulator.graph.tokens import Tokens
from simulator.graph.usage import Usage
from simulator.graph.world import AD, AD_SET, CAMPAIGN, Account, World

_KINDS = {"campaign": CAMPAIGN, "adset": AD_SET, "ad": AD}


class GraphControls:
    """The routes above, for one simulator."""

    def __init__(
        self, world: World, deliveries: Deliveries, tokens: Tokens, usage: Usage, runs: Runs
    ) -> None:
        self._world = world
        self._deliveries = deliveries
        self._tokens = tokens
        self._usage = usage
        self._runs = runs

    def install(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_post("/_control/tokens", self._post_tokens)
        app.router.add_post("/_control/restate", self._post_restate)
        app.router.add_post("/_control/vanish", self._post_vanish)
        app.router.add_post("/_control/usage", self._post_usage)
        app.router.add_post("/_control/unblock", self._post_unblock)
        app.router.add_post("/_control/async", self._post_async)
        app.router.add_get("/_control/truth", self._get_truth)
        app.router.add_get("/_control/world", self._get_world)

    async def _post_tokens(self, request: web.Request) -> web.Response:
        document = await _object(request)
        token = document.get("dead") or document.get("alive") or document.get("token")
        if not isinstance(token, str):
            raise bad_control("name the token under dead, alive or token")
        state = self._tokens.state(token)
        if "dead" in document:
            state.is_dead = True
            state.dead = document.get("subcode")
        if "alive" in document:
            state.is_dead, state.dead = False, None
            state.expires_at = None
        if "expires_at" in document:
            state.expires_at = document["expires_at"]
        if "accounts" in document:
            ids = document["accounts"]
            state.accounts = None if ids is None else frozenset(str(one).removeprefix("act_") for one in ids)
        if "scopes" in document:
            state.scopes = tuple(document["scopes"])
        return json_answer({"success": True})

    async def _post_restate(self, request: web.Request) -> web.Response:
        document = await _object(request)
        days = document.get("days", 28)
        if not isinstance(days, int) or days < 1:
            raise bad_control("days is a whole number, 1 or more")
        for account in self._accounts(document.get("account")):
            account.restate(days, int(document.get("seed", 1)))
        return json_answer({"success": True})

    async def _post_vanish(self, request: web.Request) -> web.Response:
        document = await _object(request)
        for kind_name, kind in _KINDS.items():
            if kind_name not in document:
                continue
            found = self._world.find(str(document[kind_name]))
            if found is None or found[1] != kind:
                raise bad_control(f"there is no such {kind_name}: {document[kind_name]}")
            since, until = (_day(document.get(name), name) for name in ("since", "until"))
            found[0].vanish(kind, found[2], since, until)
            return json_answer({"success": True})
        raise bad_control("name a campaign, an adset or an ad by its id")

    async def _post_usage(self, request: web.Request) -> web.Response:
        document = await _object(request)
        accounts = self._accounts(document.pop("account", None))
        try:
            for account in accounts:
                self._usage.show(account.id, document)
        except (TypeError, ValueError) as error:
            raise bad_control(str(error)) from None
        return json_answer({"success": True})

    async def _post_unblock(self, _request: web.Request) -> web.Response:
        self._usage.unblock()
        return json_answer({"success": True})

    async def _post_async(self, request: web.Request) -> web.Response:
        document = await _object(request)
        self._runs.polls = int(document.get("polls", self._runs.polls))
        self._runs.seconds = float(document.get("seconds", self._runs.seconds))
        return json_answer({"polls": self._runs.polls, "seconds": self._runs.seconds})

    async def _get_truth(self, request: web.Request) -> web.Response:
        query = request.query
        level = query.get("level", "campaign")
        if level not in LEVELS:
            raise bad_control(f"level is one of {', '.join(LEVELS)}")
        by_entity = query.get("by") == "entity"
        given = query.get("account")
        documents = []
        for account in self._accounts(given):
            until = _day(query.get("until"), "until") or account.today()
            since = _day(query.get("since"), "since") or until
            documents.append(self._truth(account, level, since, until, by_entity))
        return json_answer(documents[0] if given else {"accounts": documents})

    def _truth(
        self, account: Account, level: str, since: date, until: date, by_entity: bool
    ) -> dict[str, Any]:
        days: list[dict[str, Any]] = []
        for offset in range((until - since).days + 1):
            day = since + timedelta(days=offset)
            figures = truth(self._deliveries, account, level, day)
            sums = [sum(column) for column in zip(*figures.values(), strict=True)] or [0] * 10
            found = {"date": day.isoformat(), **_sums(sums, account), "rows": len(figures)}
            if by_entity:
                found["entities"] = {
                    _entity_id(account, level, number): _sums(values, account)
                    for number, values in figures.items()
                }
            days.append(found)
        return {"account_id": account.id, "currency": account.currency, "level": level, "days": days}

    async def _get_world(self, request: web.Request) -> web.Response:
        with_ads = request.query.get("ads", "1") != "0"
        accounts = [_account_document(account, with_ads) for account in self._world.accounts]
        return json_answer(
            {"seed": self._world.seed, "now": self._world.now().isoformat(), "accounts": accounts}
        )

    def _accounts(self, account_id: object) -> list[Account]:
        if not account_id:
            return self._world.accounts
        account = self._world.account(str(account_id))
        if account is None:
            raise bad_control(f"there is no account {account_id}")
        return [account]


async def _object(request: web.Request) -> dict[str, Any]:
    document = await read_json(request)
    if not isinstance(document, dict):
        raise bad_control("the body is a JSON object")
    return document


def _day(text: object, name: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise bad_control(f"{name} is a date, YYYY-MM-DD") from None


def _entity_id(account: Account, level: str, number: int) -> str:
    return account.id if level == "account" else account.entity_id(LEVELS[level], number)


def _sums(values: list[int], account: Account) -> Mapping[str, Any]:
    """Money as a decimal text in currency units."""
    digits = 0 if account.market.offset == 1 else 2
    return {
        "spend": str(Decimal(values[SPEND]).scaleb(-digits)),
        "impressions": values[IMPRESSIONS],
        "clicks": values[CLICKS],
        "purchases": values[PURCHASES],
        "revenue": str(Decimal(values[REVENUE]).scaleb(-digits)),
    }


def _account_document(account: Account, with_ads: bool) -> dict[str, Any]:
    offset = account.market.offset
    campaigns = []
    for campaign in account.campaigns:
        low, high = account.bounds(CAMPAIGN, campaign.index)
        document: dict[str, Any] = {
            "id": campaign.id,
            "name": campaign.name,
            "status": campaign.status,
            "quality": campaign.quality,
            "true_cpa": None if campaign.true_cpa is None else round(campaign.true_cpa / offset, 4),
            "budget": campaign.budget / offset,
            "start": campaign.start.isoformat(),
            "end": campaign.end.isoformat() if campaign.end else None,
        }
        if with_ads:
            document["ads"] = [
                {
                    "id": account.entity_id(AD, number),
                    "adset_id": account.entity_id(AD_SET, account.parent(AD, number, AD_SET)),
                    "name": name_of(account, AD, number),
                    "effective_status": status_of(account, AD, number)[1],
                }
                for number in range(low, high)
            ]
        campaigns.append(document)
    return {
        "id": account.id,
        "name": account.name,
        "currency": account.currency,
        "zone": account.market.zone,
        "offset": offset,
        "today": account.today().isoformat(),
        "first_day": account.first_day().isoformat(),
        "tracking": account.tracking,
        "break_even_cpa": account.break_even / offset,
        "campaigns": campaigns,
    }
