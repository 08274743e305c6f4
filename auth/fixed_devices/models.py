"""The register of fixed devices: what each is for, whose it is, where it may go, until when, and its usual rhythm."""

from __future__ import annotations

import enum
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.fixed_devices.contracts import end_of
from db.base import Base, Json, Key, Mac, Slug, word
from gateways.types import MacAddress
from sites.models import Network, Site


class DeviceKind(enum.StrEnum):
    CAMERA = "camera"
    SHOP = "shop"
    SENSOR = "sensor"
    OTHER = "other"


class DeviceState(enum.StrEnum):
    ACTIVE = "active"
    # Off for a while, and for good.
    SUSPENDED = "suspended"
    RETIRED = "retired"


class FixedDevice(Base):
    """One device with a contract. The contract's last day counts whole, on the clock of its site."""

    __tablename__ = "fixed_devices"
    __table_args__ = (CheckConstraint("rate_down_kbps >= 0 AND rate_up_kbps >= 0", name="rates"),)

    id: Mapped[Key]
    slug: Mapped[Slug]
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[DeviceKind] = mapped_column(word(DeviceKind))
    state: Mapped[DeviceState] = mapped_column(word(DeviceState))
    owner: Mapped[str] = mapped_column(String(120))
    purpose: Mapped[str] = mapped_column(String(200))
    contact: Mapped[str] = mapped_column(String(200))
    note: Mapped[str] = mapped_column(Text, default="")
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    network_id: Mapped[int] = mapped_column(ForeignKey("networks.id"))
    mac: Mapped[Mac] = mapped_column(unique=True)
    # The one that DHCP reserves for it; empty where it takes any.
    address: Mapped[str] = mapped_column(String(45), default="")
    # As `gateways.destinations` writes them; empty where it may go everywhere.
    destinations: Mapped[list[str] | None] = mapped_column(Json)
    # Own ceilings; empty means those of the place.
    rate_down_kbps: Mapped[int | None]
    rate_up_kbps: Mapped[int | None]
    # When it may be online: opening hours of its own.
    hours: Mapped[str] = mapped_column(String(300), default="24/7")
    contract_end: Mapped[date]
    # Of cameras: the authorisation that the sign on the spot names.
    sign_reference: Mapped[str] = mapped_column(String(80), default="")
    sign_from: Mapped[date | None]
    sign_until: Mapped[date | None]
    # Of the owner's page: the digest of its secret address, None where there is none.
    link_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    link_made_at: Mapped[datetime | None]
    # When its gateway last saw a packet of it, and the longest silence of each of the last days, in seconds by ISO day.
    last_seen_at: Mapped[datetime | None]
    looked_at: Mapped[datetime | None]
    # Since when it could be online.
    awaited_since: Mapped[datetime | None]
    silences: Mapped[dict[str, int]] = mapped_column(Json, default=dict)

    site: Mapped[Site] = relationship()
    network: Mapped[Network] = relationship()

    @property
    def subject(self) -> str:
        """What its sessions are under."""
        return f"device:{self.id}"

    @property
    def card(self) -> MacAddress:
        return MacAddress(self.mac)

    @property
    def ends_at(self) -> datetime:
        """The end of its contract: the midnight after its last day."""
        return end_of(self.contract_end, self.tzinfo)

    @property
    def tzinfo(self) -> ZoneInfo:
        return self.site.tzinfo
