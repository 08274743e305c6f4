"""The page of a device's owner: by its secret address alone, with nothing else on it, and not without end."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from auth.fixed_devices import links
from auth.fixed_devices.models import FixedDevice
from portal.services import Services
from sessions.managed.reconcile import reconcile
from sessions.models import AccessSession, Usage
from tests.actors import TESTER
from tests.auth.fixed_devices.devices import CAMERA, admit_devices, register_device
from tests.portal.conftest import PORTAL
from tests.town import Town


@pytest.fixture
def secret(services: Services, town: Town) -> str:
    with services.make_session.begin() as db:
        admit_devices(db)
        device = register_device(db, note="The key is at the bar", address="10.66.0.200")
        services.owner_links.make(db, device, actor=TESTER, now=services.clock())
        reconcile(db, now=services.clock())
        access = db.scalars(select(AccessSession)).one()
        device.last_seen_at = services.clock()
        db.add(
            Usage(
                access_id=access.id,
                gateway_id=access.gateway_id,
                epoch="one",
                bytes_up=5_000_000,
                bytes_down=2_000,
                packets_up=1,
                packets_down=1,
                updated_at=services.clock(),
            )
        )
    with services.make_session() as db:
        made = services.owner_links.secret_of(db.scalars(select(FixedDevice)).one())
    assert made is not None
    return made


def volume_shown(page: str) -> list[str]:
    return re.findall(r"<strong>([0-9,]+\s[kM]?o)</strong>", page)


def look(app: Flask, secret: str, *, address: str = "192.0.2.7", language: str = "fr") -> TestResponse:
    return app.test_client().get(
        f"/devices/{secret}",
        base_url=PORTAL,
        environ_overrides={"REMOTE_ADDR": address},
        headers={"Accept-Language": language},
    )


def test_the_owner_sees_whether_it_works_when_it_was_seen_and_its_traffic_and_nothing_else(
    app: Flask, secret: str
) -> None:
    page = look(app, secret)
    assert page.status_code == 200
    assert "Camera of the kiosk" in page.text
    assert volume_shown(page.text)[:1] == ["5\u00a0Mo"]
    hidden = ("mac", "owner", "contact", "purpose", "destinations", "sign_reference", "slug")
    seen = [name for name in hidden if CAMERA[name] in page.text]
    assert seen == []
    assert "10.66.0.200" not in page.text
    assert "The key is at the bar" not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert "<form" not in page.text


def test_a_revoked_address_opens_nothing_and_says_as_little_as_one_that_never_was(
    app: Flask, secret: str, services: Services
) -> None:
    with services.make_session.begin() as db:
        links.revoke(db, db.scalars(select(FixedDevice)).one(), actor=TESTER, now=services.clock())
    gone, never = look(app, secret), look(app, "x" * 43)
    assert (gone.status_code, never.status_code) == (404, 404)
    assert gone.text.replace(secret, "") == never.text.replace("x" * 43, "")


def test_nobody_looks_without_end_and_others_are_not_kept_out_by_it(app: Flask, secret: str) -> None:
    answers = {look(app, "y" * 43).status_code for _ in range(61)}
    assert answers == {404, 429}
    assert look(app, secret).status_code == 429
    assert look(app, secret, address="192.0.2.8").status_code == 200
