"""A journey of the tour: a camera of the register, where it may go, its silence, and the end of its contract."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import select

from auth.fixed_devices import rhythm
from auth.fixed_devices.models import FixedDevice
from auth.fixed_devices.records import FIXED_DEVICES
from db.engine import reading
from lab import internet
from lab.flows import echo
from lab.hotspot import now
from lab.journeys import BATTANT, MOST_AFTER_DEADLINE, MOST_AFTER_STAFF, Tour, cut_at, is_reachable
from lab.report import until
from sessions.managed.presence import Standing, look
from sessions.managed.troubles import contracts, silent_devices
from sites.import_export.records import import_records
from sites.import_export.rows import Row

NAME = "camera-of-the-tour"
# Ten minutes of silence become six seconds.
SILENCE = timedelta(seconds=6)
LEAST_BEFORE_CLOSING = timedelta(seconds=12)


def camera_of_the_register(tour: Tour) -> None:
    report, camera = tour.report, tour.stranger
    report.journey(
        "10. A camera of the register passes where guests may not, falls silent, and its contract ends"
    )
    camera.walk(tour.place.net.gateways[BATTANT])
    recorder, elsewhere = (tour.outside, internet.STREAM), (tour.outside, internet.SINK)
    report.step("nobody has registered it: it reaches nothing", not is_reachable(camera, *recorder))
    record(tour, destinations=f"{tour.outside} tcp/{internet.STREAM}; {tour.outside} udp/{internet.ECHO}")
    _, took = until(lambda: is_reachable(camera, *recorder), 10, every=0.1)
    report.step("its record is saved: it reaches its recorder", True, f"{took:.1f} s later")
    report.step("and nothing else there", not is_reachable(camera, *elsewhere))
    report.step("a guest who has not signed in reaches neither", not _any(tour, recorder, elsewhere))
    _falls_silent(tour)
    _hours_end(tour)
    _contract_ends(tour)


def record(tour: Tour, **cells: str) -> None:
    """Write the camera's record, as a row of a file would."""
    door = tour.place.doors[BATTANT]
    columns = {
        "slug": NAME,
        "name": "Camera of the tour",
        "kind": "camera",
        "state": "active",
        "owner": "Boulangerie Ada",
        "purpose": "The entrance",
        "contact": "03 81 00 00 00",
        "site": door.site,
        "network": door.network,
        "mac": tour.stranger.mac,
        "contract_end": "2099-12-31",
        "sign_reference": "25-2026-117",
        "sign_from": "2026-01-15",
        "sign_until": "2031-01-14",
    }
    with tour.place.services.make_session.begin() as db:
        known = db.scalar(select(FixedDevice.id).where(FixedDevice.slug == NAME)) is not None
        row = Row("the tour", {"slug": NAME, **cells} if known else {**columns, **cells})
        import_records(db, FIXED_DEVICES, [row], by="tour", now=now())


def _any(tour: Tour, *places: tuple[str, int]) -> bool:
    guest = tour.visitor
    tour.arrive(guest, BATTANT)
    return any(is_reachable(guest.phone, *place) for place in places)


def _falls_silent(tour: Tour) -> None:
    flow = echo(tour.stranger, tour.outside)
    try:
        until(lambda: _standing(tour) is Standing.UP, 15, every=0.2)
    finally:
        flow.stop()
    # What three days would have taught.
    with tour.place.services.make_session.begin() as db:
        device = db.scalars(select(FixedDevice).where(FixedDevice.slug == NAME)).one()
        device.silences = {f"2026-11-2{day}": 1 for day in range(3)}
    stopped = time.monotonic()
    with _compressed():
        until(lambda: _troubles(tour), SILENCE.total_seconds() + 20, every=0.2)
        took = time.monotonic() - stopped
        tour.report.step(
            "it falls silent: the alarm names it", took >= 1, f"{took:.1f} s after its last packet"
        )
        again = echo(tour.stranger, tour.outside)
        try:
            _, took = until(lambda: not _troubles(tour), 15, every=0.2)
        finally:
            again.stop()
        tour.report.step("it speaks again: the alarm is over", True, f"{took:.1f} s later")


@contextmanager
def _compressed() -> Iterator[None]:
    before, rhythm.LEAST = rhythm.LEAST, SILENCE
    try:
        yield
    finally:
        rhythm.LEAST = before


def _standing(tour: Tour) -> Standing:
    with reading(tour.place.services.make_session) as db:
        return next(found.standing for found in look(db, now=now()) if found.device.slug == NAME)


def _troubles(tour: Tour) -> list[str]:
    with reading(tour.place.services.make_session) as db:
        return [found.subject for found in silent_devices(db, now()) if found.subject == NAME]


def _hours_end(tour: Tour) -> None:
    """The kernel keeps the end that the register gave, with the portal dead."""
    with reading(tour.place.services.make_session) as db:
        zone = db.scalars(select(FixedDevice).where(FixedDevice.slug == NAME)).one().tzinfo
    closing = (now() + LEAST_BEFORE_CLOSING).astimezone(zone).replace(second=0, microsecond=0)
    closing += timedelta(minutes=1)
    flow = echo(tour.stranger, tour.outside)
    record(tour, hours=f"Mo-Su {closing - timedelta(hours=1):%H:%M}-{closing:%H:%M}")
    # The sweep takes the change in, and the agent the change of the sweep.
    time.sleep(5)
    tour.place.kill_portal()
    try:
        cut_at(
            tour.report,
            [flow],
            closing.timestamp(),
            "end that its record gives, the portal dead",
            MOST_AFTER_DEADLINE,
        )
    finally:
        tour.place.start_portal()
        flow.stop()


def _contract_ends(tour: Tour) -> None:
    report, camera = tour.report, tour.stranger
    record(tour, hours="24/7")
    until(lambda: is_reachable(camera, tour.outside, internet.STREAM), 15, every=0.1)
    tomorrow, yesterday = now() + timedelta(days=1), now() - timedelta(days=1)
    record(tour, contract_end=f"{tomorrow:%Y-%m-%d}")
    report.step("a contract that ends tomorrow is told", "contract_ending" in _told(tour))
    flow = echo(camera, tour.outside)
    record(tour, contract_end=f"{yesterday:%Y-%m-%d}")
    cut_at(report, [flow], now().timestamp(), "contract's end", MOST_AFTER_STAFF)
    report.step("a contract that has ended is told", "contract_ended" in _told(tour))
    record(tour, state="retired")


def _told(tour: Tour) -> set[str]:
    with reading(tour.place.services.make_session) as db:
        return {found.kind.name for found in contracts(db, now()) if found.subject == NAME}
