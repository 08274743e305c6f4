"""The rows of this room: campaigns, their creatives, and the ledger of impressions."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Date, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.base import Base, Json, Key, Slug, word
from sessions.models import AccessSession, Lease
from sites.models import Network, Site


class CampaignState(enum.StrEnum):
    DRAFT = "draft"
    RUNNING = "running"
    STOPPED = "stopped"


class Campaign(Base):
    """Messages of one payer over one stretch of time: [starts_at, ends_at), open-ended where empty."""

    __tablename__ = "campaigns"
    __table_args__ = (CheckConstraint("weight > 0", name="weight"),)

    id: Mapped[Key]
    slug: Mapped[Slug]
    name: Mapped[str] = mapped_column(String(120))
    # Who speaks and pays: shown on every creative.
    advertiser: Mapped[str] = mapped_column(String(120))
    # A message of the town itself is labelled as such; anything else says "Publicité".
    is_municipal: Mapped[bool] = mapped_column(default=False)
    state: Mapped[CampaignState] = mapped_column(word(CampaignState), default=CampaignState.DRAFT)
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    # How often it is chosen, against the others that are eligible.
    weight: Mapped[int] = mapped_column(default=1)
    # Slugs of the networks and sites it is for; empty means all.
    networks: Mapped[list[str]] = mapped_column(Json, default=list)
    sites: Mapped[list[str]] = mapped_column(Json, default=list)

    creatives: Mapped[list[Creative]] = relationship(back_populates="campaign", order_by="Creative.id")


class Creative(Base):
    """One message. `texts` holds, by language, a title and a text: {"fr": {"title": …, "text": …}, …}."""

    __tablename__ = "creatives"

    id: Mapped[Key]
    slug: Mapped[Slug]
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    texts: Mapped[dict[str, dict[str, str]]] = mapped_column(Json)
    look: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)

    campaign: Mapped[Campaign] = relationship(back_populates="creatives")


class Impression(Base):
    """The ledger: one creative shown, one acceptance, one lease, one confirmation of the gateway.

    `nonce` is the ticket's; it makes an acceptance count once. `creative_id` is empty where none was eligible and
    nobody was held up.
    """

    __tablename__ = "impressions"

    id: Mapped[Key]
    nonce: Mapped[str] = mapped_column(String(32), unique=True)
    creative_id: Mapped[int | None] = mapped_column(ForeignKey("creatives.id"))
    network_id: Mapped[int] = mapped_column(ForeignKey("networks.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    access_id: Mapped[int | None] = mapped_column(ForeignKey("access_sessions.id"), index=True)
    lease_id: Mapped[int | None] = mapped_column(ForeignKey("leases.id"), unique=True)
    language: Mapped[str] = mapped_column(String(8))
    shown_at: Mapped[datetime]
    accepted_at: Mapped[datetime] = mapped_column(index=True)
    confirmed_at: Mapped[datetime | None]

    creative: Mapped[Creative | None] = relationship()
    network: Mapped[Network] = relationship()
    site: Mapped[Site] = relationship()
    access: Mapped[AccessSession | None] = relationship()
    lease: Mapped[Lease | None] = relationship()


class AdDayFigures(Base):
    """How many messages were accepted on one local day at one site of a network: a number, and no person."""

    __tablename__ = "ad_day_figures"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    network_id: Mapped[int] = mapped_column(ForeignKey("networks.id"), primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    accepted: Mapped[int]
