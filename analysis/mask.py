"""Earlier anomalies that make days useless for judging a campaign's return."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

import numpy as np

from analysis.errors import KnownAnomalyError
from analysis.series import AccountSeries, BoolArray, CampaignId

ANOMALY_NAMES = ("spend_spike", "ctr_collapse", "conversion_drop", "delivery_stopped")
CONVERSION_DROP = "conversion_drop"
# An alarm on the last day or the day before may still be going on.
OPEN_ALARM_DAYS = 2

_DayAnomalies = (
    Mapping[str, Collection[str]] | Mapping[int, Collection[str]] | Mapping[CampaignId, Collection[str]]
)
KnownAnomalies = Mapping[date, _DayAnomalies]
"""Day, then campaign id, then the names of that day's anomalies."""


def conversion_alarms(series: AccountSeries, known: KnownAnomalies | None) -> BoolArray:
    """(days × campaigns) days with a known conversion drop.

    Purchases went unrecorded then, so spend and purchases of such a day say nothing about the return. The
    other anomalies (a spend spike, a CTR collapse, a stop) are money truly spent and clicks truly lost: they
    stay in.
    Days and campaigns outside the series are passed over.

    Raises:
        KnownAnomalyError: a name is not one of the four anomalies.
    """
    mask = np.zeros((len(series.days), len(series.ids)), dtype=np.bool_)
    if not known:
        return mask
    row = {day: index for index, day in enumerate(series.days)}
    column = {campaign_id: index for index, campaign_id in enumerate(series.ids)}
    for day, campaigns in known.items():
        for campaign_id, names in campaigns.items():
            for name in names:
                if name not in ANOMALY_NAMES:
                    raise KnownAnomalyError(day, campaign_id, name, ANOMALY_NAMES)
            if CONVERSION_DROP in names and day in row and campaign_id in column:
                mask[row[day], column[campaign_id]] = True
    return mask


def open_alarms(series: AccountSeries, alarms: BoolArray) -> BoolArray:
    """(campaigns,) whether a conversion drop is known on the last day or the day before."""
    return np.asarray(alarms[series.ages < OPEN_ALARM_DAYS].any(axis=0), dtype=np.bool_)
