"""Whether fixed devices are there: what their gateways last saw of them, their usual silence, and an unusual one."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from auth.fixed_devices import register
from auth.fixed_devices.models import DeviceState, FixedDevice
from auth.fixed_devices.rhythm import Rhythm, learnt, rhythm_of
from sessions import accounting
from sessions.end import GATEWAY_SILENT
from sessions.models import AccessSession
from sites import opening_hours
from sites.models import Gateway, SigninMethod

# A packet that is newer than the last one by less is no news, and a device is looked at no more often.
NEWS, LOOKED_EVERY = timedelta(minutes=1), timedelta(minutes=2)
# Where nobody has looked for longer, it is not known whether the device was silent: nothing is learnt.
UNSEEN_GAP = timedelta(minutes=10)


class Standing(enum.StrEnum):
    """How a device stands now."""

    UP = "up"
    SILENT = "silent"
    # Registered, and no packet of it was ever seen.
    NEVER_SEEN = "never_seen"
    # Its hours, its contract or its record keep it off.
    OFF = "off"
    # Its gateway says nothing, or cannot tell who is there.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Presence:
    """`since` is since when it is silent, or not yet seen. `volume` counts bytes up and down since `counted_since`."""

    device: FixedDevice
    standing: Standing
    rhythm: Rhythm
    since: datetime | None = None
    volume: tuple[int, int] = (0, 0)
    counted_since: datetime | None = None


def note(db: Session, *, now: datetime) -> None:
    """Learn of each device when it was last seen, and how long it had been silent before. One pass of the sweep."""
    sessions = _sessions(db)
    for device in register.active(db):
        access = sessions.get(device.subject)
        if access is not None and _is_told(access, now):
            _note(device, access, now)
    db.flush()


def _note(device: FixedDevice, access: AccessSession, now: datetime) -> None:
    looked_at = device.looked_at
    if looked_at is None or now - looked_at >= LOOKED_EVERY:
        device.looked_at = now
    if device.awaited_since is None:
        device.awaited_since = access.started_at
    seen, before = access.last_seen_at, device.last_seen_at
    if seen <= access.started_at or (before is not None and seen - before < NEWS):
        return
    device.last_seen_at = seen
    was_watched = looked_at is not None and now - looked_at <= UNSEEN_GAP
    if before is not None and was_watched:
        silence = seen - max(before, _began(device, seen))
        device.silences = learnt(device.silences, device.site.local_day(seen), max(silence, timedelta(0)))


def of_device(db: Session, device: FixedDevice, *, now: datetime) -> Presence:
    """How one device stands, with what it has sent and got in its running session."""
    access = _sessions(db, [device.subject]).get(device.subject)
    found = _look(device, access, now)
    if access is None:
        return found
    used = accounting.usage(db, access.id)
    volume = (used.bytes_up, used.bytes_down)
    return replace(found, volume=volume, counted_since=access.started_at)


def look(db: Session, *, now: datetime) -> list[Presence]:
    """How every active device stands."""
    sessions = _sessions(db)
    return [_look(device, sessions.get(device.subject), now) for device in register.active(db)]


def _look(device: FixedDevice, access: AccessSession | None, now: datetime) -> Presence:
    rhythm = rhythm_of(device.silences)
    is_wanted = device.state is DeviceState.ACTIVE and register.online_until(device, now) is not None
    if not is_wanted:
        return Presence(device, Standing.OFF, rhythm)
    if access is None or not _is_told(access, now):
        return Presence(device, Standing.UNKNOWN, rhythm)
    if device.last_seen_at is None:
        since = device.awaited_since or access.started_at
        return Presence(device, Standing.NEVER_SEEN, rhythm, since)
    since = max(device.last_seen_at, access.last_seen_at, _began(device, now))
    if access.last_seen_at == access.started_at:
        # A session begins with the hour of its beginning, whether or not the device is there.
        since = max(device.last_seen_at, _began(device, now))
    is_silent = now - since >= rhythm.alarm_after
    return Presence(device, Standing.SILENT if is_silent else Standing.UP, rhythm, since)


def _began(device: FixedDevice, at: datetime) -> datetime:
    """When the hours began in which the device is at this instant: nobody waits for it before them."""
    hours = opening_hours.parse(device.hours, device.site.school_zone)
    if hours.always:
        return at - timedelta(days=366)
    day = timedelta(days=8)
    runs = opening_hours.open_between(hours, at - day, at + timedelta(seconds=1), device.tzinfo)
    return runs[-1][0] if runs else at


def _is_told(access: AccessSession, now: datetime) -> bool:
    """Whether the gateway says who is there, and is speaking."""
    gateway = access.gateway
    heard = gateway.seen_at is not None and gateway.seen_at > now - GATEWAY_SILENT
    return gateway.capabilities.reports_presence and heard


def _sessions(db: Session, subjects: Iterable[str] = ()) -> dict[str, AccessSession]:
    found = select(AccessSession).where(
        AccessSession.method == SigninMethod.MANAGED,
        AccessSession.ended_at.is_(None),
        AccessSession.subject.in_(list(subjects)) if subjects else AccessSession.subject.like("device:%"),
    )
    whole = found.options(joinedload(AccessSession.gateway).joinedload(Gateway.site))
    rows = db.scalars(whole, execution_options={"populate_existing": True})
    return {access.subject: access for access in rows}
