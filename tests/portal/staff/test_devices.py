"""Network staff revokes the certificate of a device on the page of a session of its person."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit import actor
from auth.audit.log import AuditEntry
from auth.devices import authority
from auth.devices import service as devices
from auth.devices.models import Device
from auth.devices.service import Enrolment
from auth.staff.roles import Role
from portal.services import Services
from sessions.models import AccessSession, EndReason
from sites.models import Gateway
from tests.portal.staff.conftest import Desk
from tests.sessions.log.rows import add_session
from tests.town import Town


def test_it_ends_what_the_device_has_open_and_stands_in_the_audit_log(
    services: Services, desk: Desk, db: Session, town: Town
) -> None:
    now, tokens = services.clock(), services.encrypted_tokens
    with services.make_session.begin() as writing:
        access = add_session(writing, writing.get_one(Gateway, town.pierre_bayle.id), now)
        authority.make(writing, "Wi-Fi", tokens=tokens, actor=actor.command_line(""), now=now)
        wish = Enrolment(access.subject, "25000001", "Phone of Ada", "0" * 32, "1", "fr", "0" * 64)
        device = devices.enrol(writing, wish, tokens=tokens, now=now).device
        device.mac = access.mac
        page, number = f"/staff/sessions/{access.id}", device.id
    clerk = desk.hire("net", Role.NETWORK)
    clerk.sign_in()
    text = clerk.get(page).text
    # Its name is its owner's affair.
    assert "on the encrypted network" in text and "Phone of Ada" not in text
    assert clerk.press(f"{page}/device").status_code == 303
    db.rollback()
    assert db.scalars(select(Device.revoked_at)).one() is not None
    assert db.scalars(select(AccessSession.end_reason)).all() == [EndReason.STAFF]
    entries = [(one.action, one.object) for one in db.scalars(select(AuditEntry).order_by(AuditEntry.number))]
    assert ("device revoked", f"device:{number}") in entries
    assert "revoked on" in clerk.get(page).text
