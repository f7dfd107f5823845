"""Insights: what was asked, and the rows of whole numbers that answer it."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from simulator.graph.breakdowns import HOURLY, Cells, cells_of, split
from simulator.graph.delivery import IMPRESSIONS, REACH, Deliveries
from simulator.graph.noise import Ints, key, keys, uniform
from simulator.graph.world import AD, AD_SET, CAMPAIGN, Account

LEVELS = {"account": 0, "campaign": CAMPAIGN, "adset": AD_SET, "ad": AD}

_CACHE_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Query:
    """One insights request. ``increment`` is a number of days, 0 for one row over all days, -1 for months.

    ``scope`` is the range of ads meant, ``chosen`` further limits them (a tuple of (kind, numbers, wanted)).
    ``least`` are (metric, lowest value excluded) pairs on the row itself.
    """

    account: Account
    level: str
    since: date
    until: date
    increment: int
    scope: tuple[int, int]
    fields: tuple[str, ...] = ()
    breakdowns: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()
    action_breakdowns: tuple[str, ...] = ()
    chosen: tuple[tuple[int, tuple[int, ...], bool], ...] = ()
    least: tuple[tuple[int, int], ...] = ()

    def buckets(self) -> list[tuple[date, date]]:
        """First and last day of each row's period, oldest first."""
        if self.increment == 0:
            return [(self.since, self.until)]
        found: list[tuple[date, date]] = []
        start = self.since
        while start <= self.until:
            if self.increment < 0:
                stop = (start.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
            else:
                stop = start + timedelta(days=self.increment - 1)
            found.append((start, min(stop, self.until)))
            start = stop + timedelta(days=1)
        return found

    def mask(self) -> Ints:
        """1 for each ad of the account that is meant, else 0."""
        account = self.account
        mask = np.zeros(account.ads, dtype=np.int64)
        mask[slice(*self.scope)] = 1
        for kind, numbers, wanted in self.chosen:
            these = np.zeros(account.ads, dtype=np.int64)
            for number in numbers:
                these[slice(*account.bounds(kind, number))] = 1
            mask *= these if wanted else 1 - these
        return mask


@dataclass(frozen=True)
class Block:
    """The rows of one period: object numbers, cell numbers (with breakdowns), figures (11 metrics × rows)."""

    start: date
    stop: date
    numbers: Ints
    cell: Ints | None
    figures: Ints

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True)
class Position:
    """Where in an answer a page begins: period and row within it."""

    bucket: int = 0
    row: int = 0


class Insights:
    """Evaluates queries, one period at a time, and keeps the last periods evaluated."""

    def __init__(self, deliveries: Deliveries) -> None:
        self._deliveries = deliveries
        self._blocks: OrderedDict[tuple[object, ...], Block] = OrderedDict()
        self._bytes = 0

    def page(
        self, query: Query, at: Position, limit: int
    ) -> tuple[list[tuple[Block, int, int]], Position | None]:
        """Up to ``limit`` rows as (block, first, past last), and where the next page begins."""
        buckets = query.buckets()
        parts: list[tuple[Block, int, int]] = []
        bucket, row = at.bucket, at.row
        while bucket < len(buckets):
            block = self.block(query, buckets[bucket])
            if row < len(block):
                if limit == 0:
                    return parts, Position(bucket, row)
                taken = min(limit, len(block) - row)
                parts.append((block, row, row + taken))
                limit -= taken
                row += taken
                if row < len(block):
                    return parts, Position(bucket, row)
            bucket, row = bucket + 1, 0
        return parts, None

    def block(self, query: Query, bucket: tuple[date, date]) -> Block:
        """All rows of one period."""
        account = query.account
        name = (
            account.index,
            account.version,
            account.today(),
            query.level,
            query.scope,
            query.chosen,
            query.least,
            query.breakdowns,
            bucket,
        )
        block = self._blocks.get(name)
        if block is not None:
            self._blocks.move_to_end(name)
            return block
        block = self._evaluate(query, bucket)
        self._blocks[name] = block
        self._bytes += block.figures.nbytes
        while self._bytes > _CACHE_BYTES and len(self._blocks) > 1:
            self._bytes -= self._blocks.popitem(last=False)[1].figures.nbytes
        return block

    def _evaluate(self, query: Query, bucket: tuple[date, date]) -> Block:
        account = query.account
        mask = query.mask()
        cells = cells_of(query.breakdowns, account.market) if query.breakdowns else None
        first, last = max(bucket[0], account.first_day()), min(bucket[1], account.today())
        sums = np.zeros((11, account.ads), dtype=np.int64)
        largest = np.zeros(account.ads, dtype=np.int64)
        spread = None
        for offset in range((last - first).days + 1):
            day = self._deliveries.day(account, first + timedelta(days=offset)) * mask
            sums += day
            largest = np.maximum(largest, day[REACH])
            if cells is not None:
                here = _split_delivered(account, day, cells)
                spread = here if spread is None else spread + here
        starts = group_starts(account, query.level)
        figures = np.add.reduceat(sums, starts, axis=1)
        most = np.maximum.reduceat(largest, starts)
        # People reached twice, by two ads or on two days, count once.
        overlap = 0.45 + 0.4 * uniform(keys(key(61, LEVELS[query.level], bucket[0].toordinal()), starts))
        figures[REACH] = most + np.floor((figures[REACH] - most) * overlap).astype(np.int64)
        if cells is None:
            wanted = _wanted(figures, query)
            return Block(*bucket, np.flatnonzero(wanted), None, figures[:, wanted])
        if spread is None:
            spread = np.zeros((REACH, account.ads, len(cells.values)), dtype=np.int64)
        return _broken_down(query, bucket, figures, np.add.reduceat(spread, starts, axis=1))


def group_starts(account: Account, level: str) -> Ints:
    """First ad number of each object of a level."""
    if level == "account":
        return np.zeros(1, dtype=np.int64)
    if level == "campaign":
        return np.arange(0, account.ads, account.world.ads_per_campaign, dtype=np.int64)
    if level == "adset":
        return account.set_starts
    return np.arange(account.ads, dtype=np.int64)


def _wanted(figures: Ints, query: Query) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    wanted = np.asarray((figures[:REACH] > 0).any(axis=0))
    for metric, bound in query.least:
        wanted &= figures[metric] > bound
    return wanted


def _split_delivered(account: Account, day: Ints, cells: Cells) -> Ints:
    spread = np.zeros((REACH, account.ads, len(cells.values)), dtype=np.int64)
    shown = np.flatnonzero(day[IMPRESSIONS] > 0)
    if len(shown):
        spread[:, shown] = split(day[:REACH, shown], account.traits.ad_keys[shown], cells)
    return spread


def _broken_down(query: Query, bucket: tuple[date, date], totals: Ints, spread: Ints) -> Block:
    """Rows of (object, cell); reach follows the impressions, except by hour, where Graph has none."""
    _, groups, cells = spread.shape
    figures = np.zeros((11, groups * cells), dtype=np.int64)
    figures[:REACH] = spread.reshape(REACH, -1)
    if HOURLY not in query.breakdowns:
        shown = figures[IMPRESSIONS]
        share = np.repeat(totals[REACH] / np.maximum(totals[IMPRESSIONS], 1), cells)
        figures[REACH] = np.minimum(shown, np.maximum(shown > 0, np.floor(shown * share).astype(np.int64)))
    wanted = _wanted(figures, query)
    place = np.flatnonzero(wanted)
    return Block(*bucket, place // cells, place % cells, figures[:, wanted])


def truth(deliveries: Deliveries, account: Account, level: str, day: date) -> Mapping[int, list[int]]:
    """Object number to its ten additive figures on one day, straight from the ads' figures."""
    sums = np.add.reduceat(deliveries.day(account, day)[:REACH], group_starts(account, level), axis=1)
    return {int(number): sums[:, number].tolist() for number in np.flatnonzero(sums[IMPRESSIONS] > 0)}
