"""Accounting by RADIUS (RFC 2866): sessions as the boxes tell them, whatever becomes of the packets.

They come twice, late, in any order, or not at all. Counters are cumulative, so the newest packet says it all; one that
is not newer changes nothing. What is counted goes to the access session that the box let pass, into the same books as
that of every other gateway.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, exists, select, update
from sqlalchemy.orm import Session

from db.prepared import Prepared
from db.statements import table_of
from gateways.radius.accounting import Record, Status
from gateways.types import Client, MacAddress
from sessions import counters, leases, nas_lives, nas_rows, roaming, sightings
from sessions.models import AccessSession, Lease, NasSession
from sessions.nas_counters import advanced
from sessions.nas_rows import NasRow
from sites.models import Gateway

# Acct-Terminate-Cause (RFC 2866 section 5.10) of what no Stop has told.
LOST, RESTARTED = "Lost-Carrier", "NAS-Reboot"
GRACE_SECONDS = 60
# How long after its end a session is remembered, for packets that come late.
LIFE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a record said: `passing` are the access sessions whose clients the box lets pass by no lease that it had
    confirmed."""

    is_news: bool
    passing: tuple[int, ...] = ()


def take(db: Session, *, gateway: Gateway, record: Record, interim_seconds: int, now: datetime) -> Taken:
    """Take in a record of this gateway, which was asked for one every `interim_seconds`."""
    if record.status is Status.RESTART:
        return Taken(bool(_restart(db, gateway, record, now)))
    session = _row(db, gateway, record, interim_seconds, now)
    before = session.bytes_up + session.bytes_down
    if session.access_id is None:
        session.access_id = _access_of(db, gateway, record, at=session.started_at)
    is_news = _advance(session, record, interim_seconds, now)
    nas_rows.save(db, session)
    if session.access_id is None or not is_news:
        return Taken(is_news)
    _count(db, session, now)
    if session.bytes_up + session.bytes_down > before:
        counters.touch_one(db, session.access_id, session.last_heard_at)
    if session.stopped_at is None:
        _see(db, gateway, session, record, now)
        rows = _UNCONFIRMED.all(db, gateway=gateway.id, number=session.access_id, at=now)
        return Taken(True, tuple(access_id for (access_id,) in rows))
    _gone(db, gateway, session.access_id, at=session.stopped_at, now=now)
    return Taken(True)


def close_lost(db: Session, *, now: datetime, most: int = 500) -> int:
    """Close the sessions whose Stop is lost, as of when they were last heard of; how many."""
    lost = db.scalars(
        select(NasSession)
        .where(NasSession.stopped_at.is_(None), NasSession.lost_at <= now)
        .order_by(NasSession.lost_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()
    for session in lost:
        session.stopped_at, session.stop_cause = session.last_heard_at, LOST
    db.flush()
    return len(lost)


def forget(db: Session, *, before: datetime) -> None:
    """Drop the sessions that ended before; what they counted stays in the books."""
    over = delete(NasSession).where(NasSession.stopped_at < before)
    db.execute(over.execution_options(synchronize_session=False))


def running(db: Session, *, gateway_id: int, access_id: int) -> list[NasSession]:
    """What a box has open for this access session, the newest first."""
    return list(db.scalars(_RUNNING, {"gateway": gateway_id, "number": access_id}))


def _row(db: Session, gateway: Gateway, record: Record, interim_seconds: int, now: datetime) -> NasRow:
    """The row of the session that the record is about; its own from now until the commit."""
    mac = record.mac or ""
    while True:
        known = nas_rows.lives(db, gateway_id=gateway.id, session_id=record.session_id, mac=mac)
        session = nas_lives.find(known, record, now)
        if session is not None:
            return session
        happened = nas_lives.happened_at(record, now)
        fresh = NasRow(
            id=0,
            gateway_id=gateway.id,
            mac=mac,
            life=known[0].life + 1 if known else 1,
            access_id=None,
            framed_address=str(record.address or ""),
            started_at=happened - nas_lives.age(record),
            nas_started_at=None,
            clock_offset=None,
            last_heard_at=happened,
            lost_at=happened + _patience(interim_seconds),
            stopped_at=None,
        )
        names = {
            "nas": record.nas,
            "acct_session_id": record.session_id,
            "user_name": record.names.user,
            "calling_station_id": record.names.station,
            "nas_identifier": record.names.nas_identifier,
            "nas_address": record.names.nas_address,
        }
        # Where another process was quicker, its row is there at the next look.
        if (added := nas_rows.add(db, fresh, names)) is not None:
            return added


def _advance(session: NasRow, record: Record, interim_seconds: int, now: datetime) -> bool:
    """Bring the row up to the record; False where the record is not newer than what is there."""
    happened = nas_lives.happened_at(record, now)
    seconds = record.seconds
    if seconds is None:
        seconds = max(0, int((happened - session.started_at).total_seconds()))
    # A packet that was held up makes its session seem younger, never older.
    session.started_at = min(session.started_at, happened - timedelta(seconds=seconds))
    is_stop = record.status is Status.STOP
    sequence = 2 * seconds + is_stop
    if session.is_stop_told and not is_stop:
        return False
    if sequence < session.sequence or (sequence == session.sequence and not _counts_more(session, record)):
        return False
    session.sequence, session.seconds = sequence, seconds
    session.last_heard_at = max(session.last_heard_at, happened)
    session.lost_at = session.last_heard_at + _patience(interim_seconds)
    if record.at is not None:
        session.nas_started_at = record.at - timedelta(seconds=seconds)
        session.clock_offset = nas_lives.offset(record, now)
    if record.address is not None:
        session.framed_address = str(record.address)
    if record.counters is not None:
        for name in counters.COUNTERS:
            grown, last = advanced(getattr(session, f"last_{name}"), getattr(record.counters, name))
            setattr(session, name, getattr(session, name) + grown)
            setattr(session, f"last_{name}", last)
    if is_stop:
        session.stopped_at = session.started_at + timedelta(seconds=seconds)
        session.stop_cause, session.is_stop_told = record.cause[:64], True
    elif session.stop_cause == LOST or (session.stopped_at and nas_lives.is_fresh(session, record, now)):
        # It was taken for over, and speaks. What was on its way when its box started again does not say so much.
        session.stopped_at, session.stop_cause = None, ""
    return True


def _counts_more(session: NasRow, record: Record) -> bool:
    """Whether a record of the same second as the newest one was made after it."""
    if record.counters is None:
        return False
    steps = [
        advanced(getattr(session, f"last_{name}"), getattr(record.counters, name))[1]
        - getattr(session, f"last_{name}")
        for name in counters.COUNTERS
    ]
    return bool(min(steps) >= 0 and max(steps) > 0)


def _patience(interim_seconds: int) -> timedelta:
    """Two reports may be lost in a row before a session counts as lost."""
    return timedelta(seconds=2 * interim_seconds + GRACE_SECONDS)


def _restart(db: Session, gateway: Gateway, record: Record, now: datetime) -> int:
    """Close what the box had open before it started again, as of when that was last heard of; how many."""
    open_ones = db.scalars(
        select(NasSession)
        .where(
            NasSession.gateway_id == gateway.id,
            NasSession.nas == record.nas,
            NasSession.stopped_at.is_(None),
        )
        .order_by(NasSession.id)
        .with_for_update()
    ).all()
    over = [session for session in open_ones if nas_lives.began_before(session, record, now)]
    for session in over:
        session.stopped_at, session.stop_cause = session.last_heard_at, RESTARTED
    db.flush()
    for access_id in sorted({session.access_id for session in over if session.access_id is not None}):
        _gone(db, gateway, access_id, at=nas_lives.happened_at(record, now), now=now)
    return len(over)


def _access_of(db: Session, gateway: Gateway, record: Record, *, at: datetime) -> int | None:
    """The access session that the box let pass: by the Class that it was told, else by the device and the time.

    It has, or had, a lease at this gateway: no gateway counts for another's.
    """
    found: int | None = None
    if record.number is not None and record.mac is not None:
        found = _BY_BOTH.scalar(db, gateway=gateway.id, number=record.number, mac=record.mac)
    elif record.number is not None:
        found = _BY_NUMBER.scalar(db, gateway=gateway.id, number=record.number)
    elif record.mac is not None:
        found = _BY_MAC.scalar(db, gateway=gateway.id, mac=record.mac, by=at + nas_lives.LATE, at=at)
    return found


def _count(db: Session, session: NasRow, now: datetime) -> None:
    sums = tuple(getattr(session, name) for name in counters.COUNTERS)
    assert session.access_id is not None
    # The sums never go down: theirs is the order of the reports.
    source = counters.CounterSource(session.gateway_id, f"nas-{session.id}", sum(sums), 64)
    counters.grow_one(db, source, (session.access_id, *sums), now=now)


def _see(db: Session, gateway: Gateway, session: NasRow, record: Record, now: datetime) -> None:
    """Remember the address that the box says the device has."""
    if record.mac is not None and record.address is not None and gateway.holds(record.address):
        client = Client(MacAddress(session.mac), (record.address,))
        if sightings.see_all(db, gateway_id=gateway.id, clients=[client], now=now):
            leases.fill_addresses(db, gateway_id=gateway.id, clients=[client])


def _gone(db: Session, gateway: Gateway, access_id: int, *, at: datetime, now: datetime) -> None:
    """The client passes here no more. Its session goes on where it passes; or it may come back here until its end.

    The lease that it may come back by is one that the gateway has not confirmed: the guest's browser is led through
    the gateway's sign-in again, or the gateway asks for the device.
    """
    if _STILL.first(db, gateway=gateway.id, number=access_id) is not None:
        return
    if _ELSEWHERE.first(db, gateway=gateway.id, number=access_id, at=now) is not None:
        roaming.leave(db, gateway=gateway, access_id=access_id, now=now)
        return
    _UNCONFIRM.run(db, gateway=gateway.id, number=access_id, now=now, at=at)


_RUNNING = (
    select(NasSession)
    .where(
        NasSession.access_id == bindparam("number"),
        NasSession.gateway_id == bindparam("gateway"),
        NasSession.stopped_at.is_(None),
    )
    .order_by(NasSession.started_at.desc(), NasSession.id.desc())
)
_leases, _accesses, _sessions = table_of(Lease), table_of(AccessSession), table_of(NasSession)
_STILL = Prepared(
    select(_sessions.c.id)
    .where(
        _sessions.c.access_id == bindparam("number"),
        _sessions.c.gateway_id == bindparam("gateway"),
        _sessions.c.stopped_at.is_(None),
    )
    .limit(1)
)
_HERE = select(_leases.c.access_id).where(_leases.c.gateway_id == bindparam("gateway")).limit(1)
_BY_NUMBER = Prepared(_HERE.where(_leases.c.access_id == bindparam("number")))
_BY_BOTH = Prepared(
    _HERE.where(_leases.c.access_id == bindparam("number"), _leases.c.mac == bindparam("mac"))
)
_BY_MAC = Prepared(
    _HERE.where(
        _leases.c.mac == bindparam("mac"),
        _leases.c.starts_at <= bindparam("by"),
        _leases.c.until > bindparam("at"),
    ).order_by(_leases.c.id.desc())
)
_ELSEWHERE = Prepared(
    select(_leases.c.id)
    .where(
        _leases.c.access_id == bindparam("number"),
        _leases.c.gateway_id != bindparam("gateway"),
        _leases.c.released_at.is_(None),
        _leases.c.confirmed_at.is_not(None),
        _leases.c.until > bindparam("at"),
    )
    .limit(1)
)
_UNCONFIRM = Prepared(
    update(_leases)
    .where(
        _leases.c.access_id == bindparam("number"),
        _leases.c.gateway_id == bindparam("gateway"),
        _leases.c.released_at.is_(None),
        _leases.c.until > bindparam("now"),
        _leases.c.confirmed_at <= bindparam("at"),
        _leases.c.access_id.in_(select(_accesses.c.id).where(_accesses.c.ended_at.is_(None))),
    )
    .values(confirmed_at=None)
)
_confirmed = _leases.alias()
_UNCONFIRMED = Prepared(
    select(_leases.c.access_id)
    .where(
        _leases.c.gateway_id == bindparam("gateway"),
        _leases.c.access_id == bindparam("number"),
        _leases.c.confirmed_at.is_(None),
        _leases.c.released_at.is_(None),
        # A client that passes by a lease that was confirmed says nothing of a renewal: the box has the old end still.
        ~exists().where(
            _confirmed.c.gateway_id == bindparam("gateway"),
            _confirmed.c.access_id == bindparam("number"),
            _confirmed.c.confirmed_at.is_not(None),
            _confirmed.c.released_at.is_(None),
            _confirmed.c.until > bindparam("at"),
        ),
    )
    .distinct()
)
