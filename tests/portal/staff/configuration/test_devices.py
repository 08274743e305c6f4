"""The register on pages: a device added, its owner's page, and what is cut off by a change."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from auth.staff.roles import Role
from portal.services import Services
from sessions.managed.reconcile import reconcile
from sessions.models import AccessSession
from tests.auth.fixed_devices.devices import CAMERA, admit_devices, register_device
from tests.portal.staff.conftest import Clerk, Desk
from tests.town import Town


@pytest.fixture
def clerk(services: Services, desk: Desk, town: Town) -> Clerk:
    with services.make_session.begin() as db:
        admit_devices(db)
    return desk.at_work("nora", Role.NETWORK)


def online(services: Services) -> list[str]:
    with services.make_session() as db:
        return list(db.scalars(select(AccessSession.subject).where(AccessSession.ended_at.is_(None))))


def test_a_device_is_online_when_its_record_is_saved_and_off_when_it_is_retired(
    clerk: Clerk, services: Services
) -> None:
    clerk.get("/staff/records/devices/-/new")
    typed = {
        **CAMERA,
        "destinations": "203.0.113.10 tcp/8443\r\n2001:db8::/32",
        "state": "active",
        "hours": "24/7",
    }
    clerk.press("/staff/records/devices/-/new", **typed)
    clerk.get("/staff/records/devices/cam-gare")
    assert clerk.page.status_code == 200
    assert online(services) == ["device:1"]
    # Its gateway has not been heard yet.
    assert "Whether it works is not known at this moment." in clerk.page.text
    clerk.press("/staff/records/devices/cam-gare", state="retired")
    assert (clerk.page.status_code, online(services)) == (409, ["device:1"])
    assert "Save and disconnect 1 device" in clerk.page.text
    clerk.press("/staff/records/devices/cam-gare", state="retired", agreed="yes")
    assert online(services) == []


@pytest.mark.parametrize(
    ("cells", "is_cut"),
    [
        ({"destinations": "203.0.113.10 tcp/8443"}, True),
        ({"destinations": "203.0.113.10 tcp/443; 2001:db8::/32"}, True),
        ({"destinations": "203.0.113.0/24; 2001:db8::/32; 198.51.100.1"}, False),
        ({"destinations": "everywhere"}, False),
        ({"contract_end": "2026-11-23"}, True),
        ({"contract_end": "2026-11-24"}, False),
        ({"hours": "Mo-Su 20:00-22:00"}, True),
        ({"hours": "Mo-Su 08:00-22:00"}, False),
        ({"mac": "02:00:00:00:0c:77"}, True),
        ({"rate_up_kbps": "512"}, False),
    ],
    ids=str,
)
def test_what_a_change_would_cut_is_counted_first(
    clerk: Clerk, services: Services, cells: dict[str, str], is_cut: bool
) -> None:
    with services.make_session.begin() as db:
        register_device(db, now=services.clock())
        reconcile(db, now=services.clock())
    clerk.get("/staff/records/devices/cam-gare")
    clerk.press("/staff/records/devices/cam-gare", **cells)
    assert clerk.page.status_code == (409 if is_cut else 303)
    assert ("Save and disconnect 1 device" in clerk.page.text) is is_cut
    assert online(services) == ["device:1"]


def test_a_device_that_is_moved_is_cut_off_here_and_online_there(
    clerk: Clerk, services: Services, town: Town
) -> None:
    with services.make_session.begin() as db:
        register_device(db, now=services.clock())
        reconcile(db, now=services.clock())
    clerk.get("/staff/records/devices/cam-gare")
    clerk.press("/staff/records/devices/cam-gare", site="battant")
    assert clerk.page.status_code == 409
    clerk.press("/staff/records/devices/cam-gare", site="battant", agreed="yes")
    assert clerk.page.status_code == 303
    with services.make_session() as db:
        sessions = db.scalars(select(AccessSession).order_by(AccessSession.id)).all()
        assert [(one.ended_at is None, one.site.slug) for one in sessions] == [
            (False, "gare-viotte"),
            (True, "battant"),
        ]


def test_the_owners_page_is_made_found_and_revoked_on_the_record(clerk: Clerk, services: Services) -> None:
    clerk.get("/staff/records/devices/-/new")
    clerk.press(
        "/staff/records/devices/-/new",
        **{**CAMERA, "address": "10.66.0.200", "state": "active", "hours": "24/7"},
    )
    clerk.get("/staff/records/devices/cam-gare")
    assert f"dhcp-host={CAMERA['mac']},10.66.0.200" in clerk.page.text
    assert "/devices/" not in clerk.page.text.replace("/records/devices/", "")
    clerk.press("/staff/records/devices/cam-gare/link")
    page = clerk.get("/staff/records/devices/cam-gare").text
    assert f"{services.settings.portal_url}/devices/" in page
    clerk.press("/staff/records/devices/cam-gare/unlink")
    assert f"{services.settings.portal_url}/devices/" not in clerk.get("/staff/records/devices/cam-gare").text
