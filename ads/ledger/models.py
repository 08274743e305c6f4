"""The rows beside the ledger: messages served, devices reached; bills, and the links of those who pay them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ads.models import Advertiser
from auth.audit.append_only import run_after_create
from db.base import Base, Json, Key


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


class BillYear(Base):
    """The last number that was given to a bill of a year: claimed with the bill, so that none is left out."""

    __tablename__ = "bill_years"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class Bill(Base):
    """What an advertiser owes for a month, as it was issued: the database refuses to change or delete it.

    `payer` is the advertiser's name, identity and contact then; `lines` are those of `ads.ledger.bills.BillLine`.
    """

    __tablename__ = "bills"
    __table_args__ = (UniqueConstraint("year", "number"), UniqueConstraint("advertiser_id", "month"))

    id: Mapped[Key]
    # Of the day it was issued on, and its place among the bills of that year.
    year: Mapped[int]
    number: Mapped[int]
    advertiser_id: Mapped[int] = mapped_column(ForeignKey("advertisers.id"))
    month: Mapped[date] = mapped_column(Date)
    issued_at: Mapped[datetime]
    issued_by: Mapped[str] = mapped_column(String(80))
    payer: Mapped[dict[str, str]] = mapped_column(Json)
    lines: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    total_cents: Mapped[int]

    @property
    def name(self) -> str:
        """As it is written: "2026-0012"."""
        return f"{self.year}-{self.number:04d}"


class AdvertiserLink(Base):
    """An address under which an advertiser reads its own figures. The row holds a digest of its secret part alone."""

    __tablename__ = "advertiser_links"

    id: Mapped[Key]
    advertiser_id: Mapped[int] = mapped_column(ForeignKey("advertisers.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime]
    made_by: Mapped[str] = mapped_column(String(80))
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None] = mapped_column(String(80))

    advertiser: Mapped[Advertiser] = relationship()


APPEND_ONLY = {
    "sqlite": tuple(
        f"CREATE TRIGGER bills_no_{deed.lower()} BEFORE {deed} ON bills "
        "BEGIN SELECT RAISE(ABORT, 'a bill is never changed'); END"
        for deed in ("UPDATE", "DELETE")
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION bills_unchanged() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'a bill is never changed'; END $$",
        "CREATE TRIGGER bills_no_change BEFORE UPDATE OR DELETE ON bills "
        "FOR EACH ROW EXECUTE FUNCTION bills_unchanged()",
    ),
}
run_after_create(Bill, APPEND_ONLY)
