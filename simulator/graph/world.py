"""The truth behind the simulated Graph API: accounts, campaigns, ad sets and ads.

Everything follows from the seed. A day's figures of an ad are a pure function of (seed, ad, date). Days exist
from ``history_days`` before the account's own today up to and including that today, whose figures are
complete already. Only the campaigns' lifetimes (and so created and updated times) hang on the calendar: they
are anchored to the Monday of the week in which the world was made, so that a restart within the week finds
the same world. Not safe for use by several threads at once; a server uses it from its event loop only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from simulator.graph.delivery import Restatement, Traits, Vanished
from simulator.graph.markets import CAMPAIGN_NAMES, MARKETS, Market
from simulator.graph.noise import Ints, key, keys, uniform, unit

HISTORY_DAYS = 1_200

CAMPAIGN, AD_SET, AD = 1, 2, 3

# The true cost of a purchase as a multiple of the break-even cost; None sells nothing. Cycled over the
# campaigns.
_QUALITIES: tuple[tuple[str, float | None], ...] = (
    ("winner", 0.45),
    ("loser", 2.4),
    ("fair", 0.95),
    ("sells nothing", None),
    ("fair", 1.1),
    ("winner", 0.6),
    ("loser", 1.9),
    ("tiring", 0.75),
)
# With eight campaigns an account has one archived and one deleted campaign, whose insights still come.
_STATUSES = ("ACTIVE", "ACTIVE", "ACTIVE", "ACTIVE", "ARCHIVED", "ACTIVE", "PAUSED", "ACTIVE")
_STATUSES_LATER = ("ACTIVE", "DELETED", "ACTIVE", "ACTIVE", "PAUSED", "ACTIVE", "ACTIVE", "ACTIVE")
_OBJECTIVES = ("OUTCOME_SALES", "OUTCOME_SALES", "OUTCOME_SALES", "OUTCOME_LEADS", "OUTCOME_TRAFFIC")
BREAK_EVEN_SHARE = 0.4  # break-even cost per purchase as a share of the average order value
TRACKINGS = ("omni", "omni", "pixel", "purchase")


@dataclass(frozen=True)
class Campaign:
    """One campaign. ``budget`` is what it spends a day in minor units.

    ``true_cpa`` is in minor units as well, None for a campaign that never sells. ``end`` is its last day of
    delivery, None while it runs.
    """

    id: str
    index: int
    name: str
    status: str
    objective: str
    quality: str
    budget: int
    lifetime: bool
    true_cpa: float | None
    start: date
    end: date | None
    created: datetime
    updated: datetime
    ad_sets: int


class Account:
    """One ad account; everything below it is made when first asked for."""

    def __init__(self, world: "World", index: int) -> None:
        self.world = world
        self.index = index
        self.market: Market = MARKETS[index % len(MARKETS)]
        self.id = str(100_000_000_000_000 + key(world.seed, 17, index) % 899_999_999_999_999)
        self.zone = ZoneInfo(self.market.zone)
        self.tracking = TRACKINGS[index % len(TRACKINGS)]
        round_ = index // len(MARKETS)
        self.name = self.market.business + (f" {round_ + 1}" if round_ else "")
        self.created = datetime(2021, 3, 1 + index % 28, 14, 5, 9, tzinfo=UTC)
        self.restatements: list[Restatement] = []
        self.vanished: list[Vanished] = []
        self.version = 0

    @property
    def currency(self) -> str:
        """ISO 4217 code."""
        return self.market.currency

    @property
    def break_even(self) -> float:
        """What a purchase may cost at most, in minor units."""
        return self.market.order_value * BREAK_EVEN_SHARE

    def today(self) -> date:
        """Today in the account's own zone."""
        return self.world.now().astimezone(self.zone).date()

    def first_day(self) -> date:
        """The oldest day with figures."""
        return self.today() - timedelta(days=self.world.history_days)

    @property
    def ads(self) -> int:
        """Number of ads."""
        return self.world.campaigns * self.world.ads_per_campaign

    @cached_property
    def campaigns(self) -> list[Campaign]:
        """All campaigns, in the order of their index."""
        return [self._campaign(index) for index in range(self.world.campaigns)]

    def _campaign(self, index: int) -> Campaign:
        world = self.world
        draw = key(world.seed, 23, self.index, index)
        quality, multiple = _QUALITIES[index % len(_QUALITIES)]
        statuses = _STATUSES_LATER if (index // 8 + self.index) % 2 else _STATUSES
        status = statuses[index % len(statuses)]
        old = index % 5 == 0
        age = world.history_days + 30 if old else 70 + key(draw, 1) % 700
        end = None
        if status != "ACTIVE":
            end = world.anchor - timedelta(days=2 + key(draw, 2) % 12)
        start = world.anchor - timedelta(days=age)
        # A day's budget buys between some two and eight purchases for each ad at the break-even cost.
        budget = round(self.break_even * (2 + 6 * unit(draw, 3)) * max(1.0, world.ads_per_campaign))
        budget = max(100, budget // 100 * 100)
        cpa = None if multiple is None else self.break_even * multiple * (0.92 + 0.16 * unit(draw, 4))
        created = datetime.combine(start - timedelta(days=1), datetime.min.time(), UTC)
        created += timedelta(hours=12, seconds=key(draw, 5) % 30_000)
        last_touch = datetime.combine(
            end or world.anchor - timedelta(days=key(draw, 6) % 60), created.timetz()
        )
        base = CAMPAIGN_NAMES[(index + key(world.seed, 29, self.index)) % len(CAMPAIGN_NAMES)]
        return Campaign(
            id=self.entity_id(CAMPAIGN, index),
            index=index,
            name=base if index < len(CAMPAIGN_NAMES) else f"{base} #{index + 1}",
            status=status,
            objective="OUTCOME_TRAFFIC" if multiple is None else _OBJECTIVES[index % 3],
            quality=quality,
            budget=budget,
            lifetime=index % 4 == 2,
            true_cpa=cpa,
            start=start,
            end=end,
            created=created,
            updated=max(created, last_touch),
            ad_sets=min(world.ads_per_campaign, 1 + key(draw, 7) % 2),
        )

    @cached_property
    def set_starts(self) -> Ints:
        """First ad number of each ad set; ad sets are numbered in the order of their ads."""
        per = self.world.ads_per_campaign
        starts: list[int] = []
        for campaign in self.campaigns:
            starts.append(campaign.index * per)
            if campaign.ad_sets == 2:
                starts.append(campaign.index * per + (per + 1) // 2)
        return np.array(starts, dtype=np.int64)

    @cached_property
    def set_of_ad(self) -> Ints:
        """Ad set number of each ad."""
        return np.searchsorted(self.set_starts, np.arange(self.ads), side="right").astype(np.int64) - 1

    @cached_property
    def campaign_of_set(self) -> Ints:
        """Campaign index of each ad set."""
        return self.set_starts // self.world.ads_per_campaign

    @cached_property
    def paused_ads(self) -> Ints:
        """1 for each ad that is paused by itself (it goes on having past figures), else 0."""
        draws = uniform(keys(key(self.world.seed, 31, self.index), np.arange(self.ads)))
        return (draws < 0.08).astype(np.int64)

    @cached_property
    def traits(self) -> Traits:
        """What the daily figures of the ads are drawn from."""
        world, per = self.world, self.world.ads_per_campaign
        numbers = np.arange(self.ads)
        ad_keys = keys(key(world.seed, 37, self.index), numbers)
        weight = 0.4 + uniform(ad_keys + np.uint64(1)) * 1.2
        totals = np.add.reduceat(weight, np.arange(0, self.ads, per)) if self.ads else weight
        of = numbers // per
        budget = np.array([c.budget for c in self.campaigns], dtype=np.float64)
        cpa = np.array([c.true_cpa or np.inf for c in self.campaigns])
        return Traits(
            ad_keys=ad_keys,
            campaign_keys=keys(key(world.seed, 41, self.index), np.arange(world.campaigns)),
            campaign_of=of,
            spend=budget[of] * weight / totals[of],
            # Cost per thousand impressions and click rate: 15 % of an order, and around 1.5 %.
            cpm=self.market.order_value * 0.15 * (0.7 + 0.6 * uniform(ad_keys + np.uint64(2))),
            ctr=0.008 + 0.014 * uniform(ad_keys + np.uint64(3)),
            cpa=cpa[of] * (0.85 + 0.3 * uniform(ad_keys + np.uint64(4))),
            start=np.array([c.start.toordinal() for c in self.campaigns])[of],
            end=np.array([(c.end or date.max).toordinal() for c in self.campaigns])[of],
            tiring=np.array([c.quality == "tiring" for c in self.campaigns])[of],
            order_value=float(self.market.order_value),
        )

    def entity_id(self, kind: int, number: int) -> str:
        """The id of a campaign, ad set or ad: 18 digits, as Meta's newer ids."""
        return f"12{self.world.seed % 1000:03d}{self.index:04d}{kind}{number:07d}0"

    def count(self, kind: int) -> int:
        """How many objects of a kind there are."""
        return {CAMPAIGN: self.world.campaigns, AD_SET: len(self.set_starts), AD: self.ads}[kind]

    def campaign_of(self, kind: int, number: int) -> Campaign:
        """The campaign an object is (in)."""
        if kind == CAMPAIGN:
            return self.campaigns[number]
        if kind == AD_SET:
            return self.campaigns[int(self.campaign_of_set[number])]
        return self.campaigns[number // self.world.ads_per_campaign]

    def parent(self, kind: int, number: int, wanted: int) -> int:
        """The number of the ad set or campaign that an object is in; its own number for its own kind."""
        if wanted == kind:
            return number
        if wanted == AD_SET:
            return int(self.set_of_ad[number])
        return self.campaign_of(kind, number).index

    def bounds(self, kind: int, number: int) -> tuple[int, int]:
        """First ad number of an object, and one past its last."""
        per = self.world.ads_per_campaign
        if kind == CAMPAIGN:
            return number * per, (number + 1) * per
        if kind == AD_SET:
            last = number + 1 == len(self.set_starts)
            return int(self.set_starts[number]), self.ads if last else int(self.set_starts[number + 1])
        return number, number + 1

    def restate(self, days: int, seed: int) -> None:
        """Change spend, clicks, purchases and revenue of the last ``days`` days, today included."""
        last = self.today()
        self.restatements.append(Restatement(last.toordinal() - days + 1, last.toordinal(), seed))
        self.version += 1

    def vanish(self, kind: int, number: int, since: date | None = None, until: date | None = None) -> None:
        """Make the insights of an object disappear, on all days or on some."""
        low, high = self.bounds(kind, number)
        first, last = (since or date.min).toordinal(), (until or date.max).toordinal()
        self.vanished.append(Vanished(low, high, first, last))
        self.version += 1


class World:
    """Accounts × campaigns × ads. ``now`` freezes the clock (aware); None takes the real one.

    Three-line example: ``world = World(7)``, ``account = world.accounts[0]``,
    ``account.campaigns[0].true_cpa``.
    """

    def __init__(
        self,
        seed: int,
        accounts: int = 3,
        campaigns: int = 8,
        ads_per_campaign: int = 3,
        now: datetime | Callable[[], datetime] | None = None,
        history_days: int = HISTORY_DAYS,
    ) -> None:
        if min(accounts, campaigns, ads_per_campaign) < 1:
            raise ValueError("a world has at least one account, campaign and ad")
        self.seed = seed
        self.campaigns = campaigns
        self.ads_per_campaign = ads_per_campaign
        self.history_days = history_days
        self._now = now
        today = self.now().date()
        self.anchor = today - timedelta(days=today.weekday())
        self.accounts = [Account(self, index) for index in range(accounts)]
        self._by_id = {account.id: account for account in self.accounts}

    def now(self) -> datetime:
        """The world's time, aware, in UTC."""
        if self._now is None:
            return datetime.now(UTC)
        moment = self._now() if callable(self._now) else self._now
        return moment.astimezone(UTC)

    def account(self, account_id: str) -> Account | None:
        """The account with this id, with or without ``act_``."""
        return self._by_id.get(account_id.removeprefix("act_"))

    def find(self, entity_id: str) -> tuple[Account, int, int] | None:
        """Account, kind and number of a campaign, ad set or ad; None for an unknown id."""
        if len(entity_id) != 18 or not (entity_id.isascii() and entity_id.isdigit()):
            return None
        index, kind, number = int(entity_id[5:9]), int(entity_id[9]), int(entity_id[10:17])
        if index >= len(self.accounts) or kind not in {CAMPAIGN, AD_SET, AD}:
            return None
        account = self.accounts[index]
        if number >= account.count(kind) or account.entity_id(kind, number) != entity_id:
            return None
        return account, kind, number
