"""Which access sessions a NAS's packets are about, and whether their clients pass: by the leases that they have there.

Each question is about many at once (`db.each`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Executable, String, bindparam, exists, select, update
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from db.base import UtcDateTime
from db.each import ForEach
from db.prepared import Prepared
from db.statements import table_of
from gateways.radius.accounting import Record
from sessions import nas_lives, roaming
from sessions.models import AccessSession, Lease, NasSession
from sites.models import Gateway

# An access session that a NAS lets pass no more, and since when.
Gone = tuple[int, datetime]


def of_records(
    db: Session, *, gateway_id: int, records: Sequence[tuple[Record, datetime]]
) -> list[int | None]:
    """For each record, with when its session began, the access session that the box let pass: by the Class that it was
    told, else by the device and the time.

    It has, or had, a lease at this gateway: no gateway counts for another's.
    """
    named = [(one.number, one.mac) for one, _ in records if one.number is not None and one.mac is not None]
    there = {number for (number,) in _BY_BOTH.all(db, named, gateway=gateway_id)}
    return [
        (record.number if record.number in there else None)
        if record.number is not None and record.mac is not None
        else _of_one(db, gateway_id, record, at)
        for record, at in records
    ]


def _of_one(db: Session, gateway_id: int, record: Record, at: datetime) -> int | None:
    found: int | None = None
    if record.number is not None:
        found = _BY_NUMBER.scalar(db, gateway=gateway_id, number=record.number)
    elif record.mac is not None:
        found = _BY_MAC.scalar(db, gateway=gateway_id, mac=record.mac, by=at + nas_lives.LATE, at=at)
    return found


def unconfirmed(db: Session, *, gateway_id: int, numbers: Collection[int], now: datetime) -> tuple[int, ...]:
    """Those whose clients the gateway lets pass by no lease that it had confirmed."""
    found = _UNCONFIRMED.all(db, _each(numbers), gateway=gateway_id, at=now)
    return tuple(sorted({number for (number,) in found}))


def let_go(db: Session, *, gateway: Gateway, gone: Sequence[Gone], now: datetime) -> None:
    """These clients pass here no more. Their sessions go on where they pass; or they may come back here until the end.

    The lease that one may come back by is one that the gateway has not confirmed: the guest's browser is led through
    the gateway's sign-in again, or the gateway asks for the device.
    """
    still = {number for (number,) in _STILL.all(db, _each(number for number, _ in gone), gateway=gateway.id)}
    over = [one for one in sorted(gone) if one[0] not in still]
    numbers = _each(number for number, _ in over)
    elsewhere = {number for (number,) in _ELSEWHERE.all(db, numbers, gateway=gateway.id, at=now)}
    _UNCONFIRM.all(db, [one for one in over if one[0] not in elsewhere], gateway=gateway.id, now=now)
    # As a guest's request does, hold the sessions before the gateway's row: another order could deadlock.
    _HOLD.all(db, _each(elsewhere))
    for number in sorted(elsewhere):
        roaming.leave(db, gateway=gateway, access_id=number, now=now)


def _each(numbers: Any) -> list[tuple[int]]:
    return [(number,) for number in sorted(set(numbers))]


def _still(given: Any) -> Executable:
    return (
        select(_sessions.c.access_id)
        .where(
            _sessions.c.access_id == given.number,
            _sessions.c.gateway_id == bindparam("gateway"),
            _sessions.c.stopped_at.is_(None),
        )
        .distinct()
    )


def _elsewhere(given: Any) -> Executable:
    return (
        select(_leases.c.access_id)
        .where(
            _leases.c.access_id == given.number,
            _leases.c.gateway_id != bindparam("gateway"),
            _leases.c.released_at.is_(None),
            _leases.c.confirmed_at.is_not(None),
            _leases.c.until > bindparam("at"),
        )
        .distinct()
    )


def _unconfirm(given: Any) -> Executable:
    return (
        update(_leases)
        .where(
            _leases.c.access_id == given.number,
            _leases.c.gateway_id == bindparam("gateway"),
            _leases.c.released_at.is_(None),
            _leases.c.until > bindparam("now"),
            _leases.c.confirmed_at <= given.since,
            exists().where(_accesses.c.id == _leases.c.access_id, _accesses.c.ended_at.is_(None)),
        )
        .values(confirmed_at=None)
    )


def _unconfirmed(given: Any) -> Executable:
    # A client that passes by a lease that was confirmed says nothing of a renewal: the box has the old end still.
    confirmed = _leases.alias()
    return (
        select(_leases.c.access_id)
        .where(
            _leases.c.gateway_id == bindparam("gateway"),
            _leases.c.access_id == given.number,
            _leases.c.confirmed_at.is_(None),
            _leases.c.released_at.is_(None),
            ~exists().where(
                confirmed.c.gateway_id == bindparam("gateway"),
                confirmed.c.access_id == _leases.c.access_id,
                confirmed.c.confirmed_at.is_not(None),
                confirmed.c.released_at.is_(None),
                confirmed.c.until > bindparam("at"),
            ),
        )
        .distinct()
    )


def _held(given: Any) -> Executable:
    return select(_accesses.c.id).where(_accesses.c.id == given.number).with_for_update(of=_accesses)


_leases, _accesses, _sessions = table_of(Lease), table_of(AccessSession), table_of(NasSession)
_HERE = select(_leases.c.access_id).where(_leases.c.gateway_id == bindparam("gateway"))
_BY_NUMBER = Prepared(_HERE.where(_leases.c.access_id == bindparam("number")).limit(1))
_BY_MAC = Prepared(
    _HERE.where(
        _leases.c.mac == bindparam("mac"),
        _leases.c.starts_at <= bindparam("by"),
        _leases.c.until > bindparam("at"),
    )
    .order_by(_leases.c.id.desc())
    .limit(1)
)
_BY_BOTH = ForEach(
    lambda given: _HERE.where(_leases.c.access_id == given.number, _leases.c.mac == given.mac).distinct(),
    {"number": BigInteger(), "mac": String()},
)
_NUMBER: dict[str, TypeEngine[Any]] = {"number": BigInteger()}
_STILL, _ELSEWHERE = ForEach(_still, _NUMBER), ForEach(_elsewhere, _NUMBER)
_UNCONFIRM = ForEach(_unconfirm, _NUMBER | {"since": UtcDateTime()})
_UNCONFIRMED, _HOLD = ForEach(_unconfirmed, _NUMBER), ForEach(_held, _NUMBER)
