"""What is judged: the days of one ad account as arrays, checked once on the way in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from analysis.errors import (
    CampaignIdError,
    CurrencyError,
    DatesError,
    NegativeValueError,
    NotFiniteError,
    PartialRowError,
    ShapeError,
)

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
CampaignId = str | int
RowField = Literal["impressions", "clicks", "spend", "reach", "purchases", "revenue"]

ROW_FIELDS: tuple[RowField, ...] = get_args(RowField)

# Sums of squares over any account stay finite below this; no real amount or count comes near it.
LARGEST_VALUE = 1e15
# Spend divided by a smaller cost per purchase would overflow the counts.
SMALLEST_CPA = 1e-9


@dataclass(frozen=True, eq=False)
class AccountSeries:
    """The days of one ad account, as known on the last of them.

    Arrays are (days × campaigns), oldest day first, and are copied and made read-only.

    Missing days. NaN in `impressions`, `clicks`, `spend`, `reach`, `purchases` or `revenue` means that there
    is no row for that campaign on that day, which counts as no delivery (0). A row is missing as a whole: a
    NaN next to a known value of the same day and campaign is a `PartialRowError`, because a purchase count
    that is merely unknown must not pass for no purchase.

    Args:
        impressions, clicks, reach: counts.
        spend, revenue: account currency, in units (not cents).
        purchases: counts, as attributed to that day and known on the last day.
        budget: budget of the day, account currency in units; NaN or 0 where it is not known.
        dates: one per day, strictly increasing, in the account's own time zone. Gaps are allowed; ages
            are counted in calendar days.
        campaign_ids: one per column, text or whole numbers, each once. There may be none.
        break_even_cpa: cost per purchase at which a campaign neither earns nor loses, account currency in
            units; one per campaign, None or NaN where there is no explicit target. None: no targets at all.
        creative_start: day index at which the running creative began, one per campaign; negative when
            before the first day, None or NaN where not known.
        arrivals: (days × ages × campaigns) purchases by whole days between click and purchase; NaN where
            the age is not reached yet.
        currency: ISO 4217 code of every amount, for the wording only.

    Raises:
        ShapeError, NotFiniteError, NegativeValueError, PartialRowError, DatesError, CampaignIdError,
        CurrencyError: all of them `AnalysisError`, with `field` and `position`.
    """

    impressions: npt.ArrayLike
    clicks: npt.ArrayLike
    spend: npt.ArrayLike
    reach: npt.ArrayLike
    purchases: npt.ArrayLike
    revenue: npt.ArrayLike
    budget: npt.ArrayLike
    dates: Sequence[date]
    campaign_ids: Sequence[CampaignId]
    break_even_cpa: npt.ArrayLike | Sequence[float | None] | None = None
    creative_start: npt.ArrayLike | Sequence[int | None] | None = None
    arrivals: npt.ArrayLike | None = None
    currency: str | None = None

    def __post_init__(self) -> None:
        dates = _checked_dates(self.dates)
        ids = _checked_ids(self.campaign_ids)
        self._set("dates", dates)
        self._set("campaign_ids", ids)
        shape = (len(dates), len(ids))
        for field in (*ROW_FIELDS, "budget"):
            self._set(field, _checked_amounts(field, getattr(self, field), shape))
        self._check_rows_are_whole()
        self._set("break_even_cpa", _checked_targets(self.break_even_cpa, shape[1]))
        if self.creative_start is not None:
            self._set("creative_start", _checked_starts(self.creative_start, shape))
        if self.arrivals is not None:
            self._set("arrivals", _checked_arrivals(self.arrivals, shape))
        if self.currency is not None and not (
            isinstance(self.currency, str)
            and len(self.currency) == 3
            and self.currency.isascii()
            and self.currency.isalpha()
            and self.currency.isupper()
        ):
            raise CurrencyError(
                "currency", f"{self.currency!r} is not a code such as 'BRL'; pass one or None"
            )

    def _set(self, field: str, value: object) -> None:
        object.__setattr__(self, field, value)

    def _check_rows_are_whole(self) -> None:
        missing = ~self.reported
        for field in ROW_FIELDS:
            partial = np.isnan(self.array(field)) & ~missing
            if partial.any():
                raise PartialRowError(
                    field,
                    "missing (NaN) while other fields of the same day and campaign are known; "
                    f"give the value, or make the whole row NaN ({', '.join(ROW_FIELDS)})",
                    _first(partial),
                )

    @property
    def days(self) -> tuple[date, ...]:
        """The dates, oldest first."""
        return tuple(self.dates)

    @property
    def ids(self) -> tuple[CampaignId, ...]:
        """The campaign ids, in the order of the columns."""
        return tuple(self.campaign_ids)

    @cached_property
    def ages(self) -> IntArray:
        """(days,) calendar days before the last day: 0 for the last day."""
        ordinals = np.array([day.toordinal() for day in self.days], dtype=np.int64)
        return np.asarray(ordinals[-1] - ordinals, dtype=np.int64)

    @cached_property
    def reported(self) -> BoolArray:
        """(days × campaigns) whether there is a row for that campaign on that day."""
        known = np.zeros((len(self.days), len(self.ids)), dtype=np.bool_)
        for field in ROW_FIELDS:
            known |= ~np.isnan(self.array(field))
        return known

    @property
    def targets(self) -> FloatArray:
        """(campaigns,) the explicit break-even CPA, NaN where there is none."""
        return np.asarray(self.break_even_cpa, dtype=np.float64)

    def array(self, field: RowField | Literal["budget"]) -> FloatArray:
        """(days × campaigns) one field as given, NaN where missing."""
        return np.asarray(getattr(self, field), dtype=np.float64)

    def delivery(self, field: RowField) -> FloatArray:
        """(days × campaigns) one field with 0 where there is no row."""
        values = self.array(field)
        return np.where(np.isnan(values), 0.0, values)


def _first(wrong: BoolArray) -> tuple[int, ...]:
    return tuple(int(index) for index in np.argwhere(wrong)[0])


def _as_floats(field: str, values: object, shape: tuple[int | None, ...], meaning: str) -> FloatArray:
    """A read-only copy, if it has the shape; None in the shape stands for any length."""
    try:
        array = np.array(values, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise ShapeError(field, f"not an array of numbers ({error}); pass {meaning}") from None
    fits = array.ndim == len(shape) and all(
        want is None or want == got for want, got in zip(shape, array.shape, strict=True)
    )
    if not fits:
        expected = " × ".join("any" if want is None else str(want) for want in shape)
        found = " × ".join(map(str, array.shape)) or "a single number"
        raise ShapeError(field, f"has shape {found}, expected {expected}; pass {meaning}")
    array.flags.writeable = False
    return array


def _refuse_infinite(field: str, array: FloatArray) -> None:
    wrong = np.abs(array) > LARGEST_VALUE
    if wrong.any():
        position = _first(wrong)
        raise NotFiniteError(
            field,
            f"is {array[position]}; must be finite and at most {LARGEST_VALUE:.0e}: correct it at its source",
            position,
        )


def _refuse_negative(field: str, array: FloatArray) -> None:
    wrong = array < 0
    if wrong.any():
        position = _first(wrong)
        raise NegativeValueError(
            field,
            f"is {array[position]}; counts and amounts cannot be negative: correct it at its source",
            position,
        )


def _checked_amounts(field: str, values: object, shape: tuple[int, int]) -> FloatArray:
    array = _as_floats(field, values, shape, "one row per date and one column per campaign")
    _refuse_infinite(field, array)
    _refuse_negative(field, array)
    return array


def _checked_targets(values: object, campaigns: int) -> FloatArray:
    field = "break_even_cpa"
    if values is None:
        values = np.full(campaigns, np.nan)
    array = _as_floats(field, values, (campaigns,), "one number per campaign, None where there is no target")
    _refuse_infinite(field, array)
    wrong = array < SMALLEST_CPA
    if wrong.any():
        position = _first(wrong)
        raise NegativeValueError(
            field, f"is {array[position]}; a cost per purchase is positive: pass None for no target", position
        )
    return array


def _checked_starts(values: object, shape: tuple[int, int]) -> FloatArray:
    field = "creative_start"
    array = _as_floats(field, values, (shape[1],), "one day index per campaign, None where not known")
    _refuse_infinite(field, array)
    wrong = (array >= shape[0]) | (np.floor(array) != array) & ~np.isnan(array)
    if wrong.any():
        position = _first(wrong)
        raise ShapeError(
            field,
            f"is {array[position]}; pass a whole day index below {shape[0]} (the number of days)",
            position,
        )
    return array


def _checked_arrivals(values: object, shape: tuple[int, int]) -> FloatArray:
    field = "arrivals"
    array = _as_floats(field, values, (shape[0], None, shape[1]), "days × ages × campaigns")
    _refuse_infinite(field, array)
    _refuse_negative(field, array)
    return array


def _checked_dates(values: Sequence[date]) -> tuple[date, ...]:
    field = "dates"
    dates: list[date] = []
    for index, value in enumerate(values):
        # numpy's own days (datetime64[D]) turn into dates; a datetime has a clock and so an unclear day.
        day = value.item() if isinstance(value, np.datetime64) else value
        if type(day) is not date:
            raise DatesError(
                field, f"{value!r} is not a date; pass datetime.date of the account's zone", (index,)
            )
        if dates and day <= dates[-1]:
            raise DatesError(
                field, f"{day} does not come after {dates[-1]}; sort them, each day once", (index,)
            )
        dates.append(day)
    if not dates:
        raise DatesError(field, "there is no day to judge; pass at least one")
    return tuple(dates)


def _checked_ids(values: Sequence[CampaignId]) -> tuple[CampaignId, ...]:
    field = "campaign_ids"
    seen: dict[CampaignId, int] = {}
    for index, value in enumerate(values):
        campaign_id = int(value) if isinstance(value, np.integer) else value
        if isinstance(campaign_id, bool) or not isinstance(campaign_id, str | int) or campaign_id == "":
            raise CampaignIdError(field, f"{value!r} is not an id; pass text or a whole number", (index,))
        if campaign_id in seen:
            raise CampaignIdError(
                field,
                f"{campaign_id!r} occurs before at {seen[campaign_id]}; pass each campaign once",
                (index,),
            )
        seen[campaign_id] = index
    return tuple(seen)
