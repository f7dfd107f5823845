"""What every ad of an account did on every day, as arrays (days × ads) of whole numbers.

Money is in minor units of the account's currency. Figures of larger objects are sums over their ads.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from simulator.graph.noise import Floats, Ints, Keys, crossed, keys, normal, poisson, uniform

if TYPE_CHECKING:
    from simulator.graph.world import Account

METRICS = (
    "impressions",
    "clicks",
    "spend",
    "purchases",
    "revenue",
    "link_clicks",
    "page_views",
    "carts",
    "checkouts",
    "reactions",
)
IMPRESSIONS, CLICKS, SPEND, PURCHASES, REVENUE, LINK_CLICKS, PAGE_VIEWS, CARTS, CHECKOUTS, REACTIONS = range(
    10
)
REACH = 10  # an extra plane after the additive ones

_CHUNK_CELLS = 200_000
_CACHE_BYTES = 256 * 2**20
_WEEKDAYS = np.array([0.96, 0.94, 0.97, 1.0, 1.06, 1.08, 0.99])
_TIRING_DAYS = 60


@dataclass(frozen=True)
class Traits:
    """Per ad, arrays of one length: what its days are drawn from. Money in minor units, days as ordinals."""

    ad_keys: Keys
    campaign_keys: Keys
    campaign_of: Ints
    spend: Floats
    cpm: Floats
    ctr: Floats
    cpa: Floats
    start: Ints
    end: Ints
    tiring: np.ndarray[tuple[int], np.dtype[np.bool_]]
    order_value: float


@dataclass(frozen=True)
class Restatement:
    """From day ``first`` to ``last`` (ordinals) the figures were counted again."""

    first: int
    last: int
    seed: int


@dataclass(frozen=True)
class Vanished:
    """Ads ``low`` to ``high`` (exclusive) have no figures from day ``first`` to ``last``."""

    low: int
    high: int
    first: int
    last: int


def draw(account: "Account", ordinals: Ints) -> Ints:
    """Figures of all ads on the given days, shape (11 metrics × days × ads): `METRICS`, then reach."""
    traits = account.traits
    days = keys(0, ordinals)

    def cells(stream: int) -> Keys:
        return crossed(days, traits.ad_keys, stream)

    day = ordinals[:, None]
    delivered = (day >= traits.start) & (day <= traits.end) & (uniform(cells(1)) >= 0.06)
    # The seldom expensive day of a whole campaign.
    mood = crossed(days, traits.campaign_keys, 2)
    campaign_factor = np.exp(0.12 * normal(mood)) * np.where(uniform(mood) > 0.992, 2.8, 1.0)
    factor = campaign_factor[:, traits.campaign_of] * _WEEKDAYS[(ordinals - 1) % 7][:, None]
    spend = np.maximum(1.0, np.rint(traits.spend * factor * np.exp(0.2 * normal(cells(3)))))
    impressions = np.maximum(
        1, poisson(cells(4), spend / traits.cpm * 1000 * np.exp(0.05 * normal(cells(5))))
    )
    # A tiring creative loses response over sixty days and is then replaced.
    phase = ((day + traits.campaign_of * 17) % _TIRING_DAYS) / _TIRING_DAYS
    fresh = np.where(traits.tiring, 1.35 - 0.95 * phase, 1.0)
    clicks = np.minimum(impressions, poisson(cells(6), impressions * traits.ctr * fresh))
    purchases = np.minimum(clicks, poisson(cells(7), spend / traits.cpa * fresh))
    spread = np.exp(0.3 * normal(cells(8)) / np.sqrt(np.maximum(purchases, 1)))
    revenue = np.rint(purchases * traits.order_value * spread).astype(np.int64)
    reach = np.maximum(1, np.rint(impressions * (0.72 + 0.27 * uniform(cells(9))))).astype(np.int64)
    figures = np.zeros((11, *impressions.shape), dtype=np.int64)
    figures[IMPRESSIONS], figures[CLICKS], figures[SPEND] = impressions, clicks, spend.astype(np.int64)
    figures[PURCHASES], figures[REVENUE], figures[REACH] = purchases, revenue, reach
    figures[REACTIONS] = impressions // 400
    figures *= delivered
    for restatement in account.restatements:
        _restate(figures, ordinals, cells(100 + restatement.seed), restatement, traits)
    for gone in account.vanished:
        inside = (ordinals >= gone.first) & (ordinals <= gone.last)
        figures[:, inside, gone.low : gone.high] = 0
    _derive(figures)
    return figures


def _restate(figures: Ints, ordinals: Ints, of: Keys, what: Restatement, traits: Traits) -> None:
    inside = ((ordinals >= what.first) & (ordinals <= what.last))[:, None] & (figures[IMPRESSIONS] > 0)
    chance = uniform(of)
    spend = np.maximum(1, np.rint(figures[SPEND] * (0.97 + 0.06 * chance)).astype(np.int64))
    clicks = np.minimum(figures[IMPRESSIONS], figures[CLICKS] + 1 + (chance * 3).astype(np.int64))
    sells = np.isfinite(traits.cpa)
    late = np.minimum(clicks - figures[PURCHASES], (chance < 0.4).astype(np.int64) + (chance < 0.1)) * sells
    revenue = figures[REVENUE] + np.rint(late * traits.order_value * (0.8 + 0.4 * chance)).astype(np.int64)
    for metric, changed in ((SPEND, spend), (CLICKS, clicks), (REVENUE, revenue)):
        figures[metric] = np.where(inside, changed, figures[metric])
    figures[PURCHASES] += np.where(inside, late, 0)


def _derive(figures: Ints) -> None:
    """Fill in the other actions, all at least as many as what follows them on the way to a purchase."""
    clicks, purchases = figures[CLICKS], figures[PURCHASES]
    figures[LINK_CLICKS] = np.maximum(purchases, clicks * 9 // 10)
    figures[PAGE_VIEWS] = np.maximum(purchases, clicks * 7 // 10)
    figures[CARTS] = np.minimum(clicks, purchases * 2 + clicks // 25)
    figures[CHECKOUTS] = np.minimum(figures[CARTS], purchases + purchases // 3 + clicks // 60)


class Deliveries:
    """Daily figures of a world's accounts, computed in chunks of days and kept while there is room."""

    def __init__(self) -> None:
        self._chunks: OrderedDict[tuple[int, int, int], Ints] = OrderedDict()
        self._bytes = 0

    def day(self, account: "Account", day: date) -> Ints:
        """Figures of one day, shape (11 × ads); all zero outside the account's history.

        Do not write into it.
        """
        if not account.first_day() <= day <= account.today():
            return np.zeros((11, account.ads), dtype=np.int64)
        length = max(1, min(32, _CHUNK_CELLS // account.ads))
        chunk, offset = divmod(day.toordinal(), length)
        place = (account.index, account.version, chunk)
        figures = self._chunks.get(place)
        if figures is None:
            figures = draw(account, np.arange(chunk * length, (chunk + 1) * length, dtype=np.int64))
            self._chunks[place] = figures
            self._bytes += figures.nbytes
            while self._bytes > _CACHE_BYTES and len(self._chunks) > 1:
                self._bytes -= self._chunks.popitem(last=False)[1].nbytes
        else:
            self._chunks.move_to_end(place)
        return figures[:, offset]
