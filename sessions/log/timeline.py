"""One session as a story: everything that is known of it, in the order in which it happened. Pure."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from sessions.models import AccessSession, Decision, EndReason, Lease, Usage
from sites.models import Gateway

# Refusals of the same device so long before the sign-in belong to its story.
BEFORE = timedelta(hours=1)
MOST_REFUSALS = 20


class EventKind(enum.StrEnum):
    """The kinds of events, in the order in which simultaneous ones are listed."""

    CAME_FROM = "came_from"
    LANDED = "landed"
    REFUSED = "refused"
    ACCEPTED = "accepted"
    SIGNED_IN = "signed_in"
    ROAMED = "roamed"
    LEASED = "leased"
    CONFIRMED = "confirmed"
    TURNED_DOWN = "turned_down"
    RELEASED = "released"
    COUNTED = "counted"
    ENDED = "ended"
    PENDING = "pending"
    WENT_ON = "went_on"


_ORDER = {happening: number for number, happening in enumerate(EventKind)}


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `facts` holds what belongs to it: a lease, a refusal, a site's number."""

    at: datetime
    what: EventKind
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TimelineRows:
    """The rows of one session. `gateways` are those of its leases, by number."""

    access: AccessSession
    leases: Sequence[Lease]
    usage: Sequence[Usage]
    refusals: Sequence[Decision]
    previous: AccessSession | None
    following: Sequence[AccessSession]
    gateways: dict[int, Gateway]


def read(db: Session, access: AccessSession) -> TimelineRows:
    """Fetch the rows of a session's timeline."""
    leases = db.scalars(select(Lease).where(Lease.access_id == access.id).order_by(Lease.id)).all()
    usage = db.scalars(select(Usage).where(Usage.access_id == access.id)).all()
    since = min(access.started_at, access.landed_at or access.started_at) - BEFORE
    until = access.ended_at or access.until
    refusals = db.scalars(
        select(Decision)
        .where(Decision.mac == access.mac, Decision.at >= since, Decision.at <= until)
        .where(or_(Decision.network_id == access.network_id, Decision.network_id.is_(None)))
        .order_by(Decision.at.desc())
        .limit(MOST_REFUSALS)
    ).all()
    numbers = {access.gateway_id, *(lease.gateway_id for lease in leases), *(row.gateway_id for row in usage)}
    gateways = db.scalars(select(Gateway).where(Gateway.id.in_(numbers))).all()
    following = db.scalars(
        select(AccessSession).where(AccessSession.previous_id == access.id).order_by(AccessSession.id)
    ).all()
    return TimelineRows(
        access,
        leases,
        usage,
        refusals,
        db.get(AccessSession, access.previous_id) if access.previous_id else None,
        following,
        {gateway.id: gateway for gateway in gateways},
    )


def tell(rows: TimelineRows, *, now: datetime, more: Iterable[Event] = ()) -> list[Event]:
    """The story of a session, the oldest first. `more` is what other rooms know of it."""
    access = rows.access
    events = [
        Event(access.started_at, EventKind.SIGNED_IN, {"site_id": access.site_id}),
        *(Event(one.at, EventKind.REFUSED, {"decision": one}) for one in rows.refusals),
        *_of_leases(rows, now=now),
        *(Event(one.updated_at, EventKind.COUNTED, {"usage": one}) for one in rows.usage),
        *(Event(one.started_at, EventKind.WENT_ON, {"access": one}) for one in rows.following),
        *more,
    ]
    if access.landed_at is not None:
        events.append(Event(access.landed_at, EventKind.LANDED))
    if rows.previous is not None:
        events.append(
            Event(rows.previous.ended_at or access.started_at, EventKind.CAME_FROM, {"access": rows.previous})
        )
    if access.ended_at is not None:
        events.append(Event(access.ended_at, EventKind.ENDED, {"reason": access.end_reason}))
    return sorted(events, key=lambda event: (event.at, _ORDER[event.what]))


class EndStage(enum.StrEnum):
    """The stage of an end: recorded, and confirmed by the gateways."""

    OPEN = "open"
    # Over by itself: the gateways held the deadline, and nobody had to tell them.
    BY_ITSELF = "by_itself"
    PENDING = "pending"
    # A gateway has been told and does not do it: `end_refusals` has its words.
    REFUSED = "refused"
    CONFIRMED = "confirmed"
    # A gateway of a kind that cannot take access back lets the device pass until the lease is over.
    RUNS_OUT = "runs_out"


def end_stage(rows: TimelineRows, *, now: datetime) -> EndStage:
    """Whether every gateway has said that it lets the device through no more.

    A lease that was taken back is told as a change of the feed; the gateway has it when it has confirmed that version.
    What it has not heard of ends at the lease's own deadline at the latest.
    """
    if rows.access.ended_at is None:
        return EndStage.OPEN
    if any(lease.released_at is None and lease.until > now for lease in rows.leases):
        return EndStage.RUNS_OUT
    taken_back = [lease for lease in rows.leases if lease.released_at is not None]
    if not taken_back or rows.access.end_reason in (EndReason.EXPIRED, EndReason.GATEWAY_LOST):
        return EndStage.BY_ITSELF
    waiting = [lease for lease in taken_back if lease.until > now and not _is_confirmed(lease, rows.gateways)]
    if any(lease.release_refused for lease in waiting):
        return EndStage.REFUSED
    return EndStage.PENDING if waiting else EndStage.CONFIRMED


def end_refusals(rows: TimelineRows, *, now: datetime) -> dict[str, str]:
    """Why gateways do not end the session, in their own words, by the gateway's identity."""
    return {
        rows.gateways[lease.gateway_id].identity: lease.release_refused
        for lease in rows.leases
        if lease.release_refused and lease.until > now and not _is_confirmed(lease, rows.gateways)
    }


def _of_leases(rows: TimelineRows, *, now: datetime) -> Iterable[Event]:
    site_id: int | None = None
    for lease in rows.leases:
        if site_id is not None and lease.site_id != site_id:
            yield Event(lease.created_at, EventKind.ROAMED, {"site_id": lease.site_id, "from_id": site_id})
        site_id = lease.site_id
        yield Event(lease.created_at, EventKind.LEASED, {"lease": lease})
        if lease.confirmed_at is not None:
            yield Event(lease.confirmed_at, EventKind.CONFIRMED, {"lease": lease})
        if lease.refused is not None:
            # The gateway gives no time of its own for it.
            yield Event(lease.created_at, EventKind.TURNED_DOWN, {"lease": lease})
        if lease.released_at is not None:
            what = EventKind.RELEASED if _is_confirmed(lease, rows.gateways) else EventKind.PENDING
            yield Event(lease.released_at, what, {"lease": lease})


def _is_confirmed(lease: Lease, gateways: dict[int, Gateway]) -> bool:
    """Whether the gateway has this lease in its present state: by its own word on it, or by the feed's version."""
    if lease.release_confirmed_at is not None:
        return True
    gateway = gateways.get(lease.gateway_id)
    return gateway is not None and (gateway.confirmed_version or 0) >= lease.version
