"""A device that falls silent, learns, comes back; a contract that ends: what is found, and when."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.fixed_devices.models import FixedDevice
from sessions.managed import presence
from sessions.managed.presence import Standing
from sessions.managed.reconcile import reconcile
from sessions.managed.troubles import contracts, silent_devices
from sessions.models import AccessSession
from sessions.sweep import sweep
from tests.auth.fixed_devices.devices import admit_devices, register_device
from tests.clock import NOON
from tests.town import Town, build_town

MINUTE = timedelta(minutes=1)


@pytest.fixture
def town(db: Session) -> Town:
    town = build_town(db)
    admit_devices(db)
    return town


def pass_by(db: Session, town: Town, at: datetime, *, seen: datetime | None = None) -> None:
    """One round at `at`; the gateway is heard, and saw the device last at `seen`."""
    town.station.seen_at = at
    reconcile(db, now=at)
    access = db.scalars(select(AccessSession).where(AccessSession.ended_at.is_(None))).one_or_none()
    if access is not None and seen is not None:
        access.last_seen_at = seen
    db.flush()
    presence.note(db, now=at)


def standing(db: Session, at: datetime) -> Standing:
    [found] = presence.look(db, now=at)
    return found.standing


def test_a_device_that_was_never_seen_is_told_after_a_day(db: Session, town: Town) -> None:
    register_device(db)
    pass_by(db, town, NOON)
    assert standing(db, NOON) is Standing.NEVER_SEEN
    assert list(silent_devices(db, NOON)) == []
    later = NOON + timedelta(hours=24)
    pass_by(db, town, later)
    assert [found.subject for found in silent_devices(db, later)] == ["cam-gare"]


def test_a_camera_that_speaks_all_the_time_is_missed_within_minutes_once_that_is_known(
    db: Session, town: Town
) -> None:
    device = register_device(db)
    device.silences = {f"2026-11-2{day}": 60 for day in range(1, 4)}
    pass_by(db, town, NOON)
    pass_by(db, town, NOON + 2 * MINUTE, seen=NOON + 2 * MINUTE)
    late = NOON + 12 * MINUTE
    pass_by(db, town, late)
    [found] = silent_devices(db, late)
    assert (found.since, found.detail["device"]) == (NOON + 2 * MINUTE, "Camera of the kiosk")
    pass_by(db, town, late + MINUTE, seen=late + MINUTE)
    assert list(silent_devices(db, late + MINUTE)) == []


def test_its_silences_are_learnt_where_somebody_watched_and_not_where_nobody_did(
    db: Session, town: Town
) -> None:
    device = register_device(db)
    pass_by(db, town, NOON)
    pass_by(db, town, NOON + 2 * MINUTE, seen=NOON + 2 * MINUTE)
    for minutes in range(4, 40, 4):
        pass_by(db, town, NOON + minutes * MINUTE)
    pass_by(db, town, NOON + 40 * MINUTE, seen=NOON + 40 * MINUTE)
    assert device.silences == {"2026-11-24": 38 * 60}
    # The portal was away for five hours: whether the device was silent is not known.
    pass_by(db, town, NOON + timedelta(hours=5), seen=NOON + timedelta(hours=5))
    assert device.silences == {"2026-11-24": 38 * 60}


def test_nobody_waits_for_a_device_out_of_its_hours_or_behind_a_silent_gateway(
    db: Session, town: Town
) -> None:
    device = register_device(db, hours="Mo-Fr 08:00-18:00")
    device.silences = {f"2026-11-2{day}": 60 for day in range(1, 4)}
    pass_by(db, town, NOON)
    pass_by(db, town, NOON + MINUTE, seen=NOON + MINUTE)
    evening = NOON + timedelta(hours=8)
    pass_by(db, town, evening)
    assert standing(db, evening) is Standing.OFF
    morning = datetime(2026, 11, 25, 7, 1, tzinfo=NOON.tzinfo)
    pass_by(db, town, morning)
    assert standing(db, morning) is Standing.UP
    pass_by(db, town, morning + 10 * MINUTE)
    assert standing(db, morning + 10 * MINUTE) is Standing.SILENT
    assert standing(db, morning + 20 * MINUTE) is Standing.UNKNOWN
    assert list(silent_devices(db, morning + 20 * MINUTE)) == []


def test_a_contract_is_told_a_month_before_its_end_and_cut_at_it(db: Session, town: Town) -> None:
    device = register_device(db, contract_end="2026-12-23", sign_until="2026-12-01")
    day = timedelta(days=1)

    def told(at: datetime) -> set[str]:
        return {found.kind.name for found in contracts(db, at)}

    assert told(NOON - 20 * day) == {"authorisation_ending"}
    assert told(NOON) == {"contract_ending", "authorisation_ending"}
    last = device.ends_at
    pass_by(db, town, last - MINUTE)
    access = db.scalars(select(AccessSession)).one()
    assert access.until == last
    town.station.seen_at = last
    sweep(db, now=last)
    db.refresh(access)
    assert access.ended_at == last
    assert "contract_ended" in told(last)
    assert "contract_ended" not in told(last + 14 * day)


def test_volume_and_rhythm_of_one_device(db: Session, town: Town) -> None:
    device = register_device(db)
    assert presence.of_device(db, device, now=NOON).standing is Standing.UNKNOWN
    pass_by(db, town, NOON)
    found = presence.of_device(db, device, now=NOON)
    assert (found.volume, found.counted_since) == ((0, 0), NOON)
    assert db.scalars(select(FixedDevice)).one() is device
