"""Ad accounts and their campaigns, as Meta lists them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, CreatedAt


class AdAccount(Base):
    """An ad account with the currency of its money and the zone of its dates."""

    __tablename__ = "ad_accounts"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    currency: Mapped[str] = mapped_column(String(3))
    timezone_name: Mapped[str]
    # Meta's number for the account's standing: 1 active, 2 disabled, 3 unsettled, …
    account_status: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[CreatedAt]
    # When this row was last changed by a sync.
    synced_at: Mapped[datetime]


class Campaign(Base):
    """A campaign. Budgets are in units of the account's currency (not in minor units)."""

    __tablename__ = "campaigns"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey("ad_accounts.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    status: Mapped[str]
    effective_status: Mapped[str]
    objective: Mapped[str | None]
    daily_budget: Mapped[Decimal | None]
    lifetime_budget: Mapped[Decimal | None]
    created_time: Mapped[datetime | None]
    updated_time: Mapped[datetime | None]
    # When this row was last changed by a sync; a sync that finds the same does not touch it.
    synced_at: Mapped[datetime]
