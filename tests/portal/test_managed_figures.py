"""Cameras, tills and tablets that are online change nothing that the public reads, and no figure of a report."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.services import Services
from sessions import online
from sessions.managed.reconcile import reconcile
from sessions.models import AccessSession, Lease
from sessions.statistics import building
from sessions.statistics.calendar import first_of_month
from sessions.troubles.detectors import LEAST_DEVICES, slow_sites
from sites.models import Network, SigninMethod
from tests.auth.fixed_devices.devices import admit_devices, register_device
from tests.portal.conftest import PORTAL
from tests.sessions.statistics.rows import add_session, set_salt
from tests.town import Town

PUBLIC = ("/hotspots", "/hotspots.geojson", "/hotspots/status", "/info/gare-viotte", "/info/battant")
BUSY = (1_000_000_000, 5_000_000_000)


def told(app: Flask, services: Services) -> tuple[Any, ...]:
    """The public's pages, the day's figures, who is online, and which place is called slow."""
    guest = app.test_client()
    pages = [guest.get(path, base_url=PORTAL) for path in PUBLIC]
    assert {page.status_code for page in pages} == {200}
    now = services.clock()
    with services.make_session() as db:
        set_salt(db, first_of_month(now.date()))
        figures = building.make(db, now.date()).figures
        counted = online.last_day(db, now=now), [found.subject for found in slow_sites(db, now)]
    return [page.text for page in pages], figures, counted


def test_managed_devices_are_in_no_public_figure(app: Flask, services: Services, town: Town) -> None:
    now = services.clock()
    with services.make_session.begin() as db:
        admit_devices(db)
        db.get_one(Network, town.free.id).rate_wanted_kbps = 15_000
        for device in range(5):
            add_session(
                db, town.station, device, at=now - timedelta(hours=1), used=(1000, 90_000_000), best=20_000
            )
    before = told(app, services)
    with services.make_session.begin() as db:
        for number in range(LEAST_DEVICES):
            register_device(
                db,
                now=now,
                slug=f"cam-{number}",
                mac=f"02:00:00:00:0c:{number:02x}",
                destinations="everywhere",
            )
            for more in (100, 200, 300):
                _was_busy(db, town, more + number, services)
        reconcile(db, now=now)
        db.execute(Lease.__table__.update().values(confirmed_at=now))  # type: ignore[attr-defined]
    with services.make_session() as db:
        running = select(func.count()).where(
            AccessSession.method == SigninMethod.MANAGED, AccessSession.ended_at.is_(None)
        )
        assert db.scalar(running) == LEAST_DEVICES
    assert told(app, services) == before


def _was_busy(db: Session, town: Town, number: int, services: Services) -> None:
    """A stay of a managed device that is over, which carried much and slowly."""
    at = services.clock() - timedelta(minutes=50)
    add_session(db, town.station, number, at=at, used=BUSY, best=10, method=SigninMethod.MANAGED)
