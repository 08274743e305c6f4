"""What a NAS holds otherwise than the leases say: sessions to end there, and ends of sessions to change."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, func, select, update
from sqlalchemy.orm import Session

from gateways.radius.live_sessions import LiveSession
from gateways.types import Grant, MacAddress
from sessions import feed, leases
from sessions.models import Lease, NasSession
from sessions.nas_sessions import LOST

# The cause of the end of a session that a NAS says it has not.
UNKNOWN = "Unknown-Session"
# A NAS ends a session by itself at its deadline, and says so a moment later.
STOP_TAKES = timedelta(seconds=30)
# A report that was on its way while the NAS ended the session is no sign that it goes on.
ON_ITS_WAY = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class ToEnd:
    """A session that the NAS is to end: that of the access session `number`. `row` is its own, where it has one."""

    number: int
    row: int | None
    session: LiveSession


@dataclass(frozen=True, slots=True)
class ToChange:
    """A session whose lease has changed since the NAS was told."""

    grant: Grant
    row: int
    session: LiveSession

    @property
    def number(self) -> int:
        return self.grant.number

    @property
    def until(self) -> datetime:
        return datetime.fromtimestamp(self.grant.until, UTC)


@dataclass(frozen=True, slots=True)
class Differences:
    """`over` are access sessions that have ended and that the NAS never held, or says it holds no more: nothing is
    left to ask."""

    ends: tuple[ToEnd, ...]
    changes: tuple[ToChange, ...]
    over: tuple[int, ...]


# The User-Name by which a NAS was given this access session of this device.
UserOf = Callable[[int, MacAddress], str]


def differences(db: Session, *, gateway_id: int, user_of: UserOf, now: datetime) -> Differences:
    """What has to be asked of this NAS so that it does as the leases say.

    A session of which it never reported anything is ended by the name under which it was let in. One whose reports have
    only ceased may go on behind a line that is cut.
    """
    ends = [ToEnd(row.access_id or 0, row.id, _live(row)) for row in _surplus(db, gateway_id, now=now)]
    asked = {end.number for end in ends}
    over = []
    for end in feed.unconfirmed_ends(db, gateway_id=gateway_id, now=now):
        if end.number in asked:
            continue
        rows = db.scalars(_ROWS, {"gateway": gateway_id, "number": end.number}).all()
        if not rows:
            session = LiveSession(user_name=user_of(end.number, end.mac), framed_address=_ipv4(end.address))
            ends.append(ToEnd(end.number, None, session))
        silent = [row for row in rows if row.stop_cause == LOST and not row.is_stop_told]
        ends += [ToEnd(end.number, row.id, _live(row)) for row in silent]
        if rows and not silent:
            over.append(end.number)
    never_had = feed.never_had(db, gateway_id=gateway_id, now=now)
    over += [number for number in never_had if number not in asked]
    return Differences(tuple(ends), _changes(db, gateway_id, now=now), tuple(over))


def _surplus(db: Session, gateway_id: int, *, now: datetime) -> list[NasSession]:
    """The sessions that this NAS holds, for all it has said, and whose devices no lease lets pass there.

    The newest come first, so that what has just been ended does not wait behind what is refused for long.
    """
    # Read once, in the place of a look for each session: a guest's request waits for this.
    lawful = select(Lease.access_id).where(
        Lease.gateway_id == gateway_id,
        Lease.released_at.is_(None),
        # One that is over is the NAS's own to end, which it tells a moment later.
        Lease.until > now - STOP_TAKES,
    )
    rows = db.scalars(
        select(NasSession)
        .where(*_held(gateway_id), NasSession.access_id.not_in(lawful))
        .order_by(NasSession.id.desc())
    )
    return [row for row in rows if row.disconnected_at is None or _goes_on(row)]


def _goes_on(row: NasSession) -> bool:
    """Whether the NAS reports on a session that it has said to have ended."""
    return row.disconnected_at is not None and row.last_heard_at > row.disconnected_at + ON_ITS_WAY


def _changes(db: Session, gateway_id: int, *, now: datetime) -> tuple[ToChange, ...]:
    """The sessions that this NAS holds, and whose last lease it has not confirmed: renewals."""
    grants = {grant.number: grant for grant in feed.unconfirmed(db, gateway_id=gateway_id, now=now)}
    if not grants:
        return ()
    rows = db.scalars(
        select(NasSession)
        .where(*_held(gateway_id), NasSession.access_id.in_(list(grants)))
        .order_by(NasSession.id)
    )
    return tuple(ToChange(grants[row.access_id or 0], row.id, _live(row)) for row in rows)


def _held(gateway_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        NasSession.gateway_id == gateway_id,
        NasSession.access_id.is_not(None),
        NasSession.stopped_at.is_(None),
    )


def note_ends(db: Session, *, done: Collection[int], unknown: Collection[int], now: datetime) -> None:
    """Of these rows the NAS says that it has ended the session, or that it has none such."""
    for rows, values in ((done, {}), (unknown, {"stopped_at": now, "stop_cause": UNKNOWN})):
        if rows:
            db.execute(
                update(NasSession)
                .where(NasSession.id.in_(list(rows)))
                .values(disconnected_at=now, **values)
                .execution_options(synchronize_session=False)
            )


def doubt(db: Session, *, gateway_id: int, numbers: Collection[int], now: datetime) -> None:
    """The NAS holds what it has said to have ended, or never to have had: the ends of these wait for its word again."""
    wrong = db.scalars(
        select(Lease.id).where(
            Lease.gateway_id == gateway_id,
            Lease.access_id.in_(list(numbers)),
            Lease.released_at.is_not(None),
            Lease.until > now,
            Lease.release_confirmed_at.is_not(None) | Lease.confirmed_at.is_(None),
        )
    ).all()
    if wrong:
        version = leases.next_feed_version(db, gateway_id)
        had = func.coalesce(Lease.confirmed_at, now)
        db.execute(
            update(Lease)
            .where(Lease.id.in_(wrong))
            .values(release_confirmed_at=None, confirmed_at=had, version=version)
            .execution_options(synchronize_session=False)
        )


def _live(row: NasSession) -> LiveSession:
    return LiveSession(
        user_name=row.user_name,
        acct_session_id=row.acct_session_id,
        calling_station_id=row.calling_station_id,
        framed_address=_ipv4(row.framed_address),
        nas_identifier=row.nas_identifier,
        nas_address=_ipv4(row.nas_address),
        started_at=row.started_at,
    )


def _ipv4(address: str) -> str:
    """Framed-IP-Address and NAS-IP-Address hold IPv4 addresses alone (RFC 2865 section 5.8)."""
    return "" if ":" in address else address


_ROWS = (
    select(NasSession)
    .where(NasSession.gateway_id == bindparam("gateway"), NasSession.access_id == bindparam("number"))
    .order_by(NasSession.id)
)
