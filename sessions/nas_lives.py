"""Which session a packet of RADIUS accounting is about, where a box uses an Acct-Session-Id again.

A packet says how old its session is; so it says when that began, by the box's clock where it tells the time, and by
ours as of when the packet came. Packets come late, twice and in any order, boxes' clocks are off and are set while
sessions run: neither of the two is believed alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from gateways.radius.accounting import Record, Status
from sessions.models import NasSession
from sessions.nas_rows import NasRow

# A box rounds the age of a session, and the time.
ROUNDING = timedelta(seconds=10)
# Its clock was not set between two packets where its offset has changed by less than this.
STEADY_SECONDS = 5
# How late the word that a box has started again may come, and still be told from a clock that was set anew.
LATEST_SECONDS = 3600
# How late a packet may come that bears no time.
LATE = timedelta(minutes=5)


def happened_at(record: Record, now: datetime) -> datetime:
    """When what the record says happened, by our clock: as it came, less what the box has tried to send it."""
    return now - timedelta(seconds=record.delay)


def offset(record: Record, now: datetime) -> int | None:
    """By how many seconds the box's clock is before ours; less, where the packet was held up on its way."""
    return None if record.at is None else round((record.at - happened_at(record, now)).total_seconds())


def age(record: Record) -> timedelta:
    return timedelta(seconds=record.seconds or 0)


def find(sessions: Sequence[NasRow], record: Record, now: datetime) -> NasRow | None:
    """That of `sessions`, with this Acct-Session-Id and MAC address, which the record is about; None for a new one."""
    return next((one for one in sessions if _began_alike(one, record)), None) or next(
        (one for one in sessions if _is_same(one, record, now)), None
    )


def _began_alike(session: NasRow, record: Record) -> bool:
    """Whether both began at one time by the box's own clock."""
    if record.at is None or record.seconds is None or session.nas_started_at is None:
        return False
    return abs(record.at - age(record) - session.nas_started_at) <= ROUNDING


def _is_same(session: NasRow, record: Record, now: datetime) -> bool:
    if record.seconds is None:
        return session.stopped_at is None or not session.is_stop_told
    # Of a clock that nobody has set, two times are two sessions.
    is_other = (
        record.at is not None and session.nas_started_at is not None and _is_steady(session, record, now)
    )
    return not is_other and _is_same_by_our_clock(session, record, now)


def began_before(session: NasSession, record: Record, now: datetime) -> bool:
    """Whether the session began before the restart of its box that the record tells of."""
    seen = offset(record, now)
    if record.at is not None and session.nas_started_at is not None and seen is not None:
        # By so much it would have come late, if nobody has set the box's clock.
        late = (session.clock_offset or 0) - seen
        if -STEADY_SECONDS <= late <= LATEST_SECONDS:
            return session.nas_started_at < record.at
    return session.started_at < happened_at(record, now)


def is_fresh(session: NasRow, record: Record, now: datetime) -> bool:
    """Whether the record of this session has not been on its way for long."""
    began = happened_at(record, now) - age(record)
    return record.seconds is not None and abs(began - session.started_at) <= ROUNDING


def _is_steady(session: NasRow, record: Record, now: datetime) -> bool:
    seen = offset(record, now)
    return (
        seen is not None
        and session.clock_offset is not None
        and abs(seen - session.clock_offset) <= STEADY_SECONDS
    )


def _is_same_by_our_clock(session: NasRow, record: Record, now: datetime) -> bool:
    happened = happened_at(record, now)
    began = happened - age(record)
    if session.stopped_at is not None:
        # What began after its end is another; of a Start that comes so soon, it is the first one once more.
        if record.status is Status.START and record.at is None:
            return happened <= session.stopped_at + ROUNDING
        if began > session.stopped_at + ROUNDING:
            return _is_repeat(session, record)
    return abs(began - session.started_at) <= LATE or _is_repeat(session, record)


def _is_repeat(session: NasRow, record: Record) -> bool:
    """Whether the record says, of a session that has counted something, just what the newest one said."""
    if record.counters is None or not record.seconds or record.seconds != session.seconds:
        return False
    down, up = record.counters.bytes_down.value, record.counters.bytes_up.value
    low = 2**32
    return (down % low, up % low) == (
        session.last_bytes_down % low,
        session.last_bytes_up % low,
    ) and down + up > 0
