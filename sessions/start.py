"""Starting an access session with its first lease: the one path for patrons, vouchers and ads."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Executable, Select, bindparam, literal_column, select, union_all
from sqlalchemy.orm import Session

from auth.blocks import service as blocks
from auth.entitlements import Allowance, Claimed, claim, claimed_by, claimed_of
from auth.errors import ClosedSite, ManagedDevice
from auth.models import Entitlement
from auth.vouchers.errors import AlreadyUsed
from db.prepared import Prepared, Reply
from db.statements import Insert, for_either, table_of
from gateways.types import Client
from sessions import end, first_leases, policy, present, roaming
from sessions.arrival import Acceptance, Arrival
from sessions.models import AccessSession, EndReason
from sessions.present import Present
from sessions.sightings import see
from sites.limits import site_closing, state_at
from sites.models import Gateway, SigninMethod, SiteState

# When it began.
Stay = tuple[datetime, Present]


class WhenFull(enum.Enum):
    """The policy when an entitlement has reached its number of devices."""

    # The oldest device gives way.
    REPLACE = enum.auto()
    # It stays outside: `AlreadyUsed`.
    REFUSE = enum.auto()


@dataclass(frozen=True, slots=True)
class Opened:
    """The session opened or reused. `lease` is None where the client was online already and nothing was granted;
    `gateway_id` is where the session counts as being. A new session's id may be in the answer about its lease."""

    db: Session
    known_id: int | None
    lease: Reply | None
    gateway_id: int

    @property
    def access_id(self) -> int:
        """The id of the session, which is written by then."""
        if self.known_id is not None:
            return self.known_id
        assert self.lease is not None
        access_id: int = self.lease.all()[0][1]
        return access_id

    @property
    def lease_id(self) -> int | None:
        """The id of the lease, which is written by then."""
        lease_id: int | None = None if self.lease is None else self.lease.scalar()
        return lease_id

    @property
    def access(self) -> AccessSession:
        """The session as an object, read when it is asked for, within the same transaction."""
        # After it another one would begin here, which nobody ends.
        assert self.db.in_transaction()
        return self.db.get_one(AccessSession, self.access_id)


def open_access(
    db: Session,
    arrival: Arrival,
    *,
    allowance: Allowance,
    now: datetime,
    when_full: WhenFull = WhenFull.REPLACE,
    claimed: Callable[[], Claimed] | None = None,
) -> Opened:
    """Let the client in for what `allowance` says. Signing in again adds no time.

    `claimed` gives the entitlement, where it has been claimed already.

    Above the entitlement's number of devices the oldest one gives way (`EndReason.DEVICE_LIMIT`), or this one is
    refused (`AlreadyUsed`), as `when_full` says. Raises `ClosedSite`, `BlockedDevice` and
    `BlockedPerson` too. Whatever it raises, the caller rolls back.
    """
    gateway, client = arrival.gateway, arrival.client
    _refuse_closed(gateway, now)
    # On PostgreSQL one round trip for all of these. Who is refused takes the claim back with the transaction.
    blocked = blocks.ask(
        db, mac=client.mac, subject=allowance.subject, network_id=gateway.network_id, now=now
    )
    if claimed is None:
        claiming = claim(db, network_id=gateway.network_id, allowance=allowance, now=now)
        claimed = partial(claimed_by, claiming)
    asked = _ask_sessions(db, gateway, client, allowance)
    blocks.refuse(blocked)
    entitlement = claimed()
    until = policy.first_until(_terms(entitlement, gateway, now), now=now)
    own, stays = _sort_out(asked)
    online = None if own is None else present.if_open(db, own, now=now)
    if online is not None and online.entitlement_id == entitlement.id:
        return _carry_on(db, online, gateway=gateway, client=client, now=now)
    if online is not None:
        refuse_managed(online)
        end.end(db, online.id, reason=EndReason.LEFT, now=now)
    previous = _make_room(db, entitlement, stays, when_full=when_full, now=now)
    return _open(db, entitlement, arrival, until=until, previous=previous, now=now)


def open_managed(
    db: Session, client: Client, *, gateway: Gateway, allowance: Allowance, now: datetime
) -> int | None:
    """Open a session for a device that a register wants online, in place of any other that its card has; its id.

    Its time and its leases are the register's: the session has none yet. None where somebody else was quicker.
    """
    claiming = claim(db, network_id=gateway.network_id, allowance=allowance, now=now)
    online = present.find(db, gateway=gateway, client=client, now=now)
    entitlement = claimed_by(claiming)
    if online is not None:
        end.end(db, online.id, reason=EndReason.POLICY, now=now)
    arrival = Arrival(gateway, client, Acceptance("", "", ""))
    row = _row(entitlement, arrival, until=now, previous=None, now=now)
    access_id: int | None = _INSERT.scalar(db, **row)
    return access_id


def move(db: Session, access: AccessSession, arrival: Arrival, *, now: datetime) -> Opened | None:
    """Give the rest of an open session to the same person's device under a new address. No time is added.

    Rows old and new are linked, and what was accepted stays accepted; the old address stops at the gateway as soon as
    the change is there. None where the session has ended already: however many devices ask at once, one of them goes
    on. Raises `ClosedSite`, `BlockedDevice` and `BlockedPerson`.
    """
    _refuse_unwelcome(db, arrival, access.subject, now)
    online = present.find(db, gateway=arrival.gateway, client=arrival.client, now=now)
    if online is not None:
        refuse_managed(online)
    if not end.end(db, access.id, reason=EndReason.MOVED, now=now):
        return None
    if online is not None:
        return Opened(db, online.id, None, online.gateway_id)
    acceptance = Acceptance(access.terms_version, access.terms_language, access.terms_digest)
    arrival = replace(arrival, acceptance=acceptance)
    return _open(db, claimed_of(access.entitlement), arrival, until=access.until, previous=access.id, now=now)


def _refuse_unwelcome(db: Session, arrival: Arrival, subject: str, now: datetime) -> None:
    _refuse_closed(arrival.gateway, now)
    blocks.check(db, mac=arrival.client.mac, subject=subject, network_id=arrival.gateway.network_id, now=now)


def _refuse_closed(gateway: Gateway, now: datetime) -> None:
    if state_at(gateway.site, now) is SiteState.CLOSED:
        raise ClosedSite


def refuse_managed(online: Present) -> None:
    """Nobody signs in on a device that a register keeps online. Raises `ManagedDevice`."""
    if online.method is SigninMethod.MANAGED:
        raise ManagedDevice


def _open(
    db: Session,
    entitlement: Claimed,
    arrival: Arrival,
    *,
    until: datetime,
    previous: int | None,
    now: datetime,
) -> Opened:
    """Insert the session with its first lease."""
    gateway, client = arrival.gateway, arrival.client
    see(db, gateway_id=gateway.id, client=client, now=now)
    access_id, lease = first_leases.write(
        db,
        _row(entitlement, arrival, until=until, previous=previous, now=now),
        own_rates=entitlement,
        gateway=gateway,
        client=client,
        until=until,
        now=now,
    )
    return Opened(db, access_id, lease, gateway.id)


def _terms(entitlement: Claimed, gateway: Gateway, now: datetime) -> policy.LeaseBounds:
    """A pass runs to its own end, as its plan says; everybody else is bounded by the network and the closing too."""
    if entitlement.method is SigninMethod.PASS and entitlement.until is not None:
        return policy.LeaseBounds(entitlement.until - now, step=gateway.lease_step, reach=gateway.lease_reach)
    closing = site_closing(gateway, now)
    return policy.LeaseBounds(
        gateway.lease_length, entitlement.until, closing, gateway.lease_step, gateway.lease_reach
    )


def _carry_on(db: Session, online: Present, *, gateway: Gateway, client: Client, now: datetime) -> Opened:
    if online.gateway_id == gateway.id and roaming.is_let_pass(db, online.id, gateway_id=gateway.id, now=now):
        return Opened(db, online.id, None, gateway.id)
    access = db.get_one(AccessSession, online.id, populate_existing=True)
    if online.method is SigninMethod.FREE:
        # What was accepted names the card alone, by the word of this gateway: no more than an arrival.
        lease = roaming.admit(db, access, gateway=gateway, client=client, now=now)
    else:
        lease = roaming.walk(db, access, gateway=gateway, client=client, now=now)
    return Opened(db, online.id, lease, access.gateway_id)


def _ask_sessions(db: Session, gateway: Gateway, client: Client, allowance: Allowance) -> Reply:
    """Ask for the client's open session and for those among which there must be room, after the claim, which has others
    of the person wait.
    """
    asked = _OF_PASS if allowance.method is SigninMethod.PASS else _OF_PERSON
    return asked.later(db, network=gateway.network_id, client=client.mac, person=allowance.subject)


def _sort_out(asked: Reply) -> tuple[Present | None, list[Stay]]:
    """The client's own of these, and those among which there must be room, with when they began."""
    own, stays = None, []
    for is_own, started_at, ended_at, *row in asked.all():
        found = Present._make(row)
        if is_own:
            own = found
        elif ended_at is None:
            stays.append((started_at, found))
    return own, stays


def _make_room(
    db: Session, entitlement: Claimed, stays: list[Stay], *, when_full: WhenFull, now: datetime
) -> int | None:
    """End the oldest devices of this person above the limit, but one; the last one ended.

    The devices of a pass are counted over all networks: it is one ticket, wherever it is shown.
    """
    online = [stay.id for _, stay in sorted(stays) if stay.until > now]
    surplus = online[: max(0, len(online) - entitlement.devices + 1)]
    if surplus and when_full is WhenFull.REFUSE:
        raise AlreadyUsed
    for access_id in surplus:
        end.end(db, access_id, reason=EndReason.DEVICE_LIMIT, now=now)
    return surplus[-1] if surplus else None


def _row(
    entitlement: Claimed,
    arrival: Arrival,
    *,
    until: datetime,
    previous: int | None,
    now: datetime,
) -> dict[str, Any]:
    """A new session by its columns."""
    gateway, client, acceptance = arrival.gateway, arrival.client, arrival.acceptance
    return {
        "entitlement_id": entitlement.id,
        "subject": entitlement.subject,
        "method": entitlement.method,
        "network_id": gateway.network_id,
        "gateway_id": gateway.id,
        "site_id": gateway.site_id,
        "mac": client.mac,
        # Some gateways ask for a client before it has an address.
        "address": str(client.addresses[0]) if client.addresses else "",
        "landed_at": arrival.landed_at,
        "resume_digest": arrival.resume_digest,
        "started_at": now,
        "until": until,
        "last_seen_at": now,
        "previous_id": previous,
        "terms_version": acceptance.version,
        "terms_language": acceptance.language,
        "terms_digest": acceptance.digest,
    }


def _insertion(insert: Insert) -> Executable:
    statement: Executable = insert(_accesses).on_conflict_do_nothing().returning(_accesses.c.id)
    return statement


def _with_clients(*which: ColumnElement[bool]) -> Executable:
    """The client's open session, and these."""

    def rows(is_own: str, *chosen: ColumnElement[bool]) -> Select[Any]:
        when = (_accesses.c.started_at, _accesses.c.ended_at)
        columns = (literal_column(is_own), *when, *present.COLUMNS)
        return select(*columns).select_from(present.SOURCE).where(*chosen)

    return union_all(rows("1", *present.OF_CLIENT), rows("0", *which))


_accesses = table_of(AccessSession)
_INSERT = Prepared(for_either(_insertion))
# Few rows each, which are sifted and sorted here: with a word of their end or their order, PostgreSQL takes an index of
# all who are online for better, by statistics of the night. Of a pass all sessions, of a person those that are open.
# By a name of its own, or it would be taken for the entitlement of each session that is read.
_claimed = table_of(Entitlement).alias("claimed")
_claimed_now = select(_claimed.c.id).where(
    _claimed.c.subject == bindparam("person"), _claimed.c.network_id == bindparam("network")
)
_OF_PERSON = Prepared(
    _with_clients(
        _accesses.c.entitlement_id == _claimed_now.scalar_subquery(), _accesses.c.ended_at.is_(None)
    )
)
_OF_PASS = Prepared(_with_clients(_accesses.c.subject == bindparam("person")))
