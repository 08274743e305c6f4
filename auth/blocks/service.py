"""The use cases of blocks: place one, lift it, list them, and ask at every way in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from sqlalchemy import Select, bindparam, or_, select, union_all, update
from sqlalchemy.orm import Session

from auth.audit import log
from auth.audit.actions import BLOCK_LIFTED, BLOCK_PLACED, ObjectKind
from auth.audit.actor import Actor
from auth.blocks.errors import BlockedDevice, BlockedPerson, UnusableBlock
from auth.blocks.models import Block, BlockCause, BlockKind
from db.prepared import Prepared, Reply
from db.statements import table_of
from sites.models import Network

# Whom a year has not taught, somebody has to look at again.
LONGEST = timedelta(days=366)
LONGEST_NOTE = 200


@dataclass(frozen=True, slots=True)
class BlockRequest:
    """What staff asks for: `network_id` None is all networks."""

    kind: BlockKind
    target: str
    network_id: int | None
    cause: BlockCause
    note: str
    until: datetime


def check_term(wish: BlockRequest, *, now: datetime) -> None:
    """Raise `UnusableBlock` where the block would be over already, or last for longer than may be."""
    if not now < wish.until <= now + LONGEST:
        raise UnusableBlock("until")


def place(db: Session, wish: BlockRequest, *, actor: Actor, now: datetime) -> Block:
    """Block a device or a person from now on. Raises `UnusableBlock`.

    What they have open goes on: `sessions.blocking` ends it in the same transaction.
    """
    check_term(wish, now=now)
    block = Block(
        kind=wish.kind,
        target=wish.target,
        network_id=wish.network_id,
        cause=wish.cause,
        note=wish.note.strip()[:LONGEST_NOTE],
        created_at=now,
        created_by=actor.name,
        until=wish.until,
    )
    db.add(block)
    db.flush()
    # Whom it concerns stands in the row, for as long as the law lets it: more people read the audit log, and longer.
    detail = {"kind": wish.kind, "cause": wish.cause, "until": wish.until.isoformat(), "note": block.note}
    log.append(
        db,
        BLOCK_PLACED,
        ObjectKind.BLOCK.named(block.id),
        actor=actor,
        network=slug_of(db, block),
        detail=detail,
        now=now,
    )
    return block


def lift(db: Session, block: Block, *, reason: str, actor: Actor, now: datetime) -> bool:
    """End a block before its time; False where it was over before. Raises `UnusableBlock` without a reason."""
    reason = reason.strip()[:LONGEST_NOTE]
    if not reason:
        raise UnusableBlock("reason")
    lifted = db.scalar(
        update(Block)
        .where(Block.id == block.id, Block.lifted_at.is_(None), Block.until > now)
        .values(lifted_at=now, lifted_by=actor.name, lift_reason=reason)
        .returning(Block.id)
        .execution_options(synchronize_session="fetch")
    )
    if lifted is None:
        return False
    log.append(
        db,
        BLOCK_LIFTED,
        ObjectKind.BLOCK.named(block.id),
        actor=actor,
        network=slug_of(db, block),
        detail={"reason": reason},
        now=now,
    )
    return True


def check(db: Session, *, mac: str, subject: str, network_id: int, now: datetime) -> None:
    """Raise `BlockedDevice` or `BlockedPerson` where one is in force here; of several, the one that ends last."""
    refuse(ask(db, mac=mac, subject=subject, network_id=network_id, now=now))


def ask(db: Session, *, mac: str, subject: str, network_id: int, now: datetime) -> Reply:
    """Ask as `check`, with the next question; `refuse` raises what it says."""
    return _IN_FORCE.later(db, device=mac, person=subject, network=network_id, at=now)


def refuse(asked: Reply) -> None:
    """Raise `BlockedDevice` or `BlockedPerson` where the answer to `ask` names one."""
    rows = asked.all()
    if not rows:
        return
    kind, cause, until = max(rows, key=itemgetter(2))
    if kind is BlockKind.DEVICE:
        raise BlockedDevice(cause, until)
    raise BlockedPerson(cause, until)


def in_force(db: Session, *, now: datetime) -> Sequence[Block]:
    """All blocks that hold now."""
    return db.scalars(select(Block).where(Block.lifted_at.is_(None), Block.until > now)).all()


def listed(
    db: Session,
    *,
    networks: Collection[str],
    targets: Collection[str] | None = None,
    now: datetime,
    most: int = 200,
) -> Sequence[Block]:
    """The newest blocks of these networks (slugs; none: all), those of the whole town included; in force first.

    `targets`: only what names one of them.
    """
    statement = select(Block)
    if targets is not None:
        statement = statement.where(Block.target.in_(sorted(targets)))
    if networks:
        own = select(Network.id).where(Network.slug.in_(sorted(networks)))
        statement = statement.where(or_(Block.network_id.in_(own), Block.network_id.is_(None)))
    found = db.scalars(statement.order_by(Block.id.desc()).limit(most)).all()
    return sorted(found, key=lambda block: not block.is_in_force(now))


def find(db: Session, block_id: int, *, networks: Collection[str]) -> Block | None:
    """One block that somebody of these networks (none: all) may lift: a block of the whole town is not theirs."""
    block = db.get(Block, block_id)
    if block is None or (networks and slug_of(db, block) not in networks):
        return None
    return block


def slug_of(db: Session, block: Block) -> str | None:
    """The network of a block; None where it holds on all."""
    if block.network_id is None:
        return None
    return db.scalar(select(Network.slug).where(Network.id == block.network_id))


def _naming(target: str) -> Select[Any]:
    return select(_blocks.c.kind, _blocks.c.cause, _blocks.c.until).where(
        _blocks.c.target == bindparam(target),
        or_(_blocks.c.network_id.is_(None), _blocks.c.network_id == bindparam("network")),
        _blocks.c.lifted_at.is_(None),
        _blocks.c.until > bindparam("at"),
    )


_blocks = table_of(Block)
# Nearly always there is none: for a list and an order SQLite would make a table of its own first, each time.
_IN_FORCE = Prepared(union_all(_naming("device"), _naming("person")))
