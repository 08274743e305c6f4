"""The rows of this room: advertisers, campaigns, their creatives, and the ledger of impressions."""

from __future__ import annotations

import enum
from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, String, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.base import Base, Json, JsonObject, Key, Slug, word
from sessions.models import AccessSession, Lease
from sites.models import Network, Site


class CampaignState(enum.StrEnum):
    DRAFT = "draft"
    # Its author has handed it in; somebody else approves it.
    PROPOSED = "proposed"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    # Its term has passed. No row says so: see `campaigns.state_at`.
    OVER = "over"


class Category(enum.StrEnum):
    """What a campaign is about. What may never be shown has no word here: see `rules.FORBIDDEN`."""

    PUBLIC_SERVICE = "public_service"
    CULTURE = "culture"
    COMMERCE = "commerce"
    # What the town has done, told to its credit: bound like political ones before an election.
    TOWN_RECORD = "town_record"
    POLITICAL = "political"
    GAMBLING = "gambling"
    CREDIT = "credit"
    CRYPTO = "crypto"
    WEAPONS = "weapons"
    MEDICINES = "medicines"


class CreativeKind(enum.StrEnum):
    TEXT = "text"
    STILL = "still"
    VIDEO = "video"


class Advertiser(Base):
    """Who speaks and pays."""

    __tablename__ = "advertisers"

    id: Mapped[Key]
    slug: Mapped[Slug]
    # As it stands on every creative.
    name: Mapped[str] = mapped_column(String(120))
    # The person or company in the register: "Boulangerie Ada SARL, SIREN 123 456 789" (LCEN, art. 20).
    identity: Mapped[str] = mapped_column(String(200), default="")
    contact: Mapped[str] = mapped_column(String(200), default="")
    # A message of the town itself is labelled as such; anything else says "Publicité".
    is_town: Mapped[bool] = mapped_column(default=False)


class Campaign(Base):
    """Messages of one advertiser over one stretch of time: [starts_at, ends_at), open-ended where empty.

    Only a draft is changed. `revision` grows with every change of the row.
    """

    __tablename__ = "campaigns"
    __table_args__ = (
        CheckConstraint("weight > 0", name="weight"),
        CheckConstraint("goal > 0 AND daily_cap > 0 AND total_cap > 0", name="bounds"),
        CheckConstraint("price_cents >= 0", name="price"),
    )

    id: Mapped[Key]
    slug: Mapped[Slug]
    name: Mapped[str] = mapped_column(String(120))
    advertiser_id: Mapped[int] = mapped_column(ForeignKey("advertisers.id"))
    category: Mapped[Category] = mapped_column(word(Category), default=Category.PUBLIC_SERVICE)
    # How the conditions that the law has for this category are met; empty where it has none.
    conditions: Mapped[str] = mapped_column(String(400), default="")
    state: Mapped[CampaignState] = mapped_column(word(CampaignState), default=CampaignState.DRAFT)
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    # By the wall clock of each site, as opening hours are written: "Mo-Fr 07:00-10:00" (sites/opening_hours.py).
    hours: Mapped[str] = mapped_column(String(300), default="24/7")
    # How often it is chosen, against the others that are eligible.
    weight: Mapped[int] = mapped_column(default=1)
    # Slugs of the networks and sites, kinds of sites and languages that it is for; empty means all.
    networks: Mapped[list[str]] = mapped_column(Json, default=list)
    sites: Mapped[list[str]] = mapped_column(Json, default=list)
    site_kinds: Mapped[list[str]] = mapped_column(Json, default=list)
    languages: Mapped[list[str]] = mapped_column(Json, default=list)
    # Accepted messages: wanted over the whole term, and the most that count on one local day and in all.
    goal: Mapped[int | None]
    daily_cap: Mapped[int | None]
    total_cap: Mapped[int | None]
    # Euro cents for a thousand accepted messages; empty where nothing is paid.
    price_cents: Mapped[int | None]
    # As the audit log names them (`auth.audit.actor.Actor`).
    authored_by: Mapped[str] = mapped_column(String(80), default="system")
    authored_at: Mapped[datetime | None]
    proposed_by: Mapped[str | None] = mapped_column(String(80))
    approved_by: Mapped[str | None] = mapped_column(String(80))
    approved_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    # What counts towards the caps so far; without a cap it stays at 0.
    claimed: Mapped[int] = mapped_column(default=0)
    revision: Mapped[int] = mapped_column(default=1)

    advertiser: Mapped[Advertiser] = relationship()
    creatives: Mapped[list[Creative]] = relationship(back_populates="campaign", order_by="Creative.id")


class Creative(Base):
    """One message. `texts` holds, by language, a title and a text: {"fr": {"title": …, "text": …}, …}.

    A still picture has its text alternative there too ("alt"), a video that and its transcript ("transcript"). `media`
    names the files of the picture or video (`ads.media.store`); those of a campaign that is long over are gone.
    """

    __tablename__ = "creatives"

    id: Mapped[Key]
    slug: Mapped[Slug]
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    kind: Mapped[CreativeKind] = mapped_column(word(CreativeKind), default=CreativeKind.TEXT)
    texts: Mapped[dict[str, dict[str, str]]] = mapped_column(Json)
    # Where there is more to read, shown only after the access was given: "ville.fr/velo".
    more: Mapped[str] = mapped_column(String(120), default="")
    # How long it wants to be read, within what the place allows; empty: no longer than any other.
    viewing_seconds: Mapped[int | None]
    media: Mapped[JsonObject] = mapped_column(default=dict)

    campaign: Mapped[Campaign] = relationship(back_populates="creatives")


class Election(Base):
    """An election in the town: its rounds bound political campaigns, and those on the town's record."""

    __tablename__ = "elections"
    __table_args__ = (CheckConstraint("first_round <= last_round", name="rounds"),)

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(String(120))
    first_round: Mapped[date] = mapped_column(Date, unique=True)
    last_round: Mapped[date] = mapped_column(Date)


class CivicOverride(Base):
    """A crisis message of the town at some sites, in the place of every other: in [starts_at, ends_at), unless stopped.

    `texts` are by language, as a creative's; `sites` are slugs, and empty means all.
    """

    __tablename__ = "civic_overrides"
    __table_args__ = (CheckConstraint("starts_at < ends_at", name="ends"),)

    id: Mapped[Key]
    texts: Mapped[dict[str, dict[str, str]]] = mapped_column(Json)
    sites: Mapped[list[str]] = mapped_column(Json, default=list)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime] = mapped_column(index=True)
    started_by: Mapped[str] = mapped_column(String(80))
    stopped_at: Mapped[datetime | None]
    stopped_by: Mapped[str | None] = mapped_column(String(80))

    def holds(self, site: str, now: datetime) -> bool:
        """Whether it is shown at this site now."""
        is_here = not self.sites or site in self.sites
        return is_here and self.stopped_at is None and self.starts_at <= now < self.ends_at


class Impression(Base):
    """The ledger: one creative shown, one acceptance, one lease, one confirmation of the gateway.

    `nonce` is the ticket's; it makes an acceptance count once. `creative_id` is empty where none was eligible and
    nobody was held up. `draw`, `previous_id` (a creative) and `choice_digest` (`ChoiceInputs`) are what chose it.
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
    # False where the campaign's cap was reached before: nothing is counted or billed, the lease is given all the same.
    is_counted: Mapped[bool] = mapped_column(default=True, server_default=true())
    draw: Mapped[int | None] = mapped_column(BigInteger)
    previous_id: Mapped[int | None]
    choice_digest: Mapped[str | None] = mapped_column(String(22))

    creative: Mapped[Creative | None] = relationship()
    network: Mapped[Network] = relationship()
    site: Mapped[Site] = relationship()
    access: Mapped[AccessSession | None] = relationship()
    lease: Mapped[Lease | None] = relationship()


class OpenBreak(Base):
    """What a client is being shown, until it accepts: at most an hour. `subject` is its pseudonym at one gateway.

    The break began at `began_at`; this message, the first or another in its place, is shown since `shown_at`.
    """

    __tablename__ = "open_breaks"

    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    nonce: Mapped[str] = mapped_column(String(32))
    creative_id: Mapped[int] = mapped_column(ForeignKey("creatives.id"))
    began_at: Mapped[datetime] = mapped_column(index=True)
    shown_at: Mapped[datetime]
    draw: Mapped[int | None] = mapped_column(BigInteger)
    previous_id: Mapped[int | None]
    choice_digest: Mapped[str | None] = mapped_column(String(22))


class AdDayFigures(Base):
    """How many messages were accepted on one local day at one site of a network: a number, and no person."""

    __tablename__ = "ad_day_figures"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    network_id: Mapped[int] = mapped_column(ForeignKey("networks.id"), primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    accepted: Mapped[int]


class CampaignDay(Base):
    """How many acceptances count towards a campaign's daily cap on one local day; only of campaigns with a cap."""

    __tablename__ = "campaign_days"

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    claimed: Mapped[int]


class CreativeDay(Base):
    """How often a creative was served, viewed and accepted, on one local day at one site of a network: kept for good.

    What is accepted is written with the ledger's row, in its transaction: the sums are those of the ledger. What was
    served or viewed and not accepted is added some hours later (`ads.ledger.served`). `confirmed` and `failures` (by
    `ads.ledger.settlement.Failure`) are those of the ledger once the day's figures are final.
    """

    __tablename__ = "creative_days"
    __table_args__ = (
        CheckConstraint(
            "served >= viewed AND viewed >= accepted + over_cap AND accepted + over_cap >= confirmed",
            name="in_order",
        ),
    )

    creative_id: Mapped[int] = mapped_column(ForeignKey("creatives.id"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    network_id: Mapped[int] = mapped_column(ForeignKey("networks.id"), primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    served: Mapped[int] = mapped_column(default=0, server_default="0")
    viewed: Mapped[int] = mapped_column(default=0, server_default="0")
    # Accepted and counted; and accepted when a cap was reached: nothing is billed of these.
    accepted: Mapped[int]
    over_cap: Mapped[int] = mapped_column(default=0, server_default="0")
    confirmed: Mapped[int] = mapped_column(default=0, server_default="0")
    blocked: Mapped[int] = mapped_column(default=0, server_default="0")
    reported: Mapped[int] = mapped_column(default=0, server_default="0")
    failures: Mapped[dict[str, int]] = mapped_column(Json, default=dict, server_default="{}")


class ChoiceInputs(Base):
    """What choices were made from, under its own digest: the candidates, or a pace with the digest of its candidates.

    `used_at` is when it was last put to use, to within an hour.
    """

    __tablename__ = "choice_inputs"

    digest: Mapped[str] = mapped_column(String(22), primary_key=True)
    written: Mapped[JsonObject]
    used_at: Mapped[datetime] = mapped_column(index=True)
