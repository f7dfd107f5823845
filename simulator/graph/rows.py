"""Insights rows as Graph writes them: strings throughout, a metric of zero left out (clicks not always)."""

from collections.abc import Callable
from typing import Any

import numpy as np

from simulator.graph.breakdowns import cells_of
from simulator.graph.delivery import (
    CARTS,
    CHECKOUTS,
    CLICKS,
    IMPRESSIONS,
    LINK_CLICKS,
    PAGE_VIEWS,
    PURCHASES,
    REACH,
    REACTIONS,
    REVENUE,
    SPEND,
)
from simulator.graph.errors import bad_parameter
from simulator.graph.insights import LEVELS, Block, Query
from simulator.graph.noise import Ints
from simulator.graph.objects import name_of
from simulator.graph.world import AD, AD_SET, CAMPAIGN

WINDOWS = frozenset({"1d_click", "1d_view", "7d_click", "28d_click", "default"})
ACTION_BREAKDOWNS = frozenset({"action_type", "action_reaction"})

Row = dict[str, Any]
Figures = list[int]
Put = Callable[[Row, Figures, int], None]  # row, its figures, the object's number
Element = dict[str, str]

_ID_FIELDS = {"campaign": CAMPAIGN, "adset": AD_SET, "ad": AD}
_METRIC_FIELDS = {
    "impressions": IMPRESSIONS,
    "clicks": CLICKS,
    "reach": REACH,
    "inline_link_clicks": LINK_CLICKS,
}
_RATIOS = {
    # name: numerator, denominator, factor; money is scaled by the currency's offset as well
    "ctr": (CLICKS, IMPRESSIONS, 100.0, False),
    "inline_link_click_ctr": (LINK_CLICKS, IMPRESSIONS, 100.0, False),
    "frequency": (IMPRESSIONS, REACH, 1.0, False),
    "cpc": (SPEND, CLICKS, 1.0, True),
    "cpm": (SPEND, IMPRESSIONS, 1000.0, True),
    "cpp": (SPEND, REACH, 1000.0, True),
    "cost_per_inline_link_click": (SPEND, LINK_CLICKS, 1.0, True),
}
_LISTS = frozenset(
    {
        "actions",
        "action_values",
        "cost_per_action_type",
        "purchase_roas",
        "website_purchase_roas",
        "video_30_sec_watched_actions",
        "video_p95_watched_actions",
        "video_play_actions",
    }
)
# Valid to ask for; these campaigns have nothing to say there.
_EMPTY = frozenset(
    {
        "conversions",
        "conversion_values",
        "catalog_segment_value",
        "converted_product_quantity",
        "quality_ranking",
        "engagement_rate_ranking",
        "conversion_rate_ranking",
        "social_spend",
        "outbound_clicks",
        "outbound_clicks_ctr",
        "unique_clicks",
        "unique_ctr",
        "unique_actions",
        "video_p25_watched_actions",
        "video_p50_watched_actions",
        "video_p75_watched_actions",
        "video_p100_watched_actions",
        "video_avg_time_watched_actions",
    }
)
_PLAIN = frozenset({"account_id", "account_name", "account_currency", "objective", "buying_type", "spend"})
_IMPLIED = frozenset({"date_start", "date_stop", "attribution_setting"})
FIELDS = (
    _PLAIN
    | _IMPLIED
    | _EMPTY
    | _LISTS
    | frozenset(_METRIC_FIELDS)
    | frozenset(_RATIOS)
    | frozenset(f"{name}_{part}" for name in _ID_FIELDS for part in ("id", "name"))
)
DEFAULT_FIELDS = ("account_id", "campaign_id", "adset_id", "ad_id", "impressions", "spend")

_PLANES = 11  # figures of a row; the counts by type of action follow them
_ENGAGEMENT_TYPES = (
    "link_click",
    "landing_page_view",
    "post_reaction",
    "video_view",
    "page_engagement",
    "post_engagement",
)
_PIXEL = "offsite_conversion.fb_pixel_"
# By how an account measures: which names a purchase goes by, and the tenths of the purchases each name sees.
_PURCHASE_TYPES = {
    "omni": (("omni_purchase", 10), ("purchase", 10), (f"{_PIXEL}purchase", 9)),
    "pixel": ((f"{_PIXEL}purchase", 10),),
    "purchase": (("purchase", 10), (f"{_PIXEL}purchase", 8)),
}
_STEP_TYPES = {
    "omni": (
        ("omni_add_to_cart", CARTS),
        ("add_to_cart", CARTS),
        (f"{_PIXEL}add_to_cart", CARTS),
        ("omni_initiated_checkout", CHECKOUTS),
        ("initiate_checkout", CHECKOUTS),
        (f"{_PIXEL}initiate_checkout", CHECKOUTS),
    ),
    "pixel": ((f"{_PIXEL}add_to_cart", CARTS), (f"{_PIXEL}initiate_checkout", CHECKOUTS)),
    "purchase": (("add_to_cart", CARTS), ("initiate_checkout", CHECKOUTS)),
}


def check_fields(fields: tuple[str, ...]) -> None:
    """Raise error 100 for the first field that insights do not have."""
    for name in fields:
        if name not in FIELDS:
            raise bad_parameter(
                f"{name} is not valid for fields param. please check "
                "https://developers.facebook.com/docs/marketing-api/reference/ads-insights/ "
                "for all valid values"
            )


def money(minor: int, offset: int) -> str:
    """An amount as Graph writes it: ``10.1``, never ``10.10``; whole for currencies without minor units."""
    if offset == 1:
        return str(minor)
    units, rest = divmod(minor, offset)
    if not rest:
        return str(units)
    return f"{units}.{rest:02d}".rstrip("0")


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


class Renderer:
    """Turns the blocks of one query into rows."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self._account = query.account
        self._offset = query.account.market.offset
        self._windows = tuple(window for window in query.windows if window != "default")
        tracking = self._account.tracking
        self._types = (
            *_ENGAGEMENT_TYPES,
            *(kind for kind, _ in _STEP_TYPES[tracking]),
            *(kind for kind, _ in _PURCHASE_TYPES[tracking]),
        )
        self._counts_needed = not {"actions", "cost_per_action_type"}.isdisjoint(query.fields)
        self._fixed: Row = {}
        self._puts: list[Put] = []
        for name in query.fields or DEFAULT_FIELDS:
            self._compile(name)
        cells = cells_of(query.breakdowns, self._account.market) if query.breakdowns else None
        self._cells = cells.values if cells else ()

    def rows(self, block: Block, first: int, past: int) -> list[Row]:
        """The JSON objects of some rows of a block."""
        figures = self._with_counts(block.figures[:, first:past]).T.tolist()
        numbers = block.numbers[first:past].tolist()
        cells = block.cell[first:past].tolist() if block.cell is not None else None
        start, stop = block.start.isoformat(), block.stop.isoformat()
        found: list[Row] = []
        for place, number in enumerate(numbers):
            row = self._fixed.copy()
            values = figures[place]
            for put in self._puts:
                put(row, values, number)
            row["date_start"] = start
            row["date_stop"] = stop
            if cells is not None:
                row.update(self._cells[cells[place]])
            found.append(row)
        return found

    def _with_counts(self, figures: Ints) -> Ints:
        """The figures and, below them, one line for each type of action."""
        if not self._counts_needed:
            return figures
        engaged, views = figures[LINK_CLICKS] + figures[REACTIONS], figures[IMPRESSIONS] // 5
        tracking = self._account.tracking
        lines = [
            *(figures[metric] for metric in (LINK_CLICKS, PAGE_VIEWS, REACTIONS)),
            views,
            engaged + views,
            engaged + views,
            *(figures[metric] for _, metric in _STEP_TYPES[tracking]),
            *(figures[PURCHASES] * part // 10 for _, part in _PURCHASE_TYPES[tracking]),
        ]
        return np.vstack((figures, lines))

    def _compile(self, name: str) -> None:
        """Arrange for one field; what is the same in every row is written once."""
        if name in _PLAIN and name != "spend":
            self._compile_plain(name)
        elif name in _METRIC_FIELDS:
            self._compile_metric(name, _METRIC_FIELDS[name])
        elif name in _RATIOS:
            self._compile_ratio(name)
        elif name in _LISTS:
            self._compile_list(name)
        elif name == "spend":
            offset = self._offset

            def put_spend(row: Row, values: Figures, _number: int) -> None:
                if values[SPEND]:
                    row["spend"] = money(values[SPEND], offset)

            self._puts.append(put_spend)
        elif name == "attribution_setting":
            self._fixed[name] = "7d_click_1d_view"
        elif name not in _EMPTY and name not in _IMPLIED:
            self._compile_entity(name)

    def _compile_plain(self, name: str) -> None:
        account = self._account
        known = {
            "account_id": account.id,
            "account_name": account.name,
            "account_currency": account.currency,
            "buying_type": "AUCTION",
        }
        if name in known:
            self._fixed[name] = known[name]
        elif self._query.level != "account":
            kind = LEVELS[self._query.level]

            def put_objective(row: Row, _values: Figures, number: int) -> None:
                row["objective"] = account.campaign_of(kind, number).objective

            self._puts.append(put_objective)

    def _compile_metric(self, name: str, metric: int) -> None:
        # A recorded answer has "0" clicks, while other zero metrics are left out; rows of both sorts come.
        def put(row: Row, values: Figures, _number: int) -> None:
            if values[metric] or (metric == CLICKS and values[IMPRESSIONS] % 2):
                row[name] = str(values[metric])

        self._puts.append(put)

    def _compile_ratio(self, name: str) -> None:
        over, under, factor, is_money = _RATIOS[name]
        if is_money:
            factor /= self._offset

        def put(row: Row, values: Figures, _place: int) -> None:
            if values[over] and values[under]:
                row[name] = _number(values[over] * factor / values[under])

        self._puts.append(put)

    def _compile_entity(self, name: str) -> None:
        kind_name, part = name.rsplit("_", 1)
        kind, level = _ID_FIELDS[kind_name], LEVELS[self._query.level]
        if kind > level:
            return  # Graph leaves out ids below the level asked for
        account, per = self._account, self._account.world.ads_per_campaign
        if part == "name":

            def put_name(row: Row, _values: Figures, number: int) -> None:
                row[name] = name_of(account, kind, account.parent(level, number, kind))

            self._puts.append(put_name)
            return
        # Ids are in every row, so they are put together here and not by entity_id().
        prefix = account.entity_id(kind, 0)[:-8]

        def put_id(row: Row, _values: Figures, number: int) -> None:
            if level == AD and kind == CAMPAIGN:
                number //= per
            elif level != kind:
                number = account.parent(level, number, kind)
            row[name] = f"{prefix}{number:07d}0"

        self._puts.append(put_id)

    def _compile_list(self, name: str) -> None:
        make = {
            "actions": self._actions,
            "action_values": self._action_values,
            "cost_per_action_type": self._costs,
            "purchase_roas": self._roas,
            "website_purchase_roas": self._website_roas,
        }.get(name, self._views)

        def put(row: Row, values: Figures, _number: int) -> None:
            if elements := make(values):
                row[name] = elements

        self._puts.append(put)

    def _element(self, kind: str, amount: int, write: Callable[[int], str] = str) -> Element:
        element = {"action_type": kind, "value": write(amount)}
        if self._windows:
            viewed = amount * 12 // 100
            shares = {
                "1d_view": viewed,
                "7d_click": amount - viewed,
                "1d_click": (amount - viewed) * 8 // 10,
                "28d_click": amount - viewed,
            }
            element |= {name: write(shares[name]) for name in self._windows if shares[name]}
        return element

    def _actions(self, values: Figures) -> list[Element]:
        counts = zip(self._types, values[_PLANES:], strict=True)
        if self._windows:
            elements = [self._element(kind, count) for kind, count in counts if count]
        else:
            elements = [{"action_type": kind, "value": str(count)} for kind, count in counts if count]
        if "action_reaction" in self._query.action_breakdowns and values[REACTIONS]:
            like = {
                "action_reaction": "like",
                "action_type": "post_reaction",
                "value": str(values[REACTIONS]),
            }
            elements.insert(0, like)
        # Now and then an element comes without its value, and never one that anybody counts money by.
        if values[IMPRESSIONS] % 7 == 0 and values[IMPRESSIONS]:
            elements.append({"action_type": "onsite_conversion.post_save"})
        return elements

    def _action_values(self, values: Figures) -> list[Element]:
        if not values[REVENUE]:
            return []
        offset = self._offset
        found: list[Element] = []
        for kind, part in _PURCHASE_TYPES[self._account.tracking]:
            amount = _tenths(values[REVENUE], part)
            # A breakdown's cell may have revenue without its purchase; only the full count keeps it then.
            if not amount or (part < 10 and not _tenths(values[PURCHASES], part)):
                continue
            if not self._windows:
                found.append({"action_type": kind, "value": money(amount, offset)})
            else:
                found.append(self._element(kind, amount, lambda minor: money(minor, offset)))
        return found

    def _costs(self, values: Figures) -> list[Element]:
        spend = values[SPEND] / self._offset
        return [
            {"action_type": kind, "value": _number(spend / count)}
            for kind, count in zip(self._types, values[_PLANES:], strict=True)
            if count and spend
        ]

    def _roas(self, values: Figures) -> list[Element]:
        kind = _PURCHASE_TYPES[self._account.tracking][0][0]
        if not (values[REVENUE] and values[SPEND]):
            return []
        return [{"action_type": kind, "value": _number(values[REVENUE] / values[SPEND])}]

    def _website_roas(self, values: Figures) -> list[Element]:
        part = dict(_PURCHASE_TYPES[self._account.tracking])[f"{_PIXEL}purchase"]
        revenue = _tenths(values[REVENUE], part)
        if not (revenue and values[SPEND]):
            return []
        return [{"action_type": f"{_PIXEL}purchase", "value": _number(revenue / values[SPEND])}]

    def _views(self, values: Figures) -> list[Element]:
        views = values[IMPRESSIONS] * 7 // 100
        return [self._element("video_view", views)] if views else []


def _tenths(amount: int, part: int) -> int:
    return amount if part == 10 else amount * part // 10
