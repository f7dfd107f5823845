"""The tables. Importing this package knows them all, which Alembic relies on."""

from db.models.accounts import AdAccount, Campaign
from db.models.base import Base
from db.models.insights import Insight, InsightCoverage, Level
from db.models.judgement import (
    CampaignScore,
    Suggestion,
    SuggestionStatus,
    SuggestionType,
    Target,
    TargetKind,
)
from db.models.notion import NotionDatabase, NotionPage, PageState
from db.models.people import AuditLog, ConversationMemory, Role, Speaker, User
from db.models.work import (
    CollectionRun,
    CollectionSlice,
    Job,
    JobKind,
    RunState,
    SliceKind,
    WorkState,
)

__all__ = [
    "AdAccount",
    "AuditLog",
    "Base",
    "Campaign",
    "CampaignScore",
    "CollectionRun",
    "CollectionSlice",
    "ConversationMemory",
    "Insight",
    "InsightCoverage",
    "Job",
    "JobKind",
    "Level",
    "NotionDatabase",
    "NotionPage",
    "PageState",
    "Role",
    "RunState",
    "SliceKind",
    "Speaker",
    "Suggestion",
    "SuggestionStatus",
    "SuggestionType",
    "Target",
    "TargetKind",
    "User",
    "WorkState",
]
