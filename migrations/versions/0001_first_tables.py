"""Create the first tables

Revision: 0001
Previous:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSIGHT_LEVEL = postgresql.ENUM("account", "campaign", "adset", "ad", name="insight_level", create_type=False)
JOB_KIND = postgresql.ENUM(
    "collect", "analyze", "report", "cleanup", "check_tokens", name="job_kind", create_type=False
)
WORK_STATE = postgresql.ENUM("pending", "running", "done", "failed", name="work_state", create_type=False)
PAGE_STATE = postgresql.ENUM("writing", "complete", name="page_state", create_type=False)
SUGGESTION_TYPE = postgresql.ENUM(
    "PAUSE",
    "BUDGET_UP",
    "BUDGET_DOWN",
    "CREATIVE_REFRESH",
    "AUDIENCE_EXPANSION",
    name="suggestion_type",
    create_type=False,
)
SUGGESTION_STATUS = postgresql.ENUM(
    "PENDING", "ACCEPTED", "REJECTED", "APPLIED", "EXPIRED", name="suggestion_status", create_type=False
)
TARGET_KIND = postgresql.ENUM("cpa", "roas", name="target_kind", create_type=False)
USER_ROLE = postgresql.ENUM("viewer", "operator", "admin", name="user_role", create_type=False)
RUN_STATE = postgresql.ENUM("running", "done", "incomplete", "failed", name="run_state", create_type=False)
SPEAKER = postgresql.ENUM("user", "assistant", name="speaker", create_type=False)
SLICE_KIND = postgresql.ENUM("entities", "insights", name="slice_kind", create_type=False)

ENUMS = (
    INSIGHT_LEVEL,
    JOB_KIND,
    WORK_STATE,
    PAGE_STATE,
    SUGGESTION_TYPE,
    SUGGESTION_STATUS,
    TARGET_KIND,
    USER_ROLE,
    RUN_STATE,
    SPEAKER,
    SLICE_KIND,
)


def upgrade() -> None:
    for enum in ENUMS:
        enum.create(op.get_bind(), checkfirst=False)
    op.create_table(
        "ad_accounts",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("timezone_name", sa.Text(), nullable=False),
        sa.Column("account_status", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ad_accounts")),
    )
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column(
            "details",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index(op.f("ix_audit_log_at"), "audit_log", ["at"], unique=False)
    op.create_table(
        "campaign_scores",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("relative", sa.Boolean(), nullable=False),
        sa.Column("scored_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("score BETWEEN 0 AND 100", name=op.f("ck_campaign_scores_score_in_range")),
        sa.PrimaryKeyConstraint("campaign_id", "date", name=op.f("pk_campaign_scores")),
    )
    op.create_index(
        op.f("ix_campaign_scores_account_id_date"), "campaign_scores", ["account_id", "date"], unique=False
    )
    op.create_table(
        "insight_coverage",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("level", INSIGHT_LEVEL, nullable=False),
        sa.Column("breakdown", sa.Text(), nullable=False),
        sa.Column("wanted_since", sa.Date(), nullable=True),
        sa.Column(
            "covered",
            postgresql.DATEMULTIRANGE(),
            server_default=sa.text("'{}'::datemultirange"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("account_id", "level", "breakdown", name=op.f("pk_insight_coverage")),
    )
    op.create_table(
        "insights",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("level", INSIGHT_LEVEL, nullable=False),
        sa.Column("entity_id", sa.BigInteger(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("breakdown", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "breakdown_values",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("adset_id", sa.BigInteger(), nullable=True),
        sa.Column("ad_id", sa.BigInteger(), nullable=True),
        sa.Column("impressions", sa.BigInteger(), nullable=False),
        sa.Column("clicks", sa.BigInteger(), nullable=False),
        sa.Column("reach", sa.BigInteger(), nullable=False),
        sa.Column("spend", sa.Numeric(), nullable=False),
        sa.Column("purchases", sa.BigInteger(), nullable=False),
        sa.Column("revenue", sa.Numeric(), nullable=False),
        sa.Column("actions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("action_values", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "frequency",
            sa.Double(),
            sa.Computed("impressions::double precision / NULLIF(reach, 0)", persisted=True),
            nullable=True,
        ),
        sa.Column(
            "ctr",
            sa.Double(),
            sa.Computed("100 * clicks::double precision / NULLIF(impressions, 0)", persisted=True),
            nullable=True,
        ),
        sa.Column(
            "cpc",
            sa.Double(),
            sa.Computed("spend::double precision / NULLIF(clicks, 0)", persisted=True),
            nullable=True,
        ),
        sa.Column(
            "cpm",
            sa.Double(),
            sa.Computed("1000 * spend::double precision / NULLIF(impressions, 0)", persisted=True),
            nullable=True,
        ),
        sa.Column(
            "cpa",
            sa.Double(),
            sa.Computed("spend::double precision / NULLIF(purchases, 0)", persisted=True),
            nullable=True,
        ),
        sa.Column(
            "roas",
            sa.Double(),
            sa.Computed("revenue::double precision / NULLIF(spend, 0)::double precision", persisted=True),
            nullable=True,
        ),
        sa.Column(
            "collected_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint(
            "account_id",
            "level",
            "breakdown",
            "date",
            "entity_id",
            "breakdown_values",
            name=op.f("pk_insights"),
        ),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", JOB_KIND, nullable=False),
        sa.Column("slot", sa.Text(), nullable=True),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "params",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("requested_by", sa.Text(), server_default="schedule", nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("state", WORK_STATE, server_default="pending", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "next_attempt_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_kind", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'running') = (lease_until IS NOT NULL)", name=op.f("ck_jobs_leased_while_running")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("slot", name=op.f("uq_jobs_slot")),
    )
    op.create_index(op.f("ix_jobs_account_id"), "jobs", ["account_id"], unique=False)
    op.create_index(
        "ix_jobs_unfinished",
        "jobs",
        ["next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('pending', 'running')"),
    )
    op.create_table(
        "notion_databases",
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("parent_page_id", sa.Text(), nullable=False),
        sa.Column("database_id", sa.Text(), nullable=False),
        sa.Column("data_source_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("role", "parent_page_id", name=op.f("pk_notion_databases")),
    )
    op.create_table(
        "notion_pages",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("data_source_id", sa.Text(), nullable=False),
        sa.Column("page_id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("state", PAGE_STATE, nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_notion_pages")),
    )
    op.create_table(
        "suggestions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("type", SUGGESTION_TYPE, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", SUGGESTION_STATUS, server_default="PENDING", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggestions")),
    )
    op.create_index(
        op.f("ix_suggestions_account_id_status"), "suggestions", ["account_id", "status"], unique=False
    )
    op.create_index(
        "uq_suggestions_open",
        "suggestions",
        ["campaign_id", "type"],
        unique=True,
        postgresql_where=sa.text("status IN ('PENDING', 'ACCEPTED')"),
    )
    op.create_table(
        "targets",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", TARGET_KIND, nullable=False),
        sa.Column("value", sa.Numeric(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("value > 0", name=op.f("ck_targets_value_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_targets")),
    )
    op.create_index(
        "uq_targets_account",
        "targets",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text("campaign_id IS NULL"),
    )
    op.create_index(
        "uq_targets_campaign",
        "targets",
        ["campaign_id"],
        unique=True,
        postgresql_where=sa.text("campaign_id IS NOT NULL"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", USER_ROLE, server_default="operator", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("name", name=op.f("uq_users_name")),
    )
    op.create_table(
        "campaigns",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("effective_status", sa.Text(), nullable=False),
        sa.Column("objective", sa.Text(), nullable=True),
        sa.Column("daily_budget", sa.Numeric(), nullable=True),
        sa.Column("lifetime_budget", sa.Numeric(), nullable=True),
        sa.Column("created_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["ad_accounts.id"],
            name=op.f("fk_campaigns_account_id_ad_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
    )
    op.create_index(op.f("ix_campaigns_account_id"), "campaigns", ["account_id"], unique=False)
    op.create_table(
        "collection_runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("levels", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("breakdowns", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("state", RUN_STATE, server_default="running", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_collection_runs_job_id_jobs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collection_runs")),
    )
    op.create_index(
        op.f("ix_collection_runs_account_id_created_at"),
        "collection_runs",
        ["account_id", "created_at"],
        unique=False,
    )
    op.create_index(op.f("ix_collection_runs_job_id"), "collection_runs", ["job_id"], unique=False)
    op.create_table(
        "conversation_memory",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("speaker", SPEAKER, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_conversation_memory_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation_memory")),
    )
    op.create_index(
        op.f("ix_conversation_memory_conversation_id_id"),
        "conversation_memory",
        ["conversation_id", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_conversation_memory_user_id"), "conversation_memory", ["user_id"], unique=False)
    op.create_table(
        "collection_slices",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", SLICE_KIND, nullable=False),
        sa.Column("level", INSIGHT_LEVEL, nullable=True),
        sa.Column("breakdown", sa.Text(), server_default="", nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("rows_read", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rows_inserted", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rows_updated", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rows_deleted", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("graph_calls", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("state", WORK_STATE, server_default="pending", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "next_attempt_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_kind", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'running') = (lease_until IS NOT NULL)",
            name=op.f("ck_collection_slices_leased_while_running"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["collection_runs.id"],
            name=op.f("fk_collection_slices_run_id_collection_runs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collection_slices")),
    )
    op.create_index(
        "ix_collection_slices_done",
        "collection_slices",
        ["account_id", "level", "breakdown", "until"],
        unique=False,
        postgresql_where=sa.text("state = 'done'"),
    )
    op.create_index(op.f("ix_collection_slices_run_id"), "collection_slices", ["run_id"], unique=False)
    op.create_index(
        "ix_collection_slices_unfinished",
        "collection_slices",
        ["next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('pending', 'running')"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_collection_slices_unfinished",
        table_name="collection_slices",
        postgresql_where=sa.text("state IN ('pending', 'running')"),
    )
    op.drop_index(op.f("ix_collection_slices_run_id"), table_name="collection_slices")
    op.drop_index(
        "ix_collection_slices_done",
        table_name="collection_slices",
        postgresql_where=sa.text("state = 'done'"),
    )
    op.drop_table("collection_slices")
    op.drop_index(op.f("ix_conversation_memory_user_id"), table_name="conversation_memory")
    op.drop_index(op.f("ix_conversation_memory_conversation_id_id"), table_name="conversation_memory")
    op.drop_table("conversation_memory")
    op.drop_index(op.f("ix_collection_runs_job_id"), table_name="collection_runs")
    op.drop_index(op.f("ix_collection_runs_account_id_created_at"), table_name="collection_runs")
    op.drop_table("collection_runs")
    op.drop_index(op.f("ix_campaigns_account_id"), table_name="campaigns")
    op.drop_table("campaigns")
    op.drop_table("users")
    op.drop_index(
        "uq_targets_campaign", table_name="targets", postgresql_where=sa.text("campaign_id IS NOT NULL")
    )
    op.drop_index("uq_targets_account", table_name="targets", postgresql_where=sa.text("campaign_id IS NULL"))
    op.drop_table("targets")
    op.drop_index(
        "uq_suggestions_open",
        table_name="suggestions",
        postgresql_where=sa.text("status IN ('PENDING', 'ACCEPTED')"),
    )
    op.drop_index(op.f("ix_suggestions_account_id_status"), table_name="suggestions")
    op.drop_table("suggestions")
    op.drop_table("notion_pages")
    op.drop_table("notion_databases")
    op.drop_index(
        "ix_jobs_unfinished", table_name="jobs", postgresql_where=sa.text("state IN ('pending', 'running')")
    )
    op.drop_index(op.f("ix_jobs_account_id"), table_name="jobs")
    op.drop_table("jobs")
    op.drop_table("insights")
    op.drop_table("insight_coverage")
    op.drop_index(op.f("ix_campaign_scores_account_id_date"), table_name="campaign_scores")
    op.drop_table("campaign_scores")
    op.drop_index(op.f("ix_audit_log_at"), table_name="audit_log")
    op.drop_table("audit_log")
    op.drop_table("ad_accounts")
    for enum in reversed(ENUMS):
        enum.drop(op.get_bind(), checkfirst=False)
