"""Ending access sessions: each once, for one reason, with its leases released in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key

from auth.audit import log
from auth.audit.actions import SESSION_ENDED, ObjectKind
from auth.audit.actor import Actor
from db.prepared import Prepared
from db.statements import table_of
from gateways.registry import names
from sessions import leases, policy
from sessions.models import AccessSession, EndReason
from sites.models import Feed, Gateway, Network, SigninMethod

GATEWAY_SILENT = timedelta(minutes=2)


def end(db: Session, access_id: int, *, reason: EndReason, now: datetime) -> bool:
    """End one open access session and take back its leases; False where it had ended before."""
    if not _END.run(db, number=access_id, at=now, reason=reason):
        return False
    _tell_loaded(db, access_id, ended_at=now, end_reason=reason)
    leases.release(db, access_id, now=now)
    return True


def end_by(db: Session, access_id: int, *, actor: Actor, now: datetime) -> bool:
    """End one open access session at a person's request, with an audit entry; False where it had ended before."""
    return bool(end_all_by(db, [access_id], actor=actor, now=now))


def end_all_by(db: Session, access_ids: Iterable[int], *, actor: Actor, now: datetime) -> list[int]:
    """The same for several; those that were open."""
    ended = [one for one in access_ids if end(db, one, reason=EndReason.STAFF, now=now)]
    for one in ended:
        network = db.get_one(AccessSession, one).network.slug
        log.append(db, SESSION_ENDED, ObjectKind.SESSION.named(one), actor=actor, network=network, now=now)
    return ended


def close_expired(db: Session, *, now: datetime, most: int = 500) -> int:
    """Mark expired sessions as ended. Most gateways enforce expiry themselves; the others are notified.

    A session whose gateway has been silent since before the deadline ends as "gateway lost": when its last packet
    passed is unknown.
    """
    due = db.execute(
        select(AccessSession.id, AccessSession.until, Feed.seen_at)
        .join(Feed, Feed.gateway_id == AccessSession.gateway_id)
        .where(AccessSession.ended_at.is_(None), AccessSession.until <= now)
        .limit(most)
    ).all()
    return sum(_close(db, access_id, until=until, seen_at=seen_at) for access_id, until, seen_at in due)


def close_one(db: Session, access_id: int, *, gateway_id: int, until: datetime) -> None:
    """Mark one session of this gateway as ended that has expired at `until`."""
    seen_at = db.scalar(select(Feed.seen_at).where(Feed.gateway_id == gateway_id))
    _close(db, access_id, until=until, seen_at=seen_at)


def _close(db: Session, access_id: int, *, until: datetime, seen_at: datetime | None) -> int:
    lost = seen_at is None or seen_at < until - GATEWAY_SILENT
    reason = EndReason.GATEWAY_LOST if lost else EndReason.EXPIRED
    # The deadline is part of the claim: a renewal that came in between wins.
    ours = (AccessSession.id == access_id) & (AccessSession.until == until)
    closed = _claim(db, ours, reason=reason, at=until)
    for number in closed:
        leases.tell_ends(db, number)
    return len(closed)


def end_idle(db: Session, *, now: datetime, most: int = 500) -> int:
    """End sessions whose client is gone, where a gateway that still reports says so; how many."""
    candidates = db.execute(
        select(AccessSession.id, AccessSession.last_seen_at, Network.idle_seconds)
        .join(Network, Network.id == AccessSession.network_id)
        .join(Gateway, Gateway.id == AccessSession.gateway_id)
        .join(Feed, Feed.gateway_id == Gateway.id)
        .where(
            AccessSession.ended_at.is_(None),
            AccessSession.until > now,
            Network.idle_seconds > 0,
            # A camera that is silent is news for its owner, and no reason to let it in no more.
            AccessSession.method != SigninMethod.MANAGED,
            # The others cannot tell who is gone.
            Gateway.kind.in_(names(lambda kind: kind.reports_presence)),
            Feed.seen_at > now - GATEWAY_SILENT,
        )
        .order_by(AccessSession.last_seen_at)
        .limit(most)
    ).all()
    gone = [
        access_id
        for access_id, last_seen_at, idle_seconds in candidates
        if policy.is_idle(now=now, last_seen_at=last_seen_at, idle=timedelta(seconds=idle_seconds))
    ]
    return sum(end(db, access_id, reason=EndReason.IDLE, now=now) for access_id in gone)


def _tell_loaded(db: Session, access_id: int, **changed: object) -> None:
    """Have the session's object say so too, where this transaction has loaded it."""
    loaded = db.identity_map.get(identity_key(AccessSession, access_id))
    if loaded is not None:
        for name, value in changed.items():
            set_committed_value(loaded, name, value)


def _claim(db: Session, which: ColumnElement[bool], *, reason: EndReason, at: datetime) -> list[int]:
    statement = (
        update(AccessSession)
        .where(which, AccessSession.ended_at.is_(None))
        .values(ended_at=at, end_reason=reason)
        .returning(AccessSession.id)
        .execution_options(synchronize_session="fetch")
    )
    return list(db.scalars(statement))


_accesses = table_of(AccessSession)
_END = Prepared(
    update(_accesses)
    .where(_accesses.c.id == bindparam("number"), _accesses.c.ended_at.is_(None))
    .values(ended_at=bindparam("at"), end_reason=bindparam("reason"))
)
