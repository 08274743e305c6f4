"""Legal holds: what an authority ordered to be kept is not purged, and its neighbours are.

A hold acts from the moment it is placed, because what is gone is gone. A second person confirms it within a week, or
it lapses. It ends by itself on its last day, or when two have lifted it.

A hold of one network keeps rows of that network alone, and is seen by those who answer for it and for the whole town.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select, update
from sqlalchemy.orm import Session

from auth.audit import log
from auth.audit.actions import (
    HOLD_CONFIRMED,
    HOLD_GOES_ON,
    HOLD_LIFT_ASKED,
    HOLD_LIFTED,
    HOLD_PLACED,
    AuditAction,
    ObjectKind,
)
from auth.audit.actor import Actor
from gateways.types import InvalidMac, parse_mac
from sessions.retention import lock
from sessions.retention.errors import BadHold, OverHold, SameHolder
from sessions.retention.models import LegalHold
from sites.models import Network

TO_CONFIRM = timedelta(days=7)
LONGEST = timedelta(days=3 * 366)
Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class HoldScope:
    """The rows that a hold covers: every field that is given must match."""

    mac: str | None = None
    address: str | None = None
    subject: str | None = None
    site_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


def place(
    db: Session,
    scope: HoldScope,
    *,
    reference: str,
    reason: str,
    expires_at: datetime,
    actor: Actor,
    now: datetime,
    network_id: int | None = None,
) -> LegalHold:
    """Place a hold, from now on; `network_id` None is the whole town's. Raises `BadHold`."""
    reference, reason = reference.strip(), reason.strip()
    if not reference or len(reference) > 120:
        raise BadHold("reference")
    if not reason or len(reason) > 400:
        raise BadHold("reason")
    if not now < expires_at <= now + LONGEST:
        raise BadHold("expires_at")
    if scope == HoldScope():
        raise BadHold("scope")
    if scope.since is not None and scope.until is not None and scope.since >= scope.until:
        raise BadHold("until")
    try:
        mac = parse_mac(scope.mac) if scope.mac else None
    except InvalidMac as error:
        raise BadHold("mac") from error
    lock.take(db)
    hold = LegalHold(
        reference=reference,
        reason=reason,
        network_id=network_id,
        mac=mac,
        address=scope.address,
        subject=scope.subject,
        site_id=scope.site_id,
        since=scope.since,
        until=scope.until,
        created_at=now,
        created_by=actor.name,
        expires_at=expires_at,
    )
    db.add(hold)
    db.flush()
    _append(db, HOLD_PLACED, hold, actor=actor, now=now)
    return hold


def confirm(db: Session, hold: LegalHold, *, actor: Actor, now: datetime) -> None:
    """A second person stands behind it. Raises `SameHolder`, `OverHold`."""
    if actor.name == hold.created_by:
        raise SameHolder
    _claim(db, hold, LegalHold.confirmed_at.is_(None), now, confirmed_at=now, confirmed_by=actor.name)
    _append(db, HOLD_CONFIRMED, hold, actor=actor, now=now)


def lift(db: Session, hold: LegalHold, *, actor: Actor, now: datetime) -> bool:
    """End it, so that the next run purges what it held; False where a second person has still to say so.

    An unconfirmed one is lifted by one person. Raises `SameHolder`, `OverHold`.
    """
    if hold.confirmed_at is not None and hold.lift_asked_at is None:
        _claim(db, hold, LegalHold.lift_asked_at.is_(None), now, lift_asked_at=now, lift_asked_by=actor.name)
        _append(db, HOLD_LIFT_ASKED, hold, actor=actor, now=now)
        return False
    if hold.lift_asked_by == actor.name:
        raise SameHolder
    asked = LegalHold.confirmed_at.is_(None) | (LegalHold.lift_asked_by != actor.name)
    _claim(db, hold, LegalHold.lifted_at.is_(None) & asked, now, lifted_at=now, lifted_by=actor.name)
    _append(db, HOLD_LIFTED, hold, actor=actor, now=now)
    return True


def go_on(db: Session, hold: LegalHold, *, actor: Actor, now: datetime) -> None:
    """Refuse the lifting that was asked for: the hold goes on. Raises `OverHold`."""
    _claim(db, hold, LegalHold.lift_asked_at.is_not(None), now, lift_asked_at=None, lift_asked_by=None)
    _append(db, HOLD_GOES_ON, hold, actor=actor, now=now)


def active(db: Session, *, now: datetime) -> list[LegalHold]:
    """The holds that act now."""
    return list(db.scalars(select(LegalHold).where(_acts(now)).order_by(LegalHold.id)))


def acts(hold: LegalHold, *, now: datetime) -> bool:
    """Whether this hold acts now."""
    waits = hold.confirmed_at is None and now >= hold.created_at + TO_CONFIRM
    return hold.lifted_at is None and now < hold.expires_at and not waits


def everything(db: Session, *, networks: Collection[str] = ()) -> list[LegalHold]:
    """Every hold there ever was, the newest first; with `networks` (slugs), only those of these networks."""
    statement = select(LegalHold).order_by(LegalHold.id.desc())
    return list(db.scalars(statement.where(_of(networks)) if networks else statement))


def find(db: Session, hold_id: int, *, networks: Collection[str] = ()) -> LegalHold | None:
    """One hold; with `networks`, only if it is of one of these."""
    statement = select(LegalHold).where(LegalHold.id == hold_id)
    return db.scalar(statement.where(_of(networks)) if networks else statement)


def _of(networks: Collection[str]) -> Condition:
    return LegalHold.network_id.in_(select(Network.id).where(Network.slug.in_(sorted(networks))))


def covers(
    hold: LegalHold,
    *,
    mac: Any = None,
    address: Any = None,
    subject: Any = None,
    site: Any = None,
    network: Any = None,
    began: Any = None,
    ended: Any = None,
) -> Condition:
    """Whether a row with these columns is within the hold's scope. A table that lacks what the scope names is not.

    `mac`, `address`, `subject`, `site` and `network` are columns, or functions from the value to a condition.
    """
    conditions: list[Condition] = []
    for value, column in (
        (hold.mac, mac),
        (hold.address, address),
        (hold.subject, subject),
        (hold.site_id, site),
        (hold.network_id, network),
    ):
        if value is not None:
            if column is None:
                return false()
            conditions.append(column(value) if callable(column) else column == value)
    if hold.since is not None or hold.until is not None:
        if began is None:
            return false()
        if hold.until is not None:
            conditions.append(began < hold.until)
        if hold.since is not None:
            conditions.append((began if ended is None else ended) >= hold.since)
    # A row whose column is empty does not match; SQL would not say.
    return func.coalesce(and_(*conditions), false())


def any_of(conditions: Sequence[Condition]) -> Condition:
    return or_(false(), *conditions)


def _acts(now: datetime) -> Condition:
    return and_(
        LegalHold.lifted_at.is_(None),
        LegalHold.expires_at > now,
        or_(LegalHold.confirmed_at.is_not(None), LegalHold.created_at > now - TO_CONFIRM),
    )


def _claim(db: Session, hold: LegalHold, which: Condition, now: datetime, **values: object) -> None:
    lock.take(db)
    claimed = db.scalar(
        update(LegalHold)
        .where(LegalHold.id == hold.id, which, _acts(now))
        .values(**values)
        .returning(LegalHold.id)
        .execution_options(synchronize_session="fetch")
    )
    if claimed is None:
        raise OverHold
    db.refresh(hold)


def _append(db: Session, action: AuditAction, hold: LegalHold, *, actor: Actor, now: datetime) -> None:
    """What was done, without whom it concerns: more people read the audit log than may read this."""
    log.append(
        db,
        action,
        ObjectKind.HOLD.named(hold.id),
        actor=actor,
        network=db.scalar(select(Network.slug).where(Network.id == hold.network_id)),
        detail={"reference": hold.reference},
        now=now,
    )
