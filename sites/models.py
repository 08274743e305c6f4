"""The rows of this room: a network, a hotspot site, and the gateway that serves one network at one site."""

from __future__ import annotations

import enum
import functools
import ipaddress
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import CheckConstraint, Column, ForeignKey, String, Table, Text, false
from sqlalchemy.ext.associationproxy import AssociationProxy, association_proxy
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from db.base import Base, Json, JsonObject, Key, Slug, word
from gateways.kinds import Capabilities
from gateways.registry import kind_of
from gateways.types import IpAddress
from sites.look import check_look


class NetworkKind(enum.StrEnum):
    LIBRARY = "library"
    PUBLIC = "public"


class SigninMethod(enum.StrEnum):
    PATRON = "patron"
    PASS = "pass"
    FREE = "free"
    # Of devices that the town manages: no guest is offered it.
    MANAGED = "managed"


class SiteKind(enum.StrEnum):
    STATION = "station"
    TRAM_STOP = "tram_stop"
    SQUARE = "square"
    LANDMARK = "landmark"
    SPORTS_HALL = "sports_hall"
    LIBRARY = "library"
    SCHOOL = "school"
    TOWN_BUILDING = "town_building"
    SHOP = "shop"


class SiteState(enum.StrEnum):
    PLANNED = "planned"
    LIVE = "live"
    OUTAGE = "outage"
    CLOSED = "closed"


site_networks = Table(
    "site_networks",
    Base.metadata,
    Column("site_id", ForeignKey("sites.id"), primary_key=True),
    Column("network_id", ForeignKey("networks.id"), primary_key=True),
)


class Network(Base):
    """An SSID family with its policy and look. Lengths are in seconds, rates are ceilings in kbit/s."""

    __tablename__ = "networks"
    __table_args__ = (
        CheckConstraint("lease_seconds > 0", name="lease_seconds"),
        CheckConstraint("viewing_seconds <= longest_wait_seconds", name="longest_wait"),
        CheckConstraint("devices_per_person > 0", name="devices_per_person"),
        CheckConstraint("rate_down_kbps >= 0 AND rate_up_kbps >= 0", name="rates"),
    )

    id: Mapped[Key]
    slug: Mapped[Slug]
    name: Mapped[str] = mapped_column(String(120))
    ssid: Mapped[str] = mapped_column(String(32))
    kind: Mapped[NetworkKind] = mapped_column(word(NetworkKind))
    # Words of SigninMethod.
    signin_methods: Mapped[list[str]] = mapped_column(Json)
    # A lease's greatest length; where ads are on, exactly what one accepted ad earns.
    lease_seconds: Mapped[int]
    # Before the end by this much, a lease may be renewed from its old deadline.
    renewal_seconds: Mapped[int] = mapped_column(default=300)
    # A client that sent nothing for this long is gone. 0 switches the rule off.
    idle_seconds: Mapped[int] = mapped_column(default=1800)
    # The least time a page stays before it can be accepted, and the most that a message may ask for.
    viewing_seconds: Mapped[int] = mapped_column(default=5)
    longest_wait_seconds: Mapped[int] = mapped_column(default=15, server_default="15")
    ads: Mapped[bool] = mapped_column(default=False)
    # The rate wanted for everybody (a floor that the report measures), and the ceilings enforced.
    rate_wanted_kbps: Mapped[int] = mapped_column(default=0)
    rate_down_kbps: Mapped[int] = mapped_column(default=0)
    rate_up_kbps: Mapped[int] = mapped_column(default=0)
    devices_per_person: Mapped[int] = mapped_column(default=1)
    # Text by language; an accepted version is kept with the access session.
    terms: Mapped[dict[str, str]] = mapped_column(Json)
    terms_version: Mapped[str] = mapped_column(String(32))
    # Its colours, words, links, contact and logo: see sites/look.py.
    look: Mapped[JsonObject] = mapped_column(default=dict)

    @validates("look")
    def _shown_look(self, _key: str, look: dict[str, Any]) -> dict[str, Any]:
        """Raises `InvalidLook`."""
        check_look(look)
        return look

    @property
    def lease_length(self) -> timedelta:
        return timedelta(seconds=self.lease_seconds)

    @property
    def renewal_window(self) -> timedelta:
        return timedelta(seconds=self.renewal_seconds)

    @property
    def idle_length(self) -> timedelta | None:
        """How long a silence ends a stay; None where no stay is long enough for that, or the rule is off."""
        return self.idle_within(self.lease_length)

    def idle_within(self, lease: timedelta) -> timedelta | None:
        """The same where leases have this length."""
        longest = None if self.allows(SigninMethod.PASS) else lease.total_seconds()
        is_felt = self.idle_seconds and (longest is None or self.idle_seconds < longest)
        return timedelta(seconds=self.idle_seconds) if is_felt else None

    def allows(self, method: SigninMethod) -> bool:
        return method.value in self.signin_methods

    @property
    def guest_methods(self) -> tuple[str, ...]:
        """The sign-in methods that guests have: all but that of managed devices."""
        return tuple(method for method in self.signin_methods if method != SigninMethod.MANAGED)


class Site(Base):
    """A place with a hotspot."""

    __tablename__ = "sites"
    __table_args__ = (
        CheckConstraint("latitude BETWEEN -90 AND 90", name="latitude"),
        CheckConstraint("longitude BETWEEN -180 AND 180", name="longitude"),
        # European money forbids advertising (WiFi4EU); the row cannot say otherwise.
        CheckConstraint("NOT (eu_funded AND ads_allowed)", name="eu_funded"),
        CheckConstraint(
            "lease_seconds > 0 AND viewing_seconds >= 0 AND longest_wait_seconds >= 0", name="lengths"
        ),
    )

    id: Mapped[Key]
    slug: Mapped[Slug]
    name: Mapped[str] = mapped_column(String(120))
    # By language, where it is called otherwise: {"en": "Viotte station"}.
    names: Mapped[dict[str, str]] = mapped_column(Json, default=dict)
    kind: Mapped[SiteKind] = mapped_column(word(SiteKind))
    address: Mapped[str] = mapped_column(String(200))
    latitude: Mapped[float]
    longitude: Mapped[float]
    # "Mo-Fr 09:00-18:30; Sa 10:00-17:00" or "24/7": see sites/opening_hours.py.
    opening_hours: Mapped[str] = mapped_column(String(300), default="24/7")
    # Whose school holidays SH are in them: A, B, C, or nobody's.
    school_zone: Mapped[str] = mapped_column(String(1), default="")
    zone: Mapped[str] = mapped_column(String(64))
    # Whether one gets in without a step; None where nobody has said.
    step_free: Mapped[bool | None]
    state: Mapped[SiteState] = mapped_column(word(SiteState), default=SiteState.PLANNED)
    state_since: Mapped[datetime | None]
    state_until: Mapped[datetime | None]
    ads_allowed: Mapped[bool] = mapped_column(default=False)
    eu_funded: Mapped[bool] = mapped_column(default=False)
    # Override the network's ceilings; empty means the network's.
    rate_down_kbps: Mapped[int | None]
    rate_up_kbps: Mapped[int | None]
    # Override the network's lengths; empty means the network's.
    lease_seconds: Mapped[int | None]
    viewing_seconds: Mapped[int | None]
    longest_wait_seconds: Mapped[int | None]
    contact: Mapped[str] = mapped_column(String(200), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    # The reference of its photograph, or nothing: see sites/images/store.py.
    photo: Mapped[JsonObject] = mapped_column(default=dict)
    networks: Mapped[list[Network]] = relationship(secondary=site_networks, order_by=Network.slug)

    @property
    def tzinfo(self) -> ZoneInfo:
        """Its zone, for arithmetic with instants."""
        return ZoneInfo(self.zone)

    def local_day(self, at: datetime) -> date:
        """The day that it is there at this instant."""
        return at.astimezone(self.tzinfo).date()

    def name_in(self, language: str | None) -> str:
        """What it is called in this language: its own name where it has none there."""
        return self.names.get(language or "") or self.name


class Feed(Base):
    """How far a gateway is told of its leases, and when it was heard: what changes all the time.

    In a row of its own. Each lease and session refers to its gateway's record, and PostgreSQL locks what is referred
    to against its end: changing the row that hundreds of others lock at once costs more than all the rest of a sign-in.
    """

    __tablename__ = "feeds"

    gateway_id: Mapped[int] = mapped_column(ForeignKey("gateways.id", ondelete="CASCADE"), primary_key=True)
    # Grows with every change of this gateway's leases. 0 is what a follower says that knows nothing yet; a feed never
    # has it, or one without leases would be told whole at every question.
    version: Mapped[int] = mapped_column(default=1)
    confirmed_version: Mapped[int] = mapped_column(default=1)
    # When the gateway was last heard.
    seen_at: Mapped[datetime | None]


class Gateway(Base):
    """The record of a gateway (a NAS): one network at one site. The credential is kept as a digest only."""

    __tablename__ = "gateways"

    id: Mapped[Key]
    # The name the gateway calls itself: [a-z0-9-], in URLs and tokens.
    identity: Mapped[Slug]
    # The name of a kind in gateways/registry.py. No CHECK, so that a new kind needs no migration: see `_known_kind`.
    kind: Mapped[str] = mapped_column(String(32))
    credential_digest: Mapped[str] = mapped_column(String(64), unique=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    network_id: Mapped[int] = mapped_column(ForeignKey("networks.id"))
    # The prefixes that its clients' addresses come from.
    client_prefixes: Mapped[list[str]] = mapped_column(Json)
    # Where a client that reached the portal without a landing token is sent to fetch one: http://10.66.0.1:8081/
    redirector_url: Mapped[str] = mapped_column(String(200), default="")
    # The IPv4 addresses that the Internet sees its clients behind, and how many source ports of them each client has
    # for itself: see sessions/port_blocks.py. With 0, all clients share all ports.
    public_addresses: Mapped[list[str]] = mapped_column(Json, default=list)
    ports_per_client: Mapped[int] = mapped_column(default=0)
    # What the gateway last reported of itself: clock offset, refusals, leases held.
    health: Mapped[JsonObject] = mapped_column(default=dict)
    # What its kind has the operator set, where not the default: see `Kind.options`.
    options: Mapped[JsonObject] = mapped_column(default=dict)
    # The credential before the last rotation, for as long as what was made of it still holds.
    previous_digest: Mapped[str | None] = mapped_column(String(64))
    previous_until: Mapped[datetime | None]

    # It lets nobody new in, and is told what ends there for as long as it asks; its record and its history stay.
    is_retired: Mapped[bool] = mapped_column(default=False, server_default=false())

    site: Mapped[Site] = relationship()
    network: Mapped[Network] = relationship()
    feed: Mapped[Feed] = relationship(lazy="joined", innerjoin=True, cascade="all, delete-orphan")
    feed_version: AssociationProxy[int] = association_proxy("feed", "version")
    confirmed_version: AssociationProxy[int] = association_proxy("feed", "confirmed_version")
    seen_at: AssociationProxy[datetime | None] = association_proxy("feed", "seen_at")

    def __init__(self, **values: Any) -> None:
        super().__init__(**{"feed": Feed(version=1, confirmed_version=1), **values})

    @validates("kind")
    def _known_kind(self, _key: str, name: str) -> str:
        """Raises `UnknownKind`."""
        return kind_of(name).name

    @property
    def capabilities(self) -> Capabilities:
        """What gateways of its kind can do. Raises `UnknownKind` for a record that a newer version has written."""
        return kind_of(self.kind).capabilities

    def option(self, name: str) -> str:
        """What the operator has set at this record, else the default of its kind."""
        return kind_of(self.kind).option(self.options, name)

    @property
    def reauthenticates_seconds(self) -> int:
        """How often it asks about each device that passes, and lets go of whoever may not; 0 where it never does."""
        radius = kind_of(self.kind).radius
        if radius is None or not radius.reauthenticates_seconds or self.option("reauthenticates") != "yes":
            return 0
        return radius.reauthenticates_seconds

    @property
    def lease_length(self) -> timedelta:
        """A lease's greatest length here: the site's own where it has one."""
        return timedelta(seconds=_own(self.site.lease_seconds, self.network.lease_seconds))

    def wait_length(self, wanted: timedelta = timedelta(0)) -> timedelta:
        """How long a message that wants `wanted` to be read holds somebody up here: the site's own bounds first."""
        least = timedelta(seconds=_own(self.site.viewing_seconds, self.network.viewing_seconds))
        most = _own(self.site.longest_wait_seconds, self.network.longest_wait_seconds)
        return min(max(least, wanted), timedelta(seconds=most))

    @property
    def renewal_window(self) -> timedelta:
        """Before the end by this much, a lease may be renewed here; none where only a lease that is over can be."""
        return self.network.renewal_window if self.capabilities.extends else timedelta(0)

    @property
    def lease_step(self) -> timedelta:
        """Leases here last a whole multiple of this, and `lease_reach`."""
        return timedelta(seconds=self.capabilities.lease_step_seconds)

    @property
    def lease_reach(self) -> timedelta:
        """How long this gateway may take to learn of a lease, where it counts whole steps from then."""
        return timedelta(seconds=self.capabilities.lease_reach_seconds)

    def holds(self, address: IpAddress) -> bool:
        """Whether `address` is one that this gateway's clients may have."""
        prefixes = map(_network, self.client_prefixes)
        return any(address.version == prefix.version and address in prefix for prefix in prefixes)

    def shows(self, address: IpAddress) -> bool:
        """Whether the portal may see a client of this gateway under `address`: its own, or that of all of them."""
        is_shared = self.capabilities.translates_addresses and str(address) in self.public_addresses
        return is_shared or self.holds(address)


# The same few texts are read at every request.
_network = functools.lru_cache(maxsize=4096)(ipaddress.ip_network)


def _own(own: int | None, of_network: int) -> int:
    return of_network if own is None else own
