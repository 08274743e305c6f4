"""Accounting by RADIUS (RFC 2866): sessions as the boxes tell them, whatever becomes of the packets.

They come twice, late, in any order, or not at all. Counters are cumulative, so the newest packet says it all; one that
is not newer changes nothing. What is counted goes to the access session that the box let pass, into the same books as
that of every other gateway.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from gateways.radius.accounting import Record, Status
from gateways.types import Client
from sessions import counters, leases, nas_accesses, nas_lives, nas_rows, sightings
from sessions.models import NasSession
from sessions.nas_accesses import Gone
from sessions.nas_counters import advanced
from sessions.nas_rows import Names, NasRow
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


@dataclass(frozen=True, slots=True)
class AllTaken:
    """What several records said, each in its place; `gone` are the clients that the box lets pass no more
    (`nas_accesses.let_go`)."""

    is_news: tuple[bool, ...]
    passing: tuple[int, ...]
    gone: tuple[Gone, ...]


def take(db: Session, *, gateway: Gateway, record: Record, interim_seconds: int, now: datetime) -> Taken:
    """Take in a record of this gateway, which was asked for one every `interim_seconds`."""
    if record.status is Status.RESTART:
        return Taken(bool(restart(db, gateway=gateway, record=record, now=now)))
    taken = take_all(db, gateway=gateway, records=[record], interim_seconds=interim_seconds, now=now)
    nas_accesses.let_go(db, gateway=gateway, gone=taken.gone, now=now)
    return Taken(taken.is_news[0], taken.passing)


def take_all(
    db: Session, *, gateway: Gateway, records: Sequence[Record], interim_seconds: int, now: datetime
) -> AllTaken:
    """Take in records of this gateway, each of a session of another device, none of them of a restart.

    Rows are locked in the order in which a guest's request locks them: the session's own before the gateway's.
    """
    rows = _rows(db, gateway, records, interim_seconds, now)
    unknown = [place for place, row in enumerate(rows) if row.access_id is None]
    begun = [(records[place], rows[place].started_at) for place in unknown]
    for place, number in zip(
        unknown, nas_accesses.of_records(db, gateway_id=gateway.id, records=begun), strict=True
    ):
        rows[place].access_id = number
    before = [row.bytes_up + row.bytes_down for row in rows]
    is_news = [_advance(row, one, interim_seconds, now) for row, one in zip(rows, records, strict=True)]
    if not _write(db, rows, records):
        # Another process was quicker with one of them: what it has written is there now.
        return take_all(db, gateway=gateway, records=records, interim_seconds=interim_seconds, now=now)
    ours = [
        (row, record, row.access_id, row.bytes_up + row.bytes_down > bytes_before)
        for row, record, bytes_before, is_new in zip(rows, records, before, is_news, strict=True)
        if row.access_id is not None and is_new
    ]
    _count(db, gateway, [(row, number) for row, _, number, _ in ours], now)
    counters.touch(db, {number: row.last_heard_at for row, _, number, has_grown in ours if has_grown})
    _see(db, gateway, [record for row, record, *_ in ours if row.stopped_at is None], now)
    open_ones = [number for row, _, number, _ in ours if row.stopped_at is None]
    return AllTaken(
        tuple(is_news),
        nas_accesses.unconfirmed(db, gateway_id=gateway.id, numbers=open_ones, now=now),
        tuple((number, row.stopped_at) for row, _, number, _ in ours if row.stopped_at is not None),
    )


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


def _rows(
    db: Session, gateway: Gateway, records: Sequence[Record], interim_seconds: int, now: datetime
) -> list[NasRow]:
    """The rows of the sessions that the records are about, each the transaction's own; of a new one nothing is written
    yet, and its number is 0."""
    names = [(record.session_id, record.mac or "") for record in records]
    known = nas_rows.lives(db, gateway_id=gateway.id, names=names)
    return [
        nas_lives.find(known[mac], record, now) or _fresh(gateway, record, known[mac], interim_seconds, now)
        for record, (_, mac) in zip(records, names, strict=True)
    ]


def _fresh(
    gateway: Gateway, record: Record, known: Sequence[NasRow], interim_seconds: int, now: datetime
) -> NasRow:
    """The row of a session that is none of those that are known by its name."""
    happened = nas_lives.happened_at(record, now)
    return NasRow(
        id=0,
        gateway_id=gateway.id,
        mac=record.mac or "",
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


def _write(db: Session, rows: Sequence[NasRow], records: Sequence[Record]) -> bool:
    """Write the rows; False where one that was new is not any more."""
    fresh = [(row, _names(record)) for row, record in zip(rows, records, strict=True) if row.id == 0]
    nas_rows.add(db, fresh)
    if not all(row.id for row, _ in fresh):
        return False
    added = {row.id for row, _ in fresh}
    nas_rows.save(db, [row for row in rows if row.id not in added])
    return True


def _names(record: Record) -> Names:
    names = record.names
    return Names(
        record.nas, record.session_id, names.user, names.station, names.nas_identifier, names.nas_address
    )


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


def restart(db: Session, *, gateway: Gateway, record: Record, now: datetime) -> int:
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
    at = nas_lives.happened_at(record, now)
    numbers = {session.access_id for session in over if session.access_id is not None}
    nas_accesses.let_go(db, gateway=gateway, gone=[(number, at) for number in numbers], now=now)
    return len(over)


def _count(db: Session, gateway: Gateway, rows: Sequence[tuple[NasRow, int]], now: datetime) -> None:
    """Bring into the books what the rows say, each with its access session."""
    counted = []
    for row, number in rows:
        sums = row.bytes_up, row.bytes_down, row.packets_up, row.packets_down
        # The sums never go down: theirs is the order of the reports.
        counted.append((number, f"nas-{row.id}", sum(sums), *sums))
    counters.grow_each(db, counted, gateway_id=gateway.id, bits=64, now=now)


def _see(db: Session, gateway: Gateway, records: Sequence[Record], now: datetime) -> None:
    """Remember the addresses that the box says devices have."""
    seen = {
        record.mac: Client(record.mac, (record.address,))
        for record in records
        if record.mac is not None and record.address is not None and gateway.holds(record.address)
    }
    if news := sightings.see_all(db, gateway_id=gateway.id, clients=seen.values(), now=now):
        there = [seen[mac] for mac in sorted(news)]
        leases.fill_addresses(db, gateway_id=gateway.id, clients=there)


_RUNNING = (
    select(NasSession)
    .where(
        NasSession.access_id == bindparam("number"),
        NasSession.gateway_id == bindparam("gateway"),
        NasSession.stopped_at.is_(None),
    )
    .order_by(NasSession.started_at.desc(), NasSession.id.desc())
)
