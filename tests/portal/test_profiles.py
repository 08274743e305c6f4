"""A patron takes a profile for the encrypted network on a page without script, and revokes it there."""

from __future__ import annotations

import base64
import plistlib
import re
from datetime import timedelta
from email import message_from_bytes
from typing import cast
from xml.etree import ElementTree

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import pkcs12
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from auth.audit import actor
from auth.blocks import service as blocks
from auth.blocks.models import BlockCause, BlockKind
from auth.blocks.service import BlockRequest
from auth.devices import authority
from auth.devices import service as devices
from auth.devices.models import Device
from portal.services import Services
from sessions.models import AccessSession, Decision, EndReason
from sites.models import Gateway
from tests.actors import TESTER
from tests.clock import MovingClock
from tests.portal.conftest import ADA, ADA_PIN, Agent, Phone
from tests.portal.effects import changed_since, state
from tests.town import Town, make_gateway

SSID = "BIBLIOTHEQUES-SECURE"


@pytest.fixture
def access_point(services: Services, town: Town) -> None:
    with services.make_session.begin() as db:
        bayle = db.get_one(Gateway, town.pierre_bayle.id)
        options = {"nas_address": "10.9.0.1", "ssid": SSID}
        db.add(
            make_gateway(
                "ap-bayle", bayle.site, bayle.network, kind="enterprise", redirector_url="", options=options
            )
        )
        by = actor.command_line("")
        authority.make(db, "Besançon Wi-Fi", tokens=services.encrypted_tokens, actor=by, now=services.clock())
    services.places.forget()


@pytest.fixture
def patron(access_point: None, reader: Phone, bayle: Agent) -> Phone:
    """A patron who is online with the card."""
    reader.land()
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    bayle.follow()
    return reader


def take(patron: Phone, *, secret: str = ADA_PIN, device: str = "Phone of Ada") -> TestResponse:
    patron.get("/profile")
    return patron.press("/profile", login=ADA, secret=secret, device=device)


def fetch(patron: Phone, system: str) -> TestResponse:
    """The file for a system, from the page where `take` has led."""
    fields = dict(re.findall(r'name="(visit|grant)" value="([^"]*)"', patron.page.text))
    return patron.post("/profile/file", **fields, system=system)


def rows(db: Session) -> list[Device]:
    db.rollback()
    return list(db.scalars(select(Device).order_by(Device.id)))


def test_a_profile_for_apple_has_all_that_a_device_needs(
    patron: Phone, services: Services, db: Session
) -> None:
    assert SSID in patron.get("/profile").text
    answer = take(patron)
    assert (answer.status_code, answer.location.split("?")[0]) == (303, "/profile/ready")
    patron.get(answer.location)
    assert rows(db) == []
    file = fetch(patron, "apple")
    assert file.content_type == "application/x-apple-aspen-config"
    assert file.headers["Cache-Control"] == "no-store"
    profile = plistlib.loads(file.data)
    root, identity, network = profile["PayloadContent"]
    key, certificate, _ = pkcs12.load_key_and_certificates(
        identity["PayloadContent"], identity["Password"].encode()
    )
    assert key is not None and certificate is not None
    (device,) = rows(db)
    assert f"{certificate.serial_number:040x}" == device.serial
    certificate.verify_directly_issued_by(x509.load_der_x509_certificate(root["PayloadContent"]))
    # No name and no card: neither in what goes over the air, nor in the certificate.
    eap = network["EAPClientConfiguration"]
    assert (eap["AcceptEAPTypes"], eap["UserName"]) == ([13], "anonymous@portal.example.org")
    assert certificate.subject.rfc4514_string() == f"CN=device-{device.serial}"
    assert (network["SSID_STR"], eap["TLSTrustedServerNames"]) == (SSID, ["portal.example.org"])
    assert network["PayloadCertificateUUID"] == identity["PayloadUUID"]
    assert eap["PayloadCertificateAnchorUUID"] == [root["PayloadUUID"]]
    assert (
        profile["RemovalDate"]
        == device.until.replace(tzinfo=None)
        == certificate.not_valid_after_utc.replace(tzinfo=None)
    )
    assert (device.name, device.until) == (
        "Phone of Ada",
        (device.issued_at + devices.LIFE).replace(microsecond=0),
    )
    assert devices.login_of(device, tokens=services.encrypted_tokens, now=services.clock()) == ADA


def test_a_profile_for_android_is_a_passpoint_subscription(patron: Phone) -> None:
    patron.get(take(patron).location)
    file = fetch(patron, "android")
    assert file.content_type == "application/x-wifi-config"
    message = message_from_bytes(base64.b64decode(file.data))
    parts = list(message.walk())[1:]
    subscription, ca, key = (cast("bytes", part.get_payload(decode=True)) for part in parts)
    assert [part.get_content_type() for part in parts] == [
        "application/x-passpoint-profile",
        "application/x-x509-ca-cert",
        "application/x-pkcs12",
    ]
    _, certificate, _ = pkcs12.load_key_and_certificates(key, b"")
    assert certificate is not None
    certificate.verify_directly_issued_by(x509.load_der_x509_certificate(ca))
    texts = [element.text or "" for element in ElementTree.fromstring(subscription).iter()]
    assert certificate.fingerprint(SHA256()).hex() in texts
    assert "portal.example.org" in texts and "x509v3" in texts


def test_the_other_files_and_the_password_of_the_key(patron: Phone, db: Session) -> None:
    page = patron.get(take(patron).location)
    (password,) = re.findall(r'Password of the key</span> <strong><bdi dir="ltr">([^<]+)<', page.text)
    ready = patron.page
    windows = ElementTree.fromstring(fetch(patron, "windows").data)
    assert SSID in [element.text for element in windows.iter()]
    patron.page = ready
    x509.load_der_x509_certificate(fetch(patron, "authority").data)
    assert rows(db) == []
    patron.page = ready
    assert pkcs12.load_key_and_certificates(fetch(patron, "key").data, password.encode())[1]
    patron.page = ready
    fetch(patron, "key")
    # However often it is fetched, it is one device.
    assert len(rows(db)) == 1


def test_a_wrong_pin_gives_no_profile_and_counts_as_at_the_sign_in(patron: Phone, db: Session) -> None:
    refused = take(patron, secret="wrong")
    assert refused.status_code == 403 and "Card number or PIN is wrong." in refused.text
    assert rows(db) == [] and db.scalars(select(Decision.step)).all() == ["profile"]


def test_the_form_sent_again_changes_nothing(patron: Phone, services: Services) -> None:
    patron.get("/profile")
    fields = {**patron.form("/profile"), "login": ADA, "secret": ADA_PIN, "device": "Phone"}
    assert patron.post("/profile", **fields).status_code == 303
    before = state(services)
    assert patron.post("/profile", **fields).status_code == 303
    assert changed_since(before, services) == set()


def test_a_patron_revokes_a_device_and_only_their_own(patron: Phone, db: Session, services: Services) -> None:
    patron.get(take(patron).location)
    fetch(patron, "apple")
    (device,) = rows(db)
    with services.make_session.begin() as writing:
        other = writing.get_one(Device, device.id)
        other.mac = patron.mac
    assert "Phone of Ada" in patron.get("/profile").text
    fields = patron.form("/profile/revoke")
    assert patron.post("/profile/revoke", **{**fields, "device": str(device.id + 1)}).status_code == 303
    assert rows(db)[0].revoked_at is None
    assert patron.post("/profile/revoke", **fields).status_code == 303
    assert rows(db)[0].revoked_at is not None
    assert db.scalars(select(AccessSession.end_reason)).all() == [EndReason.LEFT]
    # A second press leads where the first one led.
    before = state(services)
    assert patron.post("/profile/revoke", **fields).status_code in (200, 303)
    assert changed_since(before, services) == set()


def test_a_patron_has_so_many_devices_and_no_more(patron: Phone, db: Session, clock: MovingClock) -> None:
    for number in range(devices.MOST_DEVICES):
        patron.get(take(patron, device=f"device {number}").location)
        fetch(patron, "apple")
    refused = take(patron)
    assert refused.status_code == 403 and "as many devices as there may be" in refused.text
    assert len(rows(db)) == devices.MOST_DEVICES


def test_where_no_access_point_is_encrypted_no_page_speaks_of_it(reader: Phone, bayle: Agent) -> None:
    reader.land()
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    bayle.follow()
    assert "/profile" not in reader.get("/status").text


def test_a_blocked_patron_takes_no_profile_before_the_sweep_has_ended_the_session(
    patron: Phone, services: Services, db: Session
) -> None:
    subject, now = db.scalars(select(AccessSession.subject)).one(), services.clock()
    until = now + timedelta(days=1)
    wish = BlockRequest(BlockKind.PERSON, subject, None, BlockCause.DECISION, "", until)
    with services.make_session.begin() as writing:
        blocks.place(writing, wish, actor=TESTER, now=now)
    answer = take(patron)
    assert answer.status_code == 403 and "Your card is blocked on this wifi." in answer.text
