"""Blocks and the sessions that are open: how many one would end, ending them, and those that slipped through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from auth.audit.actor import Actor
from auth.blocks import service as blocks
from auth.blocks.models import Block, BlockKind
from auth.blocks.service import BlockRequest
from gateways.registry import names
from sessions import end
from sessions.models import AccessSession, EndReason, Lease
from sites.models import Gateway


@dataclass(frozen=True, slots=True)
class Affected:
    """How many devices are online that a block would end; `passing_on` of them are behind a gateway that cannot take
    back what it has granted: they pass until the end of their lease."""

    online: int
    passing_on: int


def affected(db: Session, wish: BlockRequest, *, now: datetime) -> Affected:
    """What a block would end if it were placed now."""
    kept = exists().where(
        Lease.access_id == AccessSession.id,
        Lease.released_at.is_(None),
        Lease.until > now,
        Lease.gateway_id == Gateway.id,
        Gateway.kind.not_in(names(lambda kind: kind.revokes)),
    )
    running = (*_whom(wish), AccessSession.until > now)
    count = select(func.count(AccessSession.id))
    return Affected(db.scalar(count.where(*running)) or 0, db.scalar(count.where(*running, kept)) or 0)


def place(db: Session, wish: BlockRequest, *, actor: Actor, now: datetime) -> list[int]:
    """Place a block, and end what it concerns, at its gateways too; the sessions that ended.

    Raises `auth.blocks.errors.UnusableBlock`.
    """
    blocks.place(db, wish, actor=actor, now=now)
    return end.end_all_by(db, _open(db, wish), actor=actor, now=now)


def enforce(db: Session, *, now: datetime) -> list[int]:
    """End the open sessions of whom a block concerns that began while it was being placed; their ids."""
    return [
        access_id
        for block in blocks.in_force(db, now=now)
        for access_id in _open(db, block)
        if end.end(db, access_id, reason=EndReason.STAFF, now=now)
    ]


def _open(db: Session, wish: Block | BlockRequest) -> list[int]:
    return list(db.scalars(select(AccessSession.id).where(*_whom(wish)).order_by(AccessSession.id)))


def _whom(wish: Block | BlockRequest) -> tuple[ColumnElement[bool], ...]:
    column = AccessSession.mac if wish.kind is BlockKind.DEVICE else AccessSession.subject
    here = () if wish.network_id is None else (AccessSession.network_id == wish.network_id,)
    return (column == wish.target, AccessSession.ended_at.is_(None), *here)
