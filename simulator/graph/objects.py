"""Accounts, campaigns, ad sets and ads as Graph's JSON objects, and which of them a list shows."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import numpy as np

from simulator.graph.errors import bad_parameter
from simulator.graph.noise import Ints, key, keys, uniform
from simulator.graph.world import AD, AD_SET, CAMPAIGN, Account, Campaign

NODE_TYPES = {CAMPAIGN: "Campaign", AD_SET: "AdCampaign", AD: "AdGroup"}

EFFECTIVE_STATUSES = {
    CAMPAIGN: frozenset({"ACTIVE", "PAUSED", "DELETED", "ARCHIVED", "IN_PROCESS", "WITH_ISSUES"}),
    AD_SET: frozenset(
        {"ACTIVE", "PAUSED", "DELETED", "CAMPAIGN_PAUSED", "ARCHIVED", "IN_PROCESS", "WITH_ISSUES"}
    ),
    AD: frozenset(
        {
            "ACTIVE",
            "PAUSED",
            "DELETED",
            "PENDING_REVIEW",
            "DISAPPROVED",
            "PREAPPROVED",
            "PENDING_BILLING_INFO",
            "CAMPAIGN_PAUSED",
            "ARCHIVED",
            "ADSET_PAUSED",
            "IN_PROCESS",
            "WITH_ISSUES",
        }
    ),
}
_HIDDEN = frozenset({"ARCHIVED", "DELETED"})


def graph_time(moment: datetime, account: Account) -> str:
    """A time as Graph writes it, in the account's zone: ``2026-11-01T10:00:00-0300``."""
    return moment.astimezone(account.zone).strftime("%Y-%m-%dT%H:%M:%S%z")


def name_of(account: Account, kind: int, number: int) -> str:
    """The name of a campaign, ad set or ad."""
    campaign = account.campaign_of(kind, number)
    if kind == CAMPAIGN:
        return campaign.name
    first = account.bounds(CAMPAIGN, campaign.index)[0]
    if kind == AD_SET:
        return f"{campaign.name[:60]} – público {'B' if account.bounds(AD_SET, number)[0] > first else 'A'}"
    return f"{campaign.name[:40]} – anúncio {number - first + 1}"


def status_of(account: Account, kind: int, number: int) -> tuple[str, str]:
    """Own (configured) and effective status."""
    above = account.campaign_of(kind, number).status
    if kind == CAMPAIGN or above in _HIDDEN:
        return above, above
    own = "PAUSED" if kind == AD and account.paused_ads[number] else "ACTIVE"
    if above == "PAUSED":
        return own, "CAMPAIGN_PAUSED" if own == "ACTIVE" else own
    return own, own


def updated_of(account: Account, kind: int, numbers: Ints) -> Ints:
    """When objects were last changed, in unix seconds; never before they were created."""
    campaigns = account.campaigns
    if kind == CAMPAIGN:
        of = numbers
    elif kind == AD_SET:
        of = account.campaign_of_set[numbers]
    else:
        of = numbers // account.world.ads_per_campaign
    created = np.array([int(campaign.created.timestamp()) for campaign in campaigns], dtype=np.int64)[of]
    updated = np.array([int(campaign.updated.timestamp()) for campaign in campaigns], dtype=np.int64)[of]
    if kind == CAMPAIGN:
        return updated
    share = uniform(keys(key(account.world.seed, 43, account.index, kind), numbers))
    return created + np.floor((updated - created) * share).astype(np.int64)


def listed(
    account: Account,
    kind: int,
    numbers: Ints,
    statuses: frozenset[str] | None,
    updated_after: float | None,
) -> list[int]:
    """The objects a list shows, in order. Without ``statuses`` archived and deleted ones are left out."""
    if statuses is not None and (unknown := statuses - EFFECTIVE_STATUSES[kind]):
        known, wrong = (", ".join(sorted(names)) for names in (EFFECTIVE_STATUSES[kind], unknown))
        raise bad_parameter(f"effective_status[0] must be one of the following values: {known}, not {wrong}")
    if updated_after is not None:
        numbers = numbers[updated_of(account, kind, numbers) > updated_after]
    shown: list[int] = []
    for number in numbers.tolist():
        status = status_of(account, kind, number)[1]
        if (status not in _HIDDEN) if statuses is None else (status in statuses):
            shown.append(number)
    return shown


M = TypeVar("M")
Maker = Callable[[Account, int, int, Campaign], Any]


def _updated(account: Account, kind: int, number: int, _campaign: Campaign) -> str:
    seconds = int(updated_of(account, kind, np.array([number], dtype=np.int64))[0])
    return graph_time(datetime.fromtimestamp(seconds, UTC), account)


_SHARED: dict[str, Maker] = {
    "id": lambda account, kind, number, _: account.entity_id(kind, number),
    "account_id": lambda account, _kind, _number, _: account.id,
    "name": lambda account, kind, number, _: name_of(account, kind, number),
    "status": lambda account, kind, number, _: status_of(account, kind, number)[0],
    "configured_status": lambda account, kind, number, _: status_of(account, kind, number)[0],
    "effective_status": lambda account, kind, number, _: status_of(account, kind, number)[1],
    "created_time": lambda account, _kind, _number, campaign: graph_time(campaign.created, account),
    "updated_time": _updated,
    "issues_info": lambda *_: None,
    "source_campaign_id": lambda *_: "0",
    "bid_strategy": lambda *_: "LOWEST_COST_WITHOUT_CAP",
    "start_time": lambda account, _kind, _number, campaign: graph_time(campaign.created, account),
}
_OF_CAMPAIGN: dict[str, Maker] = {
    "objective": lambda _account, _kind, _number, campaign: campaign.objective,
    "buying_type": lambda *_: "AUCTION",
    "daily_budget": lambda _a, _k, _n, campaign: None if campaign.lifetime else str(campaign.budget),
    "lifetime_budget": lambda _a, _k, _n, campaign: str(campaign.budget * 180) if campaign.lifetime else None,
    "budget_remaining": lambda _a, _k, _n, campaign: str(campaign.budget // 3),
    "stop_time": lambda *_: None,
    "special_ad_categories": lambda *_: [],
    "smart_promotion_type": lambda *_: "GUIDED_CREATION",
}
_OF_AD_SET: dict[str, Maker] = {
    "campaign_id": lambda _account, _kind, _number, campaign: campaign.id,
    "campaign": lambda _account, _kind, _number, campaign: {"id": campaign.id, "name": campaign.name},
    "daily_budget": lambda *_: "0",
    "lifetime_budget": lambda *_: "0",
    "budget_remaining": lambda *_: "0",
    "optimization_goal": lambda *_: "OFFSITE_CONVERSIONS",
    "billing_event": lambda *_: "IMPRESSIONS",
    "bid_amount": lambda *_: None,
    "end_time": lambda *_: None,
    "destination_type": lambda *_: "WEBSITE",
    "targeting": lambda account, *_: {
        "age_min": 18,
        "age_max": 65,
        "geo_locations": {"countries": [account.market.countries[0][0]]},
    },
    "attribution_spec": lambda *_: [
        {"event_type": "CLICK_THROUGH", "window_days": 7},
        {"event_type": "VIEW_THROUGH", "window_days": 1},
    ],
    "learning_stage_info": lambda *_: {"status": "SUCCESS"},
    "promoted_object": lambda *_: {"custom_event_type": "PURCHASE"},
}
_OF_AD: dict[str, Maker] = {
    "campaign_id": lambda _account, _kind, _number, campaign: campaign.id,
    "campaign": lambda _account, _kind, _number, campaign: {"id": campaign.id, "name": campaign.name},
    "adset_id": lambda account, _kind, number, _: account.entity_id(
        AD_SET, account.parent(AD, number, AD_SET)
    ),
    "adset": lambda account, _kind, number, _: {
        "id": account.entity_id(AD_SET, account.parent(AD, number, AD_SET)),
        "name": name_of(account, AD_SET, account.parent(AD, number, AD_SET)),
    },
    "creative": lambda account, _kind, number, _: {"id": account.entity_id(4, number)},
    "bid_amount": lambda *_: None,
    "conversion_domain": lambda *_: "example.com",
    "preview_shareable_link": lambda *_: None,
    "tracking_specs": lambda *_: [{"action.type": ["offsite_conversion"]}],
}
_MAKERS = {
    CAMPAIGN: _SHARED | _OF_CAMPAIGN,
    AD_SET: _SHARED | _OF_AD_SET,
    AD: _SHARED | _OF_AD,
}
_ACCOUNT: dict[str, Callable[[Account], Any]] = {
    "id": lambda account: f"act_{account.id}",
    "account_id": lambda account: account.id,
    "name": lambda account: account.name,
    "currency": lambda account: account.currency,
    "timezone_name": lambda account: account.market.zone,
    "timezone_id": lambda account: account.index + 1,
    "timezone_offset_hours_utc": lambda account: _offset_hours(account),
    "account_status": lambda _: 1,
    "disable_reason": lambda _: 0,
    "amount_spent": lambda account: str(sum(campaign.budget for campaign in account.campaigns) * 60),
    "balance": lambda _: "0",
    "spend_cap": lambda _: "0",
    "created_time": lambda account: graph_time(account.created, account),
    "age": lambda account: float((account.world.now() - account.created).days),
    "business_name": lambda account: account.name,
    "business_country_code": lambda account: account.market.countries[0][0],
    "min_daily_budget": lambda account: account.market.order_value // 30,
    "owner": lambda account: account.id[::-1],
    "is_personal": lambda _: 0,
}


def _offset_hours(account: Account) -> float:
    offset = account.world.now().astimezone(account.zone).utcoffset()
    return offset.total_seconds() / 3600 if offset is not None else 0.0


def entities(
    account: Account, kind: int, numbers: Iterable[int], fields: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Campaigns, ad sets or ads with the fields asked for; ``id`` always, and what is not set is left out."""
    makers = _MAKERS[kind]
    chosen = [(name, _maker(makers, name, NODE_TYPES[kind])) for name in dict.fromkeys((*fields, "id"))]
    found: list[dict[str, Any]] = []
    for number in numbers:
        campaign = account.campaign_of(kind, number)
        item = {}
        for name, make in chosen:
            value = make(account, kind, number, campaign)
            if value is not None:
                item[name] = value
        found.append(item)
    return found


def account_object(account: Account, fields: tuple[str, ...]) -> dict[str, Any]:
    """An ad account; without fields its two ids."""
    names = dict.fromkeys((*(fields or ("account_id",)), "id"))
    return {name: _maker(_ACCOUNT, name, "AdAccount")(account) for name in names}


def _maker(makers: Mapping[str, M], name: str, node: str) -> M:
    if name not in makers:
        raise bad_parameter(f"Tried accessing nonexisting field ({name}) on node type ({node})")
    return makers[name]
