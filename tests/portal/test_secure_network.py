"""Patrons' devices join the encrypted network with a certificate: wpa_supplicant, FreeRADIUS, the portal, all real."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from auth.audit import actor
from auth.devices import authority, certificates
from auth.devices import service as devices
from auth.devices.models import Device
from auth.devices.service import Enrolled, Enrolment
from auth.patrons.csv_import import import_patrons
from auth.patrons.local import PatronRecord
from config import Secret, Settings
from db.base import Base
from portal.app import create_app, make_services, system_clock
from portal.cli.radius_config import SHARED_SECRET, nas_of, secure_files
from portal.gateway_api.enterprise import set_up
from portal.gateway_api.radius_callers import token_of
from portal.gateway_api.secrets import secret_of
from portal.services import Services
from sessions import joining
from sessions.models import AccessSession, Decision, EndReason, Lease
from sites.models import Site
from tests.clock import MovingClock
from tests.gateways.contract.drivers.nas import Quiet
from tests.services.eapol import Joined, Supplicant
from tests.services.freeradius import FreeRadius, running_freeradius
from tests.town import make_gateway, make_library_network, make_site

SECRET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEF"
HOST = "portal.example.org"
ADA = "25000001"


@dataclass
class Library:
    """A library with an access point whose network is encrypted, its portal, and its FreeRADIUS."""

    folder: Path
    services: Services
    clock: MovingClock
    server: FreeRadius
    secret: str
    phones: int = field(default=0)

    def enrol(self, card: str = ADA, *, life: timedelta | None = None) -> Enrolled:
        """Give a patron's device its certificate, as the page does when card and PIN were right."""
        with self.services.make_session.begin() as db:
            wish = Enrolment(
                self.subject(card), card, "Phone", secrets.token_hex(8), "2026-1", "fr", "0" * 64
            )
            wish = replace(wish, card_until=self.clock() + life if life else None)
            return devices.enrol(db, wish, tokens=self.services.encrypted_tokens, now=self.clock())

    def subject(self, card: str) -> str:
        return self.services.pseudonyms.of("patron", card)

    def phone(self, enrolled: Enrolled, **changes: object) -> Supplicant:
        self.phones += 1
        folder = self.folder / f"phone-{self.phones}"
        folder.mkdir()
        values = {"mac": f"02:00:00:00:0b:{self.phones:02x}", **changes}
        return replace(Supplicant(folder, enrolled.pair, enrolled.authority, HOST), **values)  # type: ignore[arg-type]

    def join(self, phone: Supplicant) -> Joined:
        return phone.join(self.server, self.secret)

    def stay(self, phone: Supplicant) -> AccessSession | None:
        with self.services.make_session() as db:
            mine = (
                select(AccessSession).where(AccessSession.mac == phone.mac).order_by(AccessSession.id.desc())
            )
            return db.scalars(mine).first()

    def refusal(self, phone: Supplicant) -> Decision | None:
        with self.services.make_session() as db:
            return db.scalars(select(Decision).where(Decision.mac == phone.mac)).first()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("library")
    # Certificates are judged by the clocks of FreeRADIUS and of the device: the portal's begins with theirs.
    clock = MovingClock(system_clock())
    settings = Settings(
        secret_key=Secret(SECRET),
        portal_url=f"https://{HOST}",
        database_url=f"sqlite:///{folder / 'a.sqlite3'}",
    )
    services = make_services(settings, clock=clock)
    Base.metadata.create_all(services.engine)
    with services.make_session.begin() as db:
        network = make_library_network(lease_seconds=3600)
        site = make_site("pierre-bayle", network, opening_hours="24/7")
        options = {"nas_address": "127.0.0.1", "ssid": "BIBLIOTHEQUES-SECURE"}
        db.add(make_gateway("ap-bayle", site, network, kind="enterprise", redirector_url="", options=options))
        import_patrons(
            db,
            "card,pin,category,expires_on,blocked\n"
            + "".join(
                f"2500000{number},pin-of-card-{number},adult,2099-12-31,no\n" for number in range(1, 9)
            ),
        )
        by = actor.command_line("")
        authority.make(db, "Wi-Fi", tokens=services.encrypted_tokens, actor=by, now=clock())
    app = create_app(services)
    http = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
    with app.app_context():
        gateways = services.places.gateways()
        nas, secure, secret = nas_of(gateways), secure_files(gateways), secret_of(gateways[0], SHARED_SECRET)
    portal = f"http://127.0.0.1:{http.server_port}"
    with (
        closing(services.wake),
        running_freeradius(folder / "radius", portal=portal, nas=nas, secure=secure) as server,
    ):
        yield Library(folder, services, clock, server, secret)
    http.shutdown()
    http.server_close()
    services.engine.dispose()


def test_a_device_joins_without_a_page_under_the_patrons_account(library: Library) -> None:
    phone = library.phone(library.enrol())
    joined = library.join(phone)
    stay = library.stay(phone)
    assert joined.is_in and stay is not None
    assert (stay.subject, stay.method.value, stay.terms_version) == (library.subject(ADA), "patron", "2026-1")
    # Session-Timeout (27): the rest of the lease, which the access point keeps.
    assert 3590 <= joined.number(27) <= 3600
    assert joined.attributes[25] == f"arobase-{stay.id}".encode().hex()
    # What FreeRADIUS and the access point are told by name, and all that the log of FreeRADIUS says, names nobody.
    assert "anonymous@portal.example.org" in joined.said
    assert ADA not in joined.said + library.server.log() and library.subject(ADA) not in joined.said
    with library.services.make_session() as db:
        assert db.scalars(select(Lease).where(Lease.access_id == stay.id)).one().confirmed_at is not None


def test_who_joins_again_goes_on_until_the_same_instant(library: Library) -> None:
    phone = library.phone(library.enrol("25000002"), with_tls_1_3=True)
    assert library.join(phone).is_in
    first = library.stay(phone)
    library.clock.advance(minutes=10)
    again = library.join(phone)
    assert again.is_in and 2990 <= again.number(27) <= 3000
    second = library.stay(phone)
    assert first is not None and second is not None and (first.id, first.until) == (second.id, second.until)


def test_a_revoked_device_is_refused_at_once_and_its_stay_ended(library: Library) -> None:
    enrolled = library.enrol("25000003")
    phone = library.phone(enrolled)
    assert library.join(phone).is_in
    stay = library.stay(phone)
    assert stay is not None
    with library.services.make_session.begin() as db:
        open_one = db.get_one(AccessSession, stay.id)
        assert joining.revoke(db, enrolled.device.id, access=open_one, now=library.clock()) == [stay.id]
    assert not library.join(phone).is_in
    ended, refusal = library.stay(phone), library.refusal(phone)
    assert ended is not None and ended.end_reason is EndReason.LEFT
    assert refusal is not None and (refusal.rule, refusal.subject) == ("revoked_device", stay.subject)


def test_a_card_that_was_blocked_or_expired_or_taken_away_since_joins_no_more(library: Library) -> None:
    phone = library.phone(library.enrol("25000004"))
    changes: list[tuple[dict[str, object], str]] = [
        ({"blocked": True}, "blocked_card"),
        ({"blocked": False, "expires_on": datetime(2020, 1, 1, tzinfo=UTC).date()}, "expired_card"),
        ({"card": "99000004"}, "gone_card"),
    ]
    reasons = []
    for number, (change, _) in enumerate(changes):
        with library.services.make_session.begin() as db:
            record = db.scalars(select(PatronRecord).where(PatronRecord.card.in_(["25000004"]))).one()
            for name, value in change.items():
                setattr(record, name, value)
        phone = replace(phone, mac=f"02:00:00:00:0c:{number:02x}")
        assert not library.join(phone).is_in
        refusal = library.refusal(phone)
        reasons.append(refusal.rule if refusal else None)
    assert reasons == [reason for _, reason in changes]


def test_an_expired_certificate_and_one_of_another_authority_do_not_reach_the_portal(
    library: Library,
) -> None:
    over = library.enrol("25000005")
    with library.services.make_session() as db:
        ours = authority.in_force(db, tokens=library.services.encrypted_tokens, now=library.clock())
    ended = system_clock() - timedelta(minutes=5)
    expired, _ = certificates.make_device(ours, until=ended, now=ended - timedelta(days=90))
    foreign = certificates.make_authority("Wi-Fi", now=library.clock())
    stranger, _ = certificates.make_device(
        foreign, until=library.clock() + timedelta(days=9), now=library.clock()
    )
    for pair in (expired, stranger):
        phone = library.phone(replace(over, pair=pair))
        assert not library.join(phone).is_in
        assert library.stay(phone) is None and library.refusal(phone) is None


def test_a_device_joins_no_server_that_is_not_ours(library: Library) -> None:
    enrolled = library.enrol("25000006")
    foreign = certificates.make_authority("Wi-Fi", now=library.clock())
    for phone, why in (
        (library.phone(enrolled, authority=foreign.certificate), "Certificate verification failed"),
        (library.phone(enrolled, host="evil.example.org"), "Domain mismatch"),
    ):
        joined = library.join(phone)
        assert not joined.is_in and library.stay(phone) is None
        assert why in joined.said


def test_more_devices_than_the_network_allows_send_the_oldest_away(library: Library) -> None:
    phones = [library.phone(library.enrol("25000007")) for _ in range(3)]
    assert all(library.join(phone).is_in for phone in phones)
    stays = [library.stay(phone) for phone in phones]
    assert [stay.end_reason if stay else None for stay in stays] == [EndReason.DEVICE_LIMIT, None, None]


def test_a_closed_library_lets_nobody_join(library: Library) -> None:
    phone = library.phone(library.enrol("25000008"))
    with library.services.make_session.begin() as db:
        _open(db, "off")
    library.services.places.forget()
    try:
        assert not library.join(phone).is_in
    finally:
        with library.services.make_session.begin() as db:
            _open(db, "24/7")
        library.services.places.forget()
    refusal = library.refusal(phone)
    assert refusal is not None and refusal.rule == "closed_library"
    assert library.join(phone).is_in


def _open(db: Session, hours: str) -> None:
    db.scalars(select(Site)).one().opening_hours = hours


def test_a_stolen_database_has_neither_card_nor_key(library: Library) -> None:
    library.enrol("25000001")
    with library.services.make_session() as db:
        rows = [
            vars(row)
            for model in (Device, authority.CertificateAuthority)
            for row in db.scalars(select(model))
        ]
    assert rows
    assert ADA not in str(rows) and "PRIVATE KEY" not in str(rows)


def test_the_lines_for_an_access_point_have_its_secret_and_what_a_device_expects(library: Library) -> None:
    app = create_app(library.services)
    with app.app_context():
        (lines,) = set_up(library.services.places.gateways()[0]).lines
    assert f"auth_server_shared_secret={library.secret}" in lines.text
    assert "ssid=BIBLIOTHEQUES-SECURE" in lines.text and f"nai_realm=0,{HOST},13[5:6]" in lines.text


def test_a_packet_that_names_a_certificate_is_believed_from_the_handshakes_end_alone(
    library: Library,
) -> None:
    serial = library.enrol("25000002").device.serial
    named = {
        "TLS-Client-Cert-Serial": serial,
        "Calling-Station-Id": "02-00-00-00-0D-01",
        "User-Name": "anonymous",
    }
    body = {name: {"type": "string", "value": [text]} for name, text in named.items()}
    app = create_app(library.services)
    with app.app_context():
        headers = {"Authorization": f"Bearer {token_of(library.services.places.gateways()[0])}"}
    path, browser = "/gateways/radius/v1/authorize", app.test_client()
    assert browser.post(path, json=body, headers=headers).status_code == 401
    with_handshake = {**headers, "X-FreeRADIUS-Server": "arobase-device"}
    assert browser.post(path, json=body, headers=with_handshake).status_code == 200
