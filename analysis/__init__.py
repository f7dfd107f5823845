"""Judging an ad account's campaigns: pure functions of arrays, without database, clock or network.

from analysis import AccountSeries, evaluate

evaluation = evaluate(AccountSeries(...))
"""

from analysis.errors import AnalysisError
from analysis.evaluate import CampaignVerdict, Evaluation, PooledFigures, evaluate
from analysis.series import AccountSeries
from analysis.suggest import Suggestion, SuggestionType

__all__ = [
    "AccountSeries",
    "AnalysisError",
    "CampaignVerdict",
    "Evaluation",
    "PooledFigures",
    "Suggestion",
    "SuggestionType",
    "evaluate",
]
