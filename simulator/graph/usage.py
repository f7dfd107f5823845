"""Quotas: the usage headers of every answer, and accounts that are blocked for a while."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from simulator.graph.errors import GraphError, throttled
from simulator.graph.world import Account

EVERYONE = "*"
_HOUR = 3600.0
_BASE = {"standard_access": 190_000, "development_access": 600}
_FIGURES = ("call_count", "total_cputime", "total_time", "regain", "acc_id_util_pct", "app_id_util_pct")


@dataclass
class _Block:
    until: float
    code: int
    subcode: int | None
    extend: float
    regain: float | None


@dataclass
class _Account:
    calls: deque[float] = field(default_factory=deque)
    shown: dict[str, float] = field(default_factory=dict)


class Usage:
    """Calls per account within the last hour. ``clock`` counts seconds and never goes back."""

    def __init__(self, tier: str = "standard_access", clock: Callable[[], float] = time.monotonic) -> None:
        self.tier = tier
        self._clock = clock
        self._accounts: dict[str, _Account] = {}
        self._blocks: dict[str, _Block] = {}
        self._total = 0

    def count(self, account: Account | None) -> None:
        """A call was made, answered well or not."""
        self._total += 1
        if account is None:
            return
        calls = self._of(account.id).calls
        calls.append(self._clock())
        while calls[0] < self._clock() - _HOUR:
            calls.popleft()

    def show(self, account_id: str, figures: dict[str, Any]) -> None:
        """Fix figures of the headers: percentages, and ``regain`` in minutes. An empty dict lets them go."""
        if unknown := set(figures) - set(_FIGURES):
            raise ValueError(f"unknown figures {sorted(unknown)}; there are {list(_FIGURES)}")
        self._of(account_id).shown = {name: float(value) for name, value in figures.items()}

    def block(self, account_id: str, seconds: float, error: GraphError, extend: float, regain: float) -> None:
        """Refuse all calls of an account (`EVERYONE`: of all) from now on; each refused one adds ``extend``
        seconds.
        """
        self._blocks[account_id] = _Block(
            self._clock() + seconds, error.code, error.subcode, extend, regain or None
        )

    def unblock(self) -> None:
        """End every block."""
        self._blocks.clear()

    def refuse(self, account: Account | None) -> GraphError | None:
        """The error for a call of a blocked account."""
        for place in (account.id if account else EVERYONE, EVERYONE):
            block = self._blocks.get(place)
            if block is None:
                continue
            if self._clock() >= block.until:
                del self._blocks[place]
                continue
            block.until += block.extend
            return throttled(block.code, block.subcode)
        return None

    def headers(self, account: Account | None, insights: bool, regain: float | None = None) -> dict[str, str]:
        """The usage headers; ``regain`` (minutes) marks an answer that throttles."""
        app = {"call_count": min(99, self._total // 2_000), "total_time": 1, "total_cputime": 1}
        headers = {"X-App-Usage": orjson.dumps(app).decode()}
        if account is None:
            return headers
        state = self._of(account.id)
        quota = _BASE[self.tier] + 400 * account.ads
        percent = 100.0 * len(state.calls) / quota
        block = self._blocks.get(account.id) or self._blocks.get(EVERYONE)
        if block is not None and regain is None and block.until > self._clock():
            regain = block.regain or -(-(block.until - self._clock()) // 60)
        if regain is not None:
            percent = max(percent, 101.0)
        shown = {
            "call_count": percent,
            "total_cputime": percent * 0.6,
            "total_time": percent * 0.8,
            "regain": regain or 0.0,
            "acc_id_util_pct": round(percent, 2),
            "app_id_util_pct": round(percent / 3, 2),
        } | state.shown
        entry = {
            "type": "ads_insights" if insights else "ads_management",
            "call_count": int(shown["call_count"]),
            "total_cputime": int(shown["total_cputime"]),
            "total_time": int(shown["total_time"]),
            "estimated_time_to_regain_access": int(shown["regain"]),
            "ads_api_access_tier": self.tier,
        }
        headers["X-Business-Use-Case-Usage"] = orjson.dumps({account.id: [entry]}).decode()
        reset = int(shown["regain"] * 60) or 300
        headers["X-Ad-Account-Usage"] = orjson.dumps(
            {
                "acc_id_util_pct": shown["acc_id_util_pct"],
                "reset_time_duration": reset,
                "ads_api_access_tier": self.tier,
            }
        ).decode()
        if insights:
            throttle = {name: shown[name] for name in ("app_id_util_pct", "acc_id_util_pct")}
            throttle_header = {**throttle, "ads_api_access_tier": self.tier}
            headers["x-fb-ads-insights-throttle"] = orjson.dumps(throttle_header).decode()
        return headers

    def _of(self, account_id: str) -> _Account:
        return self._accounts.setdefault(account_id.removeprefix("act_"), _Account())
