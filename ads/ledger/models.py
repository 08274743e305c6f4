"""The rows beside the ledger: messages served and not yet added up, and how many devices a campaign has reached."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base


class ServedImpression(Base):
    """A message that a page had, by its ticket's nonce, until it is added up: hours, and nothing of the client."""

    __tablename__ = "served_impressions"

    nonce: Mapped[str] = mapped_column(String(32), primary_key=True)
    creative_id: Mapped[int] = mapped_column(ForeignKey("creatives.id"))
    network_id: Mapped[int] = mapped_column(ForeignKey("networks.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    # The site's local day on which it was shown.
    day: Mapped[date] = mapped_column(Date)
    shown_at: Mapped[datetime] = mapped_column(index=True)
    # Open for the least time without being accepted; its picture did not load; somebody complained of it.
    viewed: Mapped[bool]
    blocked: Mapped[bool]
    reported: Mapped[bool]


class CampaignReach(Base):
    """About how many devices accepted a message of a campaign in a month. The sketch is kept while the month lasts."""

    __tablename__ = "campaign_reaches"

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), primary_key=True)
    month: Mapped[date] = mapped_column(Date, primary_key=True)
    devices: Mapped[int]
    sketch: Mapped[bytes | None] = mapped_column(LargeBinary)
