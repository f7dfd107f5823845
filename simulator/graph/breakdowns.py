"""Breakdowns: their values, which may be combined, and how an ad's figures fall on them."""

from dataclasses import dataclass

import numpy as np

from simulator.graph.errors import bad_parameter, invalid_breakdowns
from simulator.graph.markets import Market
from simulator.graph.noise import Floats, Ints, Keys, crossed, key, keys, uniform

HOURLY = "hourly_stats_aggregated_by_advertiser_time_zone"

_SHARES: dict[str, tuple[tuple[str, float], ...]] = {
    "age": (
        ("18-24", 0.17),
        ("25-34", 0.29),
        ("35-44", 0.23),
        ("45-54", 0.15),
        ("55-64", 0.09),
        ("65+", 0.06),
        ("Unknown", 0.01),
    ),
    "gender": (("female", 0.53), ("male", 0.45), ("unknown", 0.02)),
    "publisher_platform": (
        ("facebook", 0.52),
        ("instagram", 0.41),
        ("audience_network", 0.05),
        ("messenger", 0.02),
    ),
    "impression_device": (
        ("android_smartphone", 0.52),
        ("iphone", 0.31),
        ("desktop", 0.11),
        ("ipad", 0.03),
        ("android_tablet", 0.02),
        ("other", 0.01),
    ),
    HOURLY: tuple(
        (f"{hour:02d}:00:00 - {hour:02d}:59:59", 1.0 + 0.9 * np.sin((hour - 9) / 24 * 2 * np.pi))
        for hour in range(24)
    ),
}
_POSITIONS: dict[str, tuple[tuple[str, float], ...]] = {
    "facebook": (("feed", 0.6), ("facebook_reels", 0.2), ("facebook_stories", 0.12), ("marketplace", 0.08)),
    "instagram": (("feed", 0.42), ("instagram_stories", 0.33), ("instagram_reels", 0.25)),
    "audience_network": (("an_classic", 0.7), ("rewarded_video", 0.3)),
    "messenger": (("messenger_inbox", 1.0),),
}
_KNOWN = (*_SHARES, "country", "region", "platform_position")
# platform_position is never given without the platform it belongs to.
_COMBINATIONS = frozenset(
    {
        *(frozenset({name}) for name in _KNOWN if name != "platform_position"),
        frozenset({"age", "gender"}),
        frozenset({"publisher_platform", "impression_device"}),
        frozenset({"publisher_platform", "platform_position"}),
        frozenset({"publisher_platform", "platform_position", "impression_device"}),
    }
)


@dataclass(frozen=True)
class Cells:
    """The rows that one object's row is split into: their values, and their usual shares (sum 1)."""

    values: tuple[dict[str, str], ...]
    shares: Floats


def check(names: tuple[str, ...]) -> None:
    """Raise the error Graph would answer for unknown or uncombinable breakdowns."""
    for place, name in enumerate(names):
        if name not in _KNOWN:
            raise bad_parameter(
                f"breakdowns[{place}] must be one of the following values: {', '.join(sorted(_KNOWN))}"
            )
    if names and frozenset(names) not in _COMBINATIONS:
        raise invalid_breakdowns(names)


def cells_of(names: tuple[str, ...], market: Market) -> Cells:
    """The cells of a checked combination in one market."""
    found: list[tuple[dict[str, str], float]] = [({}, 1.0)]
    # Positions after platforms, whatever the order asked for.
    for name in sorted(names, key=lambda name: name == "platform_position"):
        found = [
            ({**values, name: value}, share * part)
            for values, share in found
            for value, part in _parts(name, values, market)
        ]
    shares = np.array([share for _, share in found])
    ordered = tuple({name: values[name] for name in names} for values, _ in found)
    return Cells(ordered, shares / shares.sum())


def _parts(name: str, values: dict[str, str], market: Market) -> tuple[tuple[str, float], ...]:
    if name == "country":
        return market.countries
    if name == "region":
        return market.regions
    if name == "platform_position":
        return _POSITIONS[values["publisher_platform"]]
    return _SHARES[name]


def split(figures: Ints, ad_keys: Keys, cells: Cells) -> Ints:
    """Figures (metrics × ads) spread over the cells: (metrics × ads × cells) whole numbers that add up.

    An ad keeps its own mix over time; the cumulated shares are rounded, not the shares, so nothing is lost.
    """
    count = len(cells.values)
    mix = cells.shares * (0.6 + 0.8 * uniform(crossed(ad_keys, keys(key(53), np.arange(count)), 59)))
    edges = np.cumsum(mix, axis=1)
    edges /= edges[:, -1:]
    upper = np.floor(figures[:, :, None] * edges[None] + 0.5).astype(np.int64)
    return np.diff(upper, axis=2, prepend=0)
