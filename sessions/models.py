"""The rows of this room: access sessions, their leases, their usage, and where clients were seen."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, and_, func, literal_column
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column, relationship

from auth.models import Entitlement
from db.base import Base, Json, JsonObject, Key, Mac, word
from sites.models import Gateway, Network, SigninMethod, Site


class EndReason(enum.StrEnum):
    EXPIRED = "expired"
    LEFT = "left"
    STAFF = "staff"
    DEVICE_LIMIT = "device_limit"
    POLICY = "policy"
    IDLE = "idle"
    GATEWAY_LOST = "gateway_lost"
    MOVED = "moved"


class AccessSession(Base):
    """One client's stay on one network: at one site after the other, lease after lease, until it ends for one reason.

    `until` is the end of its last lease: the same instant that the gateways hold.
    """

    __tablename__ = "access_sessions"
    # The id is the client's number in the kernel too: never used twice, even after a purge.
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[Key]
    entitlement_id: Mapped[int] = mapped_column(ForeignKey("entitlements.id"))
    subject: Mapped[str] = mapped_column(String(64))
    method: Mapped[SigninMethod] = mapped_column(word(SigninMethod))
    network_id: Mapped[int] = mapped_column(ForeignKey("networks.id"))
    # Where the client was last seen; each lease says where it was then.
    gateway_id: Mapped[int] = mapped_column(ForeignKey("gateways.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    mac: Mapped[Mac]
    address: Mapped[str] = mapped_column(String(45))
    # When the device that began it came to the portal's first page.
    landed_at: Mapped[datetime | None]
    started_at: Mapped[datetime]
    until: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[EndReason | None] = mapped_column(word(EndReason))
    # The session whose time this one took over: the same person on a new address.
    previous_id: Mapped[int | None] = mapped_column(ForeignKey("access_sessions.id"))
    terms_version: Mapped[str] = mapped_column(String(32))
    terms_language: Mapped[str] = mapped_column(String(8))
    terms_digest: Mapped[str] = mapped_column(String(64))
    # Of the code that gives the rest of the time to the device under another address: `auth.resume_codes`.
    resume_digest: Mapped[str | None] = mapped_column(String(64))

    entitlement: Mapped[Entitlement] = relationship()
    network: Mapped[Network] = relationship()
    gateway: Mapped[Gateway] = relationship()
    site: Mapped[Site] = relationship()

    def is_open(self, now: datetime) -> bool:
        return self.ended_at is None and now < self.until


_open = AccessSession.ended_at.is_(None)


def _index_open(name: str, column: InstrumentedAttribute[Any]) -> None:
    """An index of open sessions, for questions that name a value of this column.

    The condition says so. Otherwise PostgreSQL, whose statistics are of the night, when nobody was online, may take any
    of these indexes for one of no entries, and read the thousands that it has in the morning. SQLite would pass such an
    index over where the column is never empty, and read all sessions of the network.
    """
    named = and_(_open, column.is_not(None))
    on_sqlite = named if column.expression.nullable else _open
    Index(name, column, sqlite_where=on_sqlite, postgresql_where=named)


# A client is online once on a network: the claim that makes parallel sign-ins one. Who asks for a client's open session
# says *open* in the words of this index, and no other index will do for that: PostgreSQL would rather read all who are
# online, by statistics of the night.
OPEN_OF_CLIENT = func.coalesce(AccessSession.ended_at, AccessSession.ended_at).is_(None)
Index(
    "uq_access_sessions_open_client",
    AccessSession.network_id,
    AccessSession.mac,
    unique=True,
    sqlite_where=OPEN_OF_CLIENT,
    postgresql_where=OPEN_OF_CLIENT,
)
_index_open("ix_access_sessions_resume", AccessSession.resume_digest)
_index_open("ix_access_sessions_open_until", AccessSession.until)
_index_open("ix_access_sessions_open_entitlement", AccessSession.entitlement_id)
# The days of the usage report.
Index("ix_access_sessions_started_ended", AccessSession.started_at, AccessSession.ended_at)
# For what leaves at the end of its term, and for what refers to it.
# Of ended ones alone: the list of open ones has an index of its own, which SQLite would otherwise pass over for this.
Index(
    "ix_access_sessions_ended_at",
    AccessSession.ended_at,
    sqlite_where=AccessSession.ended_at.is_not(None),
    postgresql_where=AccessSession.ended_at.is_not(None),
)
Index("ix_access_sessions_of_entitlement", AccessSession.entitlement_id)
Index(
    "ix_access_sessions_previous",
    AccessSession.previous_id,
    sqlite_where=AccessSession.previous_id.is_not(None),
    postgresql_where=AccessSession.previous_id.is_not(None),
)
# The log (sessions/log/query.py): each filter that may stand alone, in the order of the list.
_in_order = (AccessSession.started_at, AccessSession.id)
_ended = AccessSession.end_reason.is_not(None)
Index("ix_access_sessions_log", *_in_order)
Index("ix_access_sessions_log_site", AccessSession.site_id, *_in_order)
Index("ix_access_sessions_log_network", AccessSession.network_id, *_in_order)
Index("ix_access_sessions_log_method", AccessSession.method, *_in_order)
Index("ix_access_sessions_log_mac", AccessSession.mac, *_in_order)
Index("ix_access_sessions_log_subject", AccessSession.subject, *_in_order)
Index("ix_access_sessions_log_address", AccessSession.address, *_in_order)
Index(
    "ix_access_sessions_log_reason",
    AccessSession.end_reason,
    *_in_order,
    sqlite_where=_ended,
    postgresql_where=_ended,
)
Index("ix_access_sessions_log_open", *_in_order, sqlite_where=_open, postgresql_where=_open)


class Lease(Base):
    """This client may pass at this site until this instant at this rate. Half-open: [starts_at, until).

    Gateways read this table; `version` orders its changes for one gateway. `confirmed_at` is when the gateway said
    that its kernel had it.
    """

    __tablename__ = "leases"

    id: Mapped[Key]
    access_id: Mapped[int] = mapped_column(ForeignKey("access_sessions.id"))
    gateway_id: Mapped[int] = mapped_column(ForeignKey("gateways.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    mac: Mapped[Mac]
    address: Mapped[str] = mapped_column(String(45))
    created_at: Mapped[datetime]
    starts_at: Mapped[datetime]
    until: Mapped[datetime]
    rate_down_kbps: Mapped[int]
    rate_up_kbps: Mapped[int]
    version: Mapped[int]
    confirmed_at: Mapped[datetime | None]
    refused: Mapped[str | None] = mapped_column(String(200))
    released_at: Mapped[datetime | None]
    # Where a gateway answers client by client: when it said that the client passes no more, or why it does not end it.
    release_confirmed_at: Mapped[datetime | None]
    release_refused: Mapped[str | None] = mapped_column(String(200))
    # Where its TCP and UDP over IPv4 came from, as the Internet saw it: its own block of source ports behind this
    # public address, first and last included; 1 to 65535 where all clients share all ports; an address without ports
    # where the blocks had run out (gateways.ports.SHARED_PORTS). All empty: the address is unknown.
    public_address: Mapped[str | None] = mapped_column(String(45))
    port_first: Mapped[int | None]
    port_last: Mapped[int | None]
    # Of a managed device: where it may go, as `gateways.destinations` writes it (empty: everywhere), and the address of
    # the resolver that its DNS goes to.
    destinations: Mapped[list[str] | None] = mapped_column(Json)
    resolver: Mapped[str | None] = mapped_column(String(45))

    access: Mapped[AccessSession] = relationship()


# With all three: by the session alone, a database without statistics would rather read all leases of the gateway.
Index("ix_leases_access_gateway", Lease.access_id, Lease.gateway_id, Lease.until)
Index("ix_leases_feed", Lease.gateway_id, Lease.version)
Index("ix_leases_gateway_until", Lease.gateway_id, Lease.until)
_without_address = Lease.address == literal_column("''")
Index(
    "ix_leases_without_address",
    Lease.gateway_id,
    Lease.mac,
    sqlite_where=_without_address,
    postgresql_where=_without_address,
)
_translated = Lease.public_address.is_not(None)
Index(
    "ix_leases_public",
    Lease.public_address,
    Lease.until,
    sqlite_where=_translated,
    postgresql_where=_translated,
)


class Usage(Base):
    """The counters of one gateway for one access session within one counter epoch (`epoch`).

    A row only ever grows; an access session's usage is the sum of its rows. `sequence` is that of the last report
    that counted, and `last_…` are the counters of that report: see `sessions.counters`.
    """

    __tablename__ = "usage"

    access_id: Mapped[int] = mapped_column(ForeignKey("access_sessions.id"), primary_key=True)
    gateway_id: Mapped[int] = mapped_column(ForeignKey("gateways.id"), primary_key=True)
    epoch: Mapped[str] = mapped_column(String(64), primary_key=True)
    bytes_up: Mapped[int] = mapped_column(BigInteger)
    bytes_down: Mapped[int] = mapped_column(BigInteger)
    packets_up: Mapped[int] = mapped_column(BigInteger)
    packets_down: Mapped[int] = mapped_column(BigInteger)
    # The fastest stretch between two reports, for the usage report alone.
    best_down_kbps: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    sequence: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    last_bytes_up: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    last_bytes_down: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    last_packets_up: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    last_packets_down: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    updated_at: Mapped[datetime]


class NasSession(Base):
    """One session as a gateway that speaks RADIUS accounts for it (RFC 2866), from its packets.

    It is kept for as long as packets about it may come (`sessions.nas_sessions.LIFE`); what was counted stands in
    `Usage`. A box may use an Acct-Session-Id again, mostly after a restart: `life` tells them apart. `seconds` is the
    session's age in the newest packet that counted, and `last_…` are the counters of that packet, carried on where 32
    bits have gone round; `bytes_…` are the sums, over counters that began again too. Names are as the box writes them.
    """

    __tablename__ = "nas_sessions"

    id: Mapped[Key]
    gateway_id: Mapped[int] = mapped_column(ForeignKey("gateways.id"))
    access_id: Mapped[int | None]
    # Which box of this gateway: a record may stand for several access points.
    nas: Mapped[str] = mapped_column(String(253))
    acct_session_id: Mapped[str] = mapped_column(String(253))
    # Empty where the box does not say.
    mac: Mapped[Mac]
    life: Mapped[int]
    user_name: Mapped[str] = mapped_column(String(253))
    calling_station_id: Mapped[str] = mapped_column(String(253))
    framed_address: Mapped[str] = mapped_column(String(45))
    nas_identifier: Mapped[str] = mapped_column(String(253))
    nas_address: Mapped[str] = mapped_column(String(45))
    started_at: Mapped[datetime]
    # The same by the box's own clock, and how far that was from ours, in seconds; where it tells the time.
    nas_started_at: Mapped[datetime | None]
    clock_offset: Mapped[int | None] = mapped_column(BigInteger)
    last_heard_at: Mapped[datetime]
    # Without another packet until then, its Stop is lost.
    lost_at: Mapped[datetime]
    stopped_at: Mapped[datetime | None]
    # Acct-Terminate-Cause, by a Stop where `is_stop_told`, else as the portal takes it to be.
    stop_cause: Mapped[str] = mapped_column(String(64), default="")
    is_stop_told: Mapped[bool] = mapped_column(default=False)
    # When the box said that it has ended the session at our request (RFC 5176), which its Stop follows.
    disconnected_at: Mapped[datetime | None]
    seconds: Mapped[int] = mapped_column(BigInteger, default=0)
    # The place of the newest packet that counted in the order in which the box made them.
    sequence: Mapped[int] = mapped_column(BigInteger, default=-1)
    bytes_up: Mapped[int] = mapped_column(BigInteger, default=0)
    bytes_down: Mapped[int] = mapped_column(BigInteger, default=0)
    packets_up: Mapped[int] = mapped_column(BigInteger, default=0)
    packets_down: Mapped[int] = mapped_column(BigInteger, default=0)
    last_bytes_up: Mapped[int] = mapped_column(BigInteger, default=0)
    last_bytes_down: Mapped[int] = mapped_column(BigInteger, default=0)
    last_packets_up: Mapped[int] = mapped_column(BigInteger, default=0)
    last_packets_down: Mapped[int] = mapped_column(BigInteger, default=0)


Index(
    "uq_nas_sessions_life",
    NasSession.gateway_id,
    NasSession.acct_session_id,
    NasSession.mac,
    NasSession.life,
    unique=True,
)
_running = NasSession.stopped_at.is_(None)
Index(
    "ix_nas_sessions_open",
    NasSession.lost_at,
    sqlite_where=_running,
    postgresql_where=_running,
)
Index(
    "ix_nas_sessions_held",
    NasSession.gateway_id,
    NasSession.access_id,
    sqlite_where=_running,
    postgresql_where=_running,
)
Index("ix_nas_sessions_access", NasSession.access_id)
Index("ix_nas_sessions_stopped", NasSession.stopped_at)


class CounterEpoch(Base):
    """One life of a gateway's counters (`epoch`), and how far its reports have come."""

    __tablename__ = "gateway_lives"

    gateway_id: Mapped[int] = mapped_column(ForeignKey("gateways.id"), primary_key=True)
    epoch: Mapped[str] = mapped_column(String(64), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    began_at: Mapped[datetime]


class ClientObservation(Base):
    """A gateway saw this client behind this address. Short-lived: it says who asks, never who was where."""

    __tablename__ = "sightings"

    gateway_id: Mapped[int] = mapped_column(ForeignKey("gateways.id"), primary_key=True)
    address: Mapped[str] = mapped_column(String(45), primary_key=True)
    mac: Mapped[Mac]
    seen_at: Mapped[datetime] = mapped_column(index=True)


class ClientLanding(Base):
    """What a gateway of another make told of a client with its last landing, and must hear again: its login address,
    its challenge. Short-lived, and no proof of anything."""

    __tablename__ = "client_landings"

    gateway_id: Mapped[int] = mapped_column(ForeignKey("gateways.id"), primary_key=True)
    mac: Mapped[Mac] = mapped_column(primary_key=True)
    told: Mapped[JsonObject]
    landed_at: Mapped[datetime] = mapped_column(index=True)


class GatewayDialogue(Base):
    """One exchange with a gateway, as staff reads it: what was said to whom and what came back. No secret is in it."""

    __tablename__ = "gateway_dialogues"

    id: Mapped[Key]
    gateway_id: Mapped[int] = mapped_column(ForeignKey("gateways.id"), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    said: Mapped[str] = mapped_column(String(500))
    answered: Mapped[str] = mapped_column(String(500))


class MismatchKind(enum.StrEnum):
    # A confirmed lease runs, and the gateway does not let its client pass.
    MISSING = "missing"
    # The gateway lets a client pass that has no lease there.
    SURPLUS = "surplus"


class Remedy(enum.StrEnum):
    """The remedy for a mismatch that did not pass by itself."""

    # Resent to the gateway, which corrected it.
    TOLD_AGAIN = "told_again"
    # The session was ended: a zombie.
    CLOSED = "closed"


class Mismatch(Base):
    """A mismatch between the gateway's reports and the leases of one client: the evidence, report after report.

    `number` is the client's number, of an access session that may be gone. `version` is that of the feed with which
    the gateway was notified again. A mismatch that passes by itself leaves no row; one acted upon stays, settled.
    """

    __tablename__ = "drifts"

    id: Mapped[Key]
    gateway_id: Mapped[int] = mapped_column(ForeignKey("gateways.id"))
    number: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[MismatchKind] = mapped_column(word(MismatchKind))
    since: Mapped[datetime]
    last_at: Mapped[datetime]
    # How many reports in a row have said so.
    reports: Mapped[int]
    version: Mapped[int | None]
    settled_at: Mapped[datetime | None]
    remedy: Mapped[Remedy | None] = mapped_column(word(Remedy))


_unsettled = Mismatch.settled_at.is_(None)
Index(
    "uq_drifts_unsettled",
    Mismatch.gateway_id,
    Mismatch.number,
    Mismatch.kind,
    unique=True,
    sqlite_where=_unsettled,
    postgresql_where=_unsettled,
)
Index("ix_drifts_settled", Mismatch.gateway_id, Mismatch.settled_at)


class Outage(Base):
    """A stretch of time in which a gateway was silent: [since, until), `until` empty while it lasts."""

    __tablename__ = "outages"

    id: Mapped[Key]
    gateway_id: Mapped[int] = mapped_column(ForeignKey("gateways.id"))
    since: Mapped[datetime]
    until: Mapped[datetime | None]


# A gateway is silent once at a time.
_lasting = Outage.until.is_(None)
Index("uq_outages_lasting", Outage.gateway_id, unique=True, sqlite_where=_lasting, postgresql_where=_lasting)
Index("ix_outages_since", Outage.gateway_id, Outage.since)


class Decision(Base):
    """A denied request: the rule that denied it, and the values that it was decided on. The guest is shown `code`.

    `rule` is the refusal's own word ("wrong_credentials"), `step` where on the way it happened ("signin"). What it
    refers to may be gone before it: these are plain numbers, not foreign keys.
    """

    __tablename__ = "decisions"

    id: Mapped[Key]
    code: Mapped[str] = mapped_column(String(8), unique=True)
    at: Mapped[datetime] = mapped_column(index=True)
    rule: Mapped[str] = mapped_column(String(40))
    step: Mapped[str] = mapped_column(String(16))
    network_id: Mapped[int | None] = mapped_column(ForeignKey("networks.id"))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))
    gateway_id: Mapped[int | None] = mapped_column(ForeignKey("gateways.id"))
    mac: Mapped[str | None] = mapped_column(String(17))
    address: Mapped[str | None] = mapped_column(String(45))
    # The pseudonym, where the refusal knew whom it concerned.
    subject: Mapped[str | None] = mapped_column(String(64))
    voucher_id: Mapped[int | None]
    access_id: Mapped[int | None]
    landed_at: Mapped[datetime | None]
    # What the rule went by, in plain values: {"until": "2026-11-26T14:10:00+00:00"}.
    detail: Mapped[JsonObject] = mapped_column(default=dict)


Index("ix_decisions_mac", Decision.mac, Decision.at)
Index("ix_decisions_site", Decision.site_id, Decision.at)
Index("ix_decisions_network", Decision.network_id, Decision.at)
Index("ix_decisions_address", Decision.address, Decision.at)
Index("ix_decisions_subject", Decision.subject, Decision.at)
