"""Walking from one site of a network to the next without a page: on a gateway's word, and what that word is worth.

A gateway says that a card has arrived: by a list of arrivals, by a landing, by a question at sign-in. It lets the card
go on there, and no more: the access session stays where it is until the gateway before says that the card has fallen
silent (`settle`) or has gone (`leave`), or says nothing itself (`leave_silent`). So a gateway that lies, or whose
credential was stolen, ends nobody's session elsewhere, shortens none, and is told of no more than `MOST_ADMITTED` cards
that it asks about.

Gateways of a kind that reports neither silence nor ends let go of nobody: the session stays in the books where it was,
its leases say at which gateways it passes, and its end is told to each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from db.notify import notify
from db.prepared import Reply
from gateways.types import Client, MacAddress
from sessions import clients, feed, leases, sightings
from sessions.end import GATEWAY_SILENT
from sessions.models import OPEN_OF_CLIENT, AccessSession, Lease
from sites.limits import site_closing
from sites.models import Feed, Gateway, SigninMethod

# How long a card is silent where it was before it counts as gone from there. A gateway notices silence from report to
# report: the last packet may seem to be later than it was by as much as lies between two.
GONE_AFTER, BETWEEN_REPORTS = timedelta(minutes=1), timedelta(minutes=1)
# How many clients may arrive at a gateway within this time that no other gateway has released: a tram at rush hour.
MOST_ADMITTED, ADMITTED_WITHIN = 200, timedelta(minutes=10)


def arrive(db: Session, *, gateway: Gateway, clients: list[Client], now: datetime) -> int:
    """Note where clients are, and let those go on who are online elsewhere on this network; how many did."""
    here = [found for client in clients if (found := sightings.within(gateway, client)).addresses]
    if not here:
        return 0
    news = sightings.see_all(db, gateway_id=gateway.id, clients=here, now=now)
    # Where not all may go on, those do who came online first.
    online = db.scalars(
        select(AccessSession)
        .where(
            AccessSession.network_id == gateway.network_id,
            AccessSession.mac.in_([client.mac for client in here]),
            OPEN_OF_CLIENT,
            AccessSession.until > now,
        )
        .order_by(AccessSession.id)
    ).all()
    passing = _passing(db, [access.id for access in online], gateway_id=gateway.id, now=now)
    by_mac = {client.mac: client for client in here}
    walked = 0
    for access in online:
        if access.id not in passing:
            client = by_mac[MacAddress(access.mac)]
            walked += admit(db, access, gateway=gateway, client=client, now=now) is not None
    leases.fill_addresses(db, gateway_id=gateway.id, clients=[by_mac[mac] for mac in news])
    # A new address of a card that may pass already is news for its grant.
    leases.restate(db, gateway_id=gateway.id, macs=news, now=now)
    if news:
        notify(db)
    return walked


def go_on(db: Session, *, gateway: Gateway, client: Client, now: datetime) -> AccessSession | None:
    """The open session of one client on this network, let pass at `gateway` from now on.

    None where there is none, and where the gateway has too many such cards for now. A client that the gateway asks for
    before it has an address is let pass all the same.
    """
    seen = sightings.within(gateway, client)
    arrive(db, gateway=gateway, clients=[seen], now=now)
    access = clients.online(db, network_id=gateway.network_id, mac=client.mac, now=now)
    if access is None:
        return None
    if not seen.addresses:
        admit(db, access, gateway=gateway, client=seen, now=now)
    return access if is_let_pass(db, access.id, gateway_id=gateway.id, now=now) else None


def admit(
    db: Session, access: AccessSession, *, gateway: Gateway, client: Client, now: datetime
) -> Reply | None:
    """Let an open session go on at `gateway` too, on that gateway's word alone; the new lease's id.

    The session itself is not touched. None where it may pass there already, where the gateway is retired, and
    where it has too many such cards; their devices are announced again, and their turn comes. A managed device goes
    where its register says.
    """
    if access.method is SigninMethod.MANAGED:
        return None
    if gateway.is_retired:
        return None
    if is_let_pass(db, access.id, gateway_id=gateway.id, now=now):
        return None
    # Two words on one client at once take turns here.
    leases.lock(db, gateway.id)
    if is_let_pass(db, access.id, gateway_id=gateway.id, now=now):
        return None
    if access.gateway_id != gateway.id and _admitted(db, gateway.id, now=now) >= MOST_ADMITTED:
        return None
    until = _until(access, gateway, now)
    return leases.grant(
        db, access=access, gateway=gateway, client=client, starts_at=now, until=until, now=now
    )


def walk(db: Session, access: AccessSession, *, gateway: Gateway, client: Client, now: datetime) -> Reply:
    """Let an open session go on at another gateway of its network, until the same instant; the new lease's id.

    For somebody who has proven there whose session it is. A library that closes before that ends it at its closing; a
    pass runs to its own end. What the gateway before holds runs out by itself: a phone between two sites would
    otherwise be cut at one by a late word of the other.
    """
    _move(access, gateway, str(client.addresses[0]) if client.addresses else access.address, now)
    access.last_seen_at = now
    sightings.see(db, gateway_id=gateway.id, client=client, now=now)
    return leases.grant(
        db, access=access, gateway=gateway, client=client, starts_at=now, until=access.until, now=now
    )


def leave(db: Session, *, gateway: Gateway, access_id: int, now: datetime) -> bool:
    """The gateway says that a client has gone from it, and passes there no more; whether it goes on elsewhere.

    What is left at this gateway is taken back in the books. A session that was here moves to where it was admitted
    last; one that passes nowhere else stays as it is, and may come back until its end.
    """
    access = db.get(AccessSession, access_id)
    if access is not None and access.method is SigninMethod.MANAGED:
        # Its register wants it here whether or not it is: it may come back at any time.
        leases.ask_again(db, gateway_id=gateway.id, mac=access.mac, now=now)
        return True
    if leases.release_at(db, access_id, gateway_id=gateway.id, now=now):
        # The end is the gateway's own word: there is nothing to tell it.
        feed.confirm_some(db, gateway_id=gateway.id, numbers=(), now=now)
    passing = _admissions(db, Lease.gateway_id != gateway.id, AccessSession.id == access_id, now=now)
    if not passing:
        return False
    access, lease = passing[-1]
    if access.gateway_id == gateway.id:
        _move_to(db, access, lease, now)
    return True


def leave_silent(db: Session, *, now: datetime, most: int = 500) -> int:
    """Move the sessions of gateways that say nothing to where they pass, at a gateway that speaks; how many."""
    here, there = aliased(Feed), aliased(Feed)
    statement = (
        select(AccessSession, Lease)
        .join(Lease, Lease.access_id == AccessSession.id)
        .join(here, here.gateway_id == AccessSession.gateway_id)
        .join(there, there.gateway_id == Lease.gateway_id)
        .where(
            here.seen_at < now - GATEWAY_SILENT,
            there.seen_at >= now - GATEWAY_SILENT,
            Lease.confirmed_at.is_not(None),
            *_runs(now),
        )
        .order_by(AccessSession.id, Lease.created_at, Lease.id)
        .limit(most)
    )
    last = {access.id: (access, lease) for access, lease in db.execute(statement)}
    for access, lease in last.values():
        _move_to(db, access, lease, now)
    return len(last)


def settle(db: Session, *, gateway: Gateway, idle: Mapping[int, timedelta], now: datetime) -> int:
    """Move the sessions that have walked on, after a report of `gateway` on how long each has been silent; how many.

    A session goes where it was admitted last, once the card has been silent here since then.
    """
    gone = [number for number, silence in idle.items() if silence >= GONE_AFTER]
    left = (AccessSession.gateway_id == gateway.id, Lease.gateway_id != gateway.id)
    moved = 0
    for part in range(0, len(gone), sightings.MOST_AT_ONCE):
        these = AccessSession.id.in_(gone[part : part + sightings.MOST_AT_ONCE])
        for access, lease in _admissions(db, these, *left, now=now):
            if now - idle[access.id] <= lease.created_at + BETWEEN_REPORTS:
                _move_to(db, access, lease, now)
                moved += 1
    return moved


def is_let_pass(db: Session, access_id: int, *, gateway_id: int, now: datetime) -> bool:
    """Whether this session has a running lease at this gateway."""
    return bool(_passing(db, [access_id], gateway_id=gateway_id, now=now))


def _passing(db: Session, access_ids: list[int], *, gateway_id: int, now: datetime) -> set[int]:
    return set(
        db.scalars(
            select(Lease.access_id).where(
                Lease.gateway_id == gateway_id,
                Lease.access_id.in_(access_ids),
                Lease.released_at.is_(None),
                Lease.until > now,
            )
        )
    )


def _admitted(db: Session, gateway_id: int, *, now: datetime) -> int:
    """Count the sessions of other gateways admitted here lately."""
    count = db.scalar(
        select(func.count())
        .select_from(Lease)
        .join(AccessSession, AccessSession.id == Lease.access_id)
        .where(
            Lease.gateway_id == gateway_id,
            Lease.until > now,
            Lease.created_at > now - ADMITTED_WITHIN,
            AccessSession.gateway_id != gateway_id,
            AccessSession.ended_at.is_(None),
        )
    )
    return count or 0


def _admissions(db: Session, *where: ColumnElement[bool], now: datetime) -> list[tuple[AccessSession, Lease]]:
    """Open sessions, each with a running lease of its own for which this holds, the latest lease last."""
    statement = (
        select(AccessSession, Lease)
        .join(Lease, Lease.access_id == AccessSession.id)
        .where(*where, *_runs(now))
        .order_by(AccessSession.id, Lease.created_at, Lease.id)
    )
    return [(access, lease) for access, lease in db.execute(statement)]


def _runs(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return AccessSession.ended_at.is_(None), Lease.released_at.is_(None), Lease.until > now


def _move_to(db: Session, access: AccessSession, lease: Lease, now: datetime) -> None:
    gateway = db.get_one(Gateway, lease.gateway_id)
    _move(access, gateway, lease.address or access.address, now)


def _move(access: AccessSession, gateway: Gateway, address: str, now: datetime) -> None:
    access.until = _until(access, gateway, now)
    access.gateway_id, access.site_id, access.address = gateway.id, gateway.site_id, address


def _until(access: AccessSession, gateway: Gateway, now: datetime) -> datetime:
    """When the session ends at this gateway: a library that closes before ends it, but for a pass."""
    if access.method in (SigninMethod.PASS, SigninMethod.MANAGED):
        return access.until
    return min(access.until, site_closing(gateway, now) or access.until)
