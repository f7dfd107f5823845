"""The errors of the analysis. Each names the field and the position, and says what to do."""

from __future__ import annotations

from datetime import date

Position = tuple[int, ...]


class AnalysisError(ValueError):
    """The input cannot be judged. Catch this one to catch them all."""


class FieldError(AnalysisError):
    """An input field is wrong.

    Attributes:
        field: name of the `AccountSeries` field (or argument) at fault.
        position: index of the first wrong value, () when the field is wrong as a whole.
    """

    def __init__(self, field: str, message: str, position: Position = ()) -> None:
        self.field = field
        self.position = position
        where = f"{field}[{', '.join(map(str, position))}]" if position else field
        super().__init__(f"{where}: {message}")


class ShapeError(FieldError):
    """A field does not have the shape that `dates` and `campaign_ids` ask for, or is not numeric."""


class NotFiniteError(FieldError):
    """A value is infinite, absurdly large, or NaN where a missing value has no meaning."""


class NegativeValueError(FieldError):
    """A value is negative, or zero where it must be positive."""


class PartialRowError(FieldError):
    """A day of a campaign is missing (NaN) in one field and known in another."""


class DatesError(FieldError):
    """The dates are not dates, not increasing, or there are none."""


class CampaignIdError(FieldError):
    """A campaign id is empty, not text or a whole number, or occurs twice."""


class CurrencyError(FieldError):
    """The currency is not a three-letter code."""


class KnownAnomalyError(FieldError):
    """An earlier anomaly has a name that the analysis does not know."""

    def __init__(self, day: date, campaign_id: object, name: object, known: tuple[str, ...]) -> None:
        self.day = day
        self.campaign_id = campaign_id
        super().__init__(
            "known_anomalies",
            f"{name!r} of campaign {campaign_id!r} on {day} is not an anomaly; use one of {', '.join(known)}",
        )
